"""Building sites: permit, checkpoints, stops, patrols, changes, acceptance, settlement, termination."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from tests.year import accounts, claims, supplies
from tests.year.plan import Diary, Year, iso

LEADS = ("zhao", "qian", "feng", "shen")
INSPECTORS = ("sun", "jiang")
FOUR = ["customer", "designer", "project_manager", "inspector"]


def site(year: Year, diary: Diary, signed: datetime) -> None:
    """From the contract to the warranty card, or to where the contract ends."""
    known, course = diary.known, diary.known["course"]
    known["lead"], known["inspector"] = year.rng.choice(LEADS), year.rng.choice(INSPECTORS)
    lead = f"project_manager:{known['lead']}"
    accounts.payment_plan(year, diary, signed)
    at = permit(year, diary, signed)
    for number in range(1, 9):
        year.diary(f"{diary.case}/checkpoint-{number}", "checkpoint", opened=at, number=number)
    paid = accounts.reached(year, diary, "start", at)
    at = year.later(inspect(year, diary, 1, at), 1, 2)
    known["first_stage"] = Decimal(0)
    if "shares" in known:
        at = max(at, year.hours(paid, 1, 3))
        diary.do(at, lead, "start_construction", "start_order")
    else:
        known["first_stage"] = (known["price"] * Decimal("0.3")).quantize(Decimal("0.01"))
        diary.do(
            at, lead, "start_construction", "start_order", paid={"first_stage": str(known["first_stage"])}
        )
    known["materials"] = []
    known["spans"] = [[at, None]]
    at = building(year, diary, at)
    if course == "terminated":
        patrols(year, diary)
        return
    at = completion(year, diary, at)
    settlement(year, diary, at)


def permit(year: Year, diary: Diary, signed: datetime) -> datetime:
    """Hand-over to engineering, in time or late, and the permit."""
    known, course = diary.known, diary.known["course"]
    manager = f"customer_manager:{known['manager']}"
    at = year.later(signed, 2, 4) if year.chance(0.25) else year.later(signed, 0, 1)
    diary.do(at, manager, "hand_over_to_engineering", "transfer_note")
    papers = ("permit_application", "management_agreement")
    at = diary.do(year.later(at, 1, 3), "customer", "file_permit", *papers)
    if course == "permit_refused":
        at = year.later(at, 2, 4)
        diary.do(at, "property_manager:wu", "refuse_permit", "permit_refusal", reason="图纸不全")
        at = diary.do(year.later(at, 2, 3), "customer", "file_permit", *papers)
    return diary.do(year.later(at, 2, 5), "property_manager:wu", "grant_permit", "permit")


# ------------------------------------------------------------------ construction


def building(year: Year, diary: Diary, started: datetime) -> datetime:
    """Checkpoints two to seven, with a stop, changes and a termination where the course has them."""
    rng, course = year.rng, diary.known["course"]
    at, gap = started, max(4, diary.known["days"] // 9)
    turn = rng.randint(3, 6)
    for number in range(2, 8):
        at = year.later(at, gap - 2, gap + 1)
        if number == turn and course == "suspended":
            at = stop(year, diary, at)
        if number == turn and course in ("terminated", "termination_refused"):
            at = end_contract(year, diary, at)
            if course == "terminated":
                return at
        if number == turn and year.chance(0.6):
            at = change(year, diary, at)
        if year.chance(0.12):
            tell_problem(year, diary, at)
        waived = number == 6 and year.chance(0.3)
        at = waive(year, diary, number, at) if waived else inspect(year, diary, number, at)
        accounts.reached(year, diary, f"checkpoint_{number}", at)
        if number == 2:
            supplies.materials(year, diary, at)
    return at


def inspect(year: Year, diary: Diary, number: int, at: datetime) -> datetime:
    """One checkpoint: booked, perhaps put off by the customer, passed, or failed and mended."""
    known = diary.known
    page = year.diaries[f"{diary.case}/checkpoint-{number}"]
    lead, inspector = f"project_manager:{known['lead']}", f"inspector:{known['inspector']}"
    if year.chance(0.1):
        page.do(at, lead, "book_checkpoint", "inspection_notice", inspection_on=iso(at, 1), refused=True)
    at = year.hours(at, 0.2, 2)
    day = year.rng.randint(2, 4)
    page.do(at, lead, "book_checkpoint", "inspection_notice", inspection_on=iso(at, day))
    if number in (3, 5) and year.chance(0.25):
        at = year.hours(at, 1, 20)
        delay = year.rng.randint(1, 4)
        page.do(at, "customer", "rebook_checkpoint", delayed_by="customer", delay_days=delay)
        known.setdefault("longer", []).append((at, delay))
        at = year.hours(at, 0.5, 3)
        page.do(at, lead, "book_checkpoint", "inspection_notice", inspection_on=iso(at, day))
    at = year.later(at, day, day)
    if year.chance(0.15):
        page.do(at, inspector, "start_checkpoint", attendees=["inspector"], refused=True)
        at = year.hours(at, 0.1, 0.3)
    page.do(at, inspector, "start_checkpoint", attendees=FOUR)
    at = year.hours(at, 0.5, 1.5)
    if number in (2, 3, 5, 7) and year.chance(0.2):
        at = mend(year, diary, number, at)
    return approve(year, diary, number, at)


def mend(year: Year, diary: Diary, number: int, at: datetime) -> datetime:
    """A failed checkpoint: the rework, in time or late, and the re-inspection."""
    known = diary.known
    page = year.diaries[f"{diary.case}/checkpoint-{number}"]
    lead, inspector = f"project_manager:{known['lead']}", f"inspector:{known['inspector']}"
    page.do(at, inspector, "fail_checkpoint", "rectification_list", defects=["须整改"], fault_party="company")
    at = page.do(year.hours(at, 1, 20), lead, "start_rework")
    at = page.do(year.later(at, 1, 5), lead, "report_rework", "rectification_receipt")
    at = year.later(at, 1, 2)
    page.do(at, inspector, "start_checkpoint_reinspection", attendees=FOUR)
    return year.hours(at, 0.5, 1.5)


def approve(year: Year, diary: Diary, number: int, at: datetime) -> datetime:
    """Passed, with what this checkpoint asks for."""
    page = year.diaries[f"{diary.case}/checkpoint-{number}"]
    form = {1: "house_survey", 2: "material_form"}.get(number, "stage_form")
    facts: dict[str, object] = {}
    if number == 2:
        facts = {"readings": ["含水率8%"]}
    if number == 4:
        facts = {"water_test_hours": "48", "water_test_ok": True}
    return page.do(
        at, f"inspector:{diary.known['inspector']}", "pass_checkpoint", f"{form}(customer)", facts=facts
    )


def waive(year: Year, diary: Diary, number: int, at: datetime) -> datetime:
    """No such work in the contract."""
    page = year.diaries[f"{diary.case}/checkpoint-{number}"]
    page.do(at, "engineering_manager:han", "waive_checkpoint", "waiver(customer)", in_contract=False)
    return at


def stop(year: Year, diary: Diary, at: datetime) -> datetime:
    """The work stands still; only the company's own stop does not lengthen the contract's days."""
    lead = f"project_manager:{diary.known['lead']}"
    causes = ["customer", "company", "property", "force_majeure"]
    cause = year.rng.choice(causes if "shares" in diary.known else ["unpaid", *causes])
    diary.known["cause"] = cause
    diary.do(at, lead, "suspend", "stop_order(customer,company)", stop_cause=cause)
    diary.known["spans"][-1][1] = at
    at = year.later(at, 4, 16)
    order = "resume_order(customer,company)"
    diary.do(at, lead, "resume", order, cause_removed=True, refused=True)
    at = year.hours(at, 0.5, 3)
    diary.do(at, lead, "resume", order, cause_removed=True, site_rechecked=True)
    diary.known["spans"].append([at, None])
    return at


def end_contract(year: Year, diary: Diary, at: datetime) -> datetime:
    """A termination asked for, and agreed to or refused."""
    head = "general_manager:guo"
    diary.do(at, "customer", "request_termination", "termination_request", termination_ground="customer_wish")
    diary.known["spans"][-1][1] = at
    at = year.later(at, 3, 9)
    if diary.known["course"] == "termination_refused":
        diary.do(at, head, "refuse_termination", "approval_opinion")
        diary.known["spans"].append([at, None])
        return at
    parts = year.rng.choice([["wiring"], ["wiring", "waterproof"], ["general", "wiring"]])
    diary.do(
        at, head, "approve_termination", "termination_agreement(customer,company)",
        work_priced=True, finished_parts=parts, accepted_on=iso(at, -year.rng.randint(0, 5)),
    )  # fmt: skip
    return at


def change(year: Year, diary: Diary, at: datetime) -> datetime:
    """An addition or a reduction: agreed, paid, carried out and verified; or refused; or taken back."""
    rng, known = year.rng, diary.known
    page = year.diary(f"{diary.case}/change_order-1", "change_order")
    page.do(at, "customer", "draft_change", "change_request", opens=True, parent=diary.case)
    delta = Decimal(rng.randint(-80_000, 150_000)) / 10
    days = rng.randint(0, 6) if delta > 0 else 0
    at = page.do(
        year.hours(at, 1, 4), "price_clerk:bao", "price_change", "change_quotation",
        price_delta=f"{delta:.2f}", day_delta=days,
    )  # fmt: skip
    at = page.do(
        year.hours(at, 0.2, 2), f"customer_manager:{known['manager']}", "offer_change", "change_form"
    )
    at = year.later(at, 1, 9)
    if year.chance(0.2):
        return page.do(at, "customer", "refuse_change")
    page.do(at, "customer", "sign_change", "change_form(customer,company)")
    known.setdefault("longer", []).append((at, days))
    if year.chance(0.15):
        at = page.do(year.hours(at, 1, 20), "customer", "cancel_change")
        known["longer"].append((at, -days))
        return at
    if delta > 0:
        at = year.hours(at, 1, 20)
        page.do(at, f"project_manager:{known['lead']}", "execute_change", refused=True)
        at = page.do(at, "finance:fang", "pay_change", "receipt", paid={"change_payment": f"{delta:.2f}"})
        known["change_paid"] = delta
    at = page.do(year.later(at, 1, 1), f"project_manager:{known['lead']}", "execute_change")
    at = page.do(
        year.later(at, 1, 3), f"inspector:{known['inspector']}", "verify_change", "acceptance_form(customer)"
    )
    known["change_delta"] = delta
    return at


def tell_problem(year: Year, diary: Diary, at: datetime) -> None:
    """A problem on the site; the customer is told within a working day, or later."""
    lead, manager = f"project_manager:{diary.known['lead']}", f"customer_manager:{diary.known['manager']}"
    diary.do(at, lead, "report_problem", "problem_record")
    diary.do(year.hours(at, 0.5, 3), manager, "report_problem", "problem_record", customer_told=True)


# ------------------------------------------------------------------ patrols


def patrols(year: Year, diary: Diary) -> datetime:
    """About every five days while it is building; gives back when the last rectification was over."""
    number = 1
    over: datetime = diary.known["spans"][0][0]
    for begun, ended in diary.known["spans"]:
        at = year.later(begun, 1, 1) if number > 1 else year.later(begun, 3, 6)
        while ended is None or at < ended:
            if ended is None and at > diary.known["planned"]:
                break
            over = max(over, patrol(year, diary, number, at, ended or diary.known["planned"]))
            number += 1
            at = year.later(at, 4, 6)
        number += ended is not None
    return over


def patrol(year: Year, diary: Diary, number: int, at: datetime, until: datetime) -> datetime:
    """One patrol: clean, or with something to rectify."""
    known = diary.known
    page = year.diary(f"{diary.case}/patrol-{number}", "patrol")
    lead, inspector = f"project_manager:{known['lead']}", f"inspector:{known['inspector']}"
    page.do(at, inspector, "start_patrol", on_site=True)
    at = year.hours(at, 0.3, 1)
    if year.chance(0.8) or until - at < timedelta(days=12):
        return page.do(at, inspector, "pass_patrol", "patrol_record")
    grade = "safety" if year.chance(0.3) else "normal"
    page.do(
        at,
        inspector,
        "issue_rectification",
        "rectification_notice(project_manager)",
        items=["堵头松动"],
        grade=grade,
    )
    for round_ in range(2):
        late = year.chance(0.3)
        if late:
            at = year.later(at, 4, 5)
            page.do(at, lead, "report_rectified", "rectification_receipt", photos_taken=True, refused=True)
            at = page.do(
                year.hours(at, 0.2, 1), "engineering_manager:han", "resolve_escalation", "handling_opinion"
            )
        else:
            at = year.hours(at, 3, 23)
            page.do(at, lead, "report_rectified", "rectification_receipt", photos_taken=True)
        at = page.do(year.hours(at, 2, 20), inspector, "start_reinspection")
        at = year.hours(at, 0.2, 0.6)
        if round_ or year.chance(0.7):
            break
        page.do(at, inspector, "fail_reinspection", "recheck_record")
    return page.do(at, inspector, "pass_reinspection", "recheck_record")


# ------------------------------------------------------------------ acceptance and settlement


def completion(year: Year, diary: Diary, at: datetime) -> datetime:
    """The works reported complete, the eighth checkpoint, and the customer's acceptance."""
    known, course = diary.known, diary.known["course"]
    lead, inspector = f"project_manager:{known['lead']}", f"inspector:{known['inspector']}"
    at = year.later(at, 2, 5)
    known["planned"] = at
    at = max(at, year.hours(patrols(year, diary), 1, 3), year.hours(known.get("paid_by", at), 1, 3))
    known["spans"][-1][1] = at
    ahead = year.rng.randint(2, 5)
    diary.do(
        at,
        lead,
        "complete_works",
        "acceptance_notice",
        acceptance_on=iso(at, 1),
        self_inspected=True,
        refused=True,
    )
    complete = at
    diary.do(
        at, lead, "complete_works", "acceptance_notice", acceptance_on=iso(at, ahead), self_inspected=True
    )
    if course == "deemed":
        at = year.later(at, 9, 12)
        moved_in = iso(at, -3)
        diary.do(
            at,
            "store_manager:tang",
            "deem_accepted",
            "service_proof",
            possession_on=moved_in,
            accepted_on=moved_in,
        )
        return at
    page = year.diaries[f"{diary.case}/checkpoint-8"]
    booked = page.do(
        year.hours(at, 1, 3), lead, "book_checkpoint", "inspection_notice", inspection_on=iso(at, ahead)
    )
    at = year.later(booked, 8, 9) if year.chance(0.2) else year.later(booked, ahead, ahead)
    diary.do(at, inspector, "convene_acceptance", "acceptance_record", invited=FOUR)
    at = page.do(year.hours(at, 0.2, 0.5), inspector, "start_checkpoint", attendees=FOUR)
    at = year.hours(at, 0.5, 1)
    if course == "acceptance_failed":
        at = mend(year, diary, 8, at)
    at = approve(year, diary, 8, at)
    form = "completion_form(customer,company)"
    at = diary.do(year.hours(at, 0.2, 20), "customer", "accept_works", form)
    diary.do(year.later(complete, 4, 6), inspector, "record_air_test", "air_report", refused=True)
    diary.do(
        max(year.later(complete, 8, 20), year.hours(at, 1, 2)), inspector, "record_air_test", "air_report"
    )
    return at


def settlement(year: Year, diary: Diary, at: datetime) -> None:
    """The final account, perhaps disputed, and the warranty card once all is paid."""
    known = diary.known
    paid_by = accounts.reached(year, diary, "acceptance", at)
    at = supplies.installed(year, diary, at)
    at = diary.do(year.later(at, 1, 4), "finance:fang", "start_settlement", "settlement_statement")
    if year.chance(0.25):
        at = diary.do(year.later(at, 1, 5), "customer", "dispute_settlement", "objection")
        at = diary.do(year.later(at, 2, 8), "finance:fang", "revise_settlement", "settlement_statement")
    at = max(year.later(at, 1, 9), year.hours(paid_by, 1, 2))
    known["balance"] = balance(diary)
    papers = ("warranty_card", "receipt", "survey_form")
    whole = {"final_payment": f"{known['balance']:.2f}"} if known["balance"] > 0 else {}
    if known["balance"] > 1:
        short = {"final_payment": f"{known['balance'] - Decimal('0.01'):.2f}"}
        diary.do(
            at,
            "finance:fang",
            "issue_warranty_card",
            *papers,
            paid=short,
            settlement_agreed=True,
            refused=True,
        )
        at = year.hours(at, 0.2, 1)
    diary.do(at, "finance:fang", "issue_warranty_card", *papers, paid=whole, settlement_agreed=True)
    claims.claims(year, diary, at)


def balance(diary: Diary) -> Decimal:
    """What is left to pay: the price and all that was added, less all that was paid."""
    known = diary.known
    lines = [supplies.settled(page) for page in known["materials"]]
    added = known["price"] + known.get("change_delta", Decimal(0)) + sum(delta for delta, _ in lines)
    paid = (
        known["deposit"]
        + known["first_stage"]
        + known.get("stages_paid", Decimal(0))
        + known.get("change_paid", Decimal(0))
    )
    return Decimal(added - paid - sum(paid for _, paid in lines))
