"""Wage deductions: never above the law's ceiling, to the cent, and in the end what was owed."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

import renoflow as rf
from renoflow.definition.reader import read_profile

ON = """
[profile]
id = "firm"
label = { zh = "本公司", en = "The firm" }
[parameters.conduct]
deduct_wages = true
"""
CENT = Decimal("0.01")
START = datetime.fromisoformat("2026-05-11T09:00:00+08:00")
MINIMUM = Decimal("2000.00")


def person(role: str, name: str = "") -> rf.Actor:
    return rf.Actor(name or role, roles={role})


@pytest.fixture(scope="module")
def flow() -> rf.Workflow:
    return rf.load_workflows(profile=read_profile(ON))["conduct"]


def final(flow: rf.Workflow, compensation: Decimal) -> rf.Case:
    """A demerit of 600 yuan with compensation for a loss, ready to be carried out."""
    zhang = person("employee", "zhang")
    case = flow.open(
        "K-1",
        actor=person("superior"),
        at=START,
        facts={"kind": "discipline", "employee": "zhang", "occurred_on": "2026-05-11", "rule": "d16_95"},
    ).unwrap()
    for event, actor, facts, documents in (
        ("fill_sheet", person("superior"), {"fault_kind": "breach"}, ["penalty_sheet", "evidence"]),
        ("verify_case", person("hr"), {}, []),
        ("hear_employee", person("hr"), {"employee_heard": True}, [rf.Document("statement", ("employee",))]),
        (
            "decide",
            person("leadership"),
            {"grade": "demerit", "compensation": str(compensation)},
            ["decision"],
        ),
        ("waive_appeal", zhang, {}, [rf.Document("waiver", ("employee",))]),
    ):
        command = rf.Command(event, actor, START, facts=facts, documents=documents)
        case = flow.decide(case, command).unwrap()
    return case


@settings(max_examples=60, deadline=None)
@given(
    compensation=st.decimals("0", "3000", places=2),
    wages=st.lists(st.decimals("1500", "9000", places=2), min_size=1, max_size=8),
)
def test_what_is_taken_month_by_month(flow: rf.Workflow, compensation: Decimal, wages: list[Decimal]) -> None:
    """Every month as a plain calculation has it, until nothing is carried over any more."""
    case, owed = final(flow, compensation), Decimal("600.00") + compensation
    for month, wage in enumerate(wages):
        event = "execute_rest" if month else "execute"
        command = rf.Command(
            event,
            person("finance"),
            START + timedelta(days=30 * (month + 1)),
            facts={"month_wage": str(wage), "minimum_wage": str(MINIMUM)},
            documents=["payslip"],
        )
        decision = flow.decide(case, command)
        if month and not owed:
            assert [reason.subject for reason in decision.reasons] == ["something_carried"]
            return
        case = decision.unwrap()
        fifth = (wage / 5).quantize(CENT, ROUND_DOWN)
        taken = min(owed, fifth, max(wage - MINIMUM, Decimal(0)))
        owed -= taken
        assert (case.facts["taken"], case.facts["carried"]) == (taken, owed)
        asked = {one.to: one.data["amount"] for one in decision.effects if one.kind == "ask"}
        assert asked == {
            **({"deduct_wages": taken} if taken else {}),
            **({"carry_to_next_month": owed} if owed else {}),
        }
        assert flow.broken_invariants(case) == ()
