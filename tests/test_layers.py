"""Who may import whom. The rules are the tables below; one checker reads every module's imports."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from textwrap import dedent
from typing import NamedTuple

import pytest

import renoflow

PACKAGE = "renoflow"

LAYERS: Sequence[Sequence[str]] = (
    ("errors",),
    ("values",),
    ("wording", "roster"),
    ("records",),
    ("definition",),
    ("workflow",),
    ("engine",),
    ("store",),
    ("transaction",),
    ("outcome", "paging", "asking"),
    ("queries", "sweeping", "delivery"),
    ("service",),
    ("script",),
    ("views", "verify", "testing", "adapters"),
    ("cli_kept",),
    ("cli_store", "cli_queries"),
    ("cli",),
    ("__main__",),
)
"""A layer imports itself and those above it in this list; neighbours on one line do not import each other."""

ONLY_FOR: Mapping[str, Sequence[str]] = {
    "views": ("cli", "cli_queries"),
    "verify": ("cli",),
    "testing": ("cli",),
    "cli": ("__main__",),
    "cli_kept": ("cli_store", "cli_queries"),
    "cli_store": ("cli",),
    "cli_queries": ("cli",),
}
"""Layers that nobody else imports, the package root included."""

THROUGH_THE_ROOT = ("testing",)
"""Layers that see only the public names: they import the package root and nothing else; others never do."""

TYPES_ONLY = {("renoflow.errors", "renoflow.records")}
"""The one upward edge, allowed under TYPE_CHECKING: `Refused` carries reasons."""

FOREIGN: Mapping[str, Sequence[str]] = {
    "alembic": ("store",),
    "attrs": ("",),
    "cattrs": ("definition",),
    "chinese_calendar": ("engine.calendar",),
    "hypothesis": ("testing",),
    "msgspec": ("values", "records", "definition.schema", "engine", "store", "outcome", "transaction"),
    "procrastinate": ("adapters",),
    "pendulum": ("values", "views", "cli"),
    "sqlalchemy": ("store",),
    "tqdm": ("cli_kept",),
    "transitions": ("workflow.machine",),
}
"""Where each foreign package may be imported: a module, or a package with all in it; "" is everywhere."""


class Import(NamedTuple):
    """`module` imports `target`, on this line; `types` under TYPE_CHECKING only."""

    module: str
    target: str
    line: int
    types: bool


# ------------------------------------------------------------------ the checker


def faults(root: Path) -> list[str]:
    """Everything in the package at `root` that breaks a rule above."""
    modules = dict(modules_of(root))
    imports = [found for name, path in modules.items() for found in imports_of(name, path, modules)]
    wrong = [f"{name} belongs to no layer" for name in modules if name != PACKAGE and rank_of(name) is None]
    sound = []
    for found in imports:
        if why := complaint(found):
            wrong.append(f"{found.module}:{found.line} imports {found.target}: {why}")
        elif found.target in modules and not excused(found):
            sound.append(found)
    # An edge that is wrong by itself says so once; a circle is looked for among the others.
    return sorted({*wrong, *cycle(sound)})


def modules_of(root: Path) -> Iterator[tuple[str, Path]]:
    """Every module of the package, by its dotted name."""
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        yield ".".join((PACKAGE, *(parts[:-1] if parts[-1] == "__init__" else parts))), path


def imports_of(module: str, path: Path, modules: Mapping[str, Path]) -> Iterator[Import]:
    """The imports of a module, wherever they stand in it, relative and literal dynamic ones too."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    types = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")
        for statement in node.body
        for inner in ast.walk(statement)
    }
    for node in ast.walk(tree):
        for target in targets_of(node, module, path, modules):
            yield Import(module, target, getattr(node, "lineno", 0), node in types)


def targets_of(node: ast.AST, module: str, path: Path, modules: Mapping[str, Path]) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            parts = module.split(".")
            up = node.level - (path.name == "__init__.py")
            base = ".".join((*parts[: len(parts) - up], *([base] if base else [])))
        for alias in node.names:
            inner = f"{base}.{alias.name}"
            yield inner if inner in modules else base
    elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
        first = node.args[0] if node.args else None
        yield first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else "?"


def complaint(found: Import) -> str:
    """What is wrong with an import, or nothing."""
    module, target = found.module, found.target
    if target == "?":
        # The root may look its names up in a table, to load a layer when it is first asked for.
        return "" if module == PACKAGE else "a name that is only known when it runs"
    top = target.split(".")[0]
    if top != PACKAGE:
        return foreign(module, top)
    if excused(found):
        return ""
    here, there = layer_of(module), layer_of(target)
    if there in ONLY_FOR and here != there and here not in ONLY_FOR[there]:
        return f"only {' and '.join(ONLY_FOR[there])} may"
    if here in THROUGH_THE_ROOT:
        return "" if there in (here, "") else f"{here} sees only the public names of {PACKAGE}"
    if module == PACKAGE:
        return ""
    if there == "":
        return "the package root is for callers"
    return upward(here, there)


def upward(here: str, there: str) -> str:
    mine, theirs = rank_of(f"{PACKAGE}.{here}"), rank_of(f"{PACKAGE}.{there}")
    if mine is None or theirs is None or theirs < mine or here == there:
        return ""
    return f"{there} stands beside {here}" if theirs == mine else f"{there} stands below {here}"


def foreign(module: str, top: str) -> str:
    if top in sys.stdlib_module_names:
        return ""
    if top not in FOREIGN:
        return "a foreign package that nobody declared"
    inside = module.removeprefix(PACKAGE).removeprefix(".")
    homes = FOREIGN[top]
    if any(not home or inside == home or inside.startswith(f"{home}.") for home in homes):
        return ""
    return f"allowed in {', '.join(homes)} only"


def excused(found: Import) -> bool:
    return found.types and (found.module, found.target) in TYPES_ONLY


def layer_of(module: str) -> str:
    """`renoflow.engine.decide` is of `engine`; the package root is of ""."""
    return module.split(".")[1] if "." in module else ""


def rank_of(module: str) -> int | None:
    layer = layer_of(module)
    return next((rank for rank, names in enumerate(LAYERS) if layer in names), None)


def cycle(imports: Sequence[Import]) -> Iterator[str]:
    graph: dict[str, set[str]] = {}
    for found in imports:
        graph.setdefault(found.module, set()).add(found.target)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        yield f"a cycle: {' <- '.join(error.args[1])}"


# ------------------------------------------------------------------ the package


def test_every_import_of_the_package_keeps_to_the_layers() -> None:
    """No module imports upward, in a circle, or a foreign package outside its place."""
    root = Path(renoflow.__file__).parent
    assert len(list(modules_of(root))) > 10
    assert faults(root) == []


def test_the_only_upward_edge_is_still_needed() -> None:
    """The excuse for `errors` stands in the table only while `errors` makes use of it."""
    root = Path(renoflow.__file__).parent
    modules = dict(modules_of(root))
    found = [item for name, path in modules.items() for item in imports_of(name, path, modules)]
    assert {(item.module, item.target) for item in found if excused(item)} == TYPES_ONLY


# ------------------------------------------------------------------ the checker itself, on a small tree

SOUND = {
    "__init__.py": "from renoflow.service import Service",
    "errors.py": """
        from typing import TYPE_CHECKING
        if TYPE_CHECKING:
            from renoflow.records import Reason
        """,
    "values.py": "from renoflow.errors import Error\nimport pendulum",
    "wording.py": "from renoflow.values import Label",
    "records.py": "import msgspec\nfrom renoflow.wording import sentence\nfrom renoflow import errors",
    "definition/__init__.py": "from renoflow.definition.reader import read",
    "definition/reader.py": "import tomllib\nfrom cattrs import Converter\nfrom renoflow.values import Label",
    "workflow/__init__.py": "",
    "workflow/machine.py": "from transitions import Machine\nfrom renoflow.definition import read",
    "engine/__init__.py": "",
    "engine/calendar.py": "import chinese_calendar.constants\nfrom attrs import frozen",
    "engine/decide.py": "from renoflow.engine.calendar import days\nfrom renoflow.workflow import machine",
    "service.py": "from renoflow.engine import decide",
    "testing/__init__.py": "import hypothesis\nimport renoflow as rf\nfrom renoflow.testing.more import x",
    "testing/more.py": "",
    "views/__init__.py": "from renoflow.service import Service",
    "verify/__init__.py": "",
    "cli.py": "from renoflow import service, views\nfrom renoflow.testing import x",
    "__main__.py": "from renoflow.cli import main",
}


def tree(root: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")
    return root


def test_a_sound_tree_has_no_faults(tmp_path: Path) -> None:
    """The checker accepts every edge that the tables allow."""
    assert faults(tree(tmp_path, SOUND)) == []


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("values.py", "from renoflow.records import Case", "records stands below values"),
        ("values.py", "def f():\n    import renoflow.engine.decide", "engine stands below values"),
        ("values.py", "from .engine import decide", "engine stands below values"),
        ("definition/reader.py", "from ..workflow.machine import plan", "workflow stands below definition"),
        ("definition/reader.py", "from .. import workflow", "workflow stands below definition"),
        (
            "engine/decide.py",
            "import importlib\nimportlib.import_module('renoflow.service')",
            "service stands",
        ),
        ("engine/decide.py", "import importlib\nimportlib.import_module(f())", "only known when it runs"),
        ("errors.py", "from renoflow.records import Reason", "records stands below errors"),
        (
            "values.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from renoflow.records import Case",
            "records stands below values",
        ),
        ("service.py", "from renoflow.views import text", "only cli and cli_queries may"),
        ("verify/__init__.py", "from renoflow.views import text", "only cli and cli_queries may"),
        ("__init__.py", "from renoflow.cli import main", "only __main__ may"),
        ("__init__.py", "from renoflow.testing import x", "only cli may"),
        ("service.py", "import renoflow", "the package root is for callers"),
        ("service.py", "from renoflow import Service", "the package root is for callers"),
        ("testing/__init__.py", "from renoflow.service import Service", "only the public names"),
        ("workflow/machine.py", "import cattrs", "allowed in definition only"),
        ("workflow/plan.py", "from transitions.core import Event", "allowed in workflow.machine only"),
        ("engine/decide.py", "import chinese_calendar", "allowed in engine.calendar only"),
        ("engine/calendars.py", "import chinese_calendar", "allowed in engine.calendar only"),
        ("service.py", "import sqlalchemy", "allowed in store only"),
        ("service.py", "import yaml", "nobody declared"),
        ("helpers.py", "", "belongs to no layer"),
    ],
)
def test_a_broken_rule_is_found(tmp_path: Path, name: str, text: str, fault: str) -> None:
    """Each rule, broken once in a sound tree, is the one fault reported."""
    found = faults(tree(tmp_path, {**SOUND, name: text}))
    assert len(found) == 1
    assert fault in found[0]


def test_a_cycle_inside_a_layer_is_found(tmp_path: Path) -> None:
    """Modules of one layer may import each other, but not in a circle."""
    circle = {
        "engine/calendar.py": "from renoflow.engine.decide import now",
        "engine/decide.py": "def f():\n    from renoflow.engine.calendar import days",
    }
    found = faults(tree(tmp_path, {**SOUND, **circle}))
    assert len(found) == 1
    assert "a cycle: " in found[0]
