"""Return visits: made in time, late or never, put off, with issues that are fixed or become complaints."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.year import reckon_visits
from tests.year.plan import END, Diary, Year, iso, midnight

VISITOR = "service:lan"


def page_for(year: Year, diary: Diary) -> Diary:
    """The visit that the last solution of a complaint has planned."""
    case = f"{diary.case}/return_visit-{len(diary.done('finish_implementation'))}"
    return year.diaries.get(case) or year.diary(case, "return_visit")


def after_solution(year: Year, diary: Diary, at: datetime) -> datetime:
    """The visit after a solved complaint: all is well."""
    page = page_for(year, diary)
    page.do(at, VISITOR, "contact_customer")
    at = year.hours(at, 0.1, 1)
    return page.do(at, VISITOR, "record_no_issue", "visit_record", score=year.rng.randint(60, 100))


def in_vain(year: Year, diary: Diary, at: datetime) -> datetime:
    """Three tries on three days, all in vain."""
    page = page_for(year, diary)
    at = year.later(at, 1, 3)
    for _ in range(2):
        at = put_off(year, page, at)
    page.do(at, VISITOR, "contact_customer")
    return page.do(year.hours(at, 0.1, 0.5), VISITOR, "give_up", "visit_record")


def put_off(year: Year, page: Diary, at: datetime) -> datetime:
    """A try in vain; gives back an hour of the day that was agreed, or of the next."""
    page.do(at, VISITOR, "contact_customer")
    at = year.hours(at, 0.1, 0.5)
    days = year.rng.randint(1, 2)
    page.do(at, VISITOR, "retry_later", retry_on=iso(at, days))
    return year.later(at, days, days + (1 if year.chance(0.2) else 0))


def visits(year: Year) -> None:
    """The visits of the homes, as they fall due."""
    for home in year.of("project"):
        while True:
            waiting = [one for one in reckon_visits.planned_at(year, home) if one.case not in year.diaries]
            if not waiting:
                break
            visit(year, year.diary(waiting[0].case, "return_visit"), waiting[0])


def visit(year: Year, page: Diary, planned: reckon_visits.Planned) -> None:
    """One visit, if nothing has come between."""
    fewest = 0 if planned.trigger in ("stage_acceptance", "final_acceptance") else 1
    at = year.hours(planned.falls_due, 1, 30) if fewest == 0 else year.later(planned.falls_due, 1, 4)
    if year.chance(0.08) or (planned.gone is not None and planned.gone <= at + timedelta(days=12)):
        return
    if planned.gone is None and at > END - timedelta(days=1):
        return
    if planned.falls_due > planned.opened and year.chance(0.3):
        page.do(planned.opened + timedelta(minutes=5), VISITOR, "contact_customer", refused=True)
    if year.chance(0.15):
        at = put_off(year, page, at)
    page.do(at, VISITOR, "contact_customer")
    at = midnight(at.date()) + timedelta(days=1, hours=10) if year.chance(0.1) else year.hours(at, 0.1, 1)
    score = year.rng.randint(55, 100)
    if year.chance(0.8):
        page.do(at, VISITOR, "record_no_issue", "visit_record", score=score)
        return
    page.do(at, VISITOR, "record_issue", "visit_record", issue="接缝不平", about="works", score=score)
    at = year.hours(at, 0.5, 5)
    fix = year.rng.randint(2, 5)
    page.do(at, VISITOR, "start_fixing", fix_on=iso(at, fix))
    way = year.rng.choice(["fixed", "fixed", "late", "twice"])
    at = year.later(at, 1, fix) if way == "fixed" else year.later(at, fix + 1, fix + 2)
    if way == "twice":
        page.do(at, VISITOR, "raise_complaint", "opinion_notice", refused=True)
        page.do(at, VISITOR, "agree_new_fix_date", fix_on=iso(at, 2))
        at = year.later(at, 3, 5)
        page.do(at, VISITOR, "raise_complaint", "opinion_notice")
        return
    page.do(at, VISITOR, "confirm_fixed", "visit_record", customer_told=True)
