"""Programs on one database in every order in which their statements can be taken, one statement at a time.

Each program runs in a thread of its own that stops before every statement. The conductor lets one of them
take one statement, then waits until it stands before its next, has ended, or waits for another's lock. No
clock decides anything: on SQLite `begin immediate` is not offered while another is between its own and its
commit, on PostgreSQL the server says who waits. `every_order` runs all of it again for every choice that had
an alternative, until nothing is left to try.

When several wait for one lock, PostgreSQL itself decides who gets it, and not always in the same way. An
order that the server does not let happen as it was asked for is asked for again, some times; whatever it
lets happen instead is a run like any other, with alternatives of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from queue import SimpleQueue
from threading import Event, Thread
from typing import Protocol, TypeVar

import psycopg
from attrs import frozen

from tests.store.driver import watched

T = TypeVar("T")
Program = Callable[[], object]
TRIES = 10
"""How often an order is asked for that the server does not let happen."""


@frozen
class Taken:
    """One choice of a run: who took a statement, and who else could have."""

    who: str
    could: tuple[str, ...]


@frozen
class Run:
    """One order: its choices, the statements as they were taken, and what each program gave or raised."""

    choices: tuple[Taken, ...]
    statements: tuple[tuple[str, str], ...]
    results: Mapping[str, object]

    def __str__(self) -> str:
        return "\n".join(
            f"{who:>10}  {' '.join(statement.split())[:90]}" for who, statement in self.statements
        )


class Locks(Protocol):
    """What the database does not let through at the moment."""

    def offered(self, player: Player, others: Sequence[Player]) -> bool:
        """Whether the player could take his next statement now."""

    def waits(self, player: Player) -> bool:
        """Whether the statement that he has taken waits for another's lock."""


class Player:
    """A program, stopped before each of its statements."""

    def __init__(self, name: str, program: Program, fine: bool = True) -> None:
        self.name = name
        self._fine = fine
        self.next: str | None = None
        self.inside = False
        self.result: object = None
        self.ended = False
        self.stands = Event()
        self._program = program
        self._go: SimpleQueue[None] = SimpleQueue()
        self._thread = Thread(target=self._play, name=name, daemon=True)
        self._thread.start()

    def take(self) -> str:
        """Lets him take the statement that he stands before."""
        statement = self.next or ""
        self.stands.clear()
        self._go.put(None)
        return statement

    def _play(self) -> None:
        try:
            with watched(self._statement):
                self.result = self._program()
        except Exception as error:
            self.result = error
        self.ended, self.next = True, None
        self.stands.set()

    def _statement(self, statement: str, run: Callable[[], T]) -> T:
        if self._fine or not self.inside or not _only_reads(statement):
            self.next = statement
            self.stands.set()
            self._go.get()
        try:
            return run()
        finally:
            self.inside = statement not in ("commit", "rollback")


def _only_reads(statement: str) -> bool:
    """Whether it neither locks nor writes nor ends anything, so that others cannot tell when it was taken."""
    text = statement.lstrip().lower()
    return text.startswith(("savepoint", "release")) or (text.startswith("select") and " for " not in text)


class SqliteLocks:
    """One writer at a time, from `begin immediate` to its end; readers are never held up."""

    def offered(self, player: Player, others: Sequence[Player]) -> bool:
        begins = (player.next or "").lstrip().lower().startswith("begin immediate")
        return not begins or not any(one.inside for one in others)

    def waits(self, player: Player) -> bool:
        return False


class PostgresLocks:
    """The server knows who waits for whom; a player's connection bears his name."""

    def __init__(self, watch: psycopg.Connection) -> None:
        self._watch = watch

    def offered(self, player: Player, others: Sequence[Player]) -> bool:
        return True

    def waits(self, player: Player) -> bool:
        found = self._watch.execute(
            "select coalesce(bool_or(cardinality(pg_blocking_pids(pid)) > 0), false)"
            " from pg_stat_activity where datname = current_database() and application_name = %s",
            (player.name,),
        ).fetchone()
        return bool(found and found[0])


def play(programs: Mapping[str, Program], locks: Locks, order: Sequence[str] = (), fine: bool = True) -> Run:
    """Run the programs, taking the given choices first and then always the first that there is. Where a
    choice cannot be had, the first that can is taken. Not `fine`: what only reads inside a transaction is no
    step."""
    players = {name: Player(name, program, fine) for name, program in programs.items()}
    choices: list[Taken] = []
    statements: list[tuple[str, str]] = []
    last = ""
    while True:
        # Whoever moved last comes first: until his commit is through, the others still wait for it.
        for player in sorted(players.values(), key=lambda one: one.name != last):
            _settle(player, locks)
        standing = [one for one in players.values() if one.stands.is_set() and not one.ended]
        could = tuple(
            one.name
            for one in standing
            if locks.offered(one, [other for other in players.values() if other is not one])
        )
        if not could:
            waiting = [one for one in players.values() if not one.stands.is_set()]
            if not waiting:
                break
            # All wait for each other: the server breaks the circle, and one of them gets the error.
            waiting[0].stands.wait()
            continue
        wanted = order[len(choices)] if len(choices) < len(order) else could[0]
        last = wanted if wanted in could else could[0]
        choices.append(Taken(last, could))
        statements.append((last, players[last].take()))
    return Run(tuple(choices), tuple(statements), {name: one.result for name, one in players.items()})


def _settle(player: Player, locks: Locks) -> None:
    """Until he stands before a statement, has ended, or waits for another."""
    while not player.stands.wait(0.003) and not locks.waits(player):
        pass


def every_order(start: Callable[[], Mapping[str, Program]], locks: Locks, fine: bool = True) -> Iterator[Run]:
    """A run for each order there is; `start` makes a fresh beginning for each."""
    seen: set[tuple[Taken, ...]] = {()}
    asked: set[tuple[Taken, ...]] = {()}
    waiting: list[tuple[tuple[Taken, ...], int]] = [((), 0)]
    while waiting:
        wish, tries = waiting.pop()
        if wish and wish in seen:
            continue
        run = play(start(), locks, [one.who for one in wish], fine)
        yield run
        for place, taken in enumerate(run.choices):
            seen.add(run.choices[: place + 1])
            for other in taken.could:
                instead = (*run.choices[:place], Taken(other, taken.could))
                if instead not in asked:
                    asked.add(instead)
                    waiting.append((instead, 0))
        if wish not in seen and tries < TRIES:
            waiting.append((wish, tries + 1))
