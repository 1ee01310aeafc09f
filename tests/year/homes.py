"""Homes from the first enquiry to the contract: offers, answers, silence, withdrawals."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from tests.year import leads, sites
from tests.year.plan import DESIGNERS, FIRST, Diary, Year, iso, midnight

COURSES = (
    *["finished"] * 13, *["suspended"] * 5, *["acceptance_failed"] * 2, "deemed", "permit_refused",
    *["lost"] * 3, *["lost_in_silence"] * 2, *["revived"] * 2, *["withdrawn"] * 6, "recalled",
    *["terminated"] * 3, "termination_refused",
)  # fmt: skip
"""What becomes of forty homes."""

CUSTOMER_MANAGERS = ("wang", "zhang", "liu", "zhou")

SILENT = ("lost_in_silence", "revived")


def homes(year: Year) -> None:
    """Forty homes, begun over the year; the later ones are still under way when it ends."""
    courses = list(COURSES)
    year.rng.shuffle(courses)
    for number, course in enumerate(courses, 1):
        begun = midnight(FIRST.date() + timedelta(days=4 + number * 8)) + timedelta(hours=10)
        home(year, f"P-{number:02}", course, year.later(begun, 0, 6))


def home(year: Year, case: str, course: str, at: datetime) -> None:
    """One home."""
    rng = year.rng
    diary = year.diary(case, "project", course=course)
    known = diary.known
    known["designer"] = rng.choice(DESIGNERS)
    known["manager"] = rng.choice(CUSTOMER_MANAGERS)
    known["area"], known["kind"] = rng.choice(
        [
            ("88", "flat"),
            ("128", "flat"),
            ("199.5", "flat"),
            ("200", "flat"),
            ("160", "duplex"),
            ("320", "villa"),
        ]
    )
    known["price"] = Decimal(rng.randint(80_000, 400_000)) + Decimal(rng.randint(0, 99)) / 100
    at = consultation(year, diary, at)
    if course in ("lost", "lost_in_silence"):
        return
    at = design(year, diary, at)
    if course == "withdrawn":
        return
    at = contract(year, diary, at)
    sites.site(year, diary, at)


# ------------------------------------------------------------------ consultation


def consultation(year: Year, diary: Diary, at: datetime) -> datetime:
    """From the enquiry to the deposit, or to where the customer is lost."""
    known, course = diary.known, diary.known["course"]
    designer, manager = f"designer:{known['designer']}", f"customer_manager:{known['manager']}"
    facts = {"home_area": known["area"], "home_kind": known["kind"]}
    diary.do(at, manager, "register_enquiry", "registration_form", opens=True, **facts)
    at = year.hours(leads.lead(year, diary, at), 0.2, 20)
    if year.chance(0.2):
        diary.do(at, designer, "start_consultation", "customer_file", "consultation_record", refused=True)
        at = year.hours(at, 0.1, 0.5)
    first = at
    diary.do(at, designer, "start_consultation", "customer_file", "consultation_record(customer)")
    at = diary.do(year.later(at, 1, 2), designer, "begin_proposal", "floor_plan")
    if course == "lost" and year.chance(0.4):
        lose(year, diary, at)
        return at
    at = proposal(year, diary, first, at)
    if course == "lost":
        lose(year, diary, at)
        return at
    if course in SILENT:
        at = silence(year, diary, at)
        if course == "lost_in_silence":
            lose(year, diary, at)
            return at
    return deposit(year, diary, at)


def proposal(year: Year, diary: Diary, first: datetime, at: datetime) -> datetime:
    """The proposal, in time or late, perhaps by an agreed date, perhaps after a call to the hotline."""
    designer = f"designer:{diary.known['designer']}"
    large = is_large(diary)
    limit = 10 if large else 7
    way = year.rng.choice(["early", "early", "last_day", "late", "agreed", "hotline"])
    if way == "agreed":
        agreed = limit + year.rng.randint(2, 5)
        at = year.later(at, 1, 1)
        diary.do(
            at,
            designer,
            "record_consultation",
            "consultation_record(customer)",
            proposal_agreed_on=iso(first, agreed),
        )
        shown = year.later(first, agreed - 1, agreed + 1)
    elif way == "hotline":
        diary.do(year.later(first, 9, 10), "customer", "query_overdue_proposal", "hotline_note", refused=True)
        diary.do(year.later(first, 11, 11), "customer", "query_overdue_proposal", "hotline_note")
        shown = year.later(first, 12, 13)
    else:
        days = {"early": (4, limit - 1), "last_day": (limit, limit), "late": (limit + 1, limit + 3)}[way]
        shown = year.later(first, *days)
        if way == "late":
            diary.do(year.later(first, limit - 1, limit), designer, "contact_customer")
    diary.do(shown, designer, "present_proposal", "proposal", "estimate")
    if year.chance(0.3):
        asked = year.later(shown, 1, 5)
        may_change = diary.known["course"] not in SILENT
        ground = year.rng.choice(["proposal", "designer"] if may_change else ["proposal"])
        diary.do(asked, "customer", "reject_proposal", "consultation_record(customer)", ground=ground)
        back = year.later(asked, 3, 7)
        if ground == "designer":
            back = max(back, year.hours(leads.another(year, diary, asked), 1, 20))
            designer = f"designer:{diary.known['designer']}"
        shown = diary.do(back, designer, "resubmit_proposal", "proposal")
    return shown


def silence(year: Year, diary: Diary, offered: datetime) -> datetime:
    """The customer lets his time pass, is reminded twice, and the case falls dormant."""
    manager = f"customer_manager:{diary.known['manager']}"
    diary.do(year.later(offered, 3, 4), manager, "remind_customer")
    if year.chance(0.5):
        diary.do(year.later(offered, 5, 6), manager, "remind_customer")
        asleep = midnight(offered.date() + timedelta(days=8))
    else:
        asleep = diary.do(year.later(offered, 9, 10), manager, "remind_customer")
    diary.known["asleep"] = asleep
    back = year.later(asleep, 10, 30)
    leads.asleep(year, diary, asleep, back)
    if diary.known["course"] == "revived":
        diary.do(back, manager, "revive", "consultation_record(customer)")
    return back


def lose(year: Year, diary: Diary, at: datetime) -> None:
    """The customer is lost; the store manager signs for it."""
    manager = f"customer_manager:{diary.known['manager']}"
    at = year.later(at, 1, 6)
    diary.do(at, manager, "mark_lost", "loss_record", refused=True, reason="选择了其他公司")
    at = year.hours(at, 0.1, 2)
    diary.do(at, manager, "mark_lost", "loss_record(store_manager)", reason="选择了其他公司")
    leads.failed(year, diary, at)


def deposit(year: Year, diary: Diary, offered: datetime) -> datetime:
    """The deposit: earnest money or a prepayment, now and then above a fifth of the price."""
    known = diary.known
    if year.chance(0.15):
        manager = f"customer_manager:{known['manager']}"
        diary.do(year.later(offered, 2, 6), manager, "remind_customer")
        at = year.later(offered, 8, 11)
    else:
        at = year.later(offered, 1, 6)
    known["deposit_kind"] = "prepayment" if year.chance(0.25) else "earnest"
    share = Decimal(year.rng.choice(["0.02", "0.05", "0.1", "0.3"]))
    known["deposit"] = (known["price"] * share).quantize(Decimal("0.01"))
    known["estimate"] = (known["price"] * Decimal("0.9")).quantize(Decimal("0.01"))
    facts = {"deposit_kind": known["deposit_kind"], "deposit_amount": str(known["deposit"])}
    papers = ("order_agreement(customer,company)", "receipt")
    if year.chance(0.2):
        short = {"deposit": "100.00"}
        diary.do(at, "customer", "pay_deposit", *papers, paid=short, satisfied=True, refused=True, **facts)
        at = year.hours(at, 0.2, 2)
    diary.do(
        at, "customer", "pay_deposit", *papers, paid={"deposit": str(known["deposit"])},
        satisfied=True, estimate_amount=str(known["estimate"]), **facts,
    )  # fmt: skip
    return at


# ------------------------------------------------------------------ design


def design(year: Year, diary: Diary, paid: datetime) -> datetime:
    """From the measuring to the quotation; a customer who withdraws does so somewhere on the way."""
    known, course = diary.known, diary.known["course"]
    designer = f"designer:{known['designer']}"
    at = diary.do(year.later(paid, 1, 3), designer, "measure_site", "measure_record(customer)")
    if course == "withdrawn" and year.chance(0.3):
        return withdraw(year, diary, at)
    limit = 14 if is_large(diary) else 7
    late = year.chance(0.3)
    at = year.later(paid, limit + 1, limit + 4) if late else year.later(paid, 5, limit)
    diary.do(at, designer, "present_design", "design")
    if year.chance(0.3):
        at = diary.do(
            year.later(at, 1, 5), "customer", "request_design_change", "consultation_record(customer)"
        )
        if course == "recalled":
            at = recall(year, diary, withdraw(year, diary, at))
        at = diary.do(year.later(at, 2, 6), designer, "resubmit_design", "design")
    elif course == "recalled":
        at = recall(year, diary, withdraw(year, diary, at))
    if course == "withdrawn" and year.chance(0.5):
        return withdraw(year, diary, at)
    at = year.later(at, 1, 6)
    diary.do(at, "customer", "approve_design", "design_confirmation(customer)", refused=True)
    at = year.hours(at, 0.3, 1)
    diary.do(at, "customer", "approve_design", "design_confirmation(customer)", demo_held=True)
    at = year.later(at, 2, 5)
    diary.do(at, "price_clerk:bao", "submit_quotation", "drawings", "quotation", drawings_complete=True)
    if course == "withdrawn":
        return withdraw(year, diary, at)
    return at


def withdraw(year: Year, diary: Diary, at: datetime) -> datetime:
    """A withdrawal before the contract; when it holds, the deposit is settled, in time or late."""
    rng, known = year.rng, diary.known
    at = year.later(at, 1, 5)
    by, breach = rng.choice(
        [
            ("customer", []),
            ("customer", ["company"]),
            ("company", []),
            ("customer", ["customer", "company"]),
            ("company", ["customer"]),
        ]
    )
    facts: dict[str, object] = {"reason": "计划有变", "withdrawn_by": by, "in_breach": breach}
    if year.chance(0.3):
        facts["unperformed_share"] = rng.choice(["75%", "33.33%", "0.125"])
    if year.chance(0.4):
        facts["proven_cost"] = str(Decimal(rng.randint(10_000, 90_000)) / 100)
    if year.chance(0.15):
        facts["force_majeure"] = True
    diary.do(at, "customer", "withdraw_after_deposit", "withdrawal_request", facts=facts)
    if known["course"] == "withdrawn":
        late = year.chance(0.4)
        settled = year.later(at, 19, 26) if late else year.later(at, 3, 14)
        note = "refund_note(customer,store_manager)"
        more = {"goodwill_refund": "500.00"} if year.chance(0.3) else {}
        diary.do(settled, "finance:fang", "settle_deposit", note, facts=more)
        leads.failed(year, diary, settled)
    return at


def recall(year: Year, diary: Diary, at: datetime) -> datetime:
    """The customer thinks better of it."""
    return diary.do(year.later(at, 2, 9), "customer", "withdraw_refund_request", "withdrawal_recalled")


# ------------------------------------------------------------------ contract


def contract(year: Year, diary: Diary, offered: datetime) -> datetime:
    """From the quotation to the signed contract and its hand-over."""
    rng, known = year.rng, diary.known
    manager = f"customer_manager:{known['manager']}"
    full = ["price", "schedule", "after_sales", "stages"]
    at = year.later(offered, 1, 6)
    if year.chance(0.2):
        diary.do(
            at,
            manager,
            "submit_contract_review",
            "contract_text",
            draft_contains=full[:3],
            contract_number="HT",
            refused=True,
        )
        at = year.hours(at, 0.2, 3)
    number = f"HT-{diary.case}"
    diary.do(
        at, manager, "submit_contract_review", "contract_text", draft_contains=full, contract_number=number
    )
    if year.chance(0.3):
        at = diary.do(
            year.later(at, 1, 2), "reviewer:gu", "return_contract", "review_opinion", defects=["保修条款不全"]
        )
        at = diary.do(
            year.later(at, 1, 6), manager, "submit_contract_review", "contract_text", draft_contains=full
        )
    at = year.later(at, 1, 3)
    known["days"] = rng.randint(55, 80)
    known["general"], known["waterproof"] = rng.choice(
        [("2 years", "5 years"), ("1 year", "3 years"), ("3 years", "6 years")]
    )
    known["equipment_until"] = iso(at, rng.choice([100, 150, 500]))
    diary.do(
        at, "customer", "sign_contract", "contract(customer,company)",
        contract_amount=str(known["price"]), contract_days=known["days"],
        contract_warranty_general=known["general"], contract_warranty_waterproof=known["waterproof"],
        explained=True, agreed=True, blanks_filled=True, equipment_until=known["equipment_until"],
    )  # fmt: skip
    return at


def is_large(diary: Diary) -> bool:
    """From 200 square metres, and every duplex and villa."""
    return Decimal(diary.known["area"]) >= 200 or diary.known["kind"] in ("duplex", "villa")
