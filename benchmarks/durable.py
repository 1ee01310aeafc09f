"""A durable step beside the same eight statements on the raw driver, in one run, on SQLite and PostgreSQL.

The raw side is what a host would write by hand around a case: lock and read it, look for the idempotency
key, update with the version, append a line of history, one deadline out and one in, one line of the outbox,
the key; then commit. It is handed its bytes ready made: it neither decides nor encodes. Our side does all of
that.

Run: python -m benchmarks.durable
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
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
