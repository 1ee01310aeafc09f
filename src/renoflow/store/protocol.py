"""What the service asks of a store. Memory and SQL answer it, and one contract suite runs on both."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol, TypeVar

import msgspec
from attrs import frozen

from renoflow.records import Case, Effect, HistoryEntry, Reason
from renoflow.store.questions import (
    Breaches,
    BreachQuestion,
    CaseQuestion,
    PlacedCase,
    WorkItem,
    WorkQuestion,
)
from renoflow.store.terms import Term
from renoflow.workflow.plan import Plan

T = TypeVar("T")
Plans = Callable[[str], Plan | None]
"""The plan of a workflow by its id, None when it is not loaded."""


SHORTEST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=6)


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a command with a key was answered: the refusal, or the lines and effects that came of it.

    `request` is the digest of the request; a `span` is a case with its first and last new line, an effect is
    given by its case and its key.
    """

    case: str
    key: str
    request: str
    at: datetime
    reasons: tuple[Reason, ...] = ()
    spans: tuple[tuple[str, int, int], ...] = ()
    effects: tuple[tuple[str, str], ...] = ()


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What one call did: the cases as they now stand, the new lines of their histories, and the effects that
    are left for the outbox."""

    cases: tuple[Case, ...] = ()
    entries: tuple[HistoryEntry, ...] = ()
    effects: tuple[Effect, ...] = ()


Status = Literal["waiting", "delivered", "dead"]


class OutboxItem(msgspec.Struct, frozen=True, kw_only=True):
    """An effect in the outbox: `attempts` were made, the next one may come at `retry_at`."""

    effect: Effect
    status: Status
    attempts: int = 0
    retry_at: datetime | None = None
    failure: str = ""


@frozen(kw_only=True)
class Postponed:
    """A family in which something is due and fails, by the case that was opened first."""

    case: str
    attempts: int
    retry_at: datetime
    failure: str


def back_off(attempts: int) -> timedelta:
    """How long to wait after so many failed attempts: a minute, two, four, at most six hours."""
    return min(SHORTEST_WAIT * (1 << min(attempts - 1, 16)), LONGEST_WAIT)


class OvertakenError(Exception):
    """Somebody else opened or moved a case between reading and writing; the store runs the call again."""


class Session(Protocol):
    """One transaction's hold on a store. A case is read with its whole family held: parent, children and
    linked cases wait for each other, so that what follows in them is decided on what is so."""

    def hold(self, case_ids: Iterable[str]) -> None:
        """Hold the families of these cases until the end, always in the same order."""

    def get(self, case_id: str, key: str = "") -> Case | None:
        """The case as it stands; its family is held from here on. With the `key` that will be asked for, its
        answer is read along."""

    def children_of(self, case_id: str) -> Sequence[Case]:
        """In the order in which they were opened."""

    def family_of(self, case_id: str) -> Sequence[str]:
        """The ids of all cases that belong together with this one, itself included."""

    def wakes_at(self, case_id: str) -> datetime | None:
        """No clock in the family of a case that is held has anything to say before this instant."""

    def position(self, case_id: str) -> int:
        """Its place in the order of opening; after all others for a case that is not kept yet."""

    def save(self, change: Change, answer: Answer | None = None) -> None:
        """All of it, the answer to remember under a key, and when the families that were looked at wake next.
        Raises `OvertakenError` when a case was opened or moved by somebody else."""

    def savepoint(self) -> AbstractContextManager[None]:
        """What is done inside is undone when it raises, and nothing else."""

    def ids_near(self, case_id: str) -> Sequence[str]: ...

    # the answers to commands with a key

    def answer(self, case_id: str, key: str) -> Answer | None: ...

    def lines(self, case_id: str, first: int, last: int) -> Sequence[HistoryEntry]: ...

    def effects(self, keys: Sequence[tuple[str, str]]) -> Sequence[Effect]: ...

    def redact(self, case_id: str, names: frozenset[str], notes: bool) -> None:
        """Remove the values of these facts, and the notes, from the case's history, from what others heard of
        them, from remembered answers and from the outbox."""

    def reindex(self, case_id: str, layout: Term) -> str:
        """Let the case be found by what its workflow's present file says; returns why it cannot be read,
        nothing when all is well."""

    # the sweep

    def claim(self, until: datetime, limit: int) -> Sequence[tuple[str, datetime]]:
        """Families in which something may fall due by an instant, each by its root and that instant, soonest
        first; they are held, and those that others hold are passed over."""

    def postpone(self, root: str, at: datetime, failure: str) -> Postponed:
        """A family whose step failed waits, longer after every attempt."""

    # the outbox

    def take_effect(self, at: datetime) -> OutboxItem | None:
        """The next effect to be delivered; the attempt is counted, and it will not come again for a while."""

    def settle_effect(self, effect: Effect, status: Status, failure: str) -> None: ...

    def revive_effect(self, key: str, at: datetime) -> bool:
        """A dead effect waits again; False when there is no such."""

    def purge(self, before: datetime, limit: int) -> int:
        """Remove answers that were given, and effects that were delivered, before an instant: at most so
        many of each. Returns how many went."""


class Reader(Protocol):
    """Reads without holding anything."""

    def get(self, case_id: str) -> Case | None: ...

    def cases(self) -> Iterator[Case]:
        """In the order in which they were opened."""

    def ids_near(self, case_id: str) -> Sequence[str]:
        """Ids that may have been meant, for a message."""

    def history(self, case_id: str) -> Sequence[HistoryEntry]: ...

    def next_wake(self, until: datetime) -> datetime | None:
        """The first instant by `until` at which something may fall due."""

    def count_due(self, until: datetime) -> int: ...

    def outbox(self, status: str, limit: int) -> Sequence[OutboxItem]: ...

    def postponed(self) -> Sequence[Postponed]:
        """Families whose last sweep failed."""

    # questions about many cases

    def worklist(self, question: WorkQuestion) -> Sequence[WorkItem]: ...

    def search(self, question: CaseQuestion) -> Sequence[PlacedCase]: ...

    def breaches(self, question: BreachQuestion) -> Breaches: ...

    def outdated(self, layouts: Iterable[Term], limit: int) -> Sequence[tuple[str, Term]]:
        """Cases whose terms are of another layout than the one given for their workflow, each with the one
        given; at most so many."""


class Store(Protocol):
    """Where cases are kept. `connection` is the host's own, which is never committed here."""

    def prepare(self) -> None:
        """Refuse a schema that does not match; make the tables of a new embedded database."""

    def write(self, tenant: str, plans: Plans, connection: Any, work: Callable[[Session], T]) -> T: ...

    def read(self, tenant: str, plans: Plans, connection: Any = None) -> AbstractContextManager[Reader]: ...
