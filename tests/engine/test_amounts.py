"""Amounts that conditions ask for, and shares that are added up exactly."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import renoflow as rf
from tests.engine.small import Desk, load

ASKED = """
[states]
open = {}
done = { final = true }
[facts]
price = { type = "money" }
floor = { type = "money" }
tries = { type = "count" }
[payments]
fee = {}
[amounts.rest]
terms = [ { of = "@price", minus = ["paid.fee"] } ]
[amounts.left]
type = "count"
terms = [ { value = 3, minus = ["@tries"] } ]
[conditions]
asked = LEAF
counted = { any = [ { fact = "left", known = true }, { fact = "rest", known = true } ] }
[events.begin]
from = "@start"
to = "open"
may_give = ["price", "floor"]
guards = ["counted"]
[events.call]
from = ["open"]
to = "@same"
adds = { tries = 1 }
[events.end]
from = ["open"]
to = "done"
may_give = ["price"]
guards = ["asked"]
"""


@pytest.mark.parametrize(
    ("leaf", "holds"),
    [
        ('{ fact = "rest", equals = "70.00" }', True),
        ('{ fact = "rest", equals = "70" }', True),
        ('{ fact = "rest", not_equals = "70.00" }', False),
        ('{ fact = "rest", at_least = "70.00" }', True),
        ('{ fact = "rest", above = "70.00" }', False),
        ('{ fact = "rest", at_most = "@floor" }', False),
        ('{ fact = "rest", below = "70.01" }', True),
        ('{ fact = "rest", in = ["60.00", "70.00"] }', True),
        ('{ fact = "rest", known = true }', True),
        ('{ fact = "left", equals = 1 }', True),
        ('{ fact = "left", at_least = "@tries" }', False),
    ],
)
def test_a_condition_reads_an_amount_as_a_fact(tmp_path: Path, leaf: str, holds: bool) -> None:
    """An amount is worked out when it is asked for, and compared like a fact of its type."""
    desk = Desk(load(tmp_path, job=ASKED.replace("LEAF", leaf)))
    desk.open("2026-03-02 10:00", price="100.00", floor="69.99", payments={"fee": "30.00"})
    desk.do("call", "2026-03-02 10:30")
    desk.do("call", "2026-03-02 10:40")
    assert desk.do("end", "2026-03-02 11:00") == ([] if holds else ["guard_unmet asked"])


@pytest.mark.parametrize(
    ("leaf", "holds"),
    [
        ('{ fact = "rest", known = false }', True),
        ('{ fact = "rest", not_equals = "1.00" }', True),
        ('{ fact = "rest", at_most = "1.00" }', False),
        ('{ fact = "rest", equals = "0.00" }', False),
    ],
)
def test_an_amount_that_is_not_known_is_as_an_unknown_fact(tmp_path: Path, leaf: str, holds: bool) -> None:
    """While no term matches, nothing holds of the amount but that it is not this."""
    desk = Desk(load(tmp_path, job=ASKED.replace("LEAF", leaf)))
    desk.open("2026-03-02 10:00")
    assert desk.do("end", "2026-03-02 11:00") == ([] if holds else ["guard_unmet asked"])


UNTOUCHED = """
[states]
open = {}
done = { final = true }
[facts]
tries = { type = "count", at_most = 2, of = "levels" }
copy  = { type = "whole", set_by = "engine" }
[tables.levels]
"0" = { role = "worker" }
"1" = { role = "boss" }
"2" = { role = "boss" }
[amounts.tries_so_far]
type = "count"
terms = [ { of = "@tries" }, { value = 9 } ]
[conditions]
asked = LEAF
[events.begin]
from = "@start"
to = "open"
[events.call]
from = ["open"]
to = "@same"
adds = { tries = 1 }
[events.end]
from = ["open"]
to = "done"
guards = ["asked"]
notifies = ["@tries.role"]
sets = { copy = "@tries_so_far" }
[children.part]
workflow = "job"
reads = ["tries"]
"""


@pytest.mark.parametrize(
    ("leaf", "holds"),
    [
        ('{ fact = "tries", equals = 0 }', True),
        ('{ fact = "tries", not_equals = 0 }', False),
        ('{ fact = "tries", below = 1 }', True),
        ('{ fact = "tries", at_most = 0 }', True),
        ('{ fact = "tries", at_least = 1 }', False),
        ('{ fact = "tries", in = [0, 2] }', True),
        ('{ fact = "tries_so_far", equals = "@tries" }', True),
    ],
)
def test_a_count_that_was_never_touched_is_0(tmp_path: Path, leaf: str, holds: bool) -> None:
    """In conditions, amounts, references and columns alike; for a parent that reads it too."""
    desk = Desk(load(tmp_path, job=UNTOUCHED.replace("LEAF", leaf)))
    desk.open("2026-03-02 10:00")
    desk.open("2026-03-02 10:00", case="J-1/part-1", parent="J-1")
    assert desk.service.case("J-1").children["part"]["J-1/part-1"].facts == {"tries": 0}
    assert desk.do("end", "2026-03-02 11:00") == ([] if holds else ["guard_unmet asked"])
    if holds:
        assert desk.fact("copy") == 0
        assert [effect.to for effect in desk.last.effects] == ["worker"]


def test_a_refusal_says_what_the_amount_is(tmp_path: Path) -> None:
    """The refused person reads how much it comes to; what he can bring to change it counts as open to him."""
    desk = Desk(load(tmp_path, job=ASKED.replace("LEAF", '{ fact = "rest", at_most = "10.00" }')))
    desk.open("2026-03-02 10:00", price="100.00", payments={"fee": "30.00"})
    assert desk.do("end", "2026-03-02 11:00") == ["guard_unmet asked"]
    text = desk.last.reasons[0].text("zh")
    assert "70.00 元" in text
    case = desk.service.case("J-1")
    worker = rf.Actor("worker", frozenset({"worker"}))
    (option,) = [
        one
        for one in desk.flows["job"].allowed(case, at="2026-03-02T12:00:00+08:00", actor=worker)
        if one.event == "end"
    ]
    assert option.allowed
    assert [reason.subject for reason in option.needs] == ["asked"]


SHARES = """
[states]
open = {}
done = { final = true }
[facts]
first  = { type = "percent" }
second = { type = "percent" }
third  = { type = "percent" }
level  = { type = "enum", of = "levels" }
kept   = { type = "percent", set_by = "engine" }
part   = { type = "money", set_by = "engine" }
price  = { type = "money" }
[tables.levels]
low  = { share = "20%" }
high = { share = "30%" }
[amounts.shares]
type = "percent"
terms = [ { of = "@first", plus = ["@second", "@third"] } ]
[amounts.due_share]
type = "percent"
terms = [ { of = "@level.share", plus = ["0.5%"] } ]
[amounts.due]
terms = [ { of = "@price", share = "@due_share" } ]
[amounts.plain]
terms = [ { of = "@price", share = "@level.share" } ]
[conditions]
whole = { fact = "shares", equals = "100%" }
little = { fact = "plain", below = "@due" }
[events.begin]
from = "@start"
to = "open"
gives = ["first", "second", "third"]
may_give = ["level", "price"]
guards = ["whole"]
sets = { kept = "@due_share", part = "@due" }
[events.end]
from = ["open"]
to = "done"
guards = ["little"]
"""


@pytest.mark.parametrize(
    ("shares", "accepted"),
    [
        (("30%", "30%", "40%"), True),
        (("33.3333%", "33.3333%", "33.3334%"), True),
        (("33.33%", "33.33%", "33.33%"), False),
        (("0.3", "0.3", "0.4"), True),
        (("99.999999999%", "0%", "0%"), False),
    ],
)
def test_shares_add_up_exactly(tmp_path: Path, shares: tuple[str, str, str], accepted: bool) -> None:
    """A sum of shares is not rounded, so that 100% is 100% and nothing else is."""
    desk = Desk(load(tmp_path, job=SHARES))
    first, second, third = shares
    refused = desk.open("2026-03-02 10:00", first=first, second=second, third=third)
    assert refused == ([] if accepted else ["guard_unmet whole"])


def test_a_share_can_be_read_from_a_row_and_taken_of_a_sum(tmp_path: Path) -> None:
    """A share out of a table is added to, kept, and taken of a price, exactly until the last cent."""
    desk = Desk(load(tmp_path, job=SHARES))
    assert not desk.open(
        "2026-03-02 10:00", first="100%", second="0%", third="0%", level="low", price="333.33"
    )
    assert desk.fact("kept") == Decimal("0.205")
    assert str(desk.fact("part")) == "68.33"
    assert not desk.do("end", "2026-03-02 11:00")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_parts_of_a_whole_are_a_whole(tmp_path: Path, data: Any) -> None:
    """However finely a whole is cut into three shares, they are accepted, and one tick less is refused."""
    flows = load(tmp_path, job=SHARES)
    digits = data.draw(st.integers(0, 9))
    whole = 10**digits
    first = data.draw(st.integers(0, whole))
    second = data.draw(st.integers(0, whole - first))
    tick = Decimal(1) / whole
    shares = [str(first * tick), str(second * tick), str((whole - first - second) * tick)]
    one, two, three = shares
    assert not Desk(flows).open("2026-03-02 10:00", first=one, second=two, third=three)
    less = str(Decimal(three) - Decimal("1e-12"))
    assert Desk(flows).open("2026-03-02 10:00", first=one, second=two, third=less)
