"""What holds for every run, shown on generated ones (see `tests.generating`).

Each test plays many renovations with their checkpoints, patrols, change orders and complaints, and looks
after every call. A failing run is printed as the calls that led to it.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random

import msgspec
import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st
from msgspec.structs import asdict

import renoflow as rf
from tests.engine.counting_by_hand import add_working_days, count
from tests.engine.small import Desk, load, shown
from tests.generating import MAIN, Doing, Run, Watch, again, played
from tests.vectors.table import ZONE, workflows

STEPS = 40

Before = Mapping[str, rf.Case]


OWN_WAYS = """
[profile]
id = "firm"
label = { zh = "本公司", en = "The firm" }
unpublished = "refuse"
[parameters.project]
warranty_raised = false
deem_when_absent = true
deem_settled = true
air_test_wait = "10 days"
[parameters.checkpoint]
without_owner_ok = true
[parameters.change_order]
pay_on_signing = false
[parameters.complaint]
report_always = false
"""
"""A firm that has everything switched the other way."""


def firm(seed: int) -> rf.Workflows:
    """Every other run is that of the firm with its own ways."""
    return workflows(OWN_WAYS if seed % 2 else "")


def any_run(test: Callable[[int], None]) -> Callable[[], None]:
    """The test over sixty runs. A run is drawn by its seed alone: a failing one is had again at once, and
    there is nothing to shrink."""
    made: Callable[[], None] = settings(max_examples=60)(given(seed=st.integers(0, 2**32 - 1))(test))
    return made


def play(seed: int, *watches: Watch) -> Run:
    """One generated run; what was done stands in the report of a failure."""
    log: list[str] = []
    try:
        return played(firm(seed), Random(seed), STEPS, *watches, log=log)
    finally:
        note("\n".join(log))


def local_day(at: datetime) -> date:
    return at.astimezone(ZONE).date()


# ------------------------------------------------------------------ what the firm may rely on

UNDER_CONSTRUCTION = frozenset((
    "building", "suspended", "works_complete", "accepting", "acceptance_rework", "accepted", "settling",
    "settlement_dispute", "warranty", "closed",
))  # fmt: skip


@any_run
def test_no_construction_without_a_signed_contract_and_a_paid_deposit(seed: int) -> None:
    """Whoever builds has a contract with both signatures, a deposit and a first stage that were paid."""

    def watch(service: rf.CaseService, before: Before, doing: Doing, outcome: rf.Outcome) -> None:
        project = service.find(MAIN)
        if project is None or project.state not in UNDER_CONSTRUCTION:
            return
        signers = {one.role for one in project.documents["contract"].signatures}
        assert signers >= {"customer", "company"}
        assert project.payments["deposit"] > 0
        done = [entry.event for entry in service.history(MAIN)]
        if "schedule_payments" in done:
            plan = [case for case in service.cases() if case.workflow == "stage_payment"]
            first = [case for case in plan if case.facts["milestone"] == "start"]
            assert {case.state for case in first} <= {"paid", "waived"}
        else:
            assert project.payments["first_stage"] > 0
        assert service.case(f"{MAIN}/checkpoint-1").state == "passed"
        order = ["pay_deposit", "sign_contract", "hand_over_to_engineering", "grant_permit"]
        places = [done.index(event) for event in [*order, "start_construction"]]
        assert places == sorted(places)

    play(seed, watch)


@any_run
def test_no_acceptance_with_an_open_change_order_or_a_failed_checkpoint(seed: int) -> None:
    """At the customer's acceptance every change order has ended and all eight checkpoints are passed."""

    def watch(service: rf.CaseService, before: Before, doing: Doing, outcome: rf.Outcome) -> None:
        happened = {entry.event for entry in outcome.entries if entry.case == MAIN}
        if not happened & {"complete_works", "accept_works", "deem_accepted"}:
            return
        states = {case.id: (case.workflow, case.state) for case in service.cases()}
        checkpoints = [states[f"{MAIN}/checkpoint-{number}"][1] for number in range(1, 9)]
        assert set(checkpoints[:7]) <= {"passed", "not_applicable"}
        # The law may count it as accepted without checkpoint 8; the customer may not.
        if "accept_works" in happened:
            assert checkpoints[7] == "passed"
        changes = {state for workflow, state in states.values() if workflow == "change_order"}
        assert changes <= {"done", "rejected", "cancelled"}

    play(seed, watch)


@any_run
def test_no_invariant_is_ever_broken(seed: int) -> None:
    """Whatever is sent in whatever order, every case keeps the rules that its file calls invariant."""

    def watch(service: rf.CaseService, before: Before, doing: Doing, outcome: rf.Outcome) -> None:
        for case in service.cases():
            assert service.workflows[case.workflow].broken_invariants(case) == ()

    play(seed, watch)


# ------------------------------------------------------------------ what a refusal is


@any_run
def test_a_refused_command_changes_nothing(seed: int) -> None:
    """Every case is the same object as before, no line is written and nothing is handed out."""

    def watch(service: rf.CaseService, before: Before, doing: Doing, outcome: rf.Outcome) -> None:
        if doing.command is None or outcome.accepted:
            return
        assert outcome.entries == ()
        assert outcome.effects == ()
        assert outcome.reasons
        after = {case.id: case for case in service.cases()}
        assert list(after) == list(before)
        assert all(after[name] is case for name, case in before.items())
        for reason in outcome.reasons:
            assert reason.text("zh")
            assert reason.text("en")

    play(seed, watch)


@any_run
def test_what_is_allowed_can_be_done_with_what_it_needs(seed: int) -> None:
    """A refusal of an event that was allowed names only what the command could have brought."""
    brought = {
        "fact_missing", "document_missing", "signature_missing", "payment_missing", "guard_unmet",
        "fact_invalid", "payment_invalid", "not_yet_due", "role_not_allowed", "fact_not_allowed",
        "unknown_signer", "line_missing",
    }  # fmt: skip

    def watch(service: rf.CaseService, before: Before, doing: Doing, outcome: rf.Outcome) -> None:
        case = before.get(doing.case)
        if doing.command is None or case is None or doing.command.at < case.at:
            return
        options = service.workflows[case.workflow].allowed(case, at=doing.command.at)
        assert all(option.allowed is not bool(option.lacks) for option in options)
        if doing.command.event in {option.event for option in options if option.allowed}:
            # That a date would need a calendar is seen only when the date is counted.
            assert {reason.code for reason in outcome.reasons} <= {*brought, "calendar_unpublished"}

    play(seed, watch)


# ------------------------------------------------------------------ what a history is


@any_run
def test_histories_are_numbered_and_never_run_back(seed: int) -> None:
    """Entries are numbered from one without a gap, in time order, each where the one before it ended."""
    run = play(seed)
    for case in run.cases():
        history = run.service.history(case.id)
        assert [entry.number for entry in history] == list(range(1, len(history) + 1))
        assert case.entries == len(history)
        assert case.at >= history[-1].at
        for earlier, later in pairwise(history):
            assert earlier.at <= later.at
            assert earlier.target == later.source
            assert later.cause is None or later.cause < later.number
        assert history[-1].target == case.state


@any_run
def test_replaying_a_history_gives_the_same_case(seed: int) -> None:
    """The history alone leads to the same facts, papers, sums, deadlines and linked cases."""
    run = play(seed)
    for case in run.cases():
        found = run.flows[case.workflow].replay(run.service.history(case.id))
        assert asdict(found) == asdict(case)


@any_run
def test_cases_and_histories_come_back_from_json(seed: int) -> None:
    """What a host keeps as JSON is the same value when it is read again."""
    run = play(seed)
    for case in run.cases():
        flow = run.flows[case.workflow]
        assert flow.case_from_json(flow.to_json(case)) == case
        for entry in run.service.history(case.id):
            assert flow.entry_from_json(flow.to_json(entry)) == entry


def kept(service: rf.CaseService) -> bytes:
    """Everything that a service holds, as bytes, by the cases' ids."""
    cases = sorted(service.cases(), key=lambda case: case.id)
    return b"\n".join(msgspec.json.encode([case, service.history(case.id)]) for case in cases)


@any_run
def test_the_same_commands_give_the_same_bytes(seed: int) -> None:
    """Cases, histories and effects of a run that is repeated are the same to the byte."""
    effects: list[rf.Effect] = []

    def watch(service: rf.CaseService, before: Before, doing: Doing, outcome: rf.Outcome) -> None:
        effects.extend(outcome.effects)

    run = play(seed, watch)
    service = rf.CaseService(run.flows)
    repeated = [effect for doing in run.doings for effect in doing.apply(service).effects]
    assert kept(service) == kept(run.service)
    assert msgspec.json.encode(repeated) == msgspec.json.encode(effects)


def test_the_same_commands_give_the_same_bytes_in_every_process() -> None:
    """The bytes depend neither on how a process hashes nor on what it has counted before."""
    program = (
        "from random import Random\n"
        "import hashlib, renoflow as rf\n"
        "from tests.generating import played\n"
        "from tests.test_properties import kept\n"
        "flows = rf.load_workflows()\n"
        "runs = [kept(played(flows, Random(seed), 40).service) for seed in range(12)]\n"
        "print(hashlib.sha256(b''.join(runs)).hexdigest())\n"
    )
    found = set()
    for seed in ("0", "1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=Path(__file__).parents[1], env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        found.add(done.stdout.strip())
    here = b"".join(kept(played(firm(0), Random(seed), 40).service) for seed in range(12))
    assert found == {hashlib.sha256(here).hexdigest()}


@any_run
def test_every_effect_has_a_key_of_its_own(seed: int) -> None:
    """No two effects of a run have the same key, so that a host can tell a repetition from a new one."""
    keys: Counter[str] = Counter()

    def watch(service: rf.CaseService, before: Before, doing: Doing, outcome: rf.Outcome) -> None:
        keys.update(effect.key for effect in outcome.effects)

    play(seed, watch)
    assert not [key for key, times in keys.items() if times > 1]


# ------------------------------------------------------------------ what moves a date

MOVES = frozenset(("chosen", "resumed", "extended", "counted_again"))


@any_run
def test_a_due_date_moves_only_by_a_stated_rule(seed: int) -> None:
    """Within a generation a date changes together with a new step that says why, and as that step says."""

    def watch(service: rf.CaseService, before: Before, doing: Doing, outcome: rf.Outcome) -> None:
        for case in service.cases():
            old = before.get(case.id)
            for name, clock in case.deadlines.items():
                assert clock.due_at == [step.due_at for step in clock.steps][-1]
                was = None if old is None else old.deadlines.get(name)
                if was is None or was.generation != clock.generation:
                    continue
                assert clock.started_at == was.started_at
                assert clock.steps[: len(was.steps)] == was.steps
                new = [step.what for step in clock.steps[len(was.steps) :]]
                if (clock.due_at, clock.target_at) != (was.due_at, was.target_at):
                    assert MOVES & set(new), f"{case.id} {name} moved by {new}"

    play(seed, watch)


@any_run
def test_generations_only_grow_and_verdicts_stand(seed: int) -> None:
    """A deadline never goes back to an earlier generation, and what was met or breached is not undone."""
    order = {
        "running": {"running", "paused", "met", "breached", "met_late", "expired", "open", "cancelled"},
        "paused": {"running", "paused", "met", "breached", "met_late", "expired", "open", "cancelled"},
        "breached": {"breached", "met_late", "cancelled"},
        "open": {"open", "cancelled"},
    }

    def watch(service: rf.CaseService, before: Before, doing: Doing, outcome: rf.Outcome) -> None:
        for name, old in before.items():
            now = service.case(name).deadlines
            for deadline, was in old.deadlines.items():
                clock = now[deadline]
                assert clock.generation >= was.generation
                if clock.generation == was.generation:
                    assert clock.status in order.get(was.status, {was.status})
                    if was.breached_at is not None:
                        assert clock.breached_at == was.breached_at

    play(seed, watch)


@any_run
def test_a_pause_over_n_midnights_moves_a_term_of_days_by_n_days(seed: int) -> None:
    """Every pause of every run moves what counts days by the midnights passed, hours by the time itself."""
    run = play(seed)
    for case in run.cases():
        for name, clock in case.deadlines.items():
            for before, step in pairwise(clock.steps):
                if step.what == "paused":
                    paused_at = step.at
                if step.what != "resumed":
                    continue
                assert step.due_at is not None
                assert before.due_at is not None
                moved = step.due_at - before.due_at
                if step.moved == "hour":
                    assert moved == step.at - paused_at
                elif step.moved != "working day" and not step.rolled:
                    assert moved == local_day(step.at) - local_day(paused_at), f"{case.id} {name}"


PAUSED_JOB = """
[states]
open   = {}
halted = {}
done   = { final = true }
[facts]
length = { type = "duration" }
[events.begin]
from = "@start"
to = "open"
gives = ["length"]
[events.halt]
from = ["open"]
to = "halted"
[events.go_on]
from = ["halted"]
to = "open"
[events.end]
from = ["open"]
to = "done"
[deadlines.work]
starts = ["begin"]
stops = ["end"]
pauses = [ { in = ["halted"] } ]
terms = [ { limit = "@length" } ]
"""


@pytest.fixture(scope="module")
def paused_job(tmp_path_factory: pytest.TempPathFactory) -> rf.Workflows:
    return load(tmp_path_factory.mktemp("paused"), job=PAUSED_JOB)


NO_TIME = timedelta()
starts = st.datetimes(
    datetime(2025, 12, 1, tzinfo=ZONE).replace(tzinfo=None),
    datetime(2026, 11, 30, tzinfo=ZONE).replace(tzinfo=None),
    timezones=st.just(ZONE),
)
pauses = st.tuples(st.timedeltas(NO_TIME, timedelta(days=2)), st.timedeltas(NO_TIME, timedelta(days=12)))


@given(
    start=starts,
    gaps=st.lists(pauses, max_size=4),
    length=st.sampled_from(("20 days", "3 weeks", "1 month", "15 working days", "300 hours")),
)
@settings(max_examples=200)
def test_pauses_add_up_whatever_the_hours(
    paused_job: rf.Workflows, start: datetime, gaps: list[tuple[timedelta, timedelta]], length: str
) -> None:
    """After any number of pauses at any hours the due date is the plain one plus what the pauses owe."""
    desk = Desk(paused_job)
    worker = rf.Actor("worker", frozenset(("worker",)))
    at = start
    desk.service.open("job", "J-1", rf.Command("begin", worker, at, facts={"length": length}))
    due = desk.clock().due_at
    for running, paused in gaps:
        at += running
        if desk.service.send("J-1", rf.Command("halt", worker, at)).case is None or desk.status() != "paused":
            return
        begun_at, at = at, at + paused
        desk.service.send("J-1", rf.Command("go_on", worker, at))
        first, last = local_day(begun_at).toordinal(), local_day(at).toordinal()
        if "hour" in length:
            due += paused
        elif "working" in length:
            owed = count(first + 1, last + 1)
            final = (local_day(due) - timedelta(days=1)).toordinal()
            day, guessed = add_working_days(final, owed)
            if guessed:
                return
            # A term cannot end on a day on which it still stood still.
            midnight = datetime.combine(date.fromordinal(max(day, last) + 1), datetime.min.time(), ZONE)
            due = midnight.astimezone(UTC)
        else:
            due += timedelta(days=last - first)
        assert desk.clock().due_at == due, f"{shown(desk.clock().due_at)} instead of {shown(due)}"


# ------------------------------------------------------------------ what falls due


def lines(service: rf.CaseService) -> list[str]:
    """Every case's history by the cases' ids, short enough to be compared by eye when two differ."""
    return [
        f"{one.case} {one.number} {one.at} {one.event} {one.source} {one.target} {one.cause}"
        for case in sorted(service.cases(), key=lambda case: case.id)
        for one in service.history(case.id)
    ]


@any_run
def test_it_makes_no_difference_when_the_sweeps_come(seed: int) -> None:
    """One sweep at the end gives the same histories and the same cases as a sweep before every command, and
    as one at every instant at which something falls due."""
    run = play(seed)
    end = run.at + timedelta(days=40)
    never = again(run.flows, run.doings, sweeps=False)
    never.sweep(end)
    often = rf.CaseService(run.flows)
    for doing in [*run.doings, Doing(at=end)]:
        while (at := often.next_wake(doing.at)) is not None:
            often.sweep(at)
        doing.apply(often)
    run.do(Doing(at=end))
    assert lines(never) == lines(run.service) == lines(often)
    assert kept(never) == kept(run.service) == kept(often)


@any_run
def test_a_breach_is_recorded_once_at_its_due_instant(seed: int) -> None:
    """Each generation of a limit has at most one breach, at the instant it was due, and one line says so."""
    seen: dict[tuple[str, str, int], datetime] = {}

    def watch(service: rf.CaseService, before: Before, doing: Doing, outcome: rf.Outcome) -> None:
        for case in service.cases():
            for name, clock in case.deadlines.items():
                if clock.breached_at is not None:
                    # A date that had passed when it was given is missed at the instant of giving it.
                    given_at = max(step.at for step in clock.steps)
                    assert clock.breached_at == max(clock.due_at, given_at), f"{case.id} {name}"
                    key = (case.id, name, clock.generation)
                    assert seen.setdefault(key, clock.breached_at) == clock.breached_at

    run = play(seed, watch)
    for case in run.cases():
        marks = [
            (entry.event.split(".", 1)[1].removesuffix(".breached"), entry.at)
            for entry in run.service.history(case.id)
            if entry.event.endswith(".breached")
        ]
        wanted = sorted((name, at) for (owner, name, _), at in seen.items() if owner == case.id)
        # A generation may begin and be breached within one sweep; of those that were seen all are there.
        assert not [one for one in wanted if marks.count(one) == 0]
        assert len(marks) == len(set(marks))


def test_the_runs_come_by_nearly_everything_that_can_happen() -> None:
    """Two hundred runs, three times as long as those above, fire nine in ten of all events and enter nearly
    every state: what is shown above is shown of something."""
    fired: set[tuple[str, str]] = set()
    entered: set[tuple[str, str]] = set()
    for seed in range(200):
        run = played(firm(seed), Random(seed), 3 * STEPS)
        for case in run.cases():
            for entry in run.service.history(case.id):
                fired.add((case.workflow, entry.event))
                entered.add((case.workflow, entry.target))
    flows = firm(0)
    events = {(name, event) for name, flow in flows.items() for event in flow.plan.events}
    states = {(name, state) for name, flow in flows.items() for state in flow.plan.state_labels}
    assert len(events & fired) >= 0.9 * len(events), sorted(events - fired)
    assert len(states & entered) >= 0.95 * len(states), sorted(states - entered)
