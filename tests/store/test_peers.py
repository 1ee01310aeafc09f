"""Cases that are tied to each other, or told of by a key, on a database as in memory."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from attrs import frozen
from sqlalchemy import text

import renoflow as rf
from tests.engine.small import load, moment
from tests.engine.test_links import CONDUCT, DUE, LEDGER
from tests.store.places import Place
from tests.store.test_same_everywhere import held_against

BOSS = rf.Actor("wang", roles={"boss", "worker"})
START = moment("2026-03-02 10:00")
NOTHING: Mapping[str, Any] = {}


@frozen
class Call:
    """A method of the service with what it is given."""

    name: str
    given: tuple[Any, ...]
    more: Mapping[str, Any] = NOTHING

    def __call__(self, service: rf.CaseService) -> rf.Outcome:
        outcome: rf.Outcome = getattr(service, self.name)(*self.given, **self.more)
        return outcome


def flows(folder: Path) -> rf.Workflows:
    """Jobs and mates that are tied to each other and run out; conduct cases that tell a ledger."""
    return load(
        folder,
        job=DUE.replace("DAYS", "4").replace("OTHER", "mate"),
        mate=DUE.replace("DAYS", "2").replace("OTHER", "job"),
        conduct=CONDUCT,
        ledger=LEDGER,
    )


def calls(random: Random, count: int) -> list[Call]:
    """Openings, ties, commands and sweeps in any order; many of them are refused."""
    found: list[Call] = []
    at = START
    for number in range(count):
        at += timedelta(hours=random.choice((0, 1, 5, 20)))
        job, mate = f"J-{random.randrange(4)}", f"M-{random.randrange(4)}"
        fresh, earlier = f"C-{number}", f"C-{random.randrange(count)}"
        begin, employee = rf.Command("begin", BOSS, at), {"employee": random.choice(("E-7", "E-8"))}
        points = {"points": random.randrange(1, 4)}
        choices = [
            Call("open", ("job", job, begin)),
            Call("open", ("mate", mate, begin)),
            Call("link", (job, "other", mate), {"actor": BOSS, "at": at}),
            Call("send", (job, rf.Command("note", BOSS, at))),
            Call("send", (mate, rf.Command("end", BOSS, at))),
            Call("open", ("conduct", fresh, rf.Command("begin", BOSS, at, facts=employee))),
            Call("send", (earlier, rf.Command("close", BOSS, at, facts=points))),
            Call("sweep", (at,)),
        ]
        found.append(random.choice(choices))
    return found


def assert_families_add_up(place: Place) -> None:
    """Every case has a root, which knows how many they are, and wakes no later than any of them."""
    assert place.engine is not None
    with place.engine.connect() as connection:
        families = connection.execute(
            text(
                "select r.id, r.members, count(*), r.family_wakes_at, min(c.wakes_at) from renoflow_cases c "
                "join renoflow_cases r on r.id = c.root group by r.id, r.members, r.family_wakes_at"
            )
        ).all()
        loose = connection.execute(
            text(
                "select id from renoflow_cases "
                "where root <> id and (members > 0 or family_wakes_at is not null)"
            )
        ).all()
    assert loose == []
    for root, members, count, bound, soonest in families:
        assert members == count, root
        assert soonest is None or (bound is not None and bound <= soonest), root


@pytest.mark.parametrize("seed", range(int(os.environ.get("RENOFLOW_SEEDS", "6"))))
def test_tied_cases_are_the_same_everywhere(database: Place, tmp_path: Path, seed: int) -> None:
    """Whatever is tied in whatever order, what falls due and what is told comes out as in memory."""
    workflows = flows(tmp_path)
    kept, in_memory = rf.CaseService(workflows, database.store), rf.CaseService(workflows)
    for call in calls(Random(seed), 60):
        ours, theirs = call(kept), call(in_memory)
        assert (ours.reasons, ours.effects, ours.postponed) == (theirs.reasons, theirs.effects, ())
        assert [(line.case, line.number) for line in ours.entries] == [
            (line.case, line.number) for line in theirs.entries
        ]
    assert_families_add_up(database)
    for service in (kept, in_memory):
        service.sweep(START + timedelta(days=90))
    assert list(held_against(kept, in_memory)) == []
    assert_families_add_up(database)
    assert {faults for _, faults in database.store.verify_history()} <= {()}


def test_ties_made_at_once_make_one_family(database: Place, tmp_path: Path) -> None:
    """Four jobs and four mates are tied in pairs and told by threads at the same time: nothing is lost, and
    who ends up together is who was tied."""
    workflows = flows(tmp_path)
    service = rf.CaseService(workflows, database.store)
    for number in range(4):
        service.open("job", f"J-{number}", rf.Command("begin", BOSS, START))
        service.open("mate", f"M-{number}", rf.Command("begin", BOSS, START))
        facts = {"employee": "E-7"}
        service.open("conduct", f"C-{number}", rf.Command("begin", BOSS, START, facts=facts))
    at = START + timedelta(hours=1)

    def work(number: int) -> None:
        service.link(f"J-{number}", "other", f"M-{number}", actor=BOSS, at=at)
        assert service.send(f"M-{number}", rf.Command("end", BOSS, at)).accepted
        assert service.send(f"C-{number}", rf.Command("close", BOSS, at, facts={"points": 1})).accepted

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert service.case("ledger/employee/E-7").facts["lines"] == 4
    for number in range(4):
        assert service.case(f"J-{number}").links["other"].state == "late"
    assert_families_add_up(database)
    assert {faults for _, faults in database.store.verify_history()} == {()}
