"""The public surface: `renoflow.__all__` and nothing else."""

from __future__ import annotations

import ast
import inspect
import types
from itertools import pairwise
from pathlib import Path

import pytest

import renoflow

ROOT = Path(renoflow.__file__).parent


def documented_values() -> frozenset[str]:
    """Module-level names that are assigned and followed by a docstring: constants and type aliases."""
    found: set[str] = set()
    for path in ROOT.rglob("*.py"):
        body = ast.parse(path.read_text(encoding="utf-8")).body
        for statement, after in pairwise(body):
            if not (isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)):
                continue
            if isinstance(statement, ast.Assign):
                found.update(target.id for target in statement.targets if isinstance(target, ast.Name))
            elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                found.add(statement.target.id)
    return frozenset(found)


def test_the_public_names_are_sorted_and_said_once() -> None:
    """A reader finds a name where the alphabet puts it."""
    assert list(renoflow.__all__) == sorted(set(renoflow.__all__))


def test_every_public_name_is_listed() -> None:
    """What can be reached from the root without an underscore is in `__all__`, sub-modules apart."""
    reachable = {
        name
        for name, value in vars(renoflow).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType) and name != "annotations"
    }
    assert reachable <= set(renoflow.__all__)


@pytest.mark.parametrize("name", renoflow.__all__)
def test_a_public_name_is_there_and_documented(name: str) -> None:
    """Each name can be imported; a class or function has a docstring of its own, a value one below it."""
    value = getattr(renoflow, name)
    if inspect.isclass(value):
        assert (vars(value).get("__doc__") or "").strip()
    elif inspect.isroutine(value):
        assert (value.__doc__ or "").strip()
    else:
        assert name in documented_values()
