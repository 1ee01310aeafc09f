"""A durable step beside the same eight statements on the raw driver, in one run, on SQLite and PostgreSQL.

The raw side is what a host would write by hand around a case: lock and read it, look for the idempotency
key, update with the version, append a line of history, one deadline out and one in, one line of the outbox,
the key; then commit. It is handed the bytes of a real step ready made: it neither decides nor encodes nor
hashes, has no tenants, and one index beside its keys. Our side is handed the command, and does all of that.

Both write the same JSON, are set up alike (in SQLite by the same pragmas, on PostgreSQL as the server is),
and flush every commit unless it says otherwise. PostgreSQL is told to look at its tables (`analyze`) once
every one of them has rows: a plan that was made for an empty table reads all of it for ever after, and for
an empty table of keys that was once two thirds of the raw side's time.

Run: python -m benchmarks.durable [steps] [million] [bulk]
"""

from __future__ import annotations

import gc
import os
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, TypeVar

import psycopg
from attrs import frozen
from sqlalchemy import Engine, text
from tqdm import tqdm

import renoflow as rf
from renoflow.store.engines import set_up_sqlite
from renoflow.store.reading import answer_to_json
from renoflow.store.tagged import effect_to_json
from tests.postgres import own_server, plain
from tests.store.driver import watched
from tests.store.errands import ask, at, flows, give_back, take
from tests.store.places import install

T = TypeVar("T")

CASES = 200
FIRST, ROUNDS = 4, 40
"""Rounds over all cases that fill every table, and rounds that are measured."""

MANY = 1_000_000
DUE = 100
OPENED, TOGETHER = 10_000, 500

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
    """The bytes of one real step, and when what it starts falls due."""

    snapshot: bytes
    entry: bytes
    effect: bytes
    request: bytes
    answer: bytes
    due_at: datetime


def payload() -> Payload:
    workflows = flows()
    store = rf.MemoryStore()
    service = rf.CaseService(workflows, store=store)
    service.open("errand", "E-1", ask())
    outcome = service.send("E-1", take(at(1)), key="k-1")
    if outcome.case is None or outcome.refused:
        raise SystemExit(f"the step was refused: {outcome.reasons}")
    with store.read("main", lambda name: workflows[name].plan) as session:
        answer = session.answer("E-1", "k-1")
    flow = workflows["errand"]
    return Payload(
        snapshot=flow.to_json(outcome.case),
        entry=flow.to_json(outcome.entries[0]),
        effect=effect_to_json(outcome.effects[0]).encode(),
        request=answer.request.encode() if answer else b"",
        answer=answer_to_json(answer).encode() if answer else b"",
        due_at=at(days=2),
    )


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
            self.cursor.execute(self.statements[5], (case, "pick_up", 0, self.payload.due_at))
        self.connection.commit()

    def turn(self, turn: int) -> None:
        """Everything is ready."""

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
        execute(due, (case, "pick_up", turn + 1, one.due_at))
        execute(outbox, (f"{case}:{turn}", one.effect))
        execute(keep, (case, f"k-{turn}", one.request, one.answer))
        self.connection.commit()


def raw_sqlite(path: Path) -> Raw:
    connection = sqlite3.connect(path, isolation_level=None)
    set_up_sqlite(connection, None)
    return raw_in_sqlite(connection)


def raw_in_sqlite(connection: Any) -> Raw:
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
        self.engine: Engine = store.engine
        self.service = rf.CaseService(flows(), store=store)

    def open(self, count: int) -> None:
        with self.engine.begin() as connection:
            for number in range(count):
                self.service.open("errand", f"E-{number}", ask(), connection=connection)

    def turn(self, turn: int) -> None:
        self.command = (give_back if turn % 2 else take)(at(turn + 1))

    def step(self, case: str, turn: int) -> None:
        if self.service.send(case, self.command, key=f"k-{turn}").refused:
            raise RuntimeError("the step was refused")


def timed(side: Raw | Ours, turn: int) -> float:
    """Microseconds of the mean step, over all cases once."""
    side.turn(turn)
    step = side.step
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
    for turn in range(FIRST):
        timed(raw, turn)
        timed(ours, turn)
    raw.cursor.execute("analyze")
    raw.connection.commit()
    with ours.engine.begin() as connection:
        connection.execute(text("analyze"))
    pairs = [(timed(raw, turn), timed(ours, turn)) for turn in range(FIRST, FIRST + ROUNDS)]
    bare, full = (median(pair[side] for pair in pairs) for side in (0, 1))
    share = median(pair[1] / pair[0] for pair in pairs)
    print(f"{name:34} {bare:8.0f} us raw {full:8.0f} us ours   {share:5.2f}   target at most {target}")


def steps() -> None:
    with tempfile.TemporaryDirectory() as folder:
        ours = Ours(rf.SqlStore(f"sqlite:///{folder}/ours.db"))
        compare("step, SQLite, WAL and FULL", raw_sqlite(Path(folder) / "raw.db"), ours, 1.5)
    for durable, cores, name in ((True, 0, "flushed"), (False, 0, "not flushed"), (False, 1, "one core")):
        with limited(cores), own_server(durable=durable) as server:
            ours = Ours(rf.SqlStore(server.url()))
            compare(f"step, PostgreSQL, {name}", raw_postgres(server.url()), ours, 1.0)
            ours.engine.dispose()


@contextmanager
def limited(cores: int) -> Iterator[None]:
    """Within, this process and those that it starts have so many cores, where the system can say so; none
    stands for all. The ten round trips of the raw side cost a third on one core, where nobody has to be woken
    elsewhere, of what they cost on two. A network is slower than either."""
    if not cores or not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[:cores])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


# ------------------------------------------------------------------ a hundred among a million

FILL = {
    "sqlite": "with recursive n (n) as (select 1 union all select n + 1 from n where n < :many) ",
    "postgresql": "with n (n) as (select generate_series(1, :many)) ",
}
ASLEEP = """
insert into renoflow_cases (tenant, id, workflow, workflow_version, root, parent, state, stage, snapshot,
    version, head, opened_at, moved_at, wakes_at, members, family_wakes_at)
{numbers} select tenant, 'M-' || n.n, workflow, workflow_version, 'M-' || n.n, '', state, stage, '{{}}', 1,
    '', opened_at, moved_at, {later}, 1, {later} from renoflow_cases, n where id = 'E-0'
"""
LATER = {
    "sqlite": "'2036-01-01T00:00:00.000000Z'",
    "postgresql": "timestamptz '2036-01-01' + n.n * interval '1 second'",
}
RAW_DUE = """
select id from renoflow_cases where tenant = 'main' and family_wakes_at <= ?
order by family_wakes_at limit 100
"""


class Clock:
    """Adds up how long the statements of one kind took."""

    def __init__(self, part: str) -> None:
        self.part, self.spent = part, 0.0

    def __call__(self, statement: str, run: Callable[[], T]) -> T:
        begun = perf_counter()
        result = run()
        if self.part in statement:
            self.spent += perf_counter() - begun
        return result


def hundred_among_a_million(name: str, url: str) -> None:
    """What a sweep costs beside the raw indexed SELECT and beside the steps that it takes."""
    engine = install(url)
    dialect = engine.dialect.name
    service = rf.CaseService(flows(), store=rf.SqlStore(engine))
    with engine.begin() as connection:
        service.open("errand", "E-0", ask(), connection=connection)
    fill = ASLEEP.format(numbers=FILL[dialect], later=LATER[dialect])
    with engine.begin() as connection:
        connection.execute(text(fill), {"many": MANY})
        connection.execute(text("analyze"))
    raw, claims, steps = [], [], []
    until = at(days=5)
    bound, mark = (until, "%s") if dialect == "postgresql" else ("2026-03-07T02:00:00.000000Z", "?")
    for turn in range(9):
        with engine.begin() as connection:
            for number in range(DUE):
                service.open("errand", f"D-{turn}-{number}", ask(), connection=connection)
        with engine.connect() as connection:
            cursor = connection.connection.cursor()
            begun = perf_counter()
            cursor.execute(RAW_DUE.replace("?", mark), (bound,))
            found = cursor.fetchall()
            raw.append(perf_counter() - begun)
        clock = Clock("ORDER BY family_wakes_at")
        begun = perf_counter()
        with watched(clock):
            swept = service.sweep(until, limit=DUE)
        steps.append((perf_counter() - begun - clock.spent) / DUE)
        claims.append(clock.spent)
        if len(found) != DUE or len(swept.entries) < DUE:
            raise RuntimeError(f"{len(found)} were due, {len(swept.entries)} lines came of it")
    engine.dispose()
    print(
        f"{name:34} {median(raw) * 1e6:8.0f} us raw {median(claims) * 1e6:8.0f} us ours   "
        f"{median(claims) / median(raw):5.2f}   target at most 2; then {median(steps) * 1e6:.0f} us a step"
    )


def million() -> None:
    with tempfile.TemporaryDirectory() as folder:
        hundred_among_a_million("100 due of 1,000,000, SQLite", f"sqlite:///{folder}/cases.db")
    with own_server(durable=True) as server:
        hundred_among_a_million("100 due of 1,000,000, PostgreSQL", server.url())


# ------------------------------------------------------------------ opening in bulk


def bulk() -> None:
    """Ten thousand cases, five hundred to a transaction of the host's."""
    with tempfile.TemporaryDirectory() as folder, own_server(durable=True) as server:
        for name, url in (("SQLite", f"sqlite:///{folder}/cases.db"), ("PostgreSQL", server.url())):
            engine = install(url)
            service = rf.CaseService(flows(), store=rf.SqlStore(engine))
            begun = perf_counter()
            for first in tqdm(range(0, OPENED, TOGETHER), desc=name, unit="batch"):
                with engine.begin() as connection:
                    for number in range(first, first + TOGETHER):
                        service.open("errand", f"E-{number}", ask(), connection=connection)
            spent = perf_counter() - begun
            engine.dispose()
            print(f"{OPENED:,} opened, {name:21} {spent:6.1f} s, {OPENED / spent:6.0f} a second")


def main() -> None:
    chosen = sys.argv[1:] or ["steps", "million", "bulk"]
    for name in chosen:
        {"steps": steps, "million": million, "bulk": bulk}[name]()


if __name__ == "__main__":
    main()
