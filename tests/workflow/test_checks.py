"""The static checks: sound files have no problem, and every kind of fault is found, in its place."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from renoflow.definition.model import WorkflowDefinition
from renoflow.definition.reader import read_workflow
from renoflow.errors import Problem
from renoflow.workflow.catalog import SHARED, bundled_sources, shared_texts
from renoflow.workflow.checks import check_together, check_workflow

FOLDER = Path(__file__).parent / "checks"
TEXTS = {name: (FOLDER / f"{name}.toml").read_text("utf-8") for name in ("job", "part")}
FAULTS: list[dict[str, Any]] = tomllib.loads((FOLDER / "faults.toml").read_text("utf-8"))["fault"]


def broken(fault: Mapping[str, Any]) -> dict[str, str]:
    """The two texts, one of them with the fault."""
    name = fault.get("file", "job")
    text = TEXTS[name]
    if "replace" in fault:
        assert text.count(fault["replace"]) == 1, f"not once in {name}.toml: {fault['replace']}"
        text = text.replace(fault["replace"], fault["with"])
    return {**TEXTS, name: text + fault.get("add", "")}


def definitions(texts: Mapping[str, str]) -> dict[str, WorkflowDefinition]:
    return {name: read_workflow(text, file=name) for name, text in texts.items()}


def named(fault: Mapping[str, Any]) -> str:
    return f"{fault['path']}-{fault['words'][:40]}"


def test_sound_files_have_no_problem() -> None:
    """Files in which everything fits together are left in peace."""
    found = definitions(TEXTS)
    for name, definition in found.items():
        assert check_workflow(definition, file=name, text=TEXTS[name]) == ()
    assert check_together(found) == ()


@pytest.mark.parametrize("fault", [f for f in FAULTS if not f.get("together")], ids=named)
def test_a_fault_in_a_file_is_found(fault: Mapping[str, Any]) -> None:
    """Each fault is reported once, at its path, on a line of the file, and nothing else is."""
    texts = broken(fault)
    name = fault.get("file", "job")
    found = check_workflow(definitions(texts)[name], file=name, text=texts[name])
    expect(fault, found)
    assert all(problem.file == name and problem.line is not None for problem in found)
    lines = [problem.line or 0 for problem in found]
    assert lines == sorted(lines)


@pytest.mark.parametrize("fault", [f for f in FAULTS if f.get("together")], ids=named)
def test_a_fault_between_files_is_found(fault: Mapping[str, Any]) -> None:
    """What one file says wrongly of another is found when both are loaded, and only then."""
    found = definitions(broken(fault))
    expect(fault, check_together(found))
    for name, definition in found.items():
        assert check_together({name: definition}) == ()


ENDS_AT_ONCE = """
[events.wave_through]
label = { zh = "免检", en = "Wave it through" }
from = ["waiting"]
to = "passed"
by = ["system"]
fired_by = ["open_part"]
"""
OPENS_THE_NEXT = """
[[reactions]]
on = ["child.part.ended"]
opens = ["part:numbered"]
"""
ASKS_AGAIN = """
[events.ask_again]
label = { zh = "再问", en = "Ask again" }
from = ["working"]
to = "@same"
by = ["system"]
fired_by = ["child.part.refuse"]
tells = [{ child = "part", event = "refuse", facts = { days = 1 } }]
"""


def test_children_opened_for_ever_are_found() -> None:
    """A child that ends at once and whose end opens another is a chain without an end."""
    found = definitions({"job": TEXTS["job"] + OPENS_THE_NEXT, "part": TEXTS["part"] + ENDS_AT_ONCE})
    (problem,) = check_together(found)
    assert (problem.file, problem.path) == ("job", "reactions[1]")
    assert "job.reactions[1] -> part.open_part -> part.wave_through -> job.reactions[1]" in problem.message


def test_cases_that_tell_each_other_for_ever_are_found() -> None:
    """Two cases whose events bring each other about are a chain without an end, if both can be repeated."""
    repeated = TEXTS["part"].replace('from = ["waiting"]\nto = "refused"', 'from = ["waiting"]\nto = "@same"')
    assert repeated != TEXTS["part"]
    texts = {"job": TEXTS["job"] + ASKS_AGAIN, "part": repeated}
    (problem,) = check_together(definitions(texts))
    assert "job.ask_again -> part.refuse -> job.ask_again" in problem.message
    assert check_together(definitions({**texts, "part": TEXTS["part"]})) == ()


def expect(fault: Mapping[str, Any], found: tuple[Problem, ...]) -> None:
    said = "\n".join(map(str, found))
    assert sorted(problem.path for problem in found) == sorted([fault["path"], *fault.get("also", [])]), said
    assert any(p.path == fault["path"] and fault["words"] in str(p).partition("]: ")[2] for p in found), said


def test_all_faults_come_at_once() -> None:
    """Several faults in one file are told together, in the order of the file."""
    text = (
        TEXTS["job"].replace('to = "checking"', 'to = "cheking"').replace('payer = "customer"', 'payer = "x"')
    )
    found = check_workflow(read_workflow(text, file="job"), file="job", text=text)
    assert {"payments.deposit.payer", "events.finish.to"} <= {problem.path for problem in found}
    assert [p.line for p in found] == sorted(p.line or 0 for p in found)


def test_without_the_text_there_are_no_lines() -> None:
    """A definition alone has places but no lines."""
    definition = read_workflow(TEXTS["job"].replace('to = "checking"', 'to = "cheking"'))
    found = check_workflow(definition)
    assert found
    assert all(problem.line is None and problem.path and not problem.file for problem in found)


def test_the_bundled_workflows_have_no_problem() -> None:
    """The files that come with the library fit together, each by itself and all of them."""
    found: dict[str, WorkflowDefinition] = {}
    for name, source in bundled_sources().items():
        if name in SHARED:
            continue
        text = str(source.text)
        definition = read_workflow(text, file=source.name, shared=shared_texts())
        assert check_workflow(definition, file=source.name, text=text) == ()
        found[definition.id] = definition
    assert check_together(found) == ()
