"""What is due every day, week, month and quarter in a shop and on a post."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta

from tests.year.almanac import DAY, end_of_day
from tests.year.plan import END, Diary, midnight
from tests.year.runs import Run

Runs = dict[str, list[Run]]
Ends = Callable[[date], date]


def tomorrow(day: date) -> date:
    """The first day after this one."""
    return day + DAY


def next_week(day: date) -> date:
    """The Monday after this week."""
    return day + (7 - day.weekday()) * DAY


def next_month(day: date) -> date:
    """The first of the month after this one."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def next_quarter(day: date) -> date:
    """The first day of the quarter after this one."""
    first = date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
    return next_month(next_month(next_month(first)))


def periods(first: datetime, end: Ends) -> Iterator[tuple[datetime, datetime]]:
    """From an instant on, each period that begins by the end of the year: its beginning and its end."""
    begun = first
    while begun <= END:
        over = midnight(end(begun.date()))
        yield begun, over
        begun = over


def ticks(first: datetime, end: Ends) -> list[Run]:
    """A wait for the end of each period; the next one begins as it is over."""
    return [Run(due=over, kind="wait") for _, over in periods(first, end)]


def duties(
    first: datetime,
    end: Ends,
    done: list[datetime],
    closed: tuple[datetime, datetime] | None = None,
    *,
    drops: bool = True,
    again: bool = False,
) -> list[Run]:
    """What is owed once in each period that does not begin while the place is closed. Closing drops what is
    owed then, if it does, and reopening may begin it again."""
    begun = [span for span in periods(first, end) if closed is None or not closed[0] < span[0] < closed[1]]
    if again and closed is not None and closed[1] < END:
        begun.append((closed[1], midnight(end(closed[1].date()))))
    runs = []
    for start, over in sorted(begun):
        did = next((at for at in done if start <= at < over), None)
        dropped = closed[0] if drops and closed is not None and start <= closed[0] < over else None
        if did is not None and dropped is not None and did > dropped:
            did = None
        runs.append(Run(due=over, done=did or _late(done, over, begun), dropped=dropped))
    return runs


def _late(done: list[datetime], over: datetime, begun: list[tuple[datetime, datetime]]) -> datetime | None:
    """Done after its time, while nothing newer was owed."""
    newer = min((start for start, _ in begun if start >= over), default=END + 400 * DAY)
    return next((at for at in done if over <= at < newer), None)


def _at(page: Diary, event: str, period: str = "") -> list[datetime]:
    return [act.at for act in page.done(event) if not period or act.facts["period"] == period]


def store(page: Diary) -> Runs:
    """The duties of a shop, and the beginnings of day, week and month."""
    first = page.done("open_store")[0].at
    closed = (_at(page, "close_for_holiday")[0], _at(page, "reopen_store")[0])
    found = {
        "day": ticks(first, tomorrow),
        "week": ticks(first, next_week),
        "month": ticks(first, next_month),
        "attendance": duties(first, tomorrow, _at(page, "check_attendance"), closed, again=True),
        "late_shift": duties(first, tomorrow, _at(page, "confirm_late_shift"), closed, again=True),
        "weekly_report": duties(first, next_week, _at(page, "upload_report", "week"), closed, drops=False),
        "weekly_sorting": duties(first, next_week, _at(page, "sort_customers", "week"), closed, drops=False),
        "monthly_report": duties(first, next_month, _at(page, "upload_report", "month")),
        "monthly_sorting": duties(first, next_month, _at(page, "sort_customers", "month")),
        "output_reconciliation": duties(first, next_month, _at(page, "reconcile_output")),
        "output_statistics": duties(first, next_month, _at(page, "compile_statistics")),
        "register_check": duties(first, next_month, _at(page, "reconcile_register")),
    }
    early = []
    for start, over in periods(first, tomorrow):
        if start != first and not closed[0] < start < closed[1]:
            did = next((at for at in _at(page, "take_desk") if start <= at < over), None)
            early.append(Run(due=start + timedelta(hours=8), done=did))
    return found | {"early_shift": early}


def staff(page: Diary) -> Runs:
    """What a customer manager owes every week, and the appraisal of every quarter."""
    first, begun = page.done("take_post")[0].at, page.done("begin_training")[0].at
    left, back = _at(page, "go_on_leave"), _at(page, "return_from_leave")
    away = (left[0], back[0] if back else END + 400 * DAY) if left else None
    met = [act.at for act in page.done("attend_meeting", "excuse_absence")]
    return {
        "training": [Run(due=end_of_day(begun, 30), done=page.first("finish_training"))],
        "week": ticks(first, next_week),
        "quarter": ticks(first, next_quarter),
        "summary": duties(first, next_week, _at(page, "submit_summary", "present"), away),
        "meeting": duties(first, next_week, met, away),
        "appraisal": duties(first, next_quarter, _at(page, "appraise", "present")),
    }


def appraised(page: Diary) -> list[tuple[str, str, datetime]]:
    """Conduct cases that appraisals open: the id, the rule, and when."""
    rules = {"excellent": "d16_34", "poor": "d16_81"}
    telling = [act for act in page.done("appraise") if act.facts["result"] in rules]
    return [
        (f"{page.case}/conduct-{number}", rules[act.facts["result"]], act.at)
        for number, act in enumerate(telling, 1)
    ]
