"""What a wheel and an sdist carry."""

from __future__ import annotations

import os
import tarfile
import zipfile
from email import message_from_bytes
from pathlib import Path, PurePosixPath

import pytest

import renoflow
from tests.building import build

BUNDLED = {
    "project", "complaint", "patrol", "checkpoint", "change_order", "warranty_claim", "stage_payment",
    "material", "conduct", "ledger", "lead", "return_visit", "satisfaction_survey",
}  # fmt: skip


@pytest.fixture(scope="module")
def wheel(dist: Path) -> frozenset[str]:
    """The files of the wheel."""
    return files_of(dist)


def files_of(folder: Path) -> frozenset[str]:
    (path,) = folder.glob("renoflow-*.whl")
    with zipfile.ZipFile(path) as archive:
        return frozenset(archive.namelist())


def test_the_wheel_carries_the_workflows(wheel: frozenset[str]) -> None:
    """Every bundled workflow is package data."""
    found = {PurePosixPath(name).stem for name in wheel if name.startswith("renoflow/workflows/")}
    assert found >= BUNDLED


def test_the_wheel_carries_the_profiles(wheel: frozenset[str]) -> None:
    """The three penalty ladders can be taken by name wherever renoflow is installed."""
    assert {f"renoflow/workflows/profiles/{name}.toml" for name in ("d09", "d15", "d16")} <= wheel


def test_the_wheel_carries_the_rulebook(wheel: frozenset[str]) -> None:
    """What `renoflow rules` lists is package data too."""
    assert "renoflow/workflows/rulebook/rules.csv" in wheel


def test_the_wheel_carries_the_example_that_the_demo_replays(wheel: frozenset[str]) -> None:
    """The demo needs no checkout."""
    assert "renoflow/examples/renovation.jsonl" in wheel


def test_the_wheel_says_that_it_is_typed(wheel: frozenset[str]) -> None:
    """Type checkers read the annotations of an installed renoflow."""
    assert "renoflow/py.typed" in wheel


def test_the_wheel_holds_the_package_and_nothing_else(wheel: frozenset[str]) -> None:
    """Besides its metadata a wheel is the package: code and data, neither tests nor example scripts."""
    places = {PurePosixPath(name).parts[0] for name in wheel}
    assert {place for place in places if not place.endswith(".dist-info")} == {"renoflow"}
    inside = [PurePosixPath(name) for name in wheel if name.startswith("renoflow/")]
    assert {path.suffix for path in inside} <= {".py", ".typed", ".toml", ".csv", ".jsonl", ".json"}
    assert not [
        path for path in inside if "tests" in path.parts or path.name.startswith(("test_", "conftest"))
    ]
    data = [path for path in inside if path.parts[1] in ("workflows", "examples")]
    assert not [path for path in data if path.suffix == ".py"]


def test_the_wheel_names_its_command_and_its_licence(dist: Path) -> None:
    """The script is installed, the licence travels along, and the oldest Python is stated."""
    (path,) = dist.glob("renoflow-*.whl")
    with zipfile.ZipFile(path) as archive:
        info = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        folder = info.removesuffix("METADATA")
        metadata = message_from_bytes(archive.read(info))
        scripts = archive.read(f"{folder}entry_points.txt").decode()
        assert f"{folder}licenses/LICENSE" in archive.namelist()
    assert "renoflow = renoflow.cli:main" in scripts
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["License-Expression"] == "MIT"
    assert metadata.get_all("Provides-Extra") == ["dev", "postgres", "procrastinate", "sql", "testing"]


def test_the_sdist_is_enough_to_build_test_and_read(dist: Path) -> None:
    """Who has the sdist has the sources, the workflows, the examples, the tests and the docs."""
    (path,) = dist.glob("renoflow-*.tar.gz")
    with tarfile.open(path) as archive:
        names = {PurePosixPath(*PurePosixPath(name).parts[1:]).as_posix() for name in archive.getnames()}
    assert names >= {
        "pyproject.toml",
        "README.md",
        "CHANGELOG.md",
        "LICENSE",
        "src/renoflow/py.typed",
        "examples/renovation.jsonl",
        "tests/conftest.py",
        "tests/test_packaging.py",
        "docs/README.zh.md",
        *(f"workflows/{name}.toml" for name in BUNDLED),
    }


def test_what_is_tested_is_what_the_wheel_holds(wheel: frozenset[str], tmp_path: Path) -> None:
    """A checkout builds the wheel that its sdist builds; an installed wheel is the one that was built."""
    if os.environ.get("RENOFLOW_DIST"):
        root = Path(renoflow.__file__).parent
        here = {
            path.relative_to(root.parent).as_posix()
            for path in root.rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
    else:
        here = {name for name in files_of(build(tmp_path, "--wheel")) if name.startswith("renoflow/")}
    assert here == {name for name in wheel if name.startswith("renoflow/")}
