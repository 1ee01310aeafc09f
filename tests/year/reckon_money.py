"""The sums of a home: what of the deposit is earnest money, what is returned of it, what was paid."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from tests.year.plan import Diary, Year

CENT = Decimal("0.01")
CAP = Decimal("0.2")


def cents(sum_: Decimal) -> Decimal:
    """To the cent, half up."""
    return sum_.quantize(CENT, ROUND_HALF_UP)


def earnest(home: Diary) -> Decimal | None:
    """At most a fifth of the price, or of the estimate while there is no price; nothing of a prepayment."""
    if not home.done("pay_deposit"):
        return None
    if home.known["deposit_kind"] == "prepayment":
        return Decimal("0.00")
    price = home.known["price"] if home.done("sign_contract") else home.known["estimate"]
    return Decimal(min(cents(price * CAP), home.known["deposit"]))


def refund(home: Diary) -> Decimal | None:
    """What is returned of a deposit, by the word in the agreement, who withdrew, who is in breach."""
    if not home.done("settle_deposit"):
        return None
    said, paid, part = (
        home.done("withdraw_after_deposit")[-1].facts,
        home.known["deposit"],
        earnest(home) or Decimal(0),
    )
    cost = Decimal(said.get("proven_cost", "0"))
    share = _share(said.get("unperformed_share", "100%"))
    penalty = cents(part * share)
    breach, by = set(said["in_breach"]), said["withdrawn_by"]
    if home.known["deposit_kind"] == "prepayment":
        back = max(paid - cost, Decimal("0.00"))
    elif breach == {"customer", "company"} or said.get("force_majeure"):
        back = paid
    elif "company" in breach or (by == "company" and "customer" not in breach):
        back = paid + penalty
    elif share < 1:
        back = max(paid - penalty - cost, paid - part)
    else:
        back = paid - part
    goodwill = Decimal(home.done("settle_deposit")[0].facts.get("goodwill_refund", "0"))
    return Decimal(back + min(goodwill, max(paid - back, Decimal("0.00"))))


def _share(text: str) -> Decimal:
    return Decimal(text[:-1]) / 100 if text.endswith("%") else Decimal(text)


def instalments(home: Diary) -> list[Decimal]:
    """What is to be paid at each milestone: the price up to there, less the deposit and what came before. The
    last share takes the odd cent, so that all of them are the price."""
    shares = [_share(text) for text in home.known.get("shares", ()) if home.done("schedule_payments")]
    whole = [cents(home.known["price"] * share) for share in shares]
    if whole:
        last = max(place for place, share in enumerate(shares) if share)
        whole[last] = home.known["price"] - sum(whole[:last])
    owed, so_far = [], Decimal(0)
    for place in range(len(whole)):
        up_to = max(sum(whole[: place + 1], Decimal(0)) - home.known["deposit"], Decimal(0))
        owed.append(up_to - so_far)
        so_far = up_to
    return [sum_ for sum_ in owed if sum_]


def paid(diary: Diary) -> dict[str, Decimal]:
    """What was received in a case, under each name; what came with a refused act was not received."""
    found: dict[str, Decimal] = {}
    for act in diary.acts:
        if not act.refused:
            for name, amount in act.paid.items():
                found[name] = found.get(name, Decimal(0)) + Decimal(amount)
    return found


def payments(year: Year) -> dict[str, dict[str, Decimal]]:
    """The payments of every case that has some."""
    found = {diary.case: paid(diary) for diary in year.diaries.values()}
    return {case: sums for case, sums in found.items() if sums}
