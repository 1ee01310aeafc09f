"""What is optional is loaded when it is asked for, and says how to get it where it is missing."""

from __future__ import annotations

import subprocess
import sys

import pytest

BLOCK = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {names!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name.split(".")[0])
sys.meta_path.insert(0, Missing())
import renoflow as rf
"""


def python(code: str, *missing: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", BLOCK.format(names=missing) + code]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_core_loads_no_database_library() -> None:
    """Opening and deciding cases in memory needs neither SQLAlchemy nor Alembic nor a driver."""
    code = """
service = rf.CaseService(rf.load_workflows(only=["change_order"]))
found = {"sqlalchemy", "alembic", "psycopg", "tqdm"} & set(sys.modules)
sys.exit(f"loaded: {found}" if found else 0)
"""
    assert python(code).stderr == ""
    assert python("rf.CaseService(rf.load_workflows())", "sqlalchemy", "alembic", "psycopg").returncode == 0


@pytest.mark.parametrize(
    ("missing", "code", "command"),
    [
        ("sqlalchemy", "rf.SqlStore", "pip install 'renoflow[sql]'"),
        ("sqlalchemy", "rf.SqlStore('sqlite:///firm.db')", "pip install 'renoflow[sql]'"),
        ("psycopg", "rf.SqlStore('postgresql://host/firm')", "pip install 'renoflow[postgres]'"),
    ],
)
def test_what_is_missing_is_named_with_its_command(missing: str, code: str, command: str) -> None:
    """The error is `MissingExtra`, and its message can be pasted."""
    found = python(code, missing)
    assert f"MissingExtra: {missing} is not installed; run: {command}" in found.stderr
