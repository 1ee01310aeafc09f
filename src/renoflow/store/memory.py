"""Cases in memory: for tests, examples, replays, and hosts that keep their own records."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from datetime import datetime

from attrs import frozen

from renoflow.records import Case, HistoryEntry


@frozen(kw_only=True)
class Change:
    """What one transaction did: the cases as they now stand, and the new lines of their histories."""

    cases: tuple[Case, ...]
    entries: tuple[HistoryEntry, ...]


class MemoryStore:
    """Keeps cases and histories in dicts; a change goes in whole or not at all."""

    def __init__(self) -> None:
        self._cases: dict[str, Case] = {}
        self._order: dict[str, int] = {}
        self._histories: dict[str, list[HistoryEntry]] = {}
        self._children: dict[str, list[str]] = {}
        self._wakes: list[tuple[datetime, int, str]] = []

    def get(self, case_id: str) -> Case | None:
        return self._cases.get(case_id)

    def cases(self) -> Iterator[Case]:
        """In the order in which they were opened."""
        return iter(tuple(self._cases.values()))

    def history(self, case_id: str) -> tuple[HistoryEntry, ...]:
        return tuple(self._histories.get(case_id, ()))

    def children_of(self, case_id: str) -> tuple[Case, ...]:
        """In the order in which they were opened."""
        return tuple(self._cases[child] for child in self._children.get(case_id, ()))

    def save(self, change: Change) -> None:
        for case in change.cases:
            if case.id not in self._cases:
                self._order[case.id] = len(self._order)
                if case.parent:
                    self._children.setdefault(case.parent, []).append(case.id)
            self._cases[case.id] = case
            if case.wakes_at is not None:
                heapq.heappush(self._wakes, (case.wakes_at, self._order[case.id], case.id))
        for entry in change.entries:
            self._histories.setdefault(entry.case, []).append(entry)

    def position(self, case_id: str) -> int:
        """Its place in the order of opening; after all others for a case that is not kept yet."""
        return self._order.get(case_id, len(self._order))

    def next_due(self, until: datetime) -> Case | None:
        """The case that wakes first by `until`, parents before children at one instant."""
        while self._wakes:
            at, _, case_id = self._wakes[0]
            case = self._cases[case_id]
            if case.wakes_at != at:
                # An older wish of this case; its present one stands elsewhere in the heap.
                heapq.heappop(self._wakes)
                continue
            return case if at <= until else None
        return None
