"""What happens to a firm's cases does not depend on where they are kept."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

import renoflow as rf
from tests.generating import Doing, played
from tests.store.places import Place

DEMO = Path(__file__).parents[2] / "examples" / "renovation.jsonl"


def held_against(service: rf.CaseService, other: rf.CaseService) -> Iterator[str]:
    """The cases that differ, in themselves or in a line of their histories."""
    ours, theirs = list(service.cases()), list(other.cases())
    assert [case.id for case in ours] == [case.id for case in theirs]
    for one, two in zip(ours, theirs, strict=True):
        if one != two or service.history(one.id) != other.history(two.id):
            yield one.id


def test_the_demo_is_the_same_everywhere(database: Place) -> None:
    """Every case, every line, every effect, and the effects as they come out of the outbox."""
    flows = rf.load_workflows()
    lines = rf.read_script(DEMO.read_text("utf-8"), flows)
    in_memory = rf.run_script(lines, flows)
    kept = rf.run_script(lines, flows, service=rf.CaseService(flows, database.store))
    assert list(held_against(in_memory.service, kept.service)) == []
    assert in_memory.effects == kept.effects
    assert [(step.accepted, step.reasons) for step in in_memory.steps] == [
        (step.accepted, step.reasons) for step in kept.steps
    ]
    found: list[rf.Effect] = []
    assert kept.at is not None
    kept.service.deliver(found.append, at=kept.at + timedelta(days=1))
    assert sorted(found, key=lambda effect: effect.key) == sorted(kept.effects, key=lambda effect: effect.key)
    assert {faults for _, faults in database.store.verify_history()} == {()}


@pytest.mark.parametrize("seed", range(int(os.environ.get("RENOFLOW_SEEDS", "4"))))
def test_generated_runs_are_the_same_everywhere(database: Place, seed: int) -> None:
    """Whatever is done in whatever order, with refusals, children, claims and sweeps among it."""
    flows = rf.load_workflows()
    run = played(flows, Random(seed), 60)
    kept = rf.CaseService(flows, database.store)
    for doing in [*run.doings, Doing(at=run.at + timedelta(days=40))]:
        outcome = doing.apply(kept)
        assert outcome.postponed == ()
    run.do(Doing(at=run.at + timedelta(days=40)))
    assert list(held_against(run.service, kept)) == []
    assert {faults for _, faults in database.store.verify_history()} == {()}
