"""The ledger of a case: lines are entered and struck out, and what is counted on it is used up.

A line counts by the day of the deed, once for each accumulation. What is met opens, tells or notifies as the
file says, stands in the history as `accumulation.<name>`, and names there the days that were counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from msgspec.structs import replace

from renoflow.engine.effects import change_facts, hand_out
from renoflow.engine.step import Step
from renoflow.records import FactValue, LedgerLine, Reason
from renoflow.values import SYSTEM_ACTOR, Label
from renoflow.workflow.plan import AccumulationPlan, EventPlan, LedgerPlan
from renoflow.workflow.scene import DayCounter

Lines = tuple[LedgerLine, ...]


# ------------------------------------------------------------------ lines in and out


def against(step: Step, plan: LedgerPlan, event: EventPlan, kept: Mapping[str, FactValue]) -> list[Reason]:
    """Why a line cannot be entered or struck out: its day is too long ago, or there is none."""
    if event.name in plan.enters:
        day, first = _day(plan, kept), date(_first_year(step, plan), 1, 1)
        if day < first:
            wanted = Label(f"不早于 {first} 的日期", f"a day not before {first}")
            label = step.plan.facts[plan.dated_by].label
            values = {"found": day, "wanted": wanted}
            return [Reason(code="fact_invalid", subject=plan.dated_by, label=label, values=values)]
    elif event.name in plan.strikes and _struck(step.ledger, plan, kept) is None:
        entry = str(kept[plan.entry])
        label = step.plan.facts[plan.entry].choices[entry]
        return [Reason(code="line_missing", subject=entry, label=label, values={"day": _day(plan, kept)})]
    return []


def keep(step: Step, plan: LedgerPlan, event: EventPlan, kept: Mapping[str, FactValue], cause: int) -> None:
    """Enter or strike out the line that an event is about, then count."""
    if event.name in plan.enters:
        step.changes["ledger"] = (*step.ledger, _line(plan, kept))
    elif event.name in plan.strikes:
        lines = step.ledger
        number = _struck(lines, plan, kept)
        if number is not None:
            step.changes["ledger"] = (*lines[:number], *lines[number + 1 :])
    count(step, plan, cause)


def _line(plan: LedgerPlan, kept: Mapping[str, FactValue]) -> LedgerLine:
    """Made of what came with this command alone."""
    return LedgerLine(
        kind=str(kept[plan.entry]),
        day=_day(plan, kept),
        rule=str(kept.get(plan.rule or "", "")),
        source=str(kept.get(plan.source or "", "")),
    )


def _day(plan: LedgerPlan, kept: Mapping[str, Any]) -> date:
    found: date = kept[plan.dated_by]
    return found


def _struck(lines: Lines, plan: LedgerPlan, kept: Mapping[str, FactValue]) -> int | None:
    """The latest line of that kind and day (and rule and source, where given) that decided nothing yet."""
    wanted = _line(plan, kept)
    decisive = {rule.name for rule in plan.accumulations if rule.decides}
    for number in reversed(range(len(lines))):
        line = lines[number]
        if (
            (line.kind, line.day) == (wanted.kind, wanted.day)
            and wanted.rule in ("", line.rule)
            and wanted.source in ("", line.source)
            and decisive.isdisjoint(line.used_by)
        ):
            return number
    return None


# ------------------------------------------------------------------ counting


def count(step: Step, plan: LedgerPlan, cause: int) -> None:
    """What is met now follows, in the order of the file; then what nothing can count any more is dropped."""
    lines = step.ledger
    if not lines:
        return
    actor = step.actor
    step.actor = SYSTEM_ACTOR
    for rule in plan.accumulations:
        while rule.when is None or rule.when(step):
            numbers = _met(step.ledger, rule, step.calendar, step.today)
            if not numbers:
                break
            _follow(step, rule, numbers, cause)
    step.actor = actor
    lines = step.ledger
    left = tuple(_countable(lines, plan, _first_year(step, plan)))
    if left != lines:
        step.changes["ledger"] = left


def _follow(step: Step, rule: AccumulationPlan, numbers: tuple[int, ...], cause: int) -> None:
    lines = list(step.ledger)
    for number in numbers:
        lines[number] = replace(lines[number], used_by=(*lines[number].used_by, rule.name))
    step.changes["ledger"] = tuple(lines)
    step.counted = tuple(lines[number] for number in numbers)
    about = f"accumulation.{rule.name}"
    derived = change_facts(step, rule.effects)
    days = " ".join(line.day.isoformat() for line in step.counted)
    step.record(about, step.state, derived=derived, cause=cause, note=days)
    hand_out(step, rule.effects, about)
    step.counted = ()


def _met(lines: Lines, rule: AccumulationPlan, calendar: DayCounter, today: int) -> tuple[int, ...]:
    """The lines by which a rule is met, as their places in the ledger; none when it is not."""
    if rule.running is not None:
        return next((run for run in runs(lines, rule, calendar) if _long_enough(lines, rule, run)), ())
    for period, numbers in periods(lines, rule).items():
        if len(numbers) >= rule.at_least and is_open(lines, rule, period, today):
            return numbers[: rule.at_least]
    return ()


def unused(lines: Lines, rule: AccumulationPlan) -> Iterator[int]:
    """The lines that a rule may count, by the day of the deed."""
    places = sorted(range(len(lines)), key=lambda number: lines[number].day)
    for number in places:
        line = lines[number]
        if line.kind in rule.counts and rule.name not in line.used_by and line.rule not in rule.except_rules:
            yield number


def periods(lines: Lines, rule: AccumulationPlan) -> dict[str, tuple[int, ...]]:
    """The lines that a rule may count, by the month or year of the deed (`2026-05`, `2026`)."""
    found: dict[str, tuple[int, ...]] = {}
    for number in unused(lines, rule):
        period = period_of(rule, lines[number].day)
        found[period] = (*found.get(period, ()), number)
    return found


def period_of(rule: AccumulationPlan, day: date) -> str:
    return day.isoformat()[: 7 if rule.period == "month" else 4]


def is_open(lines: Lines, rule: AccumulationPlan, period: str, today: int) -> bool:
    """Whether a period's lines may be counted now: it has ended where the rule waits for that, what must
    come before was met in it, and nothing stands against it."""
    if rule.at_period_end and period >= period_of(rule, date.fromordinal(today)):
        return False
    return follows_another(lines, rule, period) and not any(objections(lines, rule, period))


def follows_another(lines: Lines, rule: AccumulationPlan, period: str) -> bool:
    """Whether what a rule comes after was met in a period; always, when it comes after nothing."""
    return rule.after is None or any(
        rule.after in line.used_by and period_of(rule, line.day) == period for line in lines
    )


def objections(lines: Lines, rule: AccumulationPlan, period: str) -> Iterator[LedgerLine]:
    """The lines of which there may be none."""
    if rule.none_of:
        yield from (
            line for line in lines if line.kind in rule.none_of and period_of(rule, line.day) == period
        )


def _countable(lines: Lines, plan: LedgerPlan, first_year: int) -> Iterator[LedgerLine]:
    for line in lines:
        if line.day.year >= first_year and any(
            line.kind in rule.none_of
            or rule.after in line.used_by
            or (
                line.kind in rule.counts
                and rule.name not in line.used_by
                and line.rule not in rule.except_rules
            )
            for rule in plan.accumulations
        ):
            yield line


def _first_year(step: Step, plan: LedgerPlan) -> int:
    """The year of the oldest day that a line may have."""
    return max(date.fromordinal(step.today).year - plan.keeps, 1)


# ------------------------------------------------------------------ unbroken runs


def runs(lines: Lines, rule: AccumulationPlan, calendar: DayCounter) -> Iterator[tuple[int, ...]]:
    """The unbroken runs of what a rule may count, each as soon as it is long enough: days between which only
    rest days lie, months or years that follow each other."""
    run: list[int] = []
    for number in unused(lines, rule):
        if run and not _follows(rule, lines[run[-1]].day, lines[number].day, calendar):
            yield tuple(run)
            run = []
        run.append(number)
        if _long_enough(lines, rule, run):
            yield tuple(run)
            return
    if run:
        yield tuple(run)


def _follows(rule: AccumulationPlan, before: date, after: date, calendar: DayCounter) -> bool:
    if _unit(rule) != "day":
        return place(rule, after) - place(rule, before) <= 1
    between: Iterable[int] = range(before.toordinal() + 1, after.toordinal())
    return not any(calendar.is_working_day(day) for day in between)


def length(lines: Lines, rule: AccumulationPlan, run: Iterable[int]) -> int:
    """How many days, months or years a run spans, its first and last included."""
    places = [place(rule, lines[number].day) for number in run]
    return places[-1] - places[0] + 1 if places else 0


def place(rule: AccumulationPlan, day: date) -> int:
    unit = _unit(rule)
    return day.toordinal() if unit == "day" else day.year if unit == "year" else 12 * day.year + day.month


def _unit(rule: AccumulationPlan) -> str:
    return "" if rule.running is None else rule.running.unit


def _long_enough(lines: Lines, rule: AccumulationPlan, run: Iterable[int]) -> bool:
    return rule.running is not None and length(lines, rule, run) >= rule.running.count
