"""What counts towards what: conduct cases that follow from ledgers, and the deadlines of conduct cases."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from tests.year.almanac import DAY, end_of_working_day, is_worked
from tests.year.plan import END, Diary, Year, midnight
from tests.year.runs import Run

Runs = dict[str, list[Run]]
HEADS = {"工程部": "han", "设计部": "bai"}
"""Of the third department no head is known; nobody answers for it."""


@dataclass(frozen=True)
class Line:
    """One line of a ledger: what, for which day, and since when."""

    employee: str
    department: str
    entry: str
    day: date
    at: datetime
    rule: str = ""


@dataclass(frozen=True)
class Opened:
    """A conduct case that a rule of counting opens."""

    id: str
    rule: str
    kind: str
    employee: str
    department: str
    day: date
    at: datetime


def lines(year: Year) -> list[Line]:
    """All lines: those entered by hand, and the grades of conduct cases as they are made known."""
    found = []
    for page in year.of("ledger"):
        if "employee" in page.known:
            for act in page.done("enter"):
                day = date.fromisoformat(act.facts["occurred_on"])
                found.append(
                    Line(page.known["employee"], page.known["department"], act.facts["entry"], day, act.at)
                )
    for page in year.of("conduct"):
        for act in page.done("publish"):
            known = page.known
            grade = grade_of(page) or ""
            found.append(
                Line(
                    known["employee"], known["department"], grade, known["occurred_on"], act.at, known["rule"]
                )
            )
    return sorted(found, key=lambda line: line.at)


def grade_of(page: Diary) -> str | None:
    """The grade as decided, or as an appeal made it."""
    for event, name in (("modify", "new_grade"), ("decide", "grade")):
        for act in page.done(event):
            return str(act.facts[name])
    return None


def every(number: int, of: Iterable[Line], by: str) -> list[Line]:
    """The lines that complete a group of so many within a month or a year of one employee or department;
    each line counts once."""
    groups: dict[tuple[object, ...], int] = defaultdict(int)
    found = []
    for line in of:
        whose = line.department if by == "department" else line.employee
        key = (whose, line.day.year) if by == "year" else (whose, line.day.year, line.day.month)
        groups[key] += 1
        if groups[key] % number == 0:
            found.append(line)
    return found


def opened(year: Year) -> list[Opened]:
    """The cases that follow, in the order of time, numbered by ledger."""
    all_ = lines(year)
    found: list[tuple[Line, str, str]] = []
    found += [(line, "d16_66", "") for line in every(3, _of(all_, "late", "early"), "month")]
    found += [(line, "d16_89", "") for line in every(3, _of(all_, "breach"), "month")]
    found += [(line, "d16_42", "") for line in every(3, _of(all_, "commendation"), "year")]
    found += [(line, "d16_113", "") for line in every(3, _of(all_, "demerit"), "year")]
    found += [(line, "d16_116", "") for line in _away(all_)]
    breaches = [line for line in _of(all_, "breach") if line.rule != "d16_78" and line.department in HEADS]
    found += [(line, "d16_78", HEADS[line.department]) for line in every(5, breaches, "department")]
    numbers: dict[str, int] = defaultdict(int)
    cases = []
    for line, rule, head in sorted(found, key=lambda one: one[0].at):
        ledger = f"ledger/department/{line.department}" if head else f"ledger/employee/{line.employee}"
        numbers[ledger] += 1
        kind = "reward" if rule == "d16_42" else "discipline"
        case = f"{ledger}/conduct-{numbers[ledger]}"
        cases.append(Opened(case, rule, kind, head or line.employee, line.department, line.day, line.at))
    return cases


def _of(all_: list[Line], *entries: str) -> list[Line]:
    return [line for line in all_ if line.entry in entries]


def _away(all_: list[Line]) -> list[Line]:
    """Fifteen days running, counted from the first day away, with no working day attended between."""
    found: list[Line] = []
    first: dict[str, date] = {}
    last: dict[str, date] = {}
    for line in _of(all_, "absent_day"):
        who = line.employee
        worked = who in last and any(
            is_worked(last[who] + n * DAY) for n in range(1, (line.day - last[who]).days)
        )
        if who not in first or worked:
            first[who] = line.day
        last[who] = line.day
        if (line.day - first[who]).days + 1 >= 15:
            found.append(line)
            del first[who], last[who]
    return found


def outcome(page: Diary) -> tuple[str, str, str, str | None, bool]:
    """Of whom, of what kind, by which rule, with which grade, and whether it went its whole way."""
    known = page.known
    grade = grade_of(page) or COUNTED_GRADES.get(known["rule"] if "/conduct-" in page.case else "")
    return known["employee"], known["kind"], known["rule"], grade, bool(page.done("publish"))


COUNTED_GRADES = {
    "d16_66": "breach", "d16_89": "warning", "d16_42": "merit", "d16_113": "major_demerit",
    "d16_116": "dismissal", "d16_78": "breach",
}  # fmt: skip
"""What a rule of counting proposes."""


# ------------------------------------------------------------------ clocks


def conduct(page: Diary) -> Runs:
    """Five working days to propose, five to appeal, and the month's wages to carry it out."""
    opened_at: datetime = page.known["opened"]
    if opened_at >= END:
        return {}
    found = {
        "timely": [Run(due=end_of_working_day(opened_at, 5), done=page.first("fill_sheet", "hr_takeover"))]
    }
    served = page.done("decide", "modify")
    appeals = []
    for act in served:
        due = end_of_working_day(act.at, 5)
        final = act.at if page.known["kind"] == "reward" else page.after(act.at, "waive_appeal")
        appeals.append(Run(due=due, done=page.after(act.at, "appeal"), dropped=final, kind="period"))
    final_at = _final(page, appeals)
    if final_at is not None and final_at <= END:
        month = final_at.replace(day=1) + timedelta(days=32)
        found["payroll"] = [Run(due=midnight(month.date().replace(day=1)), done=page.first("execute"))]
    return found | ({"appeal": appeals} if appeals else {})


def _final(page: Diary, appeals: list[Run]) -> datetime | None:
    if page.known["kind"] == "reward":
        return page.first("decide")
    said = page.first("waive_appeal", "uphold")
    return said or next((run.passed for run in appeals if run.passed), None)


def ledger(opened_at: datetime) -> Runs:
    """Every ledger wakes when the year is over, and at once for the next."""
    ends = [midnight(date(opened_at.year + n, 1, 1)) for n in (1, 2)]
    return {"year_end": [Run(due=end, kind="wait") for end in ends if end - timedelta(days=366) <= END]}
