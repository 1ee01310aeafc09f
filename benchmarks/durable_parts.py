"""Where the time of a durable step in SQLite goes.

First whole steps, ours and those of the raw side, taken apart: the statements, the commit, and everything
else; with the flush of every commit and without it. Then what is ours by itself: a durable step waits for its
flush, and what runs next finds the processor's caches filled by others. So each part is timed twice: again
and again, and each time after some pages were written to a file and flushed, as SQLite's commit does it.

Run: python -m benchmarks.durable_parts
"""

from __future__ import annotations

import gc
import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TypeVar

from sqlalchemy import event

import renoflow as rf
from benchmarks.durable import CASES, FIRST, ROUNDS, Ours, Raw, raw_in_sqlite, timed
from renoflow.engine.codec import case_from_json, to_json
from renoflow.outcome import Outcome, remembered, request_of
from renoflow.store.chain import chained, line_of
from renoflow.store.engines import set_up_sqlite
from renoflow.store.memory import MemoryStore
from renoflow.store.protocol import Session
from renoflow.store.reading import answer_to_json
from renoflow.store.tagged import effect_to_json
from renoflow.transaction import Transaction
from tests.store.driver import SqliteConnection, watched
from tests.store.errands import ask, at, flows, give_back, take

T = TypeVar("T")

TIMES = 3000
PAGES = 12
"""What a step writes to SQLite's log."""

Part = Callable[[], object]


# ------------------------------------------------------------------ whole steps


class Shares:
    """Adds up how long the statements took, and the commits."""

    def __init__(self) -> None:
        self.statements = self.commits = 0.0

    def __call__(self, statement: str, run: Callable[[], T]) -> T:
        begun = perf_counter()
        result = run()
        spent = perf_counter() - begun
        if statement == "commit":
            self.commits += spent
        else:
            self.statements += spent
        return result


def shares(side: Raw | Ours, turn: int) -> tuple[float, float, float]:
    """Of the mean step, in microseconds: the statements, the commit, everything else."""
    clock = Shares()
    with watched(clock):
        whole = timed(side, turn)
    statements, commit = (spent / CASES * 1e6 for spent in (clock.statements, clock.commits))
    return statements, commit, whole - statements - commit


def both(folder: Path, *, flushed: bool) -> tuple[Raw, Ours]:
    bare = sqlite3.connect(folder / "raw.db", isolation_level=None, factory=SqliteConnection)
    set_up_sqlite(bare, None)
    store = rf.SqlStore(f"sqlite:///{folder}/ours.db")
    event.listen(store.engine, "do_connect", lambda *given: given[3].update(factory=SqliteConnection))
    if not flushed:
        bare.execute("PRAGMA synchronous = OFF")
        event.listen(store.engine, "connect", lambda made, _: made.execute("PRAGMA synchronous = OFF"))
    return raw_in_sqlite(bare), Ours(store)


def whole_steps() -> None:
    print(f"{'':45} {'statements':>11} {'commit':>8} {'else':>8}")
    for flushed, name in ((True, "flushed"), (False, "not flushed")):
        with tempfile.TemporaryDirectory() as folder:
            raw, ours = both(Path(folder), flushed=flushed)
            raw.open(CASES)
            ours.open(CASES)
            rounds = [(shares(raw, turn), shares(ours, turn)) for turn in range(FIRST + ROUNDS)][FIRST:]
        for who, found in zip(("raw", "ours"), zip(*rounds, strict=True), strict=True):
            statements, commit, rest = (median(column) for column in zip(*found, strict=True))
            print(f"{f'{who}, {name}':45} {statements:8.0f} us {commit:5.0f} us {rest:5.0f} us")


# ------------------------------------------------------------------ what is ours


def parts(session: Session, workflows: rf.Workflows, sql: rf.SqlStore) -> Iterator[tuple[str, Part]]:
    flow = workflows["errand"]
    plan = flow.plan
    case = session.get("E-1")
    if case is None:
        raise SystemExit("the case was not opened")
    command = take(at(50))
    decision = flow.decide(case, command)
    after, entry, effect = decision.unwrap(), decision.entries[0], decision.effects[0]
    snapshot = to_json(case).decode()
    line = line_of(plan, entry, "0" * 64)
    outcome = Outcome(case=after, entries=decision.entries, effects=decision.effects)

    def decide() -> object:
        transaction = Transaction(workflows, session)
        transaction.decide(case, command)
        return transaction.change()

    def encode() -> object:
        written = to_json(after).decode(), to_json(entry).decode(), effect_to_json(effect)
        return written, answer_to_json(remembered("E-1", "k", "0" * 64, command.at, outcome))

    def digests() -> object:
        return request_of("k", "send", "E-1", command), chained(line.hash, line.body)

    def connection() -> None:
        raw = sql.engine.raw_connection()
        raw.cursor()
        raw.commit()
        raw.close()

    yield "deciding, and what follows in linked cases", decide
    yield "reading the snapshot", lambda: case_from_json(plan, snapshot)
    yield "writing snapshot, line, effect and answer", encode
    yield "the chain's hash, the request's digest", digests
    yield "a connection from the pool and back", connection


@contextmanager
def no_pauses() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def warm(part: Part) -> float:
    """Microseconds, one after the other."""
    rounds = []
    with no_pauses():
        for _ in range(9):
            begun = perf_counter()
            for _ in range(TIMES):
                part()
            rounds.append((perf_counter() - begun) / TIMES * 1e6)
    return median(rounds)


def after_flushes(part: Part, file: int) -> float:
    """Microseconds, each time after pages were written and flushed."""
    page = b"x" * 4096
    spent = []
    with no_pauses():
        for _ in range(TIMES):
            for number in range(PAGES):
                os.pwrite(file, page, number * len(page))
            os.fdatasync(file)
            begun = perf_counter()
            part()
            spent.append((perf_counter() - begun) * 1e6)
    return median(spent)


def own_parts() -> None:
    workflows = flows()
    store = MemoryStore()
    service = rf.CaseService(workflows, store=store)
    service.open("errand", "E-1", ask())
    for turn in range(20):
        service.send("E-1", (give_back if turn % 2 else take)(at(turn + 1)), key=f"k-{turn}")
    print(f"{'':45} {'warm':>8} {'after a flush':>15}")
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "pages").open("wb") as pages:
        sql = rf.SqlStore(f"sqlite:///{folder}/cases.db")
        for name, part in store.write("main", lambda _: None, None, lambda s: list(parts(s, workflows, sql))):
            print(f"{name:45} {warm(part):5.1f} us {after_flushes(part, pages.fileno()):12.1f} us")


def main() -> None:
    whole_steps()
    print()
    own_parts()


if __name__ == "__main__":
    main()
