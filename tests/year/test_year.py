"""A year of one firm, replayed and held against an independent reckoning of everything that came of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from functools import cache

import pytest

import renoflow as rf
from tests.year import generate, reckon_conduct, reckon_money
from tests.year.plan import END, ZONE, Act, Year
from tests.year.reckon import Reckoning, conducts, reckon

SEEDS = (generate.SEED, 7, 1995)

each_seed = pytest.mark.parametrize("seed", SEEDS)


@cache
def played(seed: int) -> tuple[Year, rf.Replay, Reckoning]:
    """The plan of a year, what the engine made of its script, and what must have come of it."""
    plan = generate.year(seed)
    flows = rf.load_workflows()
    replay = rf.run_script(rf.read_script(generate.script(plan), flows), flows, at=END)
    return plan, replay, reckon(plan)


def passed(replay: rf.Replay) -> Iterator[tuple[str, str, datetime]]:
    """Every limit, wait and period that passed in any case, from the histories."""
    for case in replay.cases():
        for entry in replay.history(case.id):
            first, _, rest = entry.event.partition(".")
            name, _, mark = rest.rpartition(".")
            if first == "deadline" and mark in ("breached", "open", "expired"):
                yield case.id, name, entry.at.astimezone(ZONE)


def shown(act: Act, step: rf.StepResult) -> str:
    """A line that went otherwise than planned."""
    return f"{act.at} {act.case} {act.event}: {[reason.text('en') for reason in step.reasons] or 'accepted'}"


def test_the_same_seed_gives_the_same_year() -> None:
    """A year is told again word for word, and another seed tells another one."""
    assert generate.script(generate.year()) == generate.script(generate.year())
    assert generate.script(generate.year(1)) != generate.script(generate.year(2))


@each_seed
def test_what_is_planned_is_accepted_and_what_is_meant_to_fail_is_refused(seed: int) -> None:
    """Every line of the script goes as the plan of the year says."""
    plan, replay, _ = played(seed)
    acts = plan.acts()
    assert len(acts) == len(replay.steps)
    wrong = [
        shown(act, step) for act, step in zip(acts, replay.steps, strict=True) if step.accepted == act.refused
    ]
    assert not wrong


@each_seed
def test_every_deadline_stands_as_reckoned(seed: int) -> None:
    """Each deadline of each case has the due instant and the status that plain counting gives it."""
    _, replay, reckoning = played(seed)
    found = {
        (case.id, name): (clock.due_at, clock.status)
        for case in replay.cases()
        for name, clock in case.deadlines.items()
    }
    assert found == reckoning.last()


@each_seed
def test_everything_passed_at_its_instant_and_nothing_else_did(seed: int) -> None:
    """The breaches, ends of waits and expiries in all histories are those of the reckoning."""
    _, replay, reckoning = played(seed)
    found = list(passed(replay))
    assert set(found) == reckoning.passed()
    assert len(found) == len(set(found))


@each_seed
def test_every_complaint_is_at_its_level(seed: int) -> None:
    """A complaint stands at the level of its severity, one more for each breach and each vain round."""
    _, replay, reckoning = played(seed)
    levels = {case.id: case.facts["level"] for case in replay.cases() if case.workflow == "complaint"}
    assert levels == reckoning.levels


@each_seed
def test_every_yuan_is_where_it_belongs(seed: int) -> None:
    """Payments received, earnest money and returned deposits are those of the reckoning, to the cent."""
    plan, replay, _ = played(seed)
    assert {
        case.id: dict(case.payments) for case in replay.cases() if case.payments
    } == reckon_money.payments(plan)
    for home in plan.of("project"):
        facts = replay.service.case(home.case).facts
        assert facts.get("earnest_part") == reckon_money.earnest(home)
        assert facts.get("refund_amount") == reckon_money.refund(home)


@each_seed
def test_every_instalment_is_its_share_to_the_cent(seed: int) -> None:
    """Instalments are their shares of the price, the deposit credited; together they are the price."""
    plan, replay, _ = played(seed)
    for home in plan.of("project"):
        kept = [case for case in replay.service.cases() if case.parent == home.case]
        sums = [case.facts["amount"] for case in kept if case.workflow == "stage_payment"]
        assert sums == reckon_money.instalments(home)
        if sums:
            assert sum(sums) + min(home.known["deposit"], home.known["price"]) == home.known["price"]


@each_seed
def test_every_conduct_case_is_whose_it_must_be(seed: int) -> None:
    """The conduct cases are those that people propose, appraisals earn and counting leads to, with their
    employee, rule and grade."""
    plan, replay, _ = played(seed)
    found = {
        case.id: (
            case.facts["employee"], case.facts["kind"], case.facts["rule"], case.facts.get("grade"),
            case.state == "closed",
        )
        for case in replay.cases()
        if case.workflow == "conduct"
    }  # fmt: skip
    assert found == {page.case: reckon_conduct.outcome(page) for page in conducts(plan)}


@each_seed
def test_bonuses_are_asked_for_and_wages_are_left_alone(seed: int) -> None:
    """Every commendation that is carried out asks for its 200 yuan; with deductions off nothing is taken."""
    plan, replay, _ = played(seed)
    asked = [effect.data["amount"] for effect in replay.effects if effect.to == "pay_bonus"]
    rewards = [page for page in plan.of("conduct") if page.known["kind"] == "reward" and page.done("execute")]
    assert asked == [Decimal("200.00")] * len(rewards)
    assert not [effect for effect in replay.effects if effect.to in ("deduct_wages", "carry_to_next_month")]


def test_a_year_has_something_of_everything() -> None:
    """The year of the benchmark has refusals, breaches of many kinds, and every way that a home can go."""
    plan, replay, reckoning = played(generate.SEED)
    states = {replay.service.case(home.case).state for home in plan.of("project")}
    assert {"lost", "cancelled", "terminated", "warranty", "building"} <= states
    assert sum(not step.accepted for step in replay.steps) > 50
    assert len({name for _, name, _ in reckoning.passed()}) > 15
