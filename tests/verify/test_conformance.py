"""The plan that `decide` runs against the plain machine: no difference, and every seeded fault is found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from attrs import evolve

import renoflow as rf
from renoflow.definition.model import (
    ConditionNode,
    EventDefinition,
    HeaderDefinition,
    RegisteredLeaf,
    StageDefinition,
    StateDefinition,
    WorkflowDefinition,
)
from renoflow.values import SYSTEM, Label
from renoflow.verify.conformance import (
    Conformance,
    Difference,
    answer_differences,
    check_conformance,
    table_differences,
)
from renoflow.verify.rehearsal import MOST_GUARDS, Rehearsal, combinations
from renoflow.verify.table import machine_table
from renoflow.workflow.machine import HISTORY, SAME, START
from tests.verify.seeding import Fault, faults

WORKFLOWS = rf.load_workflows()

KINDS = {
    "a wrong word on the end", "a wrong word on where it stays", "all guards dropped",
    "any guard is enough", "entry turned into a stay", "event dropped", "event opens a case",
    "event renamed", "final turned round", "guard added", "guard added to the transition alone",
    "guard dropped", "guard dropped everywhere", "guard made one of two", "guard negated",
    "guard not named in refusals", "guard swapped for another", "impossible origin added",
    "negated guard added", "negated guard added to the transition alone", "opening forgotten",
    "opening reachable from a state", "origin no longer asked", "origin not remembered", "origins swapped",
    "remembering turned round", "source added", "stay turned into a re-entry", "target changed",
    "transition dropped", "transitions exchanged",
}  # fmt: skip


# ------------------------------------------------------------------ no difference


@pytest.mark.parametrize("name", sorted(WORKFLOWS))
def test_a_bundled_workflow_decides_as_its_plain_machine(name: str) -> None:
    """In every state, for every event, outcome of its guards and origin, `decide` answers as the machine."""
    found = check_conformance(WORKFLOWS[name])
    assert found.holds, str(found)


@pytest.mark.parametrize("name", sorted(WORKFLOWS))
def test_nothing_is_left_out(name: str) -> None:
    """Every event is asked in every state with every outcome of its guards, and every transition is taken."""
    definition = WORKFLOWS[name].plan.definition
    found = check_conformance(WORKFLOWS[name])
    least = sum(2 ** (len(event.guards) + 1) for event in definition.events.values())
    assert max(len(event.guards) for event in definition.events.values()) <= MOST_GUARDS
    assert found.asked >= least * (len(definition.states) + 1)
    assert found.taken == found.rows >= sum(len(event.from_) for event in definition.events.values())
    rehearsal = Rehearsal(definition)
    for event in definition.events:
        asked = list(rehearsal.questions(event))
        places = {(question.state, question.came_from) for question in asked}
        assert {state for state, _ in places} == {START, *definition.states}
        assert len({(q.state, q.came_from, q.others, *q.guards.items()) for q in asked}) == len(asked)


def test_every_origin_of_a_remembering_state_is_asked() -> None:
    """Where a project can go back, it is asked from each state that there is, and from none remembered."""
    project = WORKFLOWS["project"].plan.definition
    goes_back = {name: event.from_ for name, event in project.events.items() if event.to == HISTORY}
    assert len(goes_back) >= 3
    for name, sources in goes_back.items():
        asked = {(q.state, q.came_from) for q in Rehearsal(project).questions(name)}
        for source in sources:
            assert {origin for state, origin in asked if state == source} == {None, *project.states}


# ------------------------------------------------------------------ seeded faults


@pytest.mark.parametrize("name", sorted(WORKFLOWS))
def test_decide_shows_every_seeded_fault(name: str) -> None:
    """Each fault in the plan that `decide` runs makes it answer otherwise than the machine."""
    rehearsal = Rehearsal(WORKFLOWS[name].plan.definition)
    seeded = [fault for fault in faults(rehearsal.plan) if not fault.silent]
    missed = [str(fault) for fault in seeded if not _shown(rehearsal, fault)]
    assert missed == []
    assert len(seeded) > 100


def _shown(rehearsal: Rehearsal, fault: Fault) -> bool:
    return any(True for _ in answer_differences(rehearsal, fault.plan, fault.events))


@pytest.mark.parametrize("name", sorted(WORKFLOWS))
def test_the_table_shows_every_seeded_fault(name: str) -> None:
    """Each fault in the full plan makes its table another than the machine's."""
    plan = WORKFLOWS[name].plan
    machine = machine_table(plan.definition)
    seeded = list(faults(plan))
    missed = [str(fault) for fault in seeded if not any(True for _ in table_differences(fault.plan, machine))]
    assert missed == []
    assert len(seeded) > 100


def test_the_faults_are_of_every_kind_and_the_same_each_time() -> None:
    """Thousands of faults, of every kind, the same on each run and for a plan and its stripped twin."""
    full: list[tuple[str, str]] = []
    bare: list[tuple[str, str]] = []
    for flow in WORKFLOWS.values():
        full.extend((fault.kind, str(fault)) for fault in faults(flow.plan))
        bare.extend((fault.kind, str(fault)) for fault in faults(Rehearsal(flow.plan.definition).plan))
    assert full == bare
    assert len(set(full)) == len(full)
    kinds = Counter(kind for kind, _ in full)
    assert kinds.keys() == KINDS
    assert kinds.total() >= 3000


def test_the_check_reports_a_fault_in_the_plan_that_it_is_given() -> None:
    """A workflow whose plan leads elsewhere does not hold, and the difference says where and how."""
    patrol = WORKFLOWS["patrol"]
    start = patrol.plan.events["start_patrol"]
    changed = evolve(start.transitions["scheduled"], target="clean")
    events = {**patrol.plan.events, "start_patrol": evolve(start, transitions={"scheduled": changed})}
    found = check_conformance(rf.Workflow(evolve(patrol.plan, events=events), patrol.calendar))
    assert not found.holds
    assert [str(difference) for difference in found.differences] == [
        (
            "patrol: start_patrol in scheduled: the machine says: to inspecting if at_site; "
            "the plan says: to clean if at_site"
        )
    ]
    assert str(found).splitlines()[0].startswith("patrol: 1 difference; ")


def test_a_difference_says_what_was_forced() -> None:
    """State, event, origin and outcomes stand in one readable line, with both answers."""
    difference = Difference(
        workflow="project",
        event="revive",
        state="dormant",
        came_from="consulting",
        guards=(("a", True), ("b", False)),
        others=True,
        machine="to consulting",
        plan="refused, for want of b",
    )
    assert str(difference) == (
        "project: revive in dormant (come from consulting) while a holds, b fails, "
        "guards of other events hold: the machine says: to consulting; the plan says: refused, for want of b"
    )


# ------------------------------------------------------------------ odd workflows


def test_guards_written_in_place_are_forced_by_their_position() -> None:
    """An event may mix named guards with guards that have no name of their own."""
    inline = RegisteredLeaf(registered="something else altogether")
    found = check_conformance(_flow(go=_event((START,), "a", guards=(inline, "known", inline))))
    assert found.holds, str(found)
    assert found.asked == 2**3 * 2 * 3


def test_many_guards_are_tried_one_by_one() -> None:
    """Above six guards it is all, none, and all but each one."""
    tried = list(combinations(MOST_GUARDS + 1))
    assert len(set(tried)) == len(tried) == MOST_GUARDS + 3
    assert len(list(combinations(MOST_GUARDS))) == 2**MOST_GUARDS
    many = tuple(f"guard_{number}" for number in range(MOST_GUARDS + 1))
    found = check_conformance(_flow(go=_event((START,), "a", guards=many)))
    assert found.holds, str(found)
    assert found.asked == len(tried) * 2 * 3


def test_states_that_are_entered_again_and_ways_back_conform() -> None:
    """Re-entry, a stay, two ways back, and a way back into a state that remembers too."""
    flow = _flow(
        go=_event((START,), "a"),
        again=_event(("a",), "a"),
        stay=_event(("a", "rest", "sleep"), SAME),
        rest=_event(("a", "b", "sleep"), "rest"),
        sleep=_event(("a", "rest", "sleep"), "sleep"),
        wake=_event(("rest", "sleep"), HISTORY, guards=("known",)),
        call=_event(("sleep",), HISTORY),
        end=_event(("a",), "b"),
    )
    found = check_conformance(flow)
    assert found.holds, str(found)
    assert found.rows == 21


def test_a_definition_is_compiled_and_checked() -> None:
    """A definition will do in place of a workflow."""
    patrol = WORKFLOWS["patrol"]
    assert check_conformance(patrol.plan.definition) == check_conformance(patrol)


# ------------------------------------------------------------------ nothing checked is no success


def test_a_workflow_without_events_does_not_hold() -> None:
    """Where there was nothing to ask, no difference is no success."""
    found = check_conformance(_flow())
    assert (found.differences, found.asked) == ((), 0)
    assert not found.holds


@pytest.mark.parametrize(
    "short",
    [(0, 0, 12, 12), (340, 0, 12, 12), (340, 340, 12, 12), (340, 24, 12, 11), (340, 24, 0, 0)],
)
def test_too_little_looked_at_is_no_success(short: tuple[int, int, int, int]) -> None:
    """Nothing asked, all refused, all accepted, a transition never taken, or none to take, shows nothing."""
    assert _counted(340, 24, 12, 12).holds
    assert not _counted(*short).holds


def _counted(asked: int, accepted: int, rows: int, taken: int) -> Conformance:
    return Conformance(
        workflow="patrol", differences=(), asked=asked, accepted=accepted, rows=rows, taken=taken
    )


def _flow(**events: EventDefinition) -> WorkflowDefinition:
    label = Label("流程", "Flow")
    guards = {guard for event in events.values() for guard in event.guards if isinstance(guard, str)}
    return WorkflowDefinition(
        workflow=HeaderDefinition(id="flow", version=1, label=label),
        stages={"stage": StageDefinition(zh="阶段", en="Stage")},
        states=dict(_states(events)),
        conditions={name: RegisteredLeaf(registered=name) for name in sorted(guards)},
        events=events,
    )


def _states(events: dict[str, EventDefinition]) -> Iterator[tuple[str, StateDefinition]]:
    behind = {state for event in events.values() if event.to == HISTORY for state in event.from_}
    for name in ("a", "b", *sorted(behind)):
        yield (
            name,
            StateDefinition(zh=name, en=name, stage="stage", final=name == "b", remembers=name in behind),
        )


def _event(sources: tuple[str, ...], to: str, guards: tuple[ConditionNode, ...] = ()) -> EventDefinition:
    return EventDefinition(label=Label("做", "Do"), from_=sources, to=to, by=(SYSTEM,), guards=guards)
