"""Counting days in plain Python: the first day is not counted, a day ends at 24:00.

The table of rest days and worked weekends is the State Council's; a year that it does not hold counts Monday
to Friday.
"""

from __future__ import annotations

import csv
from calendar import monthrange
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path

from tests.year.plan import midnight

TABLE = Path(__file__).parent.parent / "engine" / "data" / "state_council_2024_2026.csv"
DAY = timedelta(days=1)


@cache
def exceptions() -> dict[date, bool]:
    """Days that are not what their weekday says: true where they are worked."""
    found: dict[date, bool] = {}
    with TABLE.open(encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            day, last = date.fromisoformat(row["first"]), date.fromisoformat(row["last"])
            while day <= last:
                found[day] = row["kind"] == "work"
                day += DAY
    return found


def is_worked(day: date) -> bool:
    """Whether a day is a working day."""
    return exceptions().get(day, day.weekday() < 5)


def end_of_day(start: datetime, days: int) -> datetime:
    """24:00 of the day so many days after the day of `start`."""
    return midnight(start.date() + (days + 1) * DAY)


def end_of_working_day(start: datetime, days: int) -> datetime:
    """24:00 of the so-manieth working day after the day of `start`."""
    day = start.date()
    while days:
        day += DAY
        days -= is_worked(day)
    return midnight(day + DAY)


def end_of_statutory_day(start: datetime, days: int) -> datetime:
    """24:00 of a last day that moves to the next working day."""
    day = start.date() + days * DAY
    while not is_worked(day):
        day += DAY
    return midnight(day + DAY)


def end_of_years(day: date, years: int) -> datetime:
    """24:00 of the matching day, or of the month's last day where there is none."""
    last = monthrange(day.year + years, day.month)[1]
    return midnight(date(day.year + years, day.month, min(day.day, last)) + DAY)


def midnights(first: datetime, last: datetime) -> int:
    """How many midnights lie between two instants."""
    return (last.date() - first.date()).days


def working_midnights(first: datetime, last: datetime) -> int:
    """How many of those midnights began a working day."""
    return sum(is_worked(first.date() + n * DAY) for n in range(1, midnights(first, last) + 1))
