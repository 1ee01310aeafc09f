"""The calendar against the plain ways of doing the same, as ratios taken in one process.

Run it as `python -m benchmarks.calendar`. As `python benchmarks/calendar.py` its name would hide the
standard library's `calendar` from everything imported after it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from statistics import median
from time import perf_counter
from zoneinfo import ZoneInfo

import chinese_calendar

from renoflow.engine.calendar import Calendar

ROUNDS = 15
DAY = timedelta(days=1)
FIRST = date(2024, 1, 1).toordinal()
# Every day of two published years, and an instant on each, as a firm's cases would ask for them.
DAYS = [FIRST + n for n in range(700)]
INSTANTS = [datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=24.7 * n) for n in range(700)]


def walked(start: date, n: int) -> date:
    """The n-th working day, asking chinesecalendar about one day after the other."""
    while n:
        start += DAY
        n -= chinese_calendar.is_workday(start)
    return start


def seconds(work: Callable[[], object]) -> float:
    begun = perf_counter()
    work()
    return perf_counter() - begun


def compared(name: str, ours: Callable[[], object], plain: Callable[[], object]) -> None:
    """Prints how many times faster ours is; the two take turns, so that the machine's moods cancel out."""
    ours()
    plain()
    ratios = [seconds(plain) / seconds(ours) for _ in range(ROUNDS)]
    print(f"{name:<58} {median(ratios):>8.1f} x   ({min(ratios):.1f} to {max(ratios):.1f})")


def main() -> None:
    calendar, zone, midnight = Calendar(), ZoneInfo("Asia/Shanghai"), time()
    dates = [date.fromordinal(day) for day in DAYS]

    def forgotten() -> None:
        calendar._added.clear()
        for day in DAYS:
            calendar.add_working_days(day, 15)

    compared(
        "add_working_days(15), remembered / chinesecalendar's days",
        lambda: [calendar.add_working_days(day, 15) for day in DAYS],
        lambda: [walked(day, 15) for day in dates],
    )
    compared(
        "add_working_days(15), counted anew / chinesecalendar's days",
        forgotten,
        lambda: [walked(day, 15) for day in dates],
    )
    compared(
        "midnight / zoneinfo",
        lambda: [calendar.midnight(day) for day in DAYS],
        lambda: [datetime.combine(date.fromordinal(day), midnight, zone).astimezone(UTC) for day in DAYS],
    )
    compared(
        "day_of / zoneinfo",
        lambda: [calendar.day_of(at) for at in INSTANTS],
        lambda: [at.astimezone(zone).toordinal() for at in INSTANTS],
    )


if __name__ == "__main__":
    main()
