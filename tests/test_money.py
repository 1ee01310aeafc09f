"""Sums of money, held against a calculation in whole cents that knows nothing of the engine: what becomes
of a deposit, how a price is divided into instalments, and that the settlement loses nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import product
from random import Random
from typing import Any

import pytest
from attrs import field, frozen
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import renoflow as rf
from renoflow.views.answer import replay_answer
from tests.vectors.table import ZONE, beginning, read_row, workflows

FLOWS = workflows("")
DAY0 = "2026-04-01"


def half_up(numerator: int, denominator: int) -> int:
    """A quotient of whole numbers, not negative, rounded half up to a whole cent."""
    return (2 * numerator + denominator) // (2 * denominator)


def yuan(cents: int) -> str:
    return f"{Decimal(cents) / 100:.2f}"


def cents(amount: object) -> int:
    return int(Decimal(str(amount)) * 100)


# ------------------------------------------------------------------ the deposit (REF)

DEPOSITS = (500_000, 3_000_001)
ESTIMATES = (None, 10_000_003, 2_000_037)
BREACHES = ((), ("customer",), ("company",), ("customer", "company"))
UNPERFORMED = (None, 1000, 400, 333, 0)
"""In thousandths; None where nothing is said of it."""
COSTS = (None, 123_456, 99_999_999)
GOODWILL = (None, 50_005, 99_999_999)


def returned(
    kind: str,
    deposit: int,
    estimate: int | None,
    withdrawn_by: str,
    breach: Sequence[str],
    majeure: bool,
    unperformed: int | None,
    cost: int | None,
    goodwill: int | None,
) -> int:
    """What the customer gets back, in cents, as the law has it (F08)."""
    due = _due(kind, deposit, estimate, withdrawn_by, breach, majeure, unperformed, cost or 0)
    return due + min(goodwill or 0, max(0, deposit - due))


def _due(
    kind: str,
    deposit: int,
    estimate: int | None,
    withdrawn_by: str,
    breach: Sequence[str],
    majeure: bool,
    unperformed: int | None,
    cost: int,
) -> int:
    if kind == "prepayment":
        return max(0, deposit - cost)
    earnest = deposit if estimate is None else min(deposit, half_up(estimate, 5))
    if majeure or len(breach) == 2:
        return deposit
    open_part = 1000 if unperformed is None else unperformed
    penalty = half_up(earnest * open_part, 1000)
    if "company" in breach or (withdrawn_by == "company" and "customer" not in breach):
        return deposit + penalty
    rest = deposit - penalty
    return max(rest - cost, deposit - earnest) if open_part < 1000 else rest


def act(case: rf.Case, event: str, role: str, day: str, facts: Any, papers: Any, **more: Any) -> rf.Case:
    decision = FLOWS["project"].decide(
        case,
        rf.Command(
            event,
            rf.Actor(role, frozenset((role,))),
            f"{day}T10:00:00+08:00",
            facts={name: value for name, value in facts.items() if value is not None},
            documents=tuple(rf.Document(name, signers) for name, signers in papers),
            **more,
        ),
    )
    assert not decision.refused, decision.reasons
    assert decision.case is not None
    return decision.case


def with_deposit(kind: str, deposit: int, estimate: int | None) -> rf.Case:
    service = rf.run_script(rf.read_script(beginning("presented", DAY0), FLOWS), FLOWS).service
    return act(
        service.case("P-1"), "pay_deposit", "customer", "2026-04-07",
        {
            "deposit_kind": kind, "deposit_amount": yuan(deposit), "satisfied": True,
            "estimate_amount": None if estimate is None else yuan(estimate),
        },
        [("order_agreement", ("customer", "company")), ("receipt", ())],
        payments=(rf.Payment("deposit", yuan(deposit)),),
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["earnest", "prepayment"])
@pytest.mark.parametrize("deposit", DEPOSITS)
@pytest.mark.parametrize("estimate", ESTIMATES)
def test_a_deposit_is_returned_as_the_law_has_it(kind: str, deposit: int, estimate: int | None) -> None:
    """For every combination of who withdrew, breach, force majeure, part performance, proven cost and
    goodwill, the sum returned is the one that is worked out by hand."""
    held = with_deposit(kind, deposit, estimate)
    for by, breach, majeure, unperformed, cost in product(
        ("customer", "company"), BREACHES, (False, True), UNPERFORMED, COSTS
    ):
        facts = {
            "reason": "x",
            "withdrawn_by": by,
            "in_breach": list(breach),
            "force_majeure": majeure or None,
            "unperformed_share": None if unperformed is None else str(Decimal(unperformed) / 1000),
            "proven_cost": None if cost is None else yuan(cost),
        }
        sender = "customer" if by == "customer" else "customer_manager"
        papers = [("withdrawal_request", ())]
        leaving = act(held, "withdraw_after_deposit", sender, "2026-04-08", facts, papers)
        for goodwill in GOODWILL:
            given_back = {"goodwill_refund": None if goodwill is None else yuan(goodwill)}
            note = [("refund_note", ("customer", "store_manager"))]
            done = act(leaving, "settle_deposit", "finance", "2026-04-09", given_back, note)
            wanted = returned(kind, deposit, estimate, by, breach, majeure, unperformed, cost, goodwill)
            assert cents(done.facts["refund_amount"]) == wanted, (facts, goodwill)


# ------------------------------------------------------------------ scripts of lines


@frozen
class Story:
    """Lines as in the tables of vectors, one minute after the other, and what they come to."""

    beginning: str
    rows: list[str] = field(factory=list)
    start: datetime = datetime(2026, 5, 6, 17, 0, tzinfo=ZONE)

    def add(self, text: str, day: str = "") -> None:
        at = self.start + timedelta(minutes=len(self.rows))
        self.rows.append(f"{day or at.date()} {at:%H:%M} {text}")

    def answer(self) -> dict[str, Any]:
        rows = [read_row(text, "P-1", date.fromisoformat(DAY0)).command for text in self.rows]
        script = self.beginning + "".join(json.dumps(row) + "\n" for row in rows)
        return replay_answer(FLOWS, rf.run_script(rf.read_script(script, FLOWS), FLOWS))


# ------------------------------------------------------------------ instalments


def plan_of(price: int, deposit: int, shares: Sequence[int]) -> list[int]:
    """What is to be paid in each instalment; shares are in hundred-thousandths, and nothing is left over."""
    parts: list[int] = []
    last = max(number for number, share in enumerate(shares) if share)
    for number, share in enumerate(shares):
        whole = half_up(price * share, 100_000) if number < last else price - sum(parts)
        parts.append(whole if number <= last else 0)
    to_pay = []
    for part in parts:
        credit = min(part, deposit)
        deposit -= credit
        to_pay.append(part - credit)
    return to_pay


@settings(max_examples=60)
@given(
    price=st.integers(100_000, 99_999_999),
    deposit=st.integers(1, 3_000_000),
    cuts=st.lists(st.integers(0, 100_000), min_size=3, max_size=3),
)
def test_a_plan_divides_the_price_to_the_cent(price: int, deposit: int, cuts: list[int]) -> None:
    """Whatever the shares, as long as they are the whole, instalments and deposit together are the price."""
    assume(deposit <= price)
    one, two, three = sorted(cuts)
    shares = (one, two - one, three - two, 100_000 - three)
    story = Story(beginning("contracted", DAY0).replace("5000.00", yuan(deposit)).replace(
        '"100000.00"', f'"{yuan(price)}"'
    ))  # fmt: skip
    brought = " ".join(f"share_{n}={Decimal(share) / 100_000}" for n, share in enumerate(shares, 1))
    story.add(f"finance schedule_payments {brought} +payment_terms => contracted")
    answer = story.answer()
    assert answer["steps"][-1]["accepted"], answer["steps"][-1]["reasons"]
    found = {
        case["facts"]["number"]: cents(case["facts"]["amount"])
        for case in answer["cases"].values()
        if case["workflow"] == "stage_payment"
    }
    wanted = {number: sum_ for number, sum_ in enumerate(plan_of(price, deposit, shares), 1) if sum_}
    assert found == wanted
    assert sum(found.values()) == max(0, price - deposit)


# ------------------------------------------------------------------ the settlement

PRICE = 10_000_000


def changes(story: Story, random: Random) -> Iterator[int]:
    """Additions, reductions and what was refused: what each adds to the price."""
    for number in range(random.randrange(4)):
        delta = random.randrange(-200_000, 200_001)
        case = f"@change-{number}"
        story.add(f"designer open:change_order {case} +change_request")
        story.add(f"price_clerk price_change {case} price_delta={yuan(delta)} day_delta=0 +change_quotation")
        story.add(f"customer_manager offer_change {case} +change_form")
        if not random.randrange(4):
            story.add(f"customer refuse_change {case}")
            continue
        story.add(f"customer sign_change {case} +change_form(customer,company)")
        if delta > 0:
            story.add(f"finance pay_change {case} +receipt ¥change_payment={yuan(delta)}")
        story.add(f"project_manager execute_change {case}")
        story.add(f"inspector verify_change {case} +acceptance_form(customer)")
        yield delta


def materials(story: Story, random: Random) -> Iterator[int]:
    """Lines of material that are dropped, cancelled, returned in part or installed."""
    for number in range(random.randrange(4)):
        case = f"@material-{number + 20}"
        pieces, unit, beside = random.randrange(1, 2000), random.randrange(1, 9999), bool(random.randrange(2))
        price = half_up(unit * pieces, 100)
        story.add(
            f"material_agent open:material {case} kind=tiles brand=A model=B quantity={yuan(pieces)} "
            f"unit_price={yuan(unit)} supplied_by=company beside_price={str(beside).lower()} +selection_form"
        )
        yield from _line(story, random, case, pieces, unit, price, price if beside else 0)


def _line(
    story: Story, random: Random, case: str, pieces: int, unit: int, price: int, base: int
) -> Iterator[int]:
    story.add(f"customer confirm_material {case} +confirmation(customer)")
    outcome = random.choice(("dropped", "cancelled", "returned", "installed"))
    if outcome == "dropped":
        story.add(f"customer cancel_material {case}")
        yield base - price
        return
    paid = f" +receipt ¥material_payment={yuan(base)}" if base else ""
    story.add(f"material_agent order_material {case} needed_on=2026-06-01 +purchase_order{paid}")
    if outcome == "cancelled":
        story.add(f"customer cancel_ordered {case} +cancellation_form(customer)")
        yield base - price + half_up(price * 30, 100)
        return
    story.add(f"supplier ship_material {case} arrives_on=2026-05-09 +certificate +test_report +delivery_note")
    story.add(f"project_manager arrive_material {case} count_checked=true +delivery_note(project_manager)")
    story.add(
        f"inspector accept_material {case} attendees=[customer,designer,project_manager,inspector] "
        "readings=[ok] +material_form(customer)"
    )
    if outcome == "installed":
        story.add(f"project_manager install_material {case} +install_form(customer)")
        yield base
        return
    back = random.randrange(1, pieces + 1)
    story.add(
        f"project_manager return_surplus {case} returned_quantity={yuan(back)} unopened=true "
        "contract_fee=7.5% +return_form"
    )
    credit = half_up(unit * back, 100)
    yield base - credit + half_up(credit * 75, 1000)


def instalment(story: Story, random: Random, number: int, amount: int, day: str = "") -> Iterator[int]:
    """Paid, merged or released; only what is released is taken off the price."""
    case = f"@stage_payment-{number}"
    outcome = random.choice(("paid", "merged", "released"))
    if outcome == "paid":
        story.add(f"finance record_payment {case} +receipt ¥instalment={yuan(amount)}", day)
    else:
        story.add(f"store_manager waive_payment {case} waiver={outcome} reason=x", day)
    if outcome == "released":
        yield -amount


def paid_repair(story: Story, random: Random, day: str) -> Iterator[int]:
    """A repair that is not under warranty, paid at once or put into the settlement."""
    if random.randrange(2):
        return
    case, price = "@warranty_claim-1", random.randrange(1, 99_999)
    story.add("customer open_claim part=equipment fault=x +claim_form", day)
    story.add(f"after_sales check_coverage {case} cause=owner_bought +site_photos", day)
    story.add(f"after_sales quote_paid_repair {case} quoted_amount={yuan(price)} +repair_quotation", day)
    story.add(f"customer accept_paid_quote {case} +repair_quotation(customer)", day)
    story.add(f"repairer start_repair {case} appointment_at=2026-05-21T09:00:00+08:00 +work_order", day)
    story.add(f"repairer finish_repair {case} +repair_record", day)
    paid = f" +receipt ¥repair_payment={yuan(price)}" if random.randrange(2) else ""
    story.add(f"customer confirm_repair {case} +repair_form(customer){paid}", day)
    yield price


def accepted(story: Story) -> None:
    story.add(
        "project_manager complete_works acceptance_on=2026-05-20 self_inspected=true +acceptance_notice"
    )
    story.add("project_manager book_checkpoint @checkpoint-8 inspection_on=2026-05-20 +inspection_notice")
    everybody = "[customer,designer,project_manager,inspector]"
    for line in (
        f"inspector convene_acceptance invited={everybody} +acceptance_record",
        f"inspector start_checkpoint @checkpoint-8 attendees={everybody}",
        "inspector pass_checkpoint @checkpoint-8 +stage_form(customer)",
        "customer accept_works +completion_form(customer,company)",
    ):
        story.add(line, "2026-05-20")


def money_in(answer: dict[str, Any]) -> int:
    """Everything that was ever paid, in any case."""
    return sum(cents(paid) for case in answer["cases"].values() for paid in case["payments"].values())


@pytest.mark.parametrize("seed", range(40))
def test_what_was_paid_and_credited_is_the_price(seed: int) -> None:
    """Through any mixture of changes, materials, instalments and paid repairs, the balance is what is still
    owed; a cent less is refused, and what was too much goes back."""
    random, story = Random(seed), Story(beginning("inspected_by_plan", DAY0))
    deltas = [*instalment(story, random, 2, 3_500_000), *instalment(story, random, 3, 3_000_000)]
    deltas += [*changes(story, random), *materials(story, random)]
    accepted(story)
    deltas += [*instalment(story, random, 4, 500_000, "2026-05-21")]
    deltas += [*paid_repair(story, random, "2026-05-21")]
    story.add("finance start_settlement +settlement_statement", "2026-05-22")
    before = story.answer()
    assert all(step["accepted"] for step in before["steps"]), [s for s in before["steps"] if s["reasons"]]
    balance = PRICE + sum(deltas) - money_in(before)

    card = "finance issue_warranty_card settlement_agreed=true +warranty_card +receipt +survey_form"
    if balance > 0:
        story.add(f"{card} ¥final_payment={yuan(balance - 1)}", "2026-05-22")
    story.add(f"{card} ¥final_payment={yuan(max(0, balance))}" if balance > 0 else card, "2026-05-22")
    after = story.answer()
    refused = [[reason["code"] for reason in step["reasons"]] for step in after["steps"] if step["reasons"]]
    assert refused == ([["payment_missing"]] if balance > 0 else [])
    assert after["cases"]["P-1"]["state"] == "warranty"
    paid_out = [
        cents(effect["data"]["amount"])
        for effect in after["effects"]
        if (effect["to"], effect["about"]) == ("pay_out", "issue_warranty_card")
    ]
    assert paid_out == ([-balance] if balance < 0 else [])
    assert money_in(after) - sum(paid_out) == PRICE + sum(deltas)
