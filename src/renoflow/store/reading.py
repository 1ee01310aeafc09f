"""Reading without holding anything: cases, histories, what falls due next, the outbox."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec

from renoflow.errors import StoredDataError, UsageError
from renoflow.records import Case, Effect, HistoryEntry
from renoflow.store import finding
from renoflow.store import statements as sql
from renoflow.store.chain import entry_of
from renoflow.store.protocol import Answer, OutboxItem, Plans, Postponed
from renoflow.store.questions import (
    Breaches,
    BreachQuestion,
    CaseQuestion,
    PlacedCase,
    WorkItem,
    WorkQuestion,
)
from renoflow.store.rows import Form, plan_of, row_from
from renoflow.store.runner import Runner
from renoflow.store.tagged import effect_from_json, reasons_from_json, reasons_to_json
from renoflow.store.terms import Term

PAGE = 500


def read_lines(
    runner: Runner, tenant: str, plans: Plans, case: Case, first: int, last: int
) -> tuple[HistoryEntry, ...]:
    plan = plan_of(plans, case.id, case.workflow)
    found = []
    for number, body, personal, _ in runner.rows(
        sql.HISTORY, tenant=tenant, id=case.id, first=first, last=last
    ):
        try:
            found.append(entry_of(plan, body, personal))
        except (UsageError, msgspec.MsgspecError, KeyError, TypeError, ValueError) as error:
            raise StoredDataError(
                "renoflow_history", case.id, f"entry {number} cannot be read: {error}"
            ) from None
    return tuple(found)


def ids_near(runner: Runner, tenant: str, case_id: str) -> Sequence[str]:
    """Those that stand next to it in the order of ids: an index finds them among a million."""
    around = (sql.IDS_BEFORE, sql.IDS_FROM)
    return [row[0] for part in around for row in runner.rows(part, tenant=tenant, id=case_id)]


def answer_from(form: Form, case_id: str, key: str, values: Sequence[Any]) -> Answer:
    request, text, at = values
    try:
        fields = msgspec.json.decode(text)
        return Answer(
            case=case_id,
            key=key,
            request=request,
            at=form.known(at),
            reasons=reasons_from_json(fields["reasons"]),
            spans=tuple((name, first, last) for name, first, last in fields["spans"]),
            effects=tuple((name, key) for name, key in fields["effects"]),
        )
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError) as error:
        raise StoredDataError(
            "renoflow_keys", case_id, f"the answer to {key!r} cannot be read: {error}"
        ) from None


def answer_to_json(answer: Answer) -> str:
    said = {"reasons": reasons_to_json(answer.reasons), "spans": answer.spans, "effects": answer.effects}
    return msgspec.json.encode(said).decode()


def effect_from(case_id: str, key: str, text: str) -> Effect:
    try:
        return effect_from_json(text)
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise StoredDataError(
            "renoflow_outbox", case_id, f"the effect {key} cannot be read: {error}"
        ) from None


def item_from(form: Form, values: Sequence[Any]) -> OutboxItem:
    case_id, key, text, status, attempts, retry_at, failure = values
    return OutboxItem(
        effect=effect_from(case_id, key, text),
        status=status,
        attempts=attempts,
        retry_at=form.take(retry_at),
        failure=failure,
    )


class SqlReader:
    """See `protocol.Reader`."""

    def __init__(self, runner: Runner, tenant: str, plans: Plans) -> None:
        self._runner = runner
        self._tenant = tenant
        self._plans = plans

    def get(self, case_id: str) -> Case | None:
        found = self._runner.first(sql.CASE, tenant=self._tenant, id=case_id)
        return None if found is None else row_from(self._plans, found).case

    def cases(self) -> Iterator[Case]:
        after = 0
        while page := self._runner.rows(sql.PAGE, tenant=self._tenant, after=after, limit=PAGE):
            yield from (row_from(self._plans, values).case for values in page)
            after = page[-1][0]

    def ids_near(self, case_id: str) -> Sequence[str]:
        return ids_near(self._runner, self._tenant, case_id)

    def history(self, case_id: str) -> Sequence[HistoryEntry]:
        case = self.get(case_id)
        if case is None:
            return ()
        return read_lines(self._runner, self._tenant, self._plans, case, 1, case.entries)

    def next_wake(self, until: datetime) -> datetime | None:
        form = self._runner.form
        return form.take(self._runner.first(sql.NEXT_WAKE, tenant=self._tenant, until=form.put(until))[0])

    def count_due(self, until: datetime) -> int:
        until_then = self._runner.form.put(until)
        return int(self._runner.first(sql.COUNT_DUE, tenant=self._tenant, until=until_then)[0])

    def outbox(self, status: str, limit: int) -> Sequence[OutboxItem]:
        found = self._runner.rows(sql.OUTBOX, tenant=self._tenant, status=status, limit=limit)
        return [item_from(self._runner.form, values) for values in found]

    def postponed(self) -> Sequence[Postponed]:
        return [
            Postponed(case=case, attempts=attempts, retry_at=self._runner.form.known(at), failure=failure)
            for case, attempts, at, failure in self._runner.rows(sql.POSTPONED, tenant=self._tenant)
        ]

    def worklist(self, question: WorkQuestion) -> Sequence[WorkItem]:
        return finding.worklist(self._runner, self._tenant, question)

    def search(self, question: CaseQuestion) -> Sequence[PlacedCase]:
        return finding.search(self._runner, self._tenant, question)

    def breaches(self, question: BreachQuestion) -> Breaches:
        return finding.breaches(self._runner, self._tenant, question)

    def outdated(self, layouts: Iterable[Term], limit: int) -> Sequence[tuple[str, Term]]:
        return finding.outdated(self._runner, self._tenant, layouts, limit)
