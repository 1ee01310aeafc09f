"""What a host asks about its cases: one of them, its history, what is due, which cases, how many breaches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any, get_args

from renoflow.asking import (
    Names,
    check_layouts,
    count_of,
    months_of,
    owners_of,
    plans_of,
    states_of,
    terms_wanted,
    words_wanted,
)
from renoflow.engine.workflow import Workflow, Workflows
from renoflow.errors import UnknownName, UsageError
from renoflow.paging import at_most, checked_limit, page_of, place_of
from renoflow.records import NO_FACTS, Case, HistoryEntry
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
from renoflow.values import check_id, instant
from renoflow.workflow.plan import Plan

STATUSES: tuple[Status, ...] = get_args(Status)


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
        states = states_of(plans, state, stage, ended)
        terms = terms_wanted(plans, facts)
        place = place_of("cases", after, (int,))
        question = CaseQuestion(
            kinds=tuple(
                Kind(plan=plan, states=None if states is None else states[name], terms=terms[name])
                for name, plan in plans.items()
                if name in terms and (states is None or states[name])
            ),
            words=words_wanted(text),
            parent=check_id(parent) if parent else "",
            before=LAST if place is None else min(max(place[0], 0), LAST),
            limit=checked_limit(limit) + 1,
        )
        with self._read(connection) as reader:
            if facts or question.words:
                check_layouts(reader, plans)
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
        owners = owners_of(plans, roles)
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
            for month, begins, ends in months_of(self.workflows.calendar, start, end):
                if month >= place[0] and len(found) <= size:
                    counts = reader.breaches(BreachQuestion(limits=limits, since=begins, until=ends))
                    rows = (count_of(plans, month, where, *count) for where, count in sorted(counts.items()))
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
