"""The calendar once more, a day and a quarter of an hour at a time: slow, and plain enough to believe."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import chinese_calendar

from renoflow.values import Duration

KNOWN = range(2004, 2027)


def day(text: str) -> int:
    return date.fromisoformat(text).toordinal()


def is_working(ordinal: int) -> bool:
    one = date.fromordinal(ordinal)
    if one.year in KNOWN:
        return bool(chinese_calendar.is_workday(one))
    return one.weekday() < 5


def guessed(days: Iterable[int]) -> bool:
    return any(date.fromordinal(one).year not in KNOWN for one in days)


def add_working_days(start: int, n: int) -> tuple[int, bool]:
    last = start
    while n:
        last += 1
        n -= is_working(last)
    return last, guessed(range(start + 1, last + 1))


def roll_over(start: int) -> tuple[int, bool]:
    last = start
    while not is_working(last):
        last += 1
    return last, guessed(range(start, last + 1))


def count(first: int, after: int) -> int:
    return sum(is_working(one) for one in range(first, after))


def midnight(ordinal: int, zone: str) -> datetime:
    """The first quarter of an hour of a day, or of the next where the place left the day out."""
    at = datetime.combine(date.fromordinal(ordinal), datetime.min.time(), UTC) - timedelta(hours=16)
    while at.astimezone(ZoneInfo(zone)).toordinal() < ordinal:
        at += timedelta(minutes=15)
    return at


def day_of(at: datetime, zone: str) -> int:
    return at.astimezone(ZoneInfo(zone)).toordinal()


def last_day(start: int, length: Duration) -> int:
    if length.unit == "working day":
        return add_working_days(start, length.count)[0]
    if length.unit in ("day", "week"):
        return start + length.count * (7 if length.unit == "week" else 1)
    first = date.fromordinal(start)
    months = length.count * (12 if length.unit == "year" else 1)
    # Month by month from the first of the start's month, then to the matching day or the last there is.
    month = first.replace(day=1)
    for _ in range(months):
        month = (month + timedelta(days=31)).replace(day=1)
    after = (month + timedelta(days=31)).replace(day=1)
    return min(month.toordinal() + first.day - 1, after.toordinal() - 1)
