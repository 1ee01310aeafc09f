"""The processes that are killed: writers that send commands and keep a journal, sweepers that also deliver.

A writer notes a command in its journal before it sends it, and the answer after. Begun again after a kill,
it first sends what stands there without an answer, under the same key, as a host would. Time is made up: a
day of the cases passes in half a second, so that something is always due.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from attrs import frozen

import renoflow as rf
from tests.store.errands import SIGNED, WORKER, at, flows

T = TypeVar("T")
SPEED = 2 * 86_400
EVENTS = ("note", "note", "note", "take", "give_back", "divide")


@frozen
class Task:
    """What every process is told when it begins."""

    url: str
    home: Path
    begun: float
    cases: int
    name: str
    seed: int

    @property
    def now(self) -> datetime:
        return at() + timedelta(seconds=(time.time() - self.begun) * SPEED)

    def service(self) -> rf.CaseService:
        store = rf.SqlStore(self.url)
        return _insisting(lambda: rf.CaseService(flows(), store=store))


class Journal:
    """Lines that outlive the process; one that was cut off by its end does not count."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")
        # What a kill cut off ends here.
        self.write("")

    def write(self, line: str) -> None:
        self._file.write(line + "\n")
        self._file.flush()


def lines(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_text("utf-8").splitlines() if path.exists() else ():
        try:
            yield json.loads(line)
        except ValueError:
            continue


def writer(task: Task) -> None:
    path = task.home / f"{task.name}.journal"
    sent = {str(line["key"]): line for line in lines(path) if "event" in line}
    for line in lines(path):
        if "accepted" in line:
            del sent[str(line["key"])]
    journal, service, chance = Journal(path), task.service(), random.Random(task.seed)
    for line in sent.values():
        _send(service, journal, line)
    number = 0
    while True:
        number += 1
        line = {
            "key": f"{task.name}-{task.seed}-{number}",
            "case": f"E-{chance.randrange(task.cases)}",
            "event": chance.choice(EVENTS),
            "at": task.now.isoformat(),
        }
        journal.write(json.dumps(line))
        _send(service, journal, line)


def _send(service: rf.CaseService, journal: Journal, line: dict[str, Any]) -> None:
    event, key = str(line["event"]), str(line["key"])
    papers = SIGNED if event in ("take", "give_back") else ()
    command = rf.Command(event, WORKER, str(line["at"]), documents=papers, note=key)
    outcome = _insisting(lambda: service.send(str(line["case"]), command, key=key))
    journal.write(json.dumps({"key": key, "accepted": outcome.accepted}))


def sweeper(task: Task) -> None:
    journal, service = Journal(task.home / f"{task.name}.delivered"), task.service()

    def deliver(effect: rf.Effect) -> None:
        journal.write(json.dumps({"key": effect.key}))

    while True:
        swept = _insisting(lambda: service.sweep(task.now, limit=20))
        done = _insisting(lambda: service.deliver(deliver, at=task.now, limit=50))
        if not swept.entries and not done.delivered:
            time.sleep(0.01)


def _insisting(call: Callable[[], T]) -> T:
    """As a host does: what could not be done now is done again, under the same key."""
    while True:
        try:
            return call()
        except (rf.StoreBusy, rf.StoreUnreachable):
            time.sleep(0.02)
