"""The static checks held against a sound file that is broken everywhere: nothing slips through."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from renoflow.definition.model import WorkflowDefinition
from renoflow.definition.structure import structure
from renoflow.workflow.checks import check_together, check_workflow
from renoflow.workflow.compile import compile_workflow

FOLDER = Path(__file__).parent / "checks"
JOB: dict[str, Any] = tomllib.loads((FOLDER / "job.toml").read_text("utf-8"))
PART, _ = structure(tomllib.loads((FOLDER / "part.toml").read_text("utf-8")), WorkflowDefinition)

Place = tuple[str | int, ...]

FREE = frozenset(("zh", "en", "label", "unit", "host", "workflow"))
"""Keys under which any text may stand, or a workflow that is not loaded."""
FREE_PLACES = frozenset(
    [
        ("deadlines", "answer", "terms", 0, "name"),
        ("deadlines", "answer", "terms", 1, "name"),
        ("deadlines", "cover", "parts", 0, "name"),
        ("deadlines", "cover", "parts", 1, "name"),
        # `lead` is not loaded, so nobody knows its events.
        ("events", "finish", "tells", 0, "event"),
    ]
)
VALUES = (
    5, 0, -1, True, "", "0", "1.5", "0.005", "1e999", "7 days", "20%", "2026-03-09", "a.b.c",
    "@", "@today", "@actor", "@area", "@cost", "@kind", "@due", "@level", "@length", "@happy", "@wants",
    "@grade.rank", "@grade.bonus", "@level.role", "@child.days", "paid.deposit", "children.part.price",
    "$", "$answer_limit", "$share", "$tries", "$by_phone", "$checker",
    "is_villa", "cost", "boss", "system", "event.ask", "@start", "@same", "@history", "cover", "cover.*",
    "deadline..", "deadline.answer.started", "deadline.answer.breached", "deadline.cover.*.expired",
    "state.", "state.working.entered", "child.", "child.part.ended", "link.lead.moved",
)  # fmt: skip


def places(data: Any, path: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Every scalar of a file, with where it stands."""
    if isinstance(data, dict):
        for key, item in data.items():
            yield from places(item, (*path, key))
    elif isinstance(data, list):
        for number, item in enumerate(data):
            yield from places(item, (*path, number))
    else:
        yield path, data


def with_value(path: Place, value: object) -> WorkflowDefinition | None:
    """The sound file with one value replaced, None where the reader refuses it already."""
    data = copy.deepcopy(JOB)
    inner: Any = data
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return structure(data, WorkflowDefinition)[0]


NAMES = [
    path
    for path, value in places(JOB)
    if isinstance(value, str) and FREE.isdisjoint(map(str, path)) and path not in FREE_PLACES
]


@pytest.mark.parametrize("path", NAMES, ids=lambda path: ".".join(map(str, path)))
def test_every_misspelt_name_is_found(path: Place) -> None:
    """Whatever name or literal is replaced by one that does not exist, somebody says so."""
    definition = with_value(path, "no_such_thing")
    if definition is not None:
        assert PART is not None
        assert check_workflow(definition) or check_together({"job": definition, "part": PART})


@settings(max_examples=300)
@given(st.sampled_from([path for path, _ in places(JOB)]), st.sampled_from(VALUES))
def test_what_has_no_problem_compiles(path: Place, value: object) -> None:
    """The checks never fail on a strange file, and what they let pass can be compiled."""
    definition = with_value(path, value)
    if definition is not None and PART is not None and not check_workflow(definition):
        loaded = {"job": definition, "part": PART}
        if not check_together(loaded):
            compile_workflow(definition, loaded=loaded)
