"""Cases in memory: for tests, examples, replays, and hosts that keep their own records."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from threading import RLock
from typing import Any, TypeVar

from attrs import evolve, field, frozen
from msgspec.structs import replace

from renoflow.engine.peers import related
from renoflow.engine.redaction import (
    effect_without,
    entry_without,
    heard_without,
    is_redaction,
    personal_texts,
    reason_without,
    text_without,
)
from renoflow.errors import UsageError
from renoflow.records import Case, Effect, HistoryEntry
from renoflow.store import scanning
from renoflow.store.protocol import Answer, Change, OutboxItem, Plans, Postponed, Session, Status, back_off
from renoflow.store.questions import (
    Breaches,
    BreachQuestion,
    CaseQuestion,
    PlacedCase,
    WorkItem,
    WorkQuestion,
)
from renoflow.store.terms import Term

T = TypeVar("T")


class MemoryStore:
    """Keeps everything in dicts, one call at a time; a change goes in whole or not at all."""

    def __init__(self) -> None:
        self._shelves: dict[str, _Shelf] = {}
        self._lock = RLock()

    def prepare(self) -> None:
        """There is nothing to prepare."""

    def write(self, tenant: str, plans: Plans, connection: Any, work: Callable[[Session], T]) -> T:
        with self._lock:
            return work(self._shelf(tenant, connection))

    def read(self, tenant: str, plans: Plans, connection: Any = None) -> AbstractContextManager[_Shelf]:
        return nullcontext(self._shelf(tenant, connection))

    def _shelf(self, tenant: str, connection: Any) -> _Shelf:
        if connection is not None:
            raise UsageError("cases in memory are part of no database transaction; use rf.SqlStore(...)")
        return self._shelves.setdefault(tenant, _Shelf(lock=self._lock))


@frozen
class _Shelf:
    """The cases of one tenant: both the session and the reader of `protocol`. Whatever looks at more than one
    thing waits for the lock, as somebody else may be writing."""

    lock: RLock
    kept: dict[str, Case] = field(factory=dict)
    places: dict[str, int] = field(factory=dict)
    roots: dict[str, str] = field(factory=dict)
    members: dict[str, list[str]] = field(factory=dict)
    histories: dict[str, list[HistoryEntry]] = field(factory=dict)
    children: dict[str, list[str]] = field(factory=dict)
    wakes: list[tuple[datetime, int, str]] = field(factory=list)
    answers: dict[tuple[str, str], Answer] = field(factory=dict)
    items: dict[str, OutboxItem] = field(factory=dict)
    waiting: dict[str, Postponed] = field(factory=dict)

    # -------------------------------------------------------------- reading

    def hold(self, case_ids: Iterable[str]) -> None:
        """One call at a time holds them all."""

    def get(self, case_id: str, key: str = "") -> Case | None:
        return self.kept.get(case_id)

    def cases(self) -> Iterator[Case]:
        with self.lock:
            return iter(tuple(self.kept.values()))

    def ids_near(self, case_id: str) -> Sequence[str]:
        with self.lock:
            return tuple(self.kept)

    def history(self, case_id: str) -> Sequence[HistoryEntry]:
        return tuple(self.histories.get(case_id, ()))

    def lines(self, case_id: str, first: int, last: int) -> Sequence[HistoryEntry]:
        return self.history(case_id)[first - 1 : last]

    def children_of(self, case_id: str) -> Sequence[Case]:
        return tuple(self.kept[child] for child in self.children.get(case_id, ()))

    def family_of(self, case_id: str) -> Sequence[str]:
        return tuple(self.members.get(self.roots.get(case_id, ""), ()))

    def wakes_at(self, case_id: str) -> datetime | None:
        wakes = (self.kept[name].wakes_at for name in self.family_of(case_id))
        return min((at for at in wakes if at is not None), default=None)

    def position(self, case_id: str) -> int:
        return self.places.get(case_id, len(self.places))

    def answer(self, case_id: str, key: str) -> Answer | None:
        return self.answers.get((case_id, key))

    def effects(self, keys: Sequence[tuple[str, str]]) -> Sequence[Effect]:
        return [self.items[key].effect for _, key in keys if key in self.items]

    # -------------------------------------------------------------- questions about many cases

    def worklist(self, question: WorkQuestion) -> Sequence[WorkItem]:
        with self.lock:
            return scanning.worklist(self.kept.values(), self.roots, question)

    def search(self, question: CaseQuestion) -> Sequence[PlacedCase]:
        with self.lock:
            return scanning.search(tuple(self.kept.values()), self.roots, self.histories, question)

    def breaches(self, question: BreachQuestion) -> Breaches:
        with self.lock:
            return scanning.breaches(self.kept.values(), self.histories, question)

    def outdated(self, layouts: Iterable[Term], limit: int) -> Sequence[tuple[str, Term]]:
        return ()

    def reindex(self, case_id: str, layout: Term) -> str:
        return ""

    # -------------------------------------------------------------- writing

    def save(self, change: Change, answer: Answer | None = None) -> None:
        for case in change.cases:
            if case.id not in self.kept:
                self._add(case)
            self.kept[case.id] = case
            if case.wakes_at is not None:
                heapq.heappush(self.wakes, (case.wakes_at, self.places[case.id], case.id))
        for case in change.cases:
            self._join(case)
            self.waiting.pop(self.roots[case.id], None)
        for entry in change.entries:
            self.histories.setdefault(entry.case, []).append(entry)
        for effect in change.effects:
            self.items[effect.key] = OutboxItem(effect=effect, status="waiting", retry_at=effect.at)
        if answer is not None:
            self.answers[answer.case, answer.key] = answer

    def _add(self, case: Case) -> None:
        self.places[case.id] = len(self.places)
        self.roots[case.id] = case.id
        self.members[case.id] = [case.id]
        if case.parent:
            self.children.setdefault(case.parent, []).append(case.id)

    def _join(self, case: Case) -> None:
        """The families of its parent and of those that it is linked to become one, that of the eldest."""
        for other in related(case):
            if other in self.roots and self.roots[other] != self.roots[case.id]:
                keep, gone = sorted((self.roots[other], self.roots[case.id]), key=self.places.__getitem__)
                self.members[keep] += self.members[gone]
                for name in self.members.pop(gone):
                    self.roots[name] = keep

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """A change goes in at once, and nothing comes after it that could fail."""
        yield

    def redact(self, case_id: str, names: frozenset[str], notes: bool) -> None:
        values = personal_texts(self.histories[case_id], names)
        for case in self.family_of(case_id):
            self.kept[case] = heard_without(self.kept[case], case_id, names)
            # The last lines are those that say so, and why.
            lines = [entry_without(line, case_id, names, False) for line in self.histories[case]]
            self.histories[case] = lines
        if notes:
            self.histories[case_id] = [
                line if is_redaction(line.event) else entry_without(line, case_id, names, True)
                for line in self.histories[case_id]
            ]
        root = self.roots[case_id]
        if root in self.waiting:
            failed = self.waiting[root]
            self.waiting[root] = evolve(failed, failure=text_without(failed.failure, values))
        for key, item in self.items.items():
            if item.effect.case == case_id:
                failure = text_without(item.failure, values)
                effect = effect_without(item.effect, names, values)
                self.items[key] = replace(item, effect=effect, failure=failure)
        for place, answer in self.answers.items():
            if answer.case == case_id:
                reasons = tuple(reason_without(reason, names, values) for reason in answer.reasons)
                self.answers[place] = replace(answer, request="", reasons=reasons)

    # -------------------------------------------------------------- the sweep

    def claim(self, until: datetime, limit: int) -> Sequence[tuple[str, datetime]]:
        found: dict[str, datetime] = {}
        passed = []
        while self.wakes and self.wakes[0][0] <= until and len(found) < limit:
            at, place, case_id = heapq.heappop(self.wakes)
            if self.kept[case_id].wakes_at != at:
                # An older wish of this case; its present one stands elsewhere in the heap.
                continue
            passed.append((at, place, case_id))
            root = self.roots[case_id]
            if root not in self.waiting or self.waiting[root].retry_at <= until:
                found.setdefault(root, at)
        for wish in passed:
            heapq.heappush(self.wakes, wish)
        return list(found.items())

    def next_wake(self, until: datetime) -> datetime | None:
        with self.lock:
            claimed = self.claim(until, 1)
        return claimed[0][1] if claimed else None

    def count_due(self, until: datetime) -> int:
        with self.lock:
            return len(self.claim(until, len(self.kept)))

    def postpone(self, root: str, at: datetime, failure: str) -> Postponed:
        before = self.waiting.get(root)
        attempts = 1 if before is None else before.attempts + 1
        found = Postponed(case=root, attempts=attempts, retry_at=at + back_off(attempts), failure=failure)
        self.waiting[root] = found
        return found

    def postponed(self) -> Sequence[Postponed]:
        with self.lock:
            return tuple(self.waiting.values())

    # -------------------------------------------------------------- the outbox

    def outbox(self, status: str, limit: int) -> Sequence[OutboxItem]:
        with self.lock:
            return [item for item in self.items.values() if item.status == status][:limit]

    def take_effect(self, at: datetime) -> OutboxItem | None:
        due = [
            item
            for item in self.items.values()
            if item.status == "waiting" and item.retry_at is not None and item.retry_at <= at
        ]
        if not due:
            return None
        first = min(due, key=lambda item: item.retry_at or at)
        attempts = first.attempts + 1
        taken = replace(first, attempts=attempts, retry_at=at + back_off(attempts))
        self.items[first.effect.key] = taken
        return taken

    def settle_effect(self, effect: Effect, status: Status, failure: str) -> None:
        self.items[effect.key] = replace(self.items[effect.key], status=status, failure=failure)

    def revive_effect(self, key: str, at: datetime) -> bool:
        item = self.items.get(key)
        if item is None or item.status != "dead":
            return False
        self.items[key] = replace(item, status="waiting", attempts=0, retry_at=at)
        return True

    def purge(self, before: datetime, limit: int) -> int:
        answers = [place for place, answer in self.answers.items() if answer.at < before][:limit]
        effects = [
            key
            for key, item in self.items.items()
            if item.status == "delivered" and item.retry_at is not None and item.retry_at < before
        ][:limit]
        for place in answers:
            del self.answers[place]
        for key in effects:
            del self.items[key]
        return len(answers) + len(effects)
