"""Working days: Monday to Friday, and where the State Council's plan of a year differs from that.

Nothing is tabled day by day. The working days before a day are a sum (five a week) put right by the
exceptions before it, and the working day of a given rank is the same sum read backwards; both are one
bisection, for the years 1 to 9999 alike.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from datetime import MAXYEAR, MINYEAR, date
from itertools import accumulate
from typing import NamedTuple

from renoflow.engine.localdays import LAST_DAY, outside
from renoflow.errors import UsageError


class YearPlan(NamedTuple):
    """How one year differs from Monday to Friday: `rest` are days off, `work` are weekends worked."""

    rest: frozenset[date] = frozenset()
    work: frozenset[date] = frozenset()


def checked(years: Mapping[int, YearPlan]) -> dict[int, YearPlan]:
    """The plans as given; raises `UsageError` for a date of another year, or both off and worked."""
    for year, plan in years.items():
        if not MINYEAR <= year <= MAXYEAR:
            raise outside(f"a calendar of the year {year}")
        strays = sorted(day for day in plan.rest | plan.work if day.year != year)
        if strays:
            raise UsageError(f"{strays[0]} is in the calendar of {year}; move it to its own year")
        both = sorted(plan.rest & plan.work)
        if both:
            raise UsageError(f"{both[0]} is both off and worked in the calendar of {year}; keep one")
    return dict(years)


class WorkingDays:
    """The working days by the plans of some years, Monday to Friday in all others. Immutable."""

    def __init__(self, plans: Mapping[int, YearPlan]) -> None:
        self._years = frozenset(plans)
        self._exceptions = frozenset(
            day.toordinal()
            for plan in plans.values()
            # A plan also names days that change nothing, as the Sundays within a holiday.
            for days, weekend in ((plan.rest, False), (plan.work, True))
            for day in days
            if (day.weekday() > 4) is weekend
        )
        self._days = sorted(self._exceptions)
        worked = [_is_weekend(day) for day in self._days]
        # What the first n exceptions add up to, and how many working days come before each of them.
        self._sums = list(accumulate((1 if one else -1 for one in worked), initial=0))
        self._ranks = [self.before(day) for day in self._days]
        self._worked = worked
        self._starts, self._ends = _spans(self._years)

    def has_plan(self, year: int) -> bool:
        return year in self._years

    def all_planned(self, first: int, last: int) -> bool:
        """Whether every year from the day `first` to the day `last` has a plan."""
        span = bisect_right(self._starts, first) - 1
        return span >= 0 and last < self._ends[span]

    def includes(self, day: int) -> bool:
        return _is_weekend(day) is (day in self._exceptions)

    def before(self, day: int) -> int:
        """How many working days there are before a day, since 0001-01-01."""
        weeks, rest = divmod(day - 1, 7)
        return weeks * 5 + (rest if rest < 5 else 5) + self._sums[bisect_left(self._days, day)]

    def ranked(self, rank: int) -> int:
        """The working day with so many others before it; raises `UsageError` where there is none."""
        # The last exception that is not past the day sought: the day is that one, or lies between it
        # and the next and so is a plain weekday.
        number = bisect_right(self._ranks, rank)
        if number and self._worked[number - 1] and self._ranks[number - 1] == rank:
            return self._days[number - 1]
        weeks, rest = divmod(rank - self._sums[number], 5)
        day = weeks * 7 + rest + 1
        if not 1 <= day <= LAST_DAY:
            raise outside("the working day sought")
        return day


def _is_weekend(day: int) -> bool:
    # 0001-01-01, day 1, is a Monday.
    return (day - 1) % 7 > 4


def _spans(years: frozenset[int]) -> tuple[list[int], list[int]]:
    """The days at which runs of consecutive years begin, and the days after those at which they end."""
    firsts = sorted(year for year in years if year - 1 not in years)
    lasts = sorted(year for year in years if year + 1 not in years)
    return (
        [date(year, 1, 1).toordinal() for year in firsts],
        [date(year, 12, 31).toordinal() + 1 for year in lasts],
    )
