"""A durable step beside the same eight statements on the raw driver, in one run, on SQLite and PostgreSQL.

The raw side is what a host would write by hand around a case: lock and read it, look for the idempotency
key, update with the version, append a line of history, one deadline out and one in, one line of the outbox,
the key; then commit. It is handed its bytes ready made: it neither decides nor encodes. Our side does all of
that.

Run: python -m benchmarks.durable
"""

from __future__ import annotations

import gc
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import psycopg
from attrs import frozen

import renoflow as rf
from tests.postgres import own_server, plain
from tests.store.errands import ask, at, flows, give_back, take

CASES = 200
ROUNDS = 30
MANY = 1_000_000
DUE = 100

TABLES = """
create table cases (id text primary key, workflow text, state text, version integer, snapshot {bytes});
create table history (case_id text, seq integer, entry {bytes}, primary key (case_id, seq));
create table deadlines (case_id text, name text, generation integer, due_at {instant},
    primary key (case_id, name, generation));
create index deadlines_due on deadlines (due_at);
create table keys (case_id text, key text, request {bytes}, result {bytes}, primary key (case_id, key));
create table outbox (key text primary key, effect {bytes})
"""
STATEMENTS = (
    "select snapshot, version from cases where id = ?{lock}",
    "select request, result from keys where case_id = ? and key = ?",
    "update cases set state = ?, version = version + 1, snapshot = ? where id = ? and version = ?",
    "insert into history values (?, ?, ?)",
    "delete from deadlines where case_id = ? and name = ? and generation = ?",
    "insert into deadlines values (?, ?, ?, ?)",
    "insert into outbox values (?, ?)",
    "insert into keys values (?, ?, ?, ?)",
)


@frozen
class Payload:
    """The bytes of one real step."""

    snapshot: bytes
    entry: bytes
    effect: bytes
    answer: bytes


def payload() -> Payload:
    workflows = flows()
    service = rf.CaseService(workflows)
    service.open("errand", "E-1", ask())
    outcome = service.send("E-1", take(at(1)))
    if outcome.case is None or outcome.refused:
        raise SystemExit(f"the step was refused: {outcome.reasons}")
    flow = workflows["errand"]
    snapshot, entry = flow.to_json(outcome.case), flow.to_json(outcome.entries[0])
    return Payload(snapshot, entry, entry[: len(entry) // 2], entry[: len(entry) // 2])


# ------------------------------------------------------------------ the raw side


class Raw:
    """The eight statements, on a cursor of the driver's own."""

    def __init__(self, connection: Any, begin: str, mark: str, lock: str, types: dict[str, str]) -> None:
        self.connection, self.begin, self.payload = connection, begin, payload()
        self.statements = [one.format(lock=lock).replace("?", mark) for one in STATEMENTS]
        self.insert = "insert into cases values (?, ?, ?, ?, ?)".replace("?", mark)
        self.cursor = connection.cursor()
        for one in TABLES.format(**types).split(";"):
            self.cursor.execute(one)
        connection.commit()

    def open(self, count: int) -> None:
        if self.begin:
            self.cursor.execute(self.begin)
        for number in range(count):
            case = f"E-{number}"
            self.cursor.execute(self.insert, (case, "errand", "waiting", 0, self.payload.snapshot))
            self.cursor.execute(self.statements[5], (case, "pick_up", 0, at(days=2)))
        self.connection.commit()

    def step(self, case: str, turn: int) -> None:
        execute, one = self.cursor.execute, self.payload
        read, key, update, history, out, due, outbox, keep = self.statements
        if self.begin:
            execute(self.begin)
        _, version = execute(read, (case,)).fetchone()
        if execute(key, (case, f"k-{turn}")).fetchone() is not None:
            raise RuntimeError("a key that came before")
        if execute(update, ("working", one.snapshot, case, version)).rowcount != 1:
            raise RuntimeError("the case has moved on")
        execute(history, (case, version, one.entry))
        execute(out, (case, "pick_up", turn))
        execute(due, (case, "pick_up", turn + 1, at(days=2)))
        execute(outbox, (f"{case}:{turn}", one.effect))
        execute(keep, (case, f"k-{turn}", one.entry[:32], one.answer))
        self.connection.commit()


def raw_sqlite(path: Path) -> Raw:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = full")
    sqlite3.register_adapter(type(at()), lambda instant: instant.isoformat())
    return Raw(connection, "begin immediate", "?", "", {"bytes": "blob", "instant": "text"})


def raw_postgres(url: str) -> Raw:
    types = {"bytes": "bytea", "instant": "timestamptz"}
    return Raw(psycopg.connect(plain(url)), "", "%s", " for update", types)


# ------------------------------------------------------------------ our side


class Ours:
    """The same step through the service: decided, encoded, hashed, written."""

    def __init__(self, store: rf.SqlStore) -> None:
        store.upgrade()
        self.service = rf.CaseService(flows(), store=store)

    def open(self, count: int) -> None:
        with self.service.store.engine.begin() as connection:  # type: ignore[attr-defined]
            for number in range(count):
                self.service.open("errand", f"E-{number}", ask(), connection=connection)

    def step(self, case: str, turn: int) -> None:
        command = (give_back if turn % 2 else take)(at(turn + 1))
        if self.service.send(case, command, key=f"k-{turn}").refused:
            raise RuntimeError("the step was refused")


def timed(step: Callable[[str, int], None], turn: int) -> float:
    """Microseconds of the mean step, over all cases once."""
    gc.collect()
    gc.disable()
    begun = perf_counter()
    for number in range(CASES):
        step(f"E-{number}", turn)
    spent = perf_counter() - begun
    gc.enable()
    return spent / CASES * 1e6


def compare(name: str, raw: Raw, ours: Ours, target: float) -> None:
    """Both in turns, so that whatever disturbs one disturbs the other."""
    raw.open(CASES)
    ours.open(CASES)
    pairs = [(timed(raw.step, turn), timed(ours.step, turn)) for turn in range(ROUNDS)][2:]
    bare, full = (median(pair[side] for pair in pairs) for side in (0, 1))
    share = median(pair[1] / pair[0] for pair in pairs)
    print(f"{name:34} {bare:8.0f} us raw {full:8.0f} us ours   {share:5.2f}   target at most {target}")


def steps() -> None:
    with tempfile.TemporaryDirectory() as folder:
        ours = Ours(rf.SqlStore(f"sqlite:///{folder}/ours.db"))
        compare("step, SQLite, WAL and FULL", raw_sqlite(Path(folder) / "raw.db"), ours, 1.5)
    for durable, name in ((True, "flushed"), (False, "not flushed")):
        with own_server(durable=durable) as server:
            ours = Ours(rf.SqlStore(server.url()))
            compare(f"step, PostgreSQL, {name}", raw_postgres(server.url()), ours, 1.0)
            ours.service.store.engine.dispose()  # type: ignore[attr-defined]


def main() -> None:
    steps()


if __name__ == "__main__":
    main()
