"""Faults reported after the acceptance: under warranty or not, repaired at once or at the third try."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from tests.year.plan import Diary, Year

WAYS = (
    "covered",
    "covered",
    "complicated",
    "slow",
    "unrepaired",
    "charged",
    "declined",
    "refused",
    "referred",
)


def claims(year: Year, diary: Diary, settled: datetime) -> None:
    """Up to three faults of a home whose works were accepted and settled."""
    at = settled
    for number in range(1, year.rng.randint(0, 3) + 1):
        at = claim(year, diary, number, year.later(at, 3, 40))


def claim(year: Year, diary: Diary, number: int, at: datetime) -> datetime:
    """One fault."""
    rng = year.rng
    way = rng.choice(WAYS)
    charged = way in ("charged", "declined", "refused")
    part = (
        "equipment"
        if charged or way == "referred"
        else rng.choice(["general", "waterproof", "wiring", "heating"])
    )
    over = diary.known["equipment_until"] < at.date().isoformat()
    if charged and not over:
        way, part = "covered", "equipment"
    if way == "referred" and over and year.chance(0.5):
        way = "charged"
    urgent = part == "wiring" and year.chance(0.5)
    diary.do(at, "customer", "open_claim", "claim_form", part=part, fault="故障", living_critical=urgent)
    page = year.diary(f"{diary.case}/warranty_claim-{number}", "warranty_claim", opened=at, home=diary.case)
    page.known |= {"way": way, "part": part, "urgent": urgent}
    at = year.hours(at, 0.5, 8) if urgent else year.hours(at, 2, 30)
    facts = {"cause": "workmanship", "complicated": way == "complicated"}
    page.do(at, "after_sales:ma", "check_coverage", "site_photos", facts=facts)
    at = year.hours(at, 0.3, 6)
    if way == "referred":
        return page.do(at, "after_sales:ma", "refer_to_vendor", "referral", "maker_card")
    if way == "refused":
        return page.do(
            at, "after_sales_manager:ren", "reject_claim", "rejection_notice", refusal_reason="已过保修期"
        )
    if way in ("charged", "declined"):
        at = quote(year, page, at)
        if way == "declined":
            return at
    else:
        page.do(
            at,
            "after_sales:ma",
            "quote_paid_repair",
            "repair_quotation",
            quoted_amount="100.00",
            refused=True,
        )
        at = page.do(
            year.hours(at, 0.1, 0.5), "after_sales:ma", "confirm_covered", "work_order", crew="original"
        )
    return repair(year, page, at)


def quote(year: Year, page: Diary, at: datetime) -> datetime:
    """A paid repair: quoted, and accepted or declined in a few days."""
    page.known["quoted"] = Decimal(year.rng.randint(10_000, 200_000)) / 100
    page.do(
        at, "after_sales:ma", "quote_paid_repair", "repair_quotation", quoted_amount=str(page.known["quoted"])
    )
    at = year.later(at, 1, 9)
    if page.known["way"] == "declined":
        return page.do(at, "customer", "decline_paid_quote")
    return page.do(at, "customer", "accept_paid_quote", "repair_quotation(customer)")


def repair(year: Year, page: Diary, at: datetime) -> datetime:
    """Repaired, confirmed by the customer, and asked about once more."""
    way = page.known["way"]
    tries = 3 if way == "unrepaired" else 2 if year.chance(0.2) else 1
    for turn in range(tries):
        at = year.later(at, 3, 5) if way == "slow" else year.hours(at, 3, 40)
        page.do(at, "repairer:kong", "start_repair", "work_order", appointment_at=at.isoformat())
        at = year.later(at, 4, 8) if way == "complicated" else year.hours(at, 1, 5)
        at = page.do(at, "repairer:kong", "finish_repair", "repair_record")
        at = year.hours(at, 2, 90)
        if turn + 1 < tries:
            page.do(at, "customer", "reject_repair")
    paid = {"repair_payment": str(page.known["quoted"])} if way == "charged" else {}
    receipt = ("receipt",) if way == "charged" else ()
    page.do(at, "customer", "confirm_repair", "repair_form(customer)", *receipt, paid=paid)
    return page.do(year.later(at, 1, 3), "service:lan", "pass_revisit", "visit_record")
