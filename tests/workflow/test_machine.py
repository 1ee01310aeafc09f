"""The plain `transitions` machine that a host gets, and the plan that all threads share."""

from __future__ import annotations

import copy
import logging
import pickle
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from csv import DictReader
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import msgspec
import pytest
from transitions import Machine, MachineError

import renoflow as rf
from renoflow.definition.model import WorkflowDefinition
from renoflow.engine import rules
from renoflow.workflow.machine import (
    HISTORY,
    SAME,
    START,
    build_machine,
    came_from,
    guard_names,
    transition_table,
)

WORKFLOWS = rf.load_workflows()
NAMES = sorted(WORKFLOWS)


class Visit:
    """A host's own object: the conditions that the machine asks for are methods of its own."""

    state: str

    def __init__(self, *, on_site: bool = True) -> None:
        self.on_site = on_site

    def at_site(self, event_data: Any) -> bool:
        return self.on_site

    def project_stopped(self, event_data: Any) -> bool:
        return False

    def items_given(self, event_data: Any) -> bool:
        return bool(event_data.kwargs.get("items"))

    def has_photos(self, event_data: Any) -> bool:
        return True

    def must_escalate(self, event_data: Any) -> bool:
        return False


class Home:
    """A host's own object that remembers by itself where it came from; every other condition holds."""

    state: str

    def __init__(self, definition: WorkflowDefinition) -> None:
        self.before: dict[str, str] = {}
        for event in definition.events:
            for guard in guard_names(definition, event):
                setattr(self, guard, _holds)
        for origin in definition.states:
            setattr(self, came_from(origin), self._came_from(origin))

    def _came_from(self, origin: str) -> Callable[[Any], bool]:
        return lambda _: self.before.get(self.state) == origin

    def on_enter_dormant(self, event_data: Any) -> None:
        self.before["dormant"] = event_data.transition.source


def _holds(event_data: Any) -> bool:
    return True


def fire(model: Any, event: str, **given: object) -> bool:
    """Fires a trigger that `transitions` has put onto the model."""
    return bool(getattr(model, event)(**given))


# ------------------------------------------------------------------ a host's own model


def test_a_model_of_the_host_runs_on_the_machine() -> None:
    """Events are triggers of the model, guards are looked up on it, and a refused guard changes nothing."""
    visit = Visit(on_site=False)
    machine = WORKFLOWS["patrol"].machine(visit)
    assert visit.state == START
    assert fire(visit, "schedule_patrol")
    assert not fire(visit, "start_patrol")
    assert visit.state == "scheduled"
    visit.on_site = True
    assert fire(visit, "start_patrol")
    assert not fire(visit, "issue_rectification")
    assert fire(visit, "issue_rectification", items=["tiles"])
    for event in ("report_rectified", "start_reinspection", "fail_reinspection", "report_rectified"):
        assert fire(visit, event), event
    assert visit.state == "rectified"
    assert machine.get_triggers("rectified") == ["start_reinspection"]


def test_an_event_from_a_state_that_it_does_not_start_from_raises() -> None:
    """The plain machine raises its own error where our decision gives a reason."""
    visit = Visit()
    WORKFLOWS["patrol"].machine(visit)
    with pytest.raises(MachineError, match="start_reinspection"):
        fire(visit, "start_reinspection")
    assert visit.state == START


def test_a_condition_that_the_model_lacks_is_named() -> None:
    """A host that forgot a condition hears its name when it is first needed."""

    class Bare:
        state = ""

    bare = Bare()
    WORKFLOWS["patrol"].machine(bare)
    fire(bare, "schedule_patrol")
    with pytest.raises(AttributeError, match="at_site"):
        fire(bare, "start_patrol")


def test_one_machine_serves_many_models() -> None:
    """A machine without a model is a description to which a host adds its own objects."""
    machine = WORKFLOWS["patrol"].machine()
    assert machine.models == []
    first, second = Visit(), Visit()
    machine.add_model(first)
    machine.add_model(second, initial="inspecting")
    assert fire(first, "schedule_patrol")
    assert fire(second, "pass_patrol")
    assert (first.state, second.state) == ("scheduled", "clean")


def test_a_remembering_state_leads_back_to_where_the_model_came_from() -> None:
    """`@history` is one transition per origin, and the model says which was its own."""
    project = WORKFLOWS["project"]
    definition = project.plan.definition
    for origin in definition.events["go_silent"].from_:
        home = Home(definition)
        project.machine(home).set_state(origin, home)
        assert fire(home, "go_silent")
        assert home.state == "dormant"
        assert fire(home, "contact_customer")
        assert home.state == "dormant"
        assert fire(home, "revive")
        assert home.state == origin
    lost = Home(definition)
    project.machine(lost).set_state("dormant", lost)
    assert not fire(lost, "revive")
    assert lost.state == "dormant"


@pytest.mark.parametrize("name", NAMES)
def test_the_machine_is_a_plain_one(name: str) -> None:
    """No subclass, no queue, no callbacks of ours."""
    machine = WORKFLOWS[name].machine()
    assert type(machine) is Machine
    assert not machine.has_queue
    assert [*machine.before_state_change, *machine.after_state_change, *machine.prepare_event] == []
    assert all(not state.on_enter and not state.on_exit for state in machine.states.values())


@pytest.mark.parametrize("name", NAMES)
def test_no_state_can_be_forced(name: str) -> None:
    """There is no `to_X` that would pass the guards by, and no event that the file does not have."""
    flow = WORKFLOWS[name]
    home = Home(flow.plan.definition)
    machine = flow.machine(home)
    assert list(machine.events) == list(flow.plan.definition.events)
    assert [state for state in machine.states if hasattr(home, f"to_{state}")] == []


@pytest.mark.parametrize("name", NAMES)
def test_no_condition_is_called_like_something_of_the_machine(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A model keeps its conditions: none has the name of a trigger or helper that `transitions` adds."""
    definition = WORKFLOWS[name].plan.definition
    with caplog.at_level(logging.WARNING, logger="transitions"):
        home = Home(definition)
        build_machine(definition, home)
    assert caplog.messages == []
    names = {guard for event in definition.events for guard in guard_names(definition, event)}
    assert all(getattr(home, guard) is _holds for guard in names)


# ------------------------------------------------------------------ the description

PATROL = """\
trigger,from,to,guards
schedule_patrol,@start,scheduled,
start_patrol,scheduled,inspecting,at_site
pass_patrol,inspecting,clean,
file_patrol,clean,closed,
issue_rectification,inspecting,rectify_issued,items_given
report_rectified,rectify_issued,rectified,has_photos
start_reinspection,rectified,reinspecting,
pass_reinspection,reinspecting,closed,
fail_reinspection,reinspecting,rectify_issued,
escalate_patrol,rectify_issued,escalated,must_escalate
resolve_escalation,escalated,rectified,
skip_patrol,scheduled,skipped,project_stopped
"""

DORMANT = """\
trigger,from,to,guards
revive,dormant,consulting,came_from_consulting
revive,dormant,proposal_presented,came_from_proposal_presented
revive,dormant,design_presented,came_from_design_presented
revive,dormant,negotiating,came_from_negotiating
"""


def rows_of(machine: Machine) -> list[dict[str, str]]:
    """A machine's table as rows of words, `@same` where the state stays."""
    return [
        {"trigger": event, "from": source, "to": target or SAME, "guards": " ".join(guards)}
        for event, sources in transition_table(machine).items()
        for source, rows in sources.items()
        for target, guards in rows
    ]


def test_the_patrol_is_the_rulebook_s_table() -> None:
    """The machine's rows, written out, are those of the rulebook, and so are its states."""
    machine = WORKFLOWS["patrol"].machine()
    assert rows_of(machine) == list(DictReader(PATROL.splitlines()))
    assert list(machine.states) == [
        START, "scheduled", "inspecting", "clean", "rectify_issued", "rectified", "reinspecting", "escalated",
        "closed", "skipped",
    ]  # fmt: skip
    assert machine.initial == START


def test_a_way_back_is_a_row_for_each_origin() -> None:
    """The rows by which a dormant project is taken up again, written out."""
    machine = WORKFLOWS["project"].machine()
    revived = [row for row in rows_of(machine) if row["trigger"] == "revive"]
    assert revived == list(DictReader(DORMANT.splitlines()))


@pytest.mark.parametrize("name", NAMES)
def test_the_machine_says_what_the_file_says(name: str) -> None:
    """Read once more by the plainest means, the file gives the same rows and the same states."""
    definition = WORKFLOWS[name].plan.definition
    machine = WORKFLOWS[name].machine()
    assert list(machine.states) == [START, *definition.states]
    assert rows_of(machine) == list(read_plainly(definition))


def read_plainly(definition: WorkflowDefinition) -> Iterator[dict[str, str]]:
    """The rows of a definition, without any of the machine's own helpers."""
    for name, event in definition.events.items():
        guards = [
            guard if isinstance(guard, str) else f"{name}_guard_{number + 1}"
            for number, guard in enumerate(event.guards)
        ]
        for source in event.from_:
            if event.to != HISTORY:
                yield {"trigger": name, "from": source, "to": event.to, "guards": " ".join(guards)}
                continue
            for origin in definition.states:
                if any(one.to == source and origin in one.from_ for one in definition.events.values()):
                    words = " ".join((*guards, f"came_from_{origin}"))
                    yield {"trigger": name, "from": source, "to": origin, "guards": words}


# ------------------------------------------------------------------ shared by all threads

CASES = 2_000
THREADS = 8
WANG = rf.Actor("wang", roles=frozenset({"customer_manager"}))
CHEN = rf.Actor("chen", roles=frozenset({"designer"}))
LI = rf.Actor("li", roles=frozenset({"customer"}))
RECORD = (rf.Document("customer_file"), rf.Document("consultation_record", (rf.Signature("customer", "li"),)))


def decided(project: rf.Workflow, number: int) -> tuple[rf.Decision, ...]:
    """What becomes of one case: no two cases have the same instants, homes and answers."""
    day = datetime(2026, 1, 1, 1, tzinfo=UTC) + timedelta(days=number % 500, minutes=number)
    at = iter([day + timedelta(hours=20 * step) for step in range(6)])
    facts = {"home_area": str(60 + number % 300), "home_kind": ("flat", "villa")[number % 2]}
    papers = [] if number % 7 == 0 else ["registration_form"]
    opened = project.open(f"P-{number}", actor=WANG, at=next(at), facts=facts, documents=papers)
    if opened.case is None:
        return (opened,)
    found = [opened]
    agreed = (day + timedelta(days=4 + number % 9)).date().isoformat()
    for command in (
        rf.Command("start_consultation", CHEN, next(at), documents=RECORD[number % 5 == 0 :]),
        rf.Command("contact_customer", CHEN, next(at), facts={"proposal_agreed_on": agreed}),
        rf.Command("query_overdue_proposal", LI, next(at), documents=(rf.Document("hotline_note"),)),
        rf.Command("begin_proposal", CHEN, next(at), documents=(rf.Document("floor_plan"),)),
    ):
        found.append(project.decide(found[-1].case or opened.case, command))
    found.append(project.wake(found[-1].case or opened.case, day + timedelta(days=30)))
    return tuple(found)


def test_threads_share_a_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight threads deciding two thousand cases on one workflow come to what one thread comes to."""
    # What is kept of reckoned terms is thrown away over and over, so that this too happens under the threads.
    monkeypatch.setattr(rules, "MOST_KEPT", 20)
    single = rf.load_workflows()["project"]
    alone = [decided(single, number) for number in range(CASES)]
    shared = rf.load_workflows()["project"]
    start = Barrier(THREADS)

    def work(first: int) -> list[tuple[rf.Decision, ...]]:
        start.wait(timeout=30)
        return [decided(shared, number) for number in range(first, CASES, THREADS)]

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(THREADS) as pool:
            parts = list(pool.map(work, range(THREADS)))
    finally:
        sys.setswitchinterval(interval)
    together = [parts[number % THREADS][number // THREADS] for number in range(CASES)]
    assert together == alone
    assert list(map(msgspec.json.encode, together)) == list(map(msgspec.json.encode, alone))

    decisions = [decision for case in alone for decision in case]
    refusals = {reason.code for decision in decisions for reason in decision.reasons}
    clocks = {clock.status for one in decisions if one.case for clock in one.case.deadlines.values()}
    assert refusals >= {"wrong_state", "guard_unmet", "document_missing"}
    assert clocks >= {"running", "met", "breached"}


def test_deciding_leaves_the_plan_as_it_was() -> None:
    """No event, guard or transition of the plan is another object after deciding than before."""
    project = rf.load_workflows()["project"]
    before = parts_of(project)
    for number in range(50):
        decided(project, number)
    after = parts_of(project)
    assert before.keys() == after.keys()
    assert all(before[key] is after[key] for key in before)


def parts_of(flow: rf.Workflow) -> Mapping[tuple[str, object], object]:
    """The parts of a plan's events, by where they stand."""
    return {
        (event.name, key): part
        for event in flow.plan.events.values()
        for key, part in (("event", event), *event.transitions.items(), *event.histories.items())
    }


# ------------------------------------------------------------------ values that travel


def values() -> tuple[rf.Case, rf.Decision, rf.Decision]:
    """A case with clocks and papers, an acceptance and a refusal."""
    project = WORKFLOWS["project"]
    found = decided(project, 1)
    refused = next(decision for decision in found if decision.refused)
    case = found[-1].case
    assert case is not None
    assert case.deadlines
    assert case.documents
    return case, found[1], refused


@pytest.mark.parametrize("value", values(), ids=("case", "accepted", "refused"))
def test_values_can_be_copied_and_pickled(value: object) -> None:
    """A copy, shallow, deep or through pickle, is equal and encodes to the same bytes."""
    copies = [copy.copy(value), copy.deepcopy(value)]
    copies += [
        pickle.loads(pickle.dumps(value, protocol))  # noqa: S301 - our own bytes
        for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)
    ]
    for one in copies:
        assert one == value
        assert msgspec.json.encode(one) == msgspec.json.encode(value)


@pytest.mark.parametrize("value", values(), ids=("case", "accepted", "refused"))
def test_values_can_be_encoded(value: object) -> None:
    """JSON and MessagePack hold the same, all of it, and encode to the same bytes each time."""
    encoded = msgspec.json.encode(value)
    packed = msgspec.msgpack.decode(msgspec.msgpack.encode(value))
    assert encoded == msgspec.json.encode(copy.deepcopy(value))
    assert msgspec.json.decode(encoded) == msgspec.json.decode(msgspec.json.encode(packed))
