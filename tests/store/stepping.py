"""Programs on one database in every order in which their statements can be taken, one statement at a time.

Each program runs in a thread of its own that stops before every statement. The conductor lets one of them
take one statement, then waits until it stands before its next, has ended, or waits for another's lock. No
clock decides anything: on SQLite `begin immediate` is not offered while another is between its own and its
commit, on PostgreSQL the server says who waits. `every_order` goes back to the last choice that had an
alternative, takes that, runs all of it again, and so on until nothing is left to try.
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

    def __init__(self, name: str, program: Program) -> None:
        self.name = name
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
        self.next = statement
        self.stands.set()
        self._go.get()
        try:
            return run()
        finally:
            word = statement.lstrip()[:8].lower().strip()
            self.inside = word.startswith("begin") or (self.inside and word not in ("commit", "rollback"))


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


def play(programs: Mapping[str, Program], locks: Locks, order: Sequence[str] = ()) -> Run:
    """Run the programs, taking the given choices first and then always the first that there is."""
    players = {name: Player(name, program) for name, program in programs.items()}
    choices: list[Taken] = []
    statements: list[tuple[str, str]] = []
    while True:
        for player in players.values():
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
        who = order[len(choices)] if len(choices) < len(order) else could[0]
        choices.append(Taken(who, could))
        statements.append((who, players[who].take()))
    return Run(tuple(choices), tuple(statements), {name: one.result for name, one in players.items()})


def _settle(player: Player, locks: Locks) -> None:
    """Until he stands before a statement, has ended, or waits for another."""
    while not player.stands.wait(0.001) and not locks.waits(player):
        pass


def every_order(start: Callable[[], Mapping[str, Program]], locks: Locks) -> Iterator[Run]:
    """One run for each order there is; `start` makes a fresh beginning for each."""
    order: list[str] | None = []
    while order is not None:
        run = play(start(), locks, order)
        yield run
        order = _next_order(run.choices)


def _next_order(choices: Sequence[Taken]) -> list[str] | None:
    """The choices up to the last that had an untried alternative, and that alternative."""
    for place in range(len(choices) - 1, -1, -1):
        one = choices[place]
        later = one.could[one.could.index(one.who) + 1 :]
        if later:
            return [*(taken.who for taken in choices[:place]), later[0]]
    return None
