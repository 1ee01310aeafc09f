"""What is asked about many cases, checked against the workflows: names, values, pages of months."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from renoflow.engine.calendar import Calendar
from renoflow.engine.localdays import TICK, date_of, plus
from renoflow.engine.workflow import Workflows
from renoflow.errors import SchemaMismatch, UnknownName, UsageError
from renoflow.records import FactValue
from renoflow.store.protocol import Reader
from renoflow.store.questions import BreachCount
from renoflow.store.terms import LONGEST, Term, layout_name, layout_of, searched, wanted_terms, wanted_words
from renoflow.values import check_text, several
from renoflow.workflow.plan import Plan

Plans = Mapping[str, Plan]
Names = str | Iterable[str] | None

MOST_MONTHS = 120
"""Months of one question about breaches."""


# ------------------------------------------------------------------ names and values


def plans_of(workflows: Workflows, names: Names = None) -> Plans:
    """The plans of these workflows, of all when None; raises `UnknownName`."""
    if isinstance(names, str):
        names = (names,)
    wanted = workflows if names is None else several(names, "workflows")
    return {name: workflows[name].plan for name in wanted}


def layouts_of(plans: Plans) -> Sequence[Term]:
    """The term that each workflow's cases have when they are found by its present facts."""
    return [(layout_name(name), layout_of(plan)) for name, plan in plans.items()]


def check_layouts(reader: Reader, plans: Plans) -> None:
    """Refuse an answer that would leave out cases, because their file called other facts searchable."""
    for case, (_, layout) in reader.outdated(layouts_of(plans), 1):
        raise SchemaMismatch(
            f"the case {case!r}, and perhaps others, cannot be found by facts and words yet: it was kept "
            "before cases could be, or the searchable facts of its workflow have changed since. Run "
            "`renoflow db reindex` with the same workflow files, or service.reindex()",
            found=None,
            wanted=layout,
        )


def owners_of(plans: Plans, roles: Names) -> frozenset[str] | None:
    if roles is None:
        return None
    wanted = frozenset((roles,) if isinstance(roles, str) else several(roles, "roles"))
    known = {role for plan in plans.values() for role in plan.roles}
    for role in sorted(wanted - known):
        raise UnknownName("role", role, known)
    return wanted


def states_of(
    plans: Plans, state: str | None, stage: str | None, ended: bool | None
) -> Mapping[str, tuple[str, ...]] | None:
    """The states that are asked for, by workflow; None when all will do."""
    if state is None and stage is None and ended is None:
        return None
    all_states = {name: plan.definition.states for name, plan in plans.items()}
    known = {one for states in all_states.values() for one in states}
    if state is not None and state not in known:
        raise UnknownName("state", state, known)
    stages = {one.stage for states in all_states.values() for one in states.values()}
    if stage is not None and stage not in stages:
        raise UnknownName("stage", stage, stages)
    return {
        name: tuple(
            one
            for one, found in states.items()
            if (state is None or one == state)
            and (stage is None or found.stage == stage)
            and (ended is None or (one in plans[name].finals) == ended)
        )
        for name, states in all_states.items()
    }


def terms_wanted(plans: Plans, facts: Mapping[str, Any]) -> Mapping[str, tuple[Term, ...]]:
    """The terms of these facts in each workflow that has them all, with such values."""
    for name in facts:
        _check_fact(plans, name)
    found: dict[str, tuple[Term, ...]] = {}
    misfits: list[UsageError] = []
    for workflow, plan in plans.items():
        known = searched(plan).facts
        if all(name in known for name in facts):
            try:
                each = [wanted_terms(known[name][0], _value(plan, name, facts[name])) for name in facts]
            except UsageError as error:
                misfits.append(error)
            else:
                found[workflow] = tuple(term for terms in each for term in terms)
    if misfits and not found:
        raise misfits[0]
    return found


def _check_fact(plans: Plans, name: str) -> None:
    known = {one for plan in plans.values() for one in searched(plan).facts}
    if name in known:
        return
    found = [plan.facts[name] for plan in plans.values() if name in plan.facts]
    if not found:
        raise UnknownName("fact", name, known)
    if any(fact.personal for fact in found):
        raise UsageError(f"the fact {name!r} is personal, and nobody is looked for by such a fact")
    raise UsageError(
        f"no case is found by the fact {name!r}, since its workflow file does not say `searchable = true`; "
        f"cases are found by {', '.join(sorted(known)) or 'none yet'}"
    )


def _value(plan: Plan, name: str, value: Any) -> FactValue:
    fact = plan.facts[name]
    if fact.type in ("set", "texts") and isinstance(value, str):
        value = (value,)
    try:
        found = fact.keep(value)
    except ValueError as error:
        raise UsageError(
            f"{error}, which the fact {name!r} of {plan.id!r} cannot be; it is {fact.wanted.en}"
        ) from None
    if found == ():
        raise UsageError(f"the fact {name!r}: name at least one that it is to hold")
    return found


def words_wanted(text: str | None) -> str:
    if text is None:
        return ""
    found = wanted_words(check_text(text))
    if not found or len(found) > LONGEST:
        raise UsageError(f"{text!r}: look for a text of 1 to {LONGEST} characters, with a letter or a digit")
    return found


# ------------------------------------------------------------------ months


def count_of(plans: Plans, month: str, where: tuple[str, str], breaches: int, cases: int) -> BreachCount:
    workflow, name = where
    plan = plans[workflow]
    clock = plan.clocks[name]
    return BreachCount(
        month=month,
        workflow=workflow,
        deadline=name,
        label=clock.label,
        cites=plan.definition.deadlines[clock.rule].cites,
        breaches=breaches,
        cases=cases,
    )


def months_of(
    calendar: Calendar, since: datetime | None, until: datetime
) -> Sequence[tuple[str, datetime, datetime]]:
    """Each month with the instants after which it begins and with which it ends. What is due at the end of
    its last day is missed at the midnight that follows, and belongs to it."""
    if since is not None and since >= until:
        if since > until:
            raise UsageError(f"since ({calendar.iso(since)}) lies after until ({calendar.iso(until)})")
        return []
    last = _month_of(calendar, plus(until, -TICK))
    first = _earlier(last, 11) if since is None else _month_of(calendar, since)
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    if count > MOST_MONTHS:
        raise UsageError(f"{count} months are asked for, at most {MOST_MONTHS} are counted at once")
    months = [_earlier(last, count - 1 - number) for number in range(count)]
    edges = [calendar.midnight(month.toordinal()) for month in months]
    begins = [edge if since is None else max(edge, since) for edge in edges]
    ends = [*edges[1:], until]
    return [(f"{month:%Y-%m}", begin, end) for month, begin, end in zip(months, begins, ends, strict=True)]


def _month_of(calendar: Calendar, at: datetime) -> date:
    return date_of(calendar.day_of(at)).replace(day=1)


def _earlier(month: date, count: int) -> date:
    number = month.year * 12 + month.month - 1 - count
    if number < 12:
        raise UsageError(f"{count} months before {month:%Y-%m} lies before the year 1")
    return date(number // 12, number % 12 + 1, 1)
