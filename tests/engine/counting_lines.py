"""What a ledger comes to, counted again in plain Python, without the engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import date, timedelta

Line = tuple[str, date]


def full_groups(lines: Iterable[Line], kind: str, size: int, *, yearly: bool = False) -> int:
    """How many times `size` lines of a kind come together in one calendar month, or year."""
    per_period = Counter((day.year, 0 if yearly else day.month) for one, day in lines if one == kind)
    return sum(number // size for number in per_period.values())


def full_groups_without(lines: Collection[Line], kind: str, size: int, bad: str, ended_before: int) -> int:
    """The same by years that are over, but for years in which there is a line of kind `bad`."""
    spoiled = {day.year for one, day in lines if one == bad}
    per_year = Counter(day.year for one, day in lines if one == kind)
    return sum(n // size for year, n in per_year.items() if year not in spoiled and year < ended_before)


def longest_absence(days: Iterable[date], working: Collection[date]) -> int:
    """The most calendar days from one absent day to another with no working day between them attended."""
    absent = set(days)
    best = 0
    for first in absent:
        last = day = first
        while day in absent or day not in working:
            last = day if day in absent else last
            day += timedelta(days=1)
            if day > max(absent):
                break
        best = max(best, (last - first).days + 1)
    return best
