"""A firm's profile: what it changes in a workflow, and what it may not."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from renoflow.definition.model import ProfileDefinition, WorkflowDefinition
from renoflow.definition.reader import read_profile, read_workflow
from renoflow.values import Label
from renoflow.workflow.checks import check_together, check_workflow
from renoflow.workflow.profiles import apply_profile, check_profile

FOLDER = Path(__file__).parent / "checks"
PROFILE = (FOLDER / "profile.toml").read_text("utf-8")
FAULTS: list[dict[str, Any]] = tomllib.loads((FOLDER / "profile_faults.toml").read_text("utf-8"))["fault"]
JOB, PART = (read_workflow((FOLDER / f"{name}.toml").read_text("utf-8")) for name in ("job", "part"))
DEFINITIONS: Mapping[str, WorkflowDefinition] = {"job": JOB, "part": PART}


def test_a_profile_sets_parameters_words_and_tables() -> None:
    """What a firm chooses stands in the applied workflow, and all else is as it was."""
    applied = apply_profile(JOB, read_profile(PROFILE))
    assert applied.parameters["answer_limit"].value == "6 days"
    assert applied.parameters["answer_limit"].at_least == "3 days"
    assert applied.parameters["checker"].value == "worker"
    assert applied.workflow.label == Label("装修工程", "Works")
    assert (applied.states["working"].zh, applied.states["working"].en) == ("开工中", "Under way")
    assert applied.states["working"].waits_for == "@late_side"
    assert applied.events["ask"].label == Label("咨询", "Enquire")
    assert applied.documents["order"].zh == "订货单"
    assert applied.facts["kind"].values == {
        "flat": Label("公寓", "apartment"),
        "villa": Label("别墅", "villa"),
    }
    assert applied.conditions["is_villa"].zh == "大宅"
    assert applied.deadlines["answer"].label.en == "Reply"
    assert [part.zh for part in applied.deadlines["cover"].parts] == ["一般", "防水保修"]
    assert applied.tables["grades"]["good"] == {"rank": 1, "bonus": "200.00", "zh": "优", "en": "excellent"}
    assert applied.tables["levels"]["2"]["role"] == "worker"


def test_a_profile_never_touches_events() -> None:
    """Whatever a profile says, the events are the workflow's but for their words."""
    applied = apply_profile(JOB, read_profile(PROFILE))
    events = {name: evolve(event, label=JOB.events[name].label) for name, event in applied.events.items()}
    assert events == JOB.events
    assert applied.reactions == JOB.reactions
    assert applied.children == JOB.children


def test_a_profile_leaves_other_workflows_alone() -> None:
    """What is said of one workflow changes no other."""
    assert apply_profile(PART, read_profile(PROFILE)) == PART


def test_a_sound_profile_has_no_problem() -> None:
    """A profile that fits is left in peace, and what it makes of the workflows is sound too."""
    profile = read_profile(PROFILE)
    assert check_profile(profile, DEFINITIONS, file="north.toml", text=PROFILE) == ()
    applied = {name: apply_profile(definition, profile) for name, definition in DEFINITIONS.items()}
    assert check_workflow(applied["job"]) == ()
    assert check_together(applied) == ()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault['path']}-{fault['words'][:40]}")
def test_a_fault_in_a_profile_is_found(fault: Mapping[str, Any]) -> None:
    """Each fault of a profile is reported at its path and line, and nothing else is."""
    assert PROFILE.count(fault["replace"]) == 1
    text = PROFILE.replace(fault["replace"], fault["with"])
    found = check_profile(read_profile(text), DEFINITIONS, file="north.toml", text=text)
    said = "\n".join(map(str, found))
    assert sorted(problem.path for problem in found) == sorted([fault["path"], *fault.get("also", [])]), said
    assert any(p.path == fault["path"] and fault["words"] in str(p) for p in found), said
    assert all(p.file == "north.toml" and p.line is not None for p in found), said


def of_nothing(workflow: str) -> ProfileDefinition:
    return evolve(read_profile(PROFILE), parameters={workflow: {"x": 1}}, labels={}, tables={}, calendar={})


def test_a_workflow_that_is_not_loaded_is_passed_over() -> None:
    """A firm has one profile for all workflows; those that are not loaded are nobody's concern."""
    assert check_profile(of_nothing("warranty_claim"), DEFINITIONS) == ()
    assert check_profile(of_nothing("warranty_claim"), DEFINITIONS, known=["warranty_claim"]) == ()


def test_a_workflow_that_does_not_exist_is_found_where_all_are_known() -> None:
    """Where the names of all workflows are known, every other one is a fault."""
    (problem,) = check_profile(of_nothing("waranty"), DEFINITIONS, known=["warranty_claim"])
    assert problem.path == "parameters.waranty"
    assert "there is no workflow 'waranty'" in problem.message


def test_rows_that_another_file_names_must_survive() -> None:
    """A table's row that a parent gives to its child by name cannot be dropped by a profile."""
    colours = {
        name: {"zh": label.zh, "en": label.en} for name, label in (PART.facts["colour"].values or {}).items()
    }
    fact = evolve(PART.facts["colour"], values=None, of="colours")
    part = evolve(PART, tables={"colours": colours}, facts={**PART.facts, "colour": fact})
    profile = evolve(
        read_profile(PROFILE),
        parameters={},
        labels={},
        tables={"part": {"colours": {"blue": {"zh": "蓝", "en": "blue"}}}},
    )
    (problem,) = check_profile(profile, {"job": JOB, "part": part})
    assert problem.path == "tables.part.colours"
    assert "job: children.part.reasons.numbered.colour" in problem.message
    assert "'red' is not one of blue" in problem.message
