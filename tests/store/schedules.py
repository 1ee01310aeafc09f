"""Two writers and a sweeper on one case, in every order that the locks allow, on both databases.

After each order the same must hold: every program was answered rightly, every command and every deadline
stands in the history once, every effect in the outbox once, and the history gives the case.

Run: python -m tests.store.schedules            all situations, every order, with a line for each
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from time import perf_counter

from attrs import frozen
from sqlalchemy import make_url, text

import renoflow as rf
from tests.postgres import Server, own_server
from tests.store.driver import engine_for
from tests.store.errands import BOSS, WORKER, ask, at, flows, note, take
from tests.store.places import install
from tests.store.stepping import Locks, PostgresLocks, Program, Run, SqliteLocks, every_order

LATE = 60 * 24 * 5
"""Minutes after which the pick-up is overdue."""
FIRED = ("deadline.pick_up.breached", "deadline.pick_up.escalation", "remind")
PLAYERS = ("one", "two", "sweeper")

Send = Callable[[rf.CaseService, str], object]


@frozen
class Situation:
    """What the two writers send to a case that is overdue, and what must have come of it.

    `events` are the lines that must stand in the history, each so often; `answers` are what the writers may
    be told, whoever was first. `opened` is false where the writers open the case themselves.
    """

    one: Send
    two: Send
    events: Mapping[str, int]
    answers: tuple[tuple[str, str], ...]
    opened: bool = True


def said(result: object) -> str:
    """An outcome or an error in a word."""
    if isinstance(result, rf.Outcome):
        if result.refused:
            return result.reasons[0].code
        return "again" if result.repeated else "done"
    return type(result).__name__


def _note(key: str | None, **facts: object) -> Send:
    return lambda service, case: service.send(case, note(at(LATE), **facts), key=key)


def _divide(service: rf.CaseService, case: str) -> object:
    return service.send(case, rf.Command("divide", WORKER, at(LATE)))


SITUATIONS: Mapping[str, Situation] = {
    "one request sent twice": Situation(
        _note("k"), _note("k"), {"note": 1}, (("done", "again"), ("again", "done"))
    ),
    "one key, two requests": Situation(
        _note("k", remark="a"),
        _note("k", remark="b"),
        {"note": 1},
        (("done", "KeyReused"), ("KeyReused", "done")),
    ),
    "two requests": Situation(_note("k-1"), _note("k-2"), {"note": 2}, (("done", "done"),)),
    "two for one place": Situation(
        lambda service, case: service.send(case, take(at(LATE))),
        lambda service, case: service.send(case, take(at(LATE))),
        {"take": 1},
        (("done", "wrong_state"), ("wrong_state", "done")),
    ),
    "a child opened, and the parent closed": Situation(
        _divide,
        lambda service, case: service.send(case, rf.Command("close", BOSS, at(LATE))),
        {"close": 1},
        (("done", "done"), ("case_closed", "done")),
    ),
    "opened twice": Situation(
        lambda service, case: service.open("errand", case, ask(), key="k"),
        lambda service, case: service.open("errand", case, ask(), key="k"),
        {"ask": 1},
        (("done", "again"), ("again", "done")),
        opened=False,
    ),
}


class Stage:
    """Three processes on one database: each has a service with connections of its own."""

    def __init__(self, url: str, locks: Locks) -> None:
        self.locks, self._numbers = locks, count(1)
        engine = install(url)
        self.watch = rf.CaseService(flows(), store=rf.SqlStore(engine))
        self._engines = [engine]
        self.services = {name: self._service(url, name) for name in PLAYERS}

    def _service(self, url: str, name: str) -> rf.CaseService:
        if url.startswith("postgresql"):
            # The server is asked by this name who waits.
            url = (
                make_url(url)
                .update_query_dict({"application_name": name})
                .render_as_string(hide_password=False)
            )
        engine = engine_for(url, pool_size=1, max_overflow=0)
        self._engines.append(engine)
        service = rf.CaseService(flows(), store=rf.SqlStore(engine))
        # Whatever a connection does only once is not part of the play.
        service.open("errand", f"warm-{name}", ask())
        service.send(f"warm-{name}", rf.Command("close", BOSS, at(1)))
        return service

    def orders(self, situation: Situation, fine: bool = True) -> Iterator[tuple[str, Run]]:
        """Every order of a situation, each with a case of its own."""
        case = ""

        def start() -> dict[str, Program]:
            nonlocal case
            case = f"E-{next(self._numbers)}"
            if situation.opened:
                self.watch.open("errand", case, ask())
            return {
                "one": lambda: situation.one(self.services["one"], case),
                "two": lambda: situation.two(self.services["two"], case),
                "sweeper": lambda: self.services["sweeper"].sweep(at(LATE), limit=1),
            }

        for run in every_order(start, self.locks, fine):
            yield case, run

    def fault(self, situation: Situation, case_id: str, run: Run) -> str:
        """What is not as it should be, or nothing."""
        answers = tuple(said(run.results[name]) for name in ("one", "two"))
        if answers not in situation.answers:
            return f"the writers were answered {answers}"
        if said(run.results["sweeper"]) != "done":
            return f"the sweeper was answered {run.results['sweeper']!r}"
        self.watch.sweep(at(LATE))
        history = self.watch.history(case_id)
        happened = Counter(entry.event for entry in history)
        for event, times in {**situation.events, **dict.fromkeys(FIRED, 1)}.items():
            if happened[event] != times:
                return f"{event} stands {happened[event]} times in the history"
        case = self.watch.case(case_id)
        if self.watch.workflow_of(case).replay(history) != case:
            return "the history does not give the case"
        effects = self._effects_of(case_id)
        expected = sum(happened[event] for event in ("note", "take", "close", *FIRED[1:]))
        if len(set(effects)) != len(effects) or len(effects) != expected:
            return f"the outbox has {effects}, and {expected} effects were due"
        if case.state != "closed":
            # Nothing of it is due in the next order.
            self.watch.send(case.id, rf.Command("close", BOSS, at(LATE + 1)))
        return ""

    def _effects_of(self, case_id: str) -> list[str]:
        with self._engines[0].connect() as connection:
            found = connection.execute(
                text("select key from renoflow_outbox where case_id = :id"), {"id": case_id}
            )
            return list(found.scalars())

    def close(self) -> None:
        for engine in self._engines:
            engine.dispose()


@contextmanager
def stage(name: str, server: Server | None = None) -> Iterator[Stage]:
    """One of the two databases, empty."""
    if name == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            found = Stage(f"sqlite:///{folder}/cases.db", SqliteLocks())
            try:
                yield found
            finally:
                found.close()
        return
    if server is None:
        with own_server() as own, stage(name, own) as inner:
            yield inner
        return
    url = server.url()
    with server.connect(url) as watch:
        found = Stage(url, PostgresLocks(watch))
        try:
            yield found
        finally:
            found.close()
    server.drop(url)


def wrong_orders(found: Stage, situation: Situation, fine: bool) -> tuple[int, int, list[str]]:
    """How many orders there are, of how many statements together, and what came out wrong."""
    orders, statements, wrong = 0, 0, []
    for case, run in found.orders(situation, fine):
        orders += 1
        statements += len(run.statements)
        if why := found.fault(situation, case, run):
            wrong.append(f"{why}\n{run}")
    return orders, statements, wrong


def main() -> None:
    failed = 0
    for name in ("sqlite", "postgres"):
        with stage(name) as found:
            for title, situation in SITUATIONS.items():
                begun = perf_counter()
                orders, statements, wrong = wrong_orders(found, situation, fine=True)
                failed += len(wrong)
                spent = perf_counter() - begun
                sys.stdout.write("".join(f"{text}\n" for text in wrong))
                sys.stdout.write(
                    f"{name:9} {title:38} {orders:6} orders, {statements / orders:5.1f} statements each, "
                    f"{spent:5.1f} s\n"
                )
                sys.stdout.flush()
    sys.stdout.write(f"{failed} orders came out wrong\n")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
