"""How many steps and deadlines a second one, two and four processes get done on one database.

Every process writes to cases of its own; all sweepers share what is due. The server flushes as in earnest.

Run: python -m benchmarks.throughput
"""

from __future__ import annotations

import multiprocessing
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import renoflow as rf
from tests.postgres import own_server
from tests.store.errands import ask, at, flows, note
from tests.store.places import install

PROCESSES = (1, 2, 4)
STEPS = 3000
"""By each process."""
DUE = 3000
"""By all of them together."""
FRESH = multiprocessing.get_context("spawn")


def service_on(url: str) -> rf.CaseService:
    return rf.CaseService(flows(), store=rf.SqlStore(url))


def write(url: str, number: int, ready: Any) -> None:
    service = service_on(url)
    for case in range(50):
        service.open("errand", f"W-{number}-{case}", ask())
    ready.wait()
    for step in range(STEPS):
        service.send(f"W-{number}-{step % 50}", note(at(step)), key=f"k-{step}")


def sweep(url: str, number: int, ready: Any) -> None:
    service = service_on(url)
    service.sweep(at(days=-1))
    ready.wait()
    while service.sweep(at(days=5), limit=50).entries:
        pass


def together(url: str, work: Callable[[str, int, Any], None], processes: int) -> float:
    """Seconds from when all of them are ready until the last is done."""
    ready = FRESH.Barrier(processes + 1)
    crew = [FRESH.Process(target=work, args=(url, number, ready)) for number in range(processes)]
    for one in crew:
        one.start()
    ready.wait()
    begun = perf_counter()
    for one in crew:
        one.join()
    return perf_counter() - begun


def measure(name: str, url: str, processes: int) -> None:
    engine = install(url)
    service = rf.CaseService(flows(), store=rf.SqlStore(engine))
    steps = processes * STEPS / together(url, write, processes)
    with engine.begin() as connection:
        for number in range(DUE):
            service.open("errand", f"D-{number}", ask(agreed_on="2026-03-03"), connection=connection)
    engine.dispose()
    deadlines = DUE / together(url, sweep, processes)
    print(f"{name:10} {processes} processes {steps:7.0f} steps a second {deadlines:7.0f} deadlines a second")


def main() -> None:
    for processes in PROCESSES:
        with tempfile.TemporaryDirectory() as folder:
            measure("SQLite", f"sqlite:///{Path(folder) / 'cases.db'}", processes)
    for processes in PROCESSES:
        with own_server(durable=True) as server:
            measure("PostgreSQL", server.url(), processes)


if __name__ == "__main__":
    main()
