"""What a host asks about its cases: one of them, its history, what is due, which cases, how many breaches.

Names and values are checked against the workflows here; the store answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime
from typing import Any, get_args

from renoflow.engine.calendar import Calendar
from renoflow.engine.localdays import TICK, date_of, plus
from renoflow.engine.workflow import Workflow, Workflows
from renoflow.errors import SchemaMismatch, UnknownName, UsageError
from renoflow.paging import at_most, checked_limit, page_of, place_of
from renoflow.records import NO_FACTS, Case, FactValue, HistoryEntry
from renoflow.store.memory import MemoryStore
from renoflow.store.protocol import OutboxItem, Postponed, Reader, Status, Store
from renoflow.store.questions import (
    LAST,
    BreachCount,
    BreachQuestion,
    CaseQuestion,
    CaseSummary,
    Kind,
    Page,
    WorkItem,
    WorkQuestion,
    limits_of,
)
from renoflow.store.terms import LONGEST, Term, layout_name, layout_of, searched, wanted_terms, wanted_words
from renoflow.values import check_id, check_text, instant, several
from renoflow.workflow.plan import Plan

Plans = Mapping[str, Plan]
Names = str | Iterable[str] | None

STATUSES: tuple[Status, ...] = get_args(Status)

MOST_MONTHS = 120
"""Months of one question about breaches."""


class CaseReader:
    """Answers about the cases of one tenant. `connection` is the host's SQLAlchemy connection or session,
    whose own uncommitted cases are then seen too."""

    def __init__(self, workflows: Workflows, store: Store | None = None, *, tenant: str = "main") -> None:
        if not isinstance(workflows, Workflows):
            found = type(workflows).__name__
            raise UsageError(f"a service runs workflows, as rf.load_workflows() gives them; found a {found}")
        if store is not None and not hasattr(store, "prepare"):
            found = type(store).__name__
            raise UsageError(
                f"a store is rf.SqlStore('sqlite:///firm.db') or rf.MemoryStore(); found a {found}"
            )
        if not tenant or not isinstance(tenant, str):
            raise UsageError(f"a tenant is a text that is not empty; found {tenant!r}")
        check_id(tenant)
        self.workflows = workflows
        self.store: Store = store if store is not None else MemoryStore()
        self.tenant = tenant
        self.store.prepare()

    # -------------------------------------------------------------- one case

    def find(self, case_id: str, *, connection: Any = None) -> Case | None:
        """The case as it stands, None when there is none."""
        check_id(case_id)
        with self._read(connection) as reader:
            return reader.get(case_id)

    def case(self, case_id: str, *, connection: Any = None) -> Case:
        """Raises `UnknownName` when there is none."""
        check_id(case_id)
        with self._read(connection) as reader:
            case = reader.get(case_id)
            if case is None:
                raise UnknownName("case", case_id, reader.ids_near(case_id))
            return case

    def workflow_of(self, case: Case) -> Workflow:
        """The rules that the case goes by; raises `UnknownName` where they are not loaded."""
        return self.workflows[case.workflow]

    def history(self, case_id: str, *, connection: Any = None) -> tuple[HistoryEntry, ...]:
        """Raises `UnknownName` when there is no such case."""
        check_id(case_id)
        with self._read(connection) as reader:
            if reader.get(case_id) is None:
                raise UnknownName("case", case_id, reader.ids_near(case_id))
            return tuple(reader.history(case_id))

    # -------------------------------------------------------------- many cases

    def cases(self, *, connection: Any = None) -> Iterator[Case]:
        """All of them, in the order in which they were opened."""
        with self._read(connection) as reader:
            yield from reader.cases()

    def search(
        self,
        *,
        workflow: str | None = None,
        state: str | None = None,
        stage: str | None = None,
        ended: bool | None = None,
        facts: Mapping[str, Any] = NO_FACTS,
        text: str | None = None,
        parent: str | None = None,
        limit: int = 100,
        after: str | None = None,
        connection: Any = None,
    ) -> Page[CaseSummary]:
        """The cases of which all that is given is true, the newest first: in a state or a stage, ended or
        not, with these values of searchable facts (of a set or a list of texts: holding what is named), with
        a word of their id or of their searchable texts that begins like `text`, whatever its case and width,
        under a parent.

        `after` is the `next` of the page before; `limit` is at most 500. Raises `UnknownName`, `UsageError`
        for a fact that no case is found by or a value that it cannot be, and `SchemaMismatch` when `reindex`
        has to come first."""
        plans = plans_of(self.workflows, workflow)
        states = _states(plans, state, stage, ended)
        terms = _terms(plans, facts)
        place = place_of("cases", after, (int,))
        question = CaseQuestion(
            kinds=tuple(
                Kind(plan=plan, states=None if states is None else states[name], terms=terms[name])
                for name, plan in plans.items()
                if name in terms and (states is None or states[name])
            ),
            words=_words(text),
            parent=check_id(parent) if parent else "",
            before=LAST if place is None else min(max(place[0], 0), LAST),
            limit=checked_limit(limit) + 1,
        )
        with self._read(connection) as reader:
            if facts or question.words:
                _check_layouts(reader, plans)
            page = page_of("cases", reader.search(question), limit, lambda placed: placed[:1])
        return Page(items=tuple(case for _, case in page.items), next=page.next)

    # -------------------------------------------------------------- what is due

    def worklist(
        self,
        *,
        roles: Names = None,
        until: datetime | str | None = None,
        at: datetime | str | None = None,
        workflows: Names = None,
        limit: int = 100,
        after: str | None = None,
        connection: Any = None,
    ) -> Page[WorkItem]:
        """Every limit that these roles owe (all roles, when none is named) and that is due by `until`, the
        soonest first. Overdue is what was due by `at`, now unless it is given; so `until` = `at` asks for
        nothing else. Limits that are paused wait for somebody else, and are left out.

        `after` is the `next` of the page before; `limit` is at most 500. Raises `UnknownName` for a role or a
        workflow that there is not."""
        plans = plans_of(self.workflows, workflows)
        owners = _roles(plans, roles)
        place = place_of("work", after, (str, str, str))
        question = WorkQuestion(
            limits={name: limits_of(plan, owners) for name, plan in plans.items()},
            plans=plans,
            at=datetime.now(UTC) if at is None else instant(at),
            until=None if until is None else instant(until),
            after=None if place is None else (instant(place[0]), place[1], place[2]),
            limit=checked_limit(limit) + 1,
        )
        with self._read(connection) as reader:
            items = reader.worklist(question)
        return page_of("work", items, limit, lambda item: (item.due_at.isoformat(), item.case, item.deadline))

    def next_wake(self, until: datetime | str) -> datetime | None:
        """The first instant by `until` at which a sweep would find something."""
        with self._read(None) as reader:
            return reader.next_wake(instant(until))

    def count_due(self, until: datetime | str) -> int:
        """In how many families of cases something may have fallen due."""
        with self._read(None) as reader:
            return reader.count_due(instant(until))

    def postponed(self) -> Sequence[Postponed]:
        """Families in which something is due that failed: how often, why, and when it is tried again."""
        with self._read(None) as reader:
            return reader.postponed()

    # -------------------------------------------------------------- what was missed

    def breaches(
        self,
        *,
        since: datetime | str | None = None,
        until: datetime | str | None = None,
        workflows: Names = None,
        limit: int = 100,
        after: str | None = None,
        connection: Any = None,
    ) -> Page[BreachCount]:
        """How often each limit was missed, by month of the firm's zone: after `since` and by `until`, of the
        twelve months up to now when neither is given, of 120 months at most. What was not missed in a month
        has no row there. `after` is the `next` of the page before; `limit` is at most 500."""
        plans = plans_of(self.workflows, workflows)
        limits = {name: limits_of(plan, None) for name, plan in plans.items()}
        end = datetime.now(UTC) if until is None else instant(until)
        start = None if since is None else instant(since)
        place = place_of("breaches", after, (str, str, str)) or ("", "", "")
        size = checked_limit(limit)
        found: list[BreachCount] = []
        with self._read(connection) as reader:
            for month, begins, ends in _months(self.workflows.calendar, start, end):
                if month >= place[0] and len(found) <= size:
                    counts = reader.breaches(BreachQuestion(limits=limits, since=begins, until=ends))
                    rows = (_count(plans, month, where, *count) for where, count in sorted(counts.items()))
                    found += [row for row in rows if (row.month, row.workflow, row.deadline) > place]
        return page_of("breaches", found, limit, lambda row: (row.month, row.workflow, row.deadline))

    # -------------------------------------------------------------- effects

    def outbox(self, status: Status = "waiting", *, limit: int = 100) -> Sequence[OutboxItem]:
        """Effects that are `waiting`, `delivered` or `dead`, the oldest first."""
        if status not in STATUSES:
            raise UnknownName("status", status, STATUSES)
        most = at_most(limit)
        with self._read(None) as reader:
            return reader.outbox(status, most)

    # -------------------------------------------------------------- the store

    def _plan(self, workflow: str) -> Plan | None:
        return self.workflows[workflow].plan if workflow in self.workflows else None

    def _read(self, connection: Any) -> AbstractContextManager[Reader]:
        return self.store.read(self.tenant, self._plan, connection)


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


def _check_layouts(reader: Reader, plans: Plans) -> None:
    """Refuse an answer that would leave out cases, because their file called other facts searchable."""
    for case, (_, layout) in reader.outdated(layouts_of(plans), 1):
        raise SchemaMismatch(
            f"the case {case!r}, and perhaps others, cannot be found by facts and words yet: it was kept "
            "before cases could be, or the searchable facts of its workflow have changed since. Run "
            "`renoflow db reindex` with the same workflow files, or service.reindex()",
            found=None,
            wanted=layout,
        )


def _roles(plans: Plans, roles: Names) -> frozenset[str] | None:
    if roles is None:
        return None
    wanted = frozenset((roles,) if isinstance(roles, str) else several(roles, "roles"))
    known = {role for plan in plans.values() for role in plan.roles}
    for role in sorted(wanted - known):
        raise UnknownName("role", role, known)
    return wanted


def _states(
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


def _terms(plans: Plans, facts: Mapping[str, Any]) -> Mapping[str, tuple[Term, ...]]:
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


def _words(text: str | None) -> str:
    if text is None:
        return ""
    found = wanted_words(check_text(text))
    if not found or len(found) > LONGEST:
        raise UsageError(f"{text!r}: look for a text of 1 to {LONGEST} characters, with a letter or a digit")
    return found


# ------------------------------------------------------------------ months


def _count(plans: Plans, month: str, where: tuple[str, str], breaches: int, cases: int) -> BreachCount:
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


def _months(
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
