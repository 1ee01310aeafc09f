"""A shop's days, weeks and months, and the posts of its customer managers."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from tests.year.almanac import DAY, is_worked
from tests.year.plan import END, Diary, Year, midnight

OPENED = date(2026, 1, 4)
FIRST_HOLIDAY, LAST_HOLIDAY = date(2026, 2, 15), date(2026, 2, 24)
MANAGERS = ("wang", "zhang", "liu", "zhou")
MARKS = ("satisfaction", "sales", "progress", "complaints", "delivery")


def shops(year: Year) -> None:
    """One shop and its four customer managers."""
    shop(year)
    for place, name in enumerate(MANAGERS):
        post(year, name, OPENED + (1 + 9 * place) * DAY)


# ------------------------------------------------------------------ the shop


def shop(year: Year) -> None:
    """Open every day but at the spring festival."""
    page = year.diary("S-1", "store")
    page.do(midnight(OPENED) + timedelta(hours=7), "store_manager:tang", "open_store", opens=True)
    day = OPENED
    while midnight(day) < END:
        if day == FIRST_HOLIDAY:
            page.do(midnight(day) + timedelta(hours=9), "store_manager:tang", "close_for_holiday")
            day = LAST_HOLIDAY
            page.do(midnight(day) + timedelta(hours=9), "store_manager:tang", "reopen_store")
        one_day(year, page, day)
        reports(year, page, day)
        day += DAY


def one_day(year: Year, page: Diary, day: date) -> None:
    """The early shift, the attendance, tomorrow's late shift, a payment, and the doors."""
    first, second = year.rng.sample(MANAGERS, 2)
    early, relief = f"customer_manager:{first}", f"customer_manager:{second}"
    if day in (FIRST_HOLIDAY, LAST_HOLIDAY):
        at = midnight(day) + timedelta(hours=9, minutes=20)
    else:
        at = midnight(day) + timedelta(hours=7, minutes=year.rng.choice([20, 31, 45, 52, 59, 60, 71]))
    page.do(at, early, "open_doors", refused=True)
    page.do(at, early, "take_desk")
    at = page.do(year.hours(at, 0.1, 0.3), early, "open_doors")
    if year.chance(0.9):
        page.do(year.hours(at, 0.5, 2), early, "check_attendance", "attendance_register", all_registered=True)
    if year.chance(0.9):
        tomorrow = (day + DAY).isoformat()
        page.do(
            midnight(day) + timedelta(hours=12),
            early,
            "confirm_late_shift",
            late_shift_on=tomorrow,
            late_shift_staff=second,
        )
    noon = midnight(day) + timedelta(hours=13)
    if year.chance(0.3):
        page.do(noon, early, "register_outing", going_out=first, outing_for="量房", refused=True)
    page.do(noon + timedelta(minutes=5), relief, "take_desk")
    page.do(noon + timedelta(minutes=9), early, "register_outing", going_out=first, outing_for="量房")
    page.do(noon + timedelta(hours=4), relief, "register_return", coming_back=first)
    night = midnight(day) + timedelta(hours=20)
    page.do(night, relief, "close_doors", cabinets_locked=False, refused=True)
    page.do(night + timedelta(minutes=5), relief, "close_doors", cabinets_locked=True)


def reports(year: Year, page: Diary, day: date) -> None:
    """What is due each week and month, now and then forgotten."""
    who, at = "customer_manager:wang", midnight(day) + timedelta(hours=20, minutes=30)
    if day.weekday() == 6:
        if year.chance(0.85):
            page.do(at, who, "upload_report", "statistical_report", period="week")
        if year.chance(0.85):
            page.do(at, who, "sort_customers", "customer_overview", period="week")
    if (day + 3 * DAY).day == 1:
        for event, paper in (
            ("reconcile_output", "output_reconciliation(administration)"),
            ("compile_statistics", "output_statistics"),
        ):
            if year.chance(0.8):
                page.do(at, who, event, paper)
        for event, paper in (
            ("upload_report", "statistical_report"),
            ("sort_customers", "customer_overview"),
        ):
            if year.chance(0.8):
                page.do(at, who, event, paper, period="month")
        if year.chance(0.8):
            page.do(at, who, "reconcile_register", "contract_register", blanks_counted=0)


# ------------------------------------------------------------------ the posts


def post(year: Year, name: str, first: date) -> None:
    """From the application to the end of the year: summaries, meetings, leave, appraisals."""
    page = year.diary(f"E-{name}", "staff", employee=name)
    at = midnight(first) + timedelta(hours=9)
    facts = {"employee": name, "department": "客户部", "years_in_trade": "3", "education": "bachelor"}
    page.do(at, "hr:lin", "apply", "application", opens=True, facts=facts)
    passed = {"interview_passed": True, "test_passed": True}
    page.do(
        at + DAY,
        "hr:lin",
        "pass_selection",
        "selection_record",
        facts={**passed, "test_passed": False},
        refused=True,
    )
    page.do(at + DAY, "hr:lin", "pass_selection", "selection_record", facts=passed)
    page.do(at + 2 * DAY, "hr:lin", "begin_training")
    page.do(at + 3 * DAY, "store_manager:tang", "take_post", refused=True)
    page.do(at + 4 * DAY, "hr:lin", "finish_training", "training_record(employee)")
    on_post = page.do(at + 5 * DAY, "store_manager:tang", "take_post")
    away = year.later(on_post, 60, 250)
    back = year.later(away, 5, 20)
    day = on_post.date()
    while midnight(day) < END:
        if not midnight(day) <= back or midnight(day + DAY) <= away:
            week(year, page, name, day)
        if (day + 5 * DAY).month % 3 == 1 and (day + 5 * DAY).day == 1:
            appraise(year, page, midnight(day) + timedelta(hours=15))
        day += DAY
    page.do(away, "store_manager:tang", "go_on_leave")
    page.do(back, "store_manager:tang", "return_from_leave")
    page.acts.sort(key=lambda act: act.at)


def week(year: Year, page: Diary, name: str, day: date) -> None:
    """Mondays the meeting, on the last working day the summary; some miss one or the other."""
    at = midnight(day) + timedelta(hours=9, minutes=40)
    if day.weekday() == 0 and is_worked(day):
        if year.chance(0.75):
            page.do(at, "store_manager:tang", "attend_meeting")
        elif year.chance(0.5):
            page.do(at, "store_manager:tang", "excuse_absence", reason="客户验收")
    if day.weekday() == 4 and year.chance(0.85):
        himself = f"customer_manager:{name}"
        page.do(at + timedelta(hours=8), himself, "submit_summary", "weekly_summary", period="present")
        if year.chance(0.1):
            page.do(at + timedelta(hours=9), himself, "submit_summary", "weekly_summary", period="past")


def appraise(year: Year, page: Diary, at: datetime) -> None:
    """The quarter's appraisal; an excellent one and a poor one open a conduct case each."""
    if year.chance(0.2):
        return
    result = year.rng.choice(["excellent", "good", "good", "passed", "poor"])
    marks = {mark: year.rng.randint(40, 100) for mark in MARKS}
    page.do(
        at, "hr:lin", "appraise", "appraisal_form", result=result, period="present", facts=marks, refused=True
    )
    at += timedelta(minutes=20)
    page.do(
        at, "hr:lin", "appraise", "appraisal_form(employee)", result=result, period="present", facts=marks
    )
