"""Staff: latenesses, absences, rewards and disciplines on their ledgers, and the cases that follow."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from tests.year import reckon_conduct
from tests.year.almanac import DAY, end_of_working_day, is_worked
from tests.year.plan import Diary, Year, midnight

DEPARTMENTS = {
    "工程部": ("zhao", "qian", "feng", "shen"),
    "设计部": ("chen", "he", "xu", "luo"),
    "客户部": ("wang", "zhang", "liu", "zhou"),
}
HEADS = {"工程部": "han", "设计部": "bai", "客户部": "tang"}
GROUNDS = {"breach": "d16_68", "warning": "d16_81", "demerit": "d16_92", "commendation": "d16_33"}


def people(year: Year) -> None:
    """Twelve people over twelve months."""
    ledgers(year)
    for month in range(1, 12):
        for department, names in DEPARTMENTS.items():
            for name in names:
                late(year, name, month)
                deeds(year, name, department, month)
        follow_up(year)
    absences(year, "shen")


def ledgers(year: Year) -> None:
    """HR opens a ledger for every employee and department; two departments have a head who is known."""
    at = midnight(date(2026, 1, 4)) + timedelta(hours=9)
    for department, names in DEPARTMENTS.items():
        page = year.diary(f"ledger/department/{department}", "ledger", department=department)
        head = {} if department == "客户部" else {"head": HEADS[department]}
        page.do(at, "hr:lin", "open_ledger", opens=True, facts={"department": department, **head})
        for name in names:
            page = year.diary(f"ledger/employee/{name}", "ledger", employee=name, department=department)
            facts = {"employee": name, "department": department}
            page.do(at, "hr:lin", "open_ledger", opens=True, facts=facts)


def day_of(year: Year, month: int, last: int = 24) -> date:
    """A working day of a month."""
    while True:
        day = date(2026, month, year.rng.randint(4 if month == 1 else 1, last))
        if is_worked(day):
            return day


def late(year: Year, name: str, month: int) -> None:
    """Latenesses of a month, entered in the evening; one of more than half an hour is not entered."""
    page = year.diaries[f"ledger/employee/{name}"]
    times = year.rng.choice([0, 0, 0, 1, 2, 3, 4, 6])
    for day in sorted({day_of(year, month) for _ in range(times)}):
        at = midnight(day) + timedelta(hours=18, minutes=year.rng.randint(0, 50))
        entry = year.rng.choice(["late", "late", "early"])
        if year.chance(0.1):
            page.do(at, "hr:lin", "enter", entry=entry, occurred_on=day.isoformat(), minutes=31, refused=True)
            at += timedelta(minutes=5)
        minutes = year.rng.randint(1, 30)
        page.do(at, "administration:mo", "enter", entry=entry, occurred_on=day.isoformat(), minutes=minutes)


def absences(year: Year, name: str) -> None:
    """Somebody stays away for more than fifteen days."""
    page = year.diaries[f"ledger/employee/{name}"]
    for number in range(21):
        day = date(2026, 12, 1) + number * DAY
        if is_worked(day):
            at = midnight(day) + timedelta(hours=18, minutes=55)
            page.do(at, "hr:lin", "enter", entry="absent_day", occurred_on=day.isoformat())


def deeds(year: Year, name: str, department: str, month: int) -> None:
    """What superiors propose by hand: rewards and disciplines, each a case of its own."""
    for _ in range(year.rng.choice([0, 0, 1, 1, 2])):
        grade = year.rng.choice(["breach", "breach", "breach", "commendation", "warning", "demerit"])
        day = day_of(year, month, 20)
        number = sum(1 for case in year.diaries if case.startswith("K-")) + 1
        page = year.diary(f"K-{number:03}", "conduct", employee=name, department=department, grade=grade)
        page.known |= {"opened": None, "rule": GROUNDS[grade], "system": False}
        page.known["kind"] = kind = "reward" if grade == "commendation" else "discipline"
        at = year.later(midnight(day), 0, 0) + timedelta(hours=year.rng.randint(9, 16))
        more = {"job_related": True} if kind == "reward" else {}
        page.known["opened"] = page.do(
            at, "superior:ding", "open_case", opens=True, kind=kind, employee=name, department=department,
            occurred_on=day.isoformat(), rule=GROUNDS[grade], matter="记录", facts=more,
        )  # fmt: skip
        page.known["occurred_on"] = day
        process(year, page)


def follow_up(year: Year) -> None:
    """HR sees to the cases that latenesses have opened; other rules' cases wait for it."""
    for case in reckon_conduct.opened(year):
        if case.rule == "d16_66" and case.id not in year.diaries:
            page = year.diary(
                case.id, "conduct", employee=case.employee, department=case.department, grade="breach"
            )
            page.known |= {"opened": case.at, "rule": case.rule, "system": True, "kind": "discipline"}
            page.known["occurred_on"] = case.day
            process(year, page)


def process(year: Year, page: Diary) -> None:
    """From the sheet to the public notice, unless it is dropped or an appeal succeeds."""
    known = page.known
    if known["kind"] == "reward":
        reward(year, page)
        return
    writer = "hr:lin" if known["system"] else "superior:ding"
    way = year.rng.choice(
        ["plain", "plain", "late_sheet", "dropped", "waived", "upheld", "revoked", "milder"]
    )
    at = year.hours(known["opened"], 1, 24)
    if way == "late_sheet":
        at = year.later(end_of_working_day(known["opened"], 5), 1, 3)
    sheet = ("penalty_sheet", "evidence")
    if way == "late_sheet":
        page.do(at, "hr:lin", "hr_takeover", "penalty_sheet", fault_kind="breach")
    else:
        page.do(at, writer, "fill_sheet", *sheet, fault_kind="breach")
    at = page.do(year.hours(at, 1, 24), "hr:lin", "verify_case", "evidence")
    if way == "dropped":
        page.do(year.hours(at, 1, 5), "hr:lin", "drop_case", no_evidence=True)
        return
    at = page.do(year.hours(at, 1, 24), "hr:lin", "hear_employee", "statement(employee)", employee_heard=True)
    at = page.do(year.hours(at, 1, 24), "general_manager:guo", "decide", "decision", grade=known["grade"])
    final = settle(year, page, way, at)
    if final is not None:
        carry_out(year, page, final)


def settle(year: Year, page: Diary, way: str, served: datetime) -> datetime | None:
    """The time to appeal: let pass, waived, or used; gives back when the decision is final."""
    himself = f"employee:{page.known['employee']}"
    if way == "waived":
        return page.do(year.hours(served, 1, 40), himself, "waive_appeal", "waiver(employee)")
    if way not in ("upheld", "revoked", "milder"):
        return end_of_working_day(served, 5)
    at = page.do(year.hours(served, 2, 60), himself, "appeal", "appeal_letter(employee)")
    page.do(at, "finance:fang", "execute", "payslip", refused=True)
    at = year.later(at, 1, 4)
    if way == "revoked":
        page.do(at, "appeal_reviewer:song", "revoke", "review_decision")
        return None
    if way == "upheld":
        return page.do(at, "appeal_reviewer:song", "uphold", "review_decision")
    page.do(at, "appeal_reviewer:song", "modify", "review_decision", new_grade="breach")
    page.known["grade"] = "breach"
    return end_of_working_day(at, 5)


def reward(year: Year, page: Diary) -> None:
    """A reward is final at once."""
    at = page.do(year.hours(page.known["opened"], 1, 24), "superior:ding", "fill_sheet", "reward_sheet")
    at = page.do(year.hours(at, 1, 24), "hr:lin", "verify_case")
    at = page.do(year.hours(at, 1, 24), "hr:lin", "confirm_reward", exceeds=True)
    at = page.do(year.hours(at, 1, 24), "general_manager:guo", "decide", "decision", grade="commendation")
    carry_out(year, page, at)


def carry_out(year: Year, page: Diary, final: datetime) -> None:
    """With the month's wages, mostly; then made known to the whole company."""
    page.known["final"] = final
    at = page.do(year.later(final, 1, 9), "finance:fang", "execute", "payslip")
    at = year.hours(at, 0.5, 20)
    if year.chance(0.1):
        page.do(at, "hr:lin", "publish", "announcement", announced_to="person", refused=True)
        at = year.hours(at, 0.1, 1)
    page.do(at, "hr:lin", "publish", "announcement", announced_to="company")
