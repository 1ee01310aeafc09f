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
TEXTS = {name: (FOLDER / f"{name}.toml").read_text("utf-8") for name in ("job", "part", "book")}
FAULTS: list[dict[str, Any]] = tomllib.loads((FOLDER / "faults.toml").read_text("utf-8"))["fault"]


def broken(fault: Mapping[str, Any]) -> dict[str, str]:
    """The texts, one of them with the fault."""
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

SYSTEM_ENTERS = (
    'by = ["clerk"]\ngives = ["entry", "done_on"]\nmay_give',
    'by = ["clerk", "system"]\ngives = ["entry", "done_on"]\nmay_give',
)
COUNTS_AT_ONCE = """
[accumulations.each_late]
label = { zh = "迟到", en = "Late" }
counts = ["late"]
within = "calendar month"
at_least = 1
opens = ["memo"]

[children.memo]
workflow = "memo"
"""
MEMO = """
[workflow]
id = "memo"
version = 1
label = { zh = "通知单", en = "Memo" }

[stages]
work = { zh = "工作", en = "Work" }

[states]
written = { stage = "work", zh = "已写", en = "Written" }
filed   = { stage = "work", final = true, zh = "归档", en = "Filed" }

[roles]
clerk = { side = "company", zh = "文员", en = "clerk" }

[events.write]
label = { zh = "写", en = "Write" }
from = "@start"
to = "written"
by = ["system"]
tells = [ { link = "book", event = "enter", facts = { entry = "late", done_on = "@today" } } ]

[events.file]
label = { zh = "归档", en = "File" }
from = ["written"]
to = "filed"
by = ["clerk"]

[links.book]
workflow = "book"
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


def counting_for_ever(*changes: tuple[str, str]) -> tuple[Problem, ...]:
    """What is found in a ledger whose count opens a memo that enters a line into it, with these changes."""
    texts = {"book": TEXTS["book"] + COUNTS_AT_ONCE, "memo": MEMO}
    for old, new in (SYSTEM_ENTERS, *changes):
        assert sum(text.count(old) for text in texts.values()) == 1, old
        texts = {name: text.replace(old, new) for name, text in texts.items()}
    found = definitions(texts)
    for name, definition in found.items():
        assert check_workflow(definition, file=name, text=texts[name]) == ()
    return check_together(found)


def test_counts_that_feed_themselves_for_ever_are_found() -> None:
    """A count that opens a case which enters as many lines as were counted is a chain without an end."""
    (problem,) = counting_for_ever()
    assert (problem.file, problem.path) == ("book", "accumulations.each_late")
    assert "book.accumulations.each_late -> memo.write -> book.enter(late) -> book.acc" in problem.message
    assert "enter fewer lines" in problem.suggestion
    twice = ("at_least = 1", "at_least = 2"), ('opens = ["memo"]', 'opens = ["memo", "memo"]')
    assert counting_for_ever(*twice)


def test_counts_that_die_out_are_left_in_peace() -> None:
    """A round that enters fewer lines than are counted, or lines that are not counted, has an end."""
    assert counting_for_ever(("at_least = 1", "at_least = 2")) == ()
    assert counting_for_ever(('entry = "late", done_on', 'entry = "good", done_on')) == ()


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
