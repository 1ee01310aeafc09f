"""Kills writers and sweepers in mid-flight, and the server if asked, then looks whether anything was lost or
doubled.

Four writers and two sweepers work on the same cases. Every round kills one of them with SIGKILL and begins it
anew; with `--restarts` the server too is stopped at once, as if it had been killed, and started, under load.

Run: python -m tests.chaos --database postgres --rounds 100 --cases 2000 --restarts 20 --seed 1
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from attrs import evolve, frozen

import renoflow as rf
from tests.chaos.verdict import Verdict, verdict
from tests.chaos.worker import Task, lines, sweeper, writer
from tests.postgres import OwnServer, own_server
from tests.store.errands import ask, at, flows
from tests.store.places import install

WRITERS, SWEEPERS = 4, 2


@frozen
class Plan:
    """What to do, and how often."""

    rounds: int
    cases: int
    restarts: int
    seed: int
    pause: float


def run(url: str, home: Path, plan: Plan, server: OwnServer | None = None) -> Verdict:
    """Everything from opening the cases to the verdict."""
    chance = random.Random(plan.seed)
    engine = install(url)
    service = rf.CaseService(flows(), store=rf.SqlStore(engine))
    for number in range(plan.cases):
        service.open("errand", f"E-{number}", ask())
    engine.dispose()
    begun = time.time()
    crew = _Crew(Task(url=url, home=home, begun=begun, cases=plan.cases, name="", seed=0), chance)
    restarts = set(chance.sample(range(plan.rounds), plan.restarts)) if server else set()
    try:
        crew.wait_for_all()
        for number in range(plan.rounds):
            time.sleep(chance.uniform(0, plan.pause))
            if number in restarts and server is not None:
                server.restart("immediate")
            crew.kill_one()
            _progress(number + 1, plan.rounds)
    finally:
        crew.kill_all()
    return verdict(crew.task, rf.SqlStore(engine), at(days=4000), kills=plan.rounds, restarts=len(restarts))


class _Crew:
    """The processes, each begun anew under its name when it was killed."""

    def __init__(self, task: Task, chance: random.Random) -> None:
        self.task, self._chance, self._begun = task, chance, 0
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["tests.chaos.worker"])
        roles: Mapping[str, Callable[[Task], None]] = {
            **{f"writer-{n}": writer for n in range(WRITERS)},
            **{f"sweeper-{n}": sweeper for n in range(SWEEPERS)},
        }
        self._roles = roles
        self._processes = {name: self._begin(name) for name in roles}

    def _begin(self, name: str) -> multiprocessing.process.BaseProcess:
        self._begun += 1
        task = evolve(self.task, name=name, seed=self._begun)
        process = self._context.Process(target=self._roles[name], args=(task,), daemon=True)
        process.start()
        return process

    def wait_for_all(self) -> None:
        """Until every writer has had an answer, so that there is something to kill them in."""
        for name in self._roles:
            journal = self.task.home / f"{name}.journal"
            while self._roles[name] is writer and not any("accepted" in line for line in lines(journal)):
                self._check(name)
                time.sleep(0.02)

    def _check(self, name: str) -> None:
        code = self._processes[name].exitcode
        if code is not None:
            raise RuntimeError(f"{name} ended by itself with {code}")

    def kill_one(self) -> None:
        name = self._chance.choice(sorted(self._processes))
        self._kill(name)
        self._processes[name] = self._begin(name)

    def kill_all(self) -> None:
        for name in self._processes:
            self._kill(name)

    def _kill(self, name: str) -> None:
        self._check(name)
        self._processes[name].kill()
        self._processes[name].join()


def _progress(done: int, of: int) -> None:
    filled = 30 * done // of
    sys.stderr.write(f"\r[{'#' * filled}{'.' * (30 - filled)}] {done}/{of} kills" + "\n" * (done == of))
    sys.stderr.flush()


@contextmanager
def _database(kind: str) -> Iterator[tuple[str, OwnServer | None]]:
    if kind == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            yield f"sqlite:///{folder}/cases.db", None
    else:
        with own_server() as server:
            yield server.url(), server


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="postgres")
    parser.add_argument("--rounds", type=int, default=100, help="how often a process is killed")
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument(
        "--restarts", type=int, default=0, help="in how many rounds PostgreSQL is stopped at once"
    )
    parser.add_argument("--pause", type=float, default=0.5, help="seconds between two kills, at most")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    plan = Plan(given.rounds, given.cases, given.restarts, given.seed, given.pause)
    with _database(given.database) as (url, server), tempfile.TemporaryDirectory() as home:
        found = run(url, Path(home), plan, server)
    sys.stdout.write(f"{found}\n")
    sys.exit(bool(found.faults))


if __name__ == "__main__":
    main()
