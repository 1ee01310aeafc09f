"""What happens to the clocks of a case: started, stopped, paused, chosen again, extended, and passing.

The order within one happening is: cancel, stop, choose again, start or restart, pause, resume.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple

from msgspec.structs import replace

from renoflow.engine.calendar import Calendar
from renoflow.engine.periods import EVERY, day_owed, last_day_of
from renoflow.engine.step import Step
from renoflow.records import ClockStep, Deadline
from renoflow.values import SYSTEM, Duration
from renoflow.workflow.plan import AlertPlan, ClockOp, ClockPlan, TermPlan

RUNNING = "running"
PAUSED = "paused"
LIVE = (RUNNING, PAUSED)


class UnpublishedYearError(Exception):
    """A date needs a year whose calendar is not published, and the firm does not assume one."""

    def __init__(self, year: int) -> None:
        self.year = year


def run_ops(step: Step, ops: Iterable[ClockOp], event: str) -> None:
    """Apply to each clock what this happening does to it."""
    deadlines = step.deadlines
    changed: dict[str, Deadline] | None = None
    for op in ops:
        name = op.name
        before = clock = deadlines.get(name)
        if clock is not None:
            clock = _applied(step, op, clock, event)
        elif op.begins:
            clock = started(step, op.clock, None, event)
            if clock is None:
                continue
        else:
            continue
        if op.entry is not None:
            clock = at_entry(step, op.clock, clock, op.entry)
        if clock is not before:
            if changed is None:
                changed = {**deadlines}
            changed[name] = clock
    if changed is not None:
        step.deadlines = changed
        step.clocks_changed = True


def _applied(step: Step, op: ClockOp, clock: Deadline, event: str) -> Deadline:
    """What a happening does to a clock that was started once."""
    plan = op.clock
    if op.cancel:
        clock = cancelled(clock)
    if op.stop and (plan.stops_when is None or plan.stops_when(step)):
        clock = stopped(clock, step.at)
    if op.rechoose and clock.status in LIVE:
        clock = chosen_again(step, plan, clock, event)
    if op.restart or (op.start and clock.status not in LIVE):
        clock = started(step, plan, clock, event) or clock
    return clock


def put(step: Step, name: str, clock: Deadline) -> None:
    step.deadlines = {**step.deadlines, name: clock}
    step.clocks_changed = True


# ------------------------------------------------------------------ starting


def started(step: Step, plan: ClockPlan, old: Deadline | None, event: str) -> Deadline | None:
    """A new generation, or the clock as it was when no term matches."""
    term = plan.only_term or matching_term(step, plan)
    if term is None:
        return old
    at = start = step.at
    day = step.today
    if plan.counts_from is not None:
        first = plan.counts_from(step)
        if first is not None and (ordinal := first.toordinal()) != day:
            day, start = ordinal, step.calendar.midnight(ordinal)
    if term.every is not None:
        owed = day_owed(day, _covered(step, old), term.every)
        if owed != day:
            day, start = owed, step.calendar.midnight(owed)
    due = _reckon(step, plan, term, day, start)
    if due is None:
        return old
    due_at, target_at, limit, provisional, rolled, asked, warnings = due
    name = term.name
    begun = ClockStep(
        what="started",
        at=at,
        by=event,
        due_at=due_at,
        term=name,
        limit=limit,
        rolled=rolled,
        asked=asked,
    )
    done, wake_at = 0, due_at if due_at > at else at
    for warning in warnings:
        if warning > at:
            wake_at = warning
            break
        done += 1
    return Deadline(
        status="running",
        generation=1 if old is None else old.generation + 1,
        started_at=start,
        due_at=due_at,
        target_at=target_at,
        term=name,
        limit=limit,
        provisional=provisional,
        wake_at=wake_at,
        wakes_done=done,
        steps=(begun,),
    )


def _covered(step: Step, old: Deadline | None) -> int | None:
    """A day of the period for which the clock ran so far, where that is fulfilled before it is over."""
    if old is None or old.status == "cancelled" or old.due_at <= step.at:
        return None
    return step.calendar.day_of(old.started_at)


def matching_term(step: Step, plan: ClockPlan) -> TermPlan | None:
    """The first term whose condition holds and which knows its date or its length."""
    for term in plan.terms:
        if term.test is not None and not term.test(step):
            continue
        if term.until is not None and term.until(step) is None and term.limit(step) is None:
            continue
        return term
    return None


class Reckoned(NamedTuple):
    """When a term ends: the instants of its due date and target, the limit in words, whether the date is
    provisional, and whether it rolled over rest days."""

    due_at: datetime
    target_at: datetime | None
    limit: str
    provisional: bool
    rolled: bool
    asked: str = ""
    warnings: tuple[datetime, ...] = ()


def _reckon(step: Step, plan: ClockPlan, term: TermPlan, day: int, start: datetime) -> Reckoned | None:
    """A term counted from its first day; None when its length or date is not known."""
    until: date | None = None
    length = term.length
    key: tuple[object, ...]
    if length is not None or term.every is not None:
        key = (term, day)
    else:
        until = None if term.until is None else term.until(step)
        length = None if until is not None else term.limit(step)
        if until is None and length is None:
            return None
        key = (term, day, until or length)
    rules = step.rules
    known: Reckoned | None = rules.known_terms.get(key)
    if known is None:
        known = _counted(step.calendar, plan, term, day, start, until, length)
        if plan.warnings:
            before = step.calendar.before
            known = known._replace(
                warnings=tuple([before(known.due_at, alert.length) for alert in plan.warnings])
            )
        if not ((length is not None and length.elapsed) or (term.target is not None and term.target.elapsed)):
            # What counts whole days is the same for every start on this day.
            rules.keep_term(key, known)
    # What the system does cannot be refused; its dates are provisional then.
    if known.provisional and rules.strict_calendar and step.actor.id != SYSTEM:
        raise UnpublishedYearError(known.due_at.year)
    return known


def _counted(
    calendar: Calendar,
    plan: ClockPlan,
    term: TermPlan,
    day: int,
    start: datetime,
    until: date | None,
    length: Duration | None,
) -> Reckoned:
    target_at = None if term.target is None else _end(calendar, term.target, day, start)
    rolls = plan.statutory and plan.kind == "limit"
    asked = ""
    if term.every is not None:
        last, provisional, limit = last_day_of(day, term.every), False, f"{EVERY}{term.every}"
    elif until is not None or length is None:
        last, provisional = (until or date.min).toordinal(), False
        limit = str(until)
        if plan.kind == "wait":
            return Reckoned(calendar.midnight(last), target_at, limit, False, False)
    else:
        if term.floor is not None and length.rough_days < term.floor.rough_days:
            asked, length = str(length), term.floor
        limit = str(length)
        if length.elapsed:
            return Reckoned(_end(calendar, length, day, start), target_at, limit, False, False)
        if plan.kind == "wait":
            opens = calendar.opens(day, length)
            return Reckoned(opens.at, target_at, limit, opens.provisional, False)
        last, provisional = calendar.last_day(day, length)
        rolls = rolls and length.unit != "working day"
    rolled = False
    if rolls:
        moved, unsure = calendar.roll_over(last)
        rolled, provisional, last = moved != last, provisional or unsure, moved
    return Reckoned(calendar.midnight(last + 1), target_at, limit, provisional, rolled, asked)


def _end(calendar: Calendar, length: Duration, day: int, start: datetime) -> datetime:
    if length.elapsed:
        return calendar.due(start, length).at
    return calendar.midnight(calendar.last_day(day, length)[0] + 1)


# ------------------------------------------------------------------ ending, pausing, moving


def cancelled(clock: Deadline) -> Deadline:
    """Ended without a verdict; a verdict that stands is kept."""
    if clock.status not in (RUNNING, PAUSED, "breached", "open"):
        return clock
    return replace(clock, status="cancelled", wake_at=None, paused_at=None)


def stopped(clock: Deadline, at: datetime) -> Deadline:
    """What was owed is done: in time, or late."""
    if clock.status in (RUNNING, PAUSED):
        return replace(clock, status="met", met_at=at, wake_at=None, paused_at=None)
    if clock.status == "breached":
        return replace(clock, status="met_late", met_at=at, wake_at=None)
    return clock


def at_entry(step: Step, plan: ClockPlan, clock: Deadline, state: str) -> Deadline:
    """The pause clauses, read on entering a state: one holds, then paused; none, then running."""
    holds = any(
        state in pause.states and not (pause.unless is not None and pause.unless(step))
        for pause in plan.pauses
    )
    if holds and clock.status == RUNNING:
        note = ClockStep(what="paused", at=step.at, by=state, due_at=clock.due_at)
        return replace(clock, status="paused", paused_at=step.at, wake_at=None, steps=(*clock.steps, note))
    if not holds and clock.status == PAUSED:
        return resumed(step, plan, clock, state)
    return clock


def resumed(step: Step, plan: ClockPlan, clock: Deadline, state: str) -> Deadline:
    """The rest of the term is kept: hours move by the time, days by the midnights, working days by those."""
    if clock.limit.startswith(EVERY):
        return _resumed_period(step, plan, clock, state)
    paused_at = clock.paused_at or step.at
    unit = unit_of(clock)
    rolls = plan.statutory and plan.kind == "limit"
    due_at, unsure = step.calendar.moved(clock.due_at, unit, paused_at, step.at, rolled=rolls)
    target_at = clock.target_at
    if target_at is not None:
        target_at = step.calendar.moved(target_at, unit, paused_at, step.at)[0]
    note = ClockStep(what="resumed", at=step.at, by=state, due_at=due_at, moved=unit)
    clock = replace(
        clock,
        status="running",
        due_at=due_at,
        target_at=target_at,
        paused_at=None,
        provisional=clock.provisional or unsure,
        steps=(*clock.steps, note),
    )
    return _armed(step.calendar, plan, clock, step.at, keep=True)


def _resumed_period(step: Step, plan: ClockPlan, clock: Deadline, state: str) -> Deadline:
    """The end of the period stands; if it passed during the pause, the period that goes on is owed."""
    term = next((one for one in plan.terms if one.name == clock.term), None)
    started_at, due_at = clock.started_at, clock.due_at
    if due_at <= step.at and term is not None and term.every is not None:
        started_at = step.at
        due_at = _counted(step.calendar, plan, term, step.today, step.at, None, None).due_at
    note = ClockStep(what="resumed", at=step.at, by=state, due_at=due_at)
    clock = replace(
        clock,
        status="running",
        started_at=started_at,
        due_at=due_at,
        paused_at=None,
        wakes_done=clock.wakes_done if due_at == clock.due_at else 0,
        steps=(*clock.steps, note),
    )
    return _armed(step.calendar, plan, clock, step.at, keep=True)


def unit_of(clock: Deadline) -> str:
    """The unit that a pause moves it by; an agreed date moves by days."""
    _, _, unit = clock.limit.partition(" ")
    return unit.rstrip("s") or "day"


def chosen_again(step: Step, plan: ClockPlan, clock: Deadline, event: str) -> Deadline:
    """The term chosen anew and counted from the original start; what would lie before now becomes now."""
    term = matching_term(step, plan)
    if term is None:
        # Nothing is owed any more: a complaint that turns out not to be urgent needs no visit at once.
        return cancelled(clock)
    start = clock.started_at
    day = step.calendar.day_of(start)
    if term.every is not None and day < step.today:
        day, start = step.today, step.at
    due = _reckon(step, plan, term, day, start)
    if due is None:
        return clock
    due_at, target_at, limit, provisional, rolled, asked, _ = due
    if term.name == clock.term and limit == clock.limit:
        return clock
    due_at, target_at = _with_past_pauses(step, clock, due_at, target_at, limit)
    due_at = max(due_at, clock.paused_at or step.at)
    note = ClockStep(
        what="chosen",
        at=step.at,
        by=event,
        due_at=due_at,
        term=term.name,
        limit=limit,
        rolled=rolled,
        asked=asked,
    )
    clock = replace(
        clock,
        started_at=start,
        due_at=due_at,
        target_at=target_at,
        term=term.name,
        limit=limit,
        provisional=provisional,
        wakes_done=0,
        steps=(*clock.steps, note),
    )
    if clock.status == PAUSED:
        return clock
    return _armed(step.calendar, plan, clock, step.at)


def _with_past_pauses(
    step: Step, clock: Deadline, due_at: datetime, target_at: datetime | None, limit: str
) -> tuple[datetime, datetime | None]:
    """The pauses and extensions that the clock has had count for the new term as well."""
    unit = limit.partition(" ")[2].rstrip("s") or "day"
    paused_from: datetime | None = None
    for note in clock.steps:
        if note.what == "paused" and not limit.startswith(EVERY):
            paused_from = note.at
        elif note.what == "resumed" and paused_from is not None:
            due_at = step.calendar.moved(due_at, unit, paused_from, note.at)[0]
            if target_at is not None:
                target_at = step.calendar.moved(target_at, unit, paused_from, note.at)[0]
        elif note.what == "extended":
            due_at = _shifted(step.calendar, due_at, note.moved)
            if target_at is not None:
                target_at = _shifted(step.calendar, target_at, note.moved)
    return due_at, target_at


def extended(
    step: Step, plan: ClockPlan, clock: Deadline, by: Duration, sign: int, event: str, reason: str
) -> Deadline:
    """Moved by a stated length, later or earlier; what would lie before now becomes now."""
    if by.count < 0:
        by, sign = Duration(-by.count, by.unit), -sign
    moved = f"{'-' if sign < 0 else ''}{by}"
    due_at = max(_shifted(step.calendar, clock.due_at, moved), step.at)
    target_at = clock.target_at
    if target_at is not None:
        target_at = _shifted(step.calendar, target_at, moved)
    note = ClockStep(
        what="extended", at=step.at, by=event, due_at=due_at, moved=moved, reason=reason, actor=step.actor.id
    )
    clock = replace(clock, due_at=due_at, target_at=target_at, steps=(*clock.steps, note))
    if clock.status == PAUSED:
        return clock
    return _armed(step.calendar, plan, clock, step.at, keep=True)


def _shifted(calendar: Calendar, at: datetime, moved: str) -> datetime:
    sign = -1 if moved.startswith("-") else 1
    count, _, unit = moved.lstrip("-").partition(" ")
    return calendar.extended(at, Duration(int(count), unit.rstrip("s")), sign=sign).at  # type: ignore[arg-type]


def counted_again(step: Step, plan: ClockPlan, clock: Deadline) -> Deadline:
    """A provisional date once its year is published; the same date when nothing has changed."""
    term = next((one for one in plan.terms if one.name == clock.term), None)
    if term is None or clock.status not in (RUNNING, PAUSED):
        return clock
    start = clock.started_at
    due = _reckon(step, plan, term, step.calendar.day_of(start), start)
    if due is None:
        return clock
    due_at, target_at, limit, provisional, rolled, asked, _ = due
    due_at, target_at = _with_past_pauses(step, clock, due_at, target_at, limit)
    due_at = max(due_at, step.at)
    if due_at == clock.due_at and provisional == clock.provisional:
        return clock
    note = ClockStep(what="counted_again", at=step.at, due_at=due_at, limit=limit, rolled=rolled, asked=asked)
    clock = replace(
        clock,
        due_at=due_at,
        target_at=target_at,
        provisional=provisional,
        steps=(*clock.steps, note),
    )
    return clock if clock.status == PAUSED else _armed(step.calendar, plan, clock, step.at, keep=True)


# ------------------------------------------------------------------ passing


def _armed(
    calendar: Calendar, plan: ClockPlan, clock: Deadline, now: datetime, keep: bool = False
) -> Deadline:
    """Set to wake at its next warning, or at its due instant. Warnings whose time is past are left out;
    with `keep`, those given already stay given."""
    done = clock.wakes_done if keep else 0
    for number, alert in enumerate(plan.warnings[done:], done):
        at = calendar.before(clock.due_at, alert.length)
        if at > now:
            return replace(clock, wake_at=at, wakes_done=number)
    return replace(clock, wake_at=max(clock.due_at, now), wakes_done=len(plan.warnings))


def pass_wake(step: Step, plan: ClockPlan, clock: Deadline) -> tuple[Deadline, AlertPlan | None, bool]:
    """A clock whose wake has come: the clock after it, the alert to give, and whether it passes now."""
    done = clock.wakes_done
    calendar = step.calendar
    if done < len(plan.warnings):
        alert = plan.warnings[done]
        return _armed(calendar, plan, replace(clock, wakes_done=done + 1), step.at, keep=True), alert, False
    if done == len(plan.warnings):
        passed = replace(
            clock,
            status=plan.mark,
            breached_at=step.at if plan.mark == "breached" else None,
            wakes_done=done + 1,
            wake_at=_escalation_at(calendar, plan, clock, 0),
        )
        return passed, None, True
    number = done - len(plan.warnings) - 1
    alert = plan.escalations[number]
    wake = _escalation_at(calendar, plan, clock, number + 1)
    return replace(clock, wakes_done=done + 1, wake_at=wake), alert, False


def _escalation_at(calendar: Calendar, plan: ClockPlan, clock: Deadline, number: int) -> datetime | None:
    if number >= len(plan.escalations):
        return None
    return calendar.after(clock.due_at, plan.escalations[number].length)
