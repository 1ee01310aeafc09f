"""What the parts of a durable step cost by themselves, warm and after a wait for the device.

A durable step waits for its flush, and what runs next finds the processor's caches filled by others. So each
part is timed twice: again and again, and each time after some pages were written to a file and flushed, as
SQLite's commit does it.

Run: python -m benchmarks.durable_parts
"""

from __future__ import annotations

import gc
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter

import renoflow as rf
from renoflow.engine.codec import case_from_json, to_json
from renoflow.outcome import Outcome, remembered, request_of
from renoflow.store.chain import chained, line_of
from renoflow.store.memory import MemoryStore
from renoflow.store.protocol import Session
from renoflow.store.reading import answer_to_json
from renoflow.store.tagged import effect_to_json
from renoflow.transaction import Transaction
from tests.store.errands import ask, at, flows, give_back, take

TIMES = 3000
PAGES = 12
"""What a step writes to SQLite's log."""

Part = Callable[[], object]


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


def main() -> None:
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


if __name__ == "__main__":
    main()
