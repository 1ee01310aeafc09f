"""Leads: those of the homes, dispatched to a designer, and those that only telephoned."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.year.almanac import is_worked
from tests.year.plan import DESIGNERS, FIRST, Diary, Year, midnight

CLASSES = {1: ("high", "high"), 2: ("high", "low"), 3: ("low", "high"), 4: ("low", "low")}
SILENT = ("lost_in_silence", "revived")
MANAGER = "customer_manager:wang"


def lead(year: Year, home: Diary, at: datetime) -> datetime:
    """The lead of a home, from the enquiry that opens it until its designer has accepted."""
    page = year.diary(f"{home.case}/lead", "lead", opened=at, home=home.case)
    page.known["class"] = (
        year.rng.choice([3, 4]) if home.known["course"] in SILENT else year.rng.randint(1, 4)
    )
    at = classify(year, page, at)
    designer = f"designer:{home.known['designer']}"
    if year.chance(0.2):
        early = year.hours(at, 0.1, 0.2)
        papers = ("customer_file", "consultation_record(customer)")
        home.do(early, designer, "start_consultation", *papers, refused=True)
    return dispatch(year, page, home.known["designer"], at)


def classify(year: Year, page: Diary, at: datetime) -> datetime:
    """Told apart by willingness and ability, and queued."""
    willing, able = CLASSES[page.known["class"]]
    at = page.do(year.hours(at, 0.1, 2), MANAGER, "classify_lead", willingness=willing, ability=able)
    return page.do(year.hours(at, 0.1, 1), MANAGER, "queue_lead")


def dispatch(year: Year, page: Diary, designer: str, at: datetime) -> datetime:
    """Dispatched in time or late; now and then another designer has refused it, or let it lie, before."""
    at = year.later(at, 3, 5) if year.chance(0.1) else year.hours(at, 0.2, 5)
    if year.chance(0.2):
        other = next(name for name in DESIGNERS if name not in (designer, page.known.get("before")))
        page.do(at, MANAGER, "dispatch", "dispatch_note", facts=said(other, 8), refused=True)
        at = page.do(year.hours(at, 0.1, 0.5), MANAGER, "dispatch", "dispatch_note", facts=said(other, 3))
        if year.chance(0.5):
            at = page.do(year.hours(at, 0.2, 1.9), f"designer:{other}", "refuse_dispatch", reason="手头已满")
        else:
            at += timedelta(hours=2)
        at = page.do(year.hours(at, 0.2, 2), MANAGER, "requeue")
        page.do(at, MANAGER, "dispatch", "dispatch_note", facts=said(other, 3), refused=True)
        at = year.hours(at, 0.1, 2)
    page.do(at, MANAGER, "dispatch", "dispatch_note", facts=said(designer, 4))
    at = year.hours(at, 0.1, 1.9)
    return page.do(at, f"designer:{designer}", "accept_dispatch")


def said(designer: str, load: int) -> dict[str, object]:
    """What is said of a designer."""
    return {"designer": designer, "designer_suits": True, "designer_load": load, "designer_present": True}


def another(year: Year, home: Diary, at: datetime) -> datetime:
    """The customer wants another designer."""
    page = year.diaries[f"{home.case}/lead"]
    page.known["before"] = home.known["designer"]
    page.known.setdefault("reassigned", []).append(at)
    home.known["designer"] = next(name for name in DESIGNERS if name != home.known["designer"])
    return dispatch(year, page, home.known["designer"], at)


def asleep(year: Year, home: Diary, since: datetime, until: datetime) -> None:
    """While the customer is silent the lead is followed up, every few days."""
    page = year.diaries[f"{home.case}/lead"]
    at = year.later(since, 2, 4)
    while at < until:
        page.do(at, MANAGER, "follow_up", "follow_up_record")
        at = year.later(at, 3, 5)


def failed(year: Year, home: Diary, at: datetime) -> None:
    """A home that is lost or cancelled: its lead is marked as failed."""
    page = year.diaries[f"{home.case}/lead"]
    if page.known.get("reassigned") and not home.done("mark_lost"):
        at = page.do(year.hours(at, 0.2, 1), "store_manager:tang", "recycle")
        page.known["recycled"] = at
    at = year.hours(at, 0.5, 12)
    page.do(at, MANAGER, "mark_failed", "loss_record", reason="客户流失", refused=True)
    page.do(year.hours(at, 0.1, 1), MANAGER, "mark_failed", "loss_record(store_manager)", reason="客户流失")


# ------------------------------------------------------------------ by telephone


def callers(year: Year) -> None:
    """People who telephoned and never came: followed up, or neglected until they are pooled again."""
    for number in range(1, 13):
        day = FIRST.date() + timedelta(days=5 + number * 26)
        while not is_worked(day):
            day += timedelta(days=1)
        caller(year, f"L-{number:02}", midnight(day) + timedelta(hours=10))


def caller(year: Year, case: str, at: datetime) -> None:
    """One of them."""
    rng = year.rng
    page = year.diary(case, "lead", opened=at, home="")
    page.known["class"] = rng.randint(1, 4)
    page.do(at, "front_desk:mei", "capture_lead", "call_record", opens=True, source="phone")
    at = year.later(at, 1, 1) if year.chance(0.3) else year.hours(at, 0.1, 3)
    page.do(at, MANAGER, "register_lead", "registration_form", form_complete=True)
    designer = rng.choice(DESIGNERS)
    at = dispatch(year, page, designer, classify(year, page, at))
    at = page.do(
        year.hours(at, 0.5, 20), f"designer:{designer}", "first_contact", "consultation_record(customer)"
    )
    period = {1: 2, 2: 3, 3: 7, 4: 15}[page.known["class"]]
    for _ in range(rng.randint(0, 4)):
        at = page.do(year.later(at, 1, period), MANAGER, "follow_up", "follow_up_record")
    at = year.hours(at, 1, 30) if year.chance(0.5) else year.later(at, 40, 60)
    page.do(at, MANAGER, "mark_failed", "loss_record(store_manager)", reason="无意向")
