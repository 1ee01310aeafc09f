"""Deciding: a case and a command in, the next case or the reasons why not out. Pure, and never by halves."""

from __future__ import annotations

from collections import deque
from datetime import datetime

from attrs import evolve
from msgspec.structs import replace

from renoflow.engine.adjustments import PUBLISHED, count_again, extend_by_hand
from renoflow.engine.deadlines import UnpublishedYearError, pass_wake, put, run_ops
from renoflow.engine.effects import change_facts, hand_out, react
from renoflow.engine.ledger import against, count, keep
from renoflow.engine.linked import facts_taken, hear
from renoflow.engine.requirements import holds, transition_for, unmet
from renoflow.engine.rules import Rules
from renoflow.engine.step import Step, unopened
from renoflow.errors import OutOfRange, RenoflowError, UsageError
from renoflow.records import (
    NO_FACTS,
    Case,
    Command,
    Decision,
    Reason,
)
from renoflow.values import SYSTEM, SYSTEM_ACTOR
from renoflow.workflow.plan import EventPlan, TransitionPlan

LONGEST_CHAIN = 1000
"""Steps that one command may lead to; a chain that needs more is a fault that the checks let through."""


# ------------------------------------------------------------------ the four ways in


def decide(rules: Rules, case: Case, command: Command) -> Decision:
    """Accepted with the next case, or refused with every reason and the case as it was.

    What fell due at or before the command's instant happens first, and is part of an acceptance.
    """
    at = command.at
    if at < case.at:
        values = {"found": rules.calendar.local(at), "last": rules.calendar.local(case.at)}
        return _refused(case, Reason(code="time_runs_backwards", values=values))
    if command.version is not None and command.version != case.version:
        versions = {"found": case.version, "wanted": command.version}
        return _refused(case, Reason(code="stale_version", values=versions))
    step = Step(rules, case, command.actor, at)
    try:
        if case.wakes_at is not None and case.wakes_at <= at:
            fire_due(step, at)
            step.actor, step.at = command.actor, at
        reasons = _carry_out(step, command)
        if reasons:
            return Decision(case, reasons=tuple(reasons))
        if step.clocks_changed:
            _settle(step, at)
    except (UnpublishedYearError, OutOfRange) as error:
        return _refused(case, _no_date(error))
    return Decision(step.case(at), tuple(step.entries), tuple(step.effects))


def open_case(rules: Rules, case_id: str, command: Command) -> Decision:
    """A case begun by its opening event; a refused opening makes no case. `command.told` introduces the
    parent that it belongs to, `command.links` its peers."""
    blank = unopened(rules.plan, case_id, command.at, command.told, command.links)
    step = Step(rules, blank, command.actor, command.at)
    try:
        reasons = _carry_out(step, command)
        if reasons:
            return Decision(None, reasons=tuple(reasons))
        if step.clocks_changed:
            _settle(step, command.at)
    except (UnpublishedYearError, OutOfRange) as error:
        return _refused(None, _no_date(error))
    return Decision(step.case(command.at), tuple(step.entries), tuple(step.effects))


def wake(rules: Rules, case: Case, at: datetime) -> Decision:
    """Everything of this case that falls due by `at`, in time order; the same case when nothing does."""
    if case.wakes_at is None or case.wakes_at > at:
        return Decision(case)
    step = Step(rules, case, SYSTEM_ACTOR, at)
    fire_due(step, at)
    return Decision(step.case(step.at), tuple(step.entries), tuple(step.effects))


def mark_due(rules: Rules, case: Case, at: datetime) -> tuple[Decision, Marks]:
    """The marks of one instant, so that linked cases can have theirs before anything follows."""
    step = Step(rules, case, SYSTEM_ACTOR, at)
    marks = record_marks(step, max(at, case.at))
    return Decision(step.case(step.at), tuple(step.entries), tuple(step.effects)), marks


def after_marks(rules: Rules, case: Case, marks: Marks, at: datetime) -> Decision:
    """What follows from the marks of an instant."""
    step = Step(rules, case, SYSTEM_ACTOR, at)
    follow_marks(step, marks, max(at, case.at))
    if not step.entries and not step.effects and not step.clocks_changed:
        return Decision(case)
    return Decision(step.case(step.at), tuple(step.entries), tuple(step.effects))


def _no_date(error: UnpublishedYearError | OutOfRange) -> Reason:
    if isinstance(error, OutOfRange):
        return Reason(code="date_out_of_range")
    return Reason(code="calendar_unpublished", values={"year": error.year})


def _refused(case: Case | None, *reasons: Reason) -> Decision:
    return Decision(case, reasons=reasons)


# ------------------------------------------------------------------ one command


def _carry_out(step: Step, command: Command) -> list[Reason]:
    event = step.plan.events.get(command.event)
    if event is None:
        return _carry_out_of_engine(step, command)
    transition = transition_for(step, event)
    reasons = _attempt(step, event, transition, command, None)
    if not reasons and transition is not None and transition.followers:
        _follow(step, deque((name, step.number) for name in transition.followers))
    return reasons


def _carry_out_of_engine(step: Step, command: Command) -> list[Reason]:
    """The doings that every workflow knows without declaring them."""
    name = command.event
    if command.told is not None:
        return hear_command(step, command)
    if name.startswith("deadline.") and name.endswith(".extend"):
        return extend_by_hand(step, command)
    if name == PUBLISHED and command.actor.id == SYSTEM:
        count_again(step)
        return []
    return [Reason(code="unknown_event", subject=name)]


def _attempt(
    step: Step,
    event: EventPlan,
    transition: TransitionPlan | None,
    command: Command | None,
    cause: int | None,
) -> list[Reason]:
    """Offer an event: all it lacks, or nothing and the step has moved. With no command it is the system's."""
    if command is None:
        reasons, kept = unmet(step, event, transition, NO_FACTS, (), ())
    else:
        reasons, kept = unmet(step, event, transition, command.facts, command.documents, command.payments)
    if reasons or transition is None:
        return reasons
    ledger = step.plan.ledger
    if ledger is not None and (reasons := against(step, ledger, event, kept)):
        return reasons
    source = step.state
    if event.tracked or event.tracks_actor:
        step.remember_doing(event.name, event.tracked, event.tracks_actor)
    derived = change_facts(step, event.effects) if event.changes_facts else NO_FACTS
    if transition.enters:
        enter(step, event, transition)
    number = step.record(event.name, source, kept, derived, command, cause)
    if transition.ops:
        run_ops(step, transition.ops, event.name)
    if event.hands_out:
        hand_out(step, event.effects, event.name)
    if transition.reactions:
        react(step, transition.reactions, event.name)
    if ledger is not None:
        keep(step, ledger, event, kept, number)
    return reasons


def enter(step: Step, event: EventPlan, transition: TransitionPlan) -> None:
    """Move to the target; a remembering state keeps where it was entered from, unless by `@history`."""
    target = transition.target
    if target in step.plan.remembering and not event.histories:
        step.put("remembered", target, step.state)
    step.state = target
    step.entered_at = step.at


def _follow(step: Step, waiting: deque[tuple[str, int]]) -> None:
    """Offer the system events that listen, each at once after its happening; refused, it leaves no trace."""
    left = LONGEST_CHAIN
    step.actor = SYSTEM_ACTOR
    while waiting:
        left -= 1
        if left < 0:
            raise RenoflowError(f"an endless chain of system events in {step.plan.id}: {waiting[0][0]}")
        name, cause = waiting.popleft()
        event = step.plan.events[name]
        transition = transition_for(step, event)
        if transition is None or not holds(step, transition):
            continue
        mark = step.mark()
        if _attempt(step, event, transition, None, cause):
            step.back_to(mark)
            continue
        waiting.extend((follower, step.number) for follower in transition.followers)


def _settle(step: Step, at: datetime) -> None:
    """What a step has made due at its own instant (a date in the past) happens in it."""
    step.refresh_wake()
    if step.wakes_at is not None and step.wakes_at <= at:
        fire_due(step, at)


# ------------------------------------------------------------------ what was told


def hear_command(step: Step, command: Command) -> list[Reason]:
    """Take in what a linked case tells, and let what listens to it follow; or why it cannot be taken."""
    told = command.told
    tied = told is not None and told.relation == "link" and told.opened
    if told is None or (command.actor.id != SYSTEM and not tied):
        raise UsageError("only the system tells a case what happened in a linked one")
    facts, reasons = facts_taken(step.plan, told)
    if reasons:
        return reasons
    if facts:
        command = evolve(command, told=replace(told, facts=facts))
    happenings = hear(step, told, facts)
    number = step.record(command.event, step.state, command=command)
    happened(step, happenings, number, command.event)
    return []


def happened(step: Step, happenings: tuple[str, ...], cause: int, about: str) -> None:
    """Clocks, reactions and system events that listen to happenings which are not events of this case."""
    plan = step.plan
    for happening in happenings:
        keep = plan.tracked.get(happening, 0)
        if keep:
            step.remember_doing(happening, keep, False)
    if happenings:
        ops = plan.ops(happenings)
        if ops:
            run_ops(step, ops, about)
    followers: deque[tuple[str, int]] = deque()
    for happening in happenings:
        react(step, plan.reactions.get(happening, ()), happening)
        followers.extend((name, cause) for name in plan.fired.get(happening, ()))
    if plan.ledger is not None:
        count(step, plan.ledger, cause)
    if followers:
        _follow(step, followers)


# ------------------------------------------------------------------ what falls due


def fire_due(step: Step, until: datetime) -> None:
    """Marks, warnings and escalations up to an instant, in time order; of one instant the marks first."""
    left = LONGEST_CHAIN * 10
    last = step.entries[-1].at if step.entries else None
    if step.clocks_changed:
        step.refresh_wake()
    while step.wakes_at is not None and step.wakes_at <= until:
        left -= 1
        if left < 0:
            raise RenoflowError(f"the clocks of {step.case_id} never come to rest")
        last = step.wakes_at if last is None else max(step.wakes_at, last)
        follow_marks(step, record_marks(step, last), last)
        step.refresh_wake()


Marks = tuple[tuple[str, int], ...]
"""What passed at one instant (`deadline.answer.breached`), each with its line in the history."""


def record_marks(step: Step, at: datetime) -> Marks:
    """Every clock that wakes at an instant: what passes is recorded and alerts are given, no more yet."""
    step.as_system(at)
    marks: list[tuple[str, int]] = []
    for name, rule in step.plan.clocks.items():
        clock = step.deadlines.get(name)
        while clock is not None and clock.wake_at is not None and clock.wake_at <= at:
            clock, alert, passed = pass_wake(step, rule, clock)
            put(step, name, clock)
            if passed:
                mark = f"deadline.{name}.{rule.mark}"
                marks.append((mark, step.record(mark, step.state)))
            elif alert is not None:
                about = f"deadline.{name}.{'warning' if alert.sign < 0 else 'escalation'}"
                step.record(about, step.state)
                for role in alert.notify:
                    step.effect("notify", role, about, {"due_at": clock.due_at})
    return tuple(marks)


def follow_marks(step: Step, marks: Marks, at: datetime) -> None:
    """What listens to the marks of an instant, in their order."""
    for mark, number in marks:
        step.as_system(at)
        happened(step, (mark,), number, mark)
    step.as_system(at)
