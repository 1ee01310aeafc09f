"""Payment plans and instalments: four shares of the price, the deposit credited, some paid late."""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from tests.year.plan import Diary, Year

MILESTONES = ("start", "checkpoint_3", "checkpoint_6", "acceptance")
SHARES = (
    ("30%", "35%", "30%", "5%"), ("30%", "35%", "30%", "5%"), ("60%", "30%", "10%", "0%"),
    ("33.33%", "33.33%", "33.34%", "0%"), ("25%", "25%", "25%", "25%"),
)  # fmt: skip
CENT = Decimal("0.01")


def payment_plan(year: Year, diary: Diary, signed: datetime) -> None:
    """Most homes have a plan; finance brings it soon after the contract."""
    known = diary.known
    known["instalments"] = {}
    if not year.chance(0.75):
        return
    shares = year.rng.choice(SHARES)
    at = year.hours(signed, 1, 20)
    if year.chance(0.2):
        wrong = {f"share_{n}": share for n, share in enumerate((*shares[:3], "5.01%"), 1)}
        diary.do(at, "finance:fang", "schedule_payments", "payment_terms", refused=True, facts=wrong)
        at = year.hours(at, 0.1, 1)
    named = {f"share_{n}": share for n, share in enumerate(shares, 1)}
    diary.do(at, "finance:fang", "schedule_payments", "payment_terms", facts=named)
    known["shares"] = shares
    for milestone, owed in zip(
        MILESTONES, owed_by_turn(known["price"], shares, known["deposit"]), strict=True
    ):
        if owed > 0:
            number = len(known["instalments"]) + 1
            page = year.diary(f"{diary.case}/stage_payment-{number}", "stage_payment", planned=at)
            page.known |= {"milestone": milestone, "amount": owed, "home": diary.case}
            known["instalments"][milestone] = page


def owed_by_turn(price: Decimal, shares: tuple[str, ...], credit: Decimal) -> list[Decimal]:
    """Each instalment, rounded to the cent, the last with what is left; the first ones less the credit."""
    last = max(place for place, share in enumerate(shares) if share != "0%")
    sums: list[Decimal] = []
    for place, share in enumerate(shares):
        whole = (price * Decimal(share[:-1]) / 100).quantize(CENT, ROUND_HALF_UP)
        sums.append(price - sum(sums) if place == last else whole)
    owed = []
    for sum_ in sums:
        taken = min(sum_, credit)
        credit -= taken
        owed.append(sum_ - taken)
    return owed


def reached(year: Year, diary: Diary, milestone: str, at: datetime) -> datetime:
    """A milestone is reached: its instalment is paid in a few days, or late; gives back when."""
    page = diary.known["instalments"].get(milestone)
    if page is None:
        return at
    paid = year.later(at, 4, 5) if year.chance(0.2) else year.later(at, 0, 3)
    sum_ = str(page.known["amount"])
    if year.chance(0.15):
        page.do(paid, "finance:fang", "record_payment", paid={"instalment": sum_}, refused=True)
        paid = year.hours(paid, 0.1, 0.5)
    page.do(paid, "finance:fang", "record_payment", "receipt", paid={"instalment": sum_})
    diary.known["stages_paid"] = diary.known.get("stages_paid", Decimal(0)) + page.known["amount"]
    diary.known["paid_by"] = max(paid, diary.known.get("paid_by", paid))
    return paid
