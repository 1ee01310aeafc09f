"""The firm's calendar: how days are counted by the Civil Code, arts. 201-203.

The first day is not counted; a term in days ends at 24:00 of its last day, which is 00:00 of the next;
months and years end on the matching day or the month's last; a last day that is a rest day may roll over
to the next working day. Hours and minutes are elapsed time. Working days are the State Council's, with
its make-up workdays.

A day is a proleptic ordinal, an instant a datetime with tzinfo=datetime.UTC. What counts working days
also says whether it is provisional: a year it looked into is not published, so that Monday to Friday was
assumed. Whatever leaves the years 1 to 9999 raises `UsageError`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import MAXYEAR, MINYEAR, date, datetime, timedelta
from functools import cache, cached_property
from typing import NamedTuple

from renoflow.engine.localdays import LAST_DAY, TICK, LocalDays, date_of, outside, plus
from renoflow.engine.workdays import WorkingDays, YearPlan, checked
from renoflow.errors import UsageError
from renoflow.values import Duration

__all__ = ["Calendar", "Counted", "YearPlan"]

_REMEMBERED = 10_000
_MOVED_BY_DAYS = frozenset(("day", "week", "month", "year"))


class Counted(NamedTuple):
    """An instant that was counted out, and whether an unpublished year was assumed on the way."""

    at: datetime
    provisional: bool


class Calendar(LocalDays):
    """The days, working days and terms of a firm. Immutable for its users; threads may share it.

    `years` are the firm's own: each stands for the whole year, published or not. Raises `UsageError`
    for an unknown zone and for a plan that names a day of another year, or one as both off and worked.
    """

    def __init__(self, zone: str = "Asia/Shanghai", years: Mapping[int, YearPlan] | None = None) -> None:
        super().__init__(zone)
        self._own_years = checked(years or {})
        self._added: dict[tuple[int, int], tuple[int, bool]] = {}

    def __repr__(self) -> str:
        own = f", own years {sorted(self._own_years)}" if self._own_years else ""
        return f"<Calendar {self.zone}{own}>"

    @cached_property
    def _working(self) -> WorkingDays:
        return WorkingDays({**_state_council(), **self._own_years})

    # -------------------------------------------------------------- working days

    def published(self, year: int) -> bool:
        """Whether the working days of a year are known."""
        return self._working.has_plan(year)

    def is_published(self, day: int) -> bool:
        """Whether the working days of the year of a day are known."""
        return self._working.all_planned(day, day)

    def is_working_day(self, day: int) -> bool:
        return self._working.includes(_within(day))

    def add_working_days(self, day: int, n: int) -> tuple[int, bool]:
        """The n-th working day after a day, the day itself for n = 0; and whether it is provisional."""
        try:
            return self._added[day, n]
        except KeyError:
            pass
        if n < 0:
            raise UsageError(f"found {n} working days; a number of days to add is 0 or more")
        if n:
            working = self._working
            last = working.ranked(working.before(_within(day) + 1) + n - 1)
            found = last, not working.all_planned(day + 1, last)
        else:
            found = _within(day), False
        # Today's few lengths are asked for again and again; a host that asks for every day of a century
        # must not fill the memory with them.
        if len(self._added) >= _REMEMBERED:
            self._added.clear()
        self._added[day, n] = found
        return found

    def working_days_between(self, start_day: int, end_day: int) -> tuple[int, bool]:
        """How many working days d there are with start_day <= d < end_day, and whether it is provisional.

        It is 0 where end_day is not after start_day. Over a pause from day p to day r: those from p+1 to
        r+1, since the midnights that pass are those with which the days p+1 to r begin.
        """
        if end_day <= start_day:
            return 0, False
        working = self._working
        number = working.before(_within(end_day - 1) + 1) - working.before(_within(start_day))
        return number, not working.all_planned(start_day, end_day - 1)

    def roll_over(self, day: int) -> tuple[int, bool]:
        """The day if it is a working day, else the next one; and whether it is provisional."""
        working = self._working
        next_day = working.ranked(working.before(_within(day)))
        return next_day, not working.all_planned(day, next_day)

    # -------------------------------------------------------------- terms

    def last_day(self, start_day: int, length: Duration) -> tuple[int, bool]:
        """The last day of a term that starts on a day, in any unit but hours and minutes."""
        return self._counted(start_day, length, 1)

    def due(self, start: datetime, length: Duration, *, rolled: bool = False) -> Counted:
        """When a term ends: hours and minutes to the second, all else at 24:00 of the last day.

        `rolled` moves a last day that is a rest day to the next working day. In time is what comes
        before this instant.
        """
        if length.elapsed:
            return Counted(plus(start, _elapsed(length)), False)
        return self._ended(*self.last_day(self.day_of(start), length), rolled)

    def due_on(self, day: date | int, *, rolled: bool = False) -> Counted:
        """24:00 of an agreed day."""
        if isinstance(day, datetime):
            raise UsageError(f"{day!r} is an instant; give the day, as a date")
        return self._ended(day if isinstance(day, int) else day.toordinal(), False, rolled)

    def opens(self, start_day: int | datetime, length: Duration) -> Counted:
        """When a wait is over: 00:00 of its last day, so that n days after day D is 00:00 of D+n.

        Hours and minutes need the instant of the start in place of its day; any unit takes it.
        """
        if length.elapsed:
            return Counted(plus(_start_of(start_day, length), _elapsed(length)), False)
        last, provisional = self.last_day(self._start_day(start_day), length)
        return Counted(self.midnight(last), provisional)

    def more_than(self, start_day: int | datetime, length: Duration) -> datetime:
        """The instant from which "more than n days" holds, itself included: 00:00 of D+n+1.

        Hours and minutes need the instant of the start in place of its day; for them "more than" holds
        only after the instant returned, itself excluded.
        """
        if length.elapsed:
            return plus(_start_of(start_day, length), _elapsed(length))
        return self.midnight(self.last_day(self._start_day(start_day), length)[0] + 1)

    # -------------------------------------------------------------- around a due instant

    def before(self, due: datetime, length: Duration) -> datetime:
        """When to warn: so long before, at the same time of day; n whole days, or working days, are left.

        A working day before the end of a Monday is 00:00 of that Monday.
        """
        if length.unit != "working day" or not length.count:
            return self.extended(due, length, sign=-1).at
        day = self.day_of(due)
        earlier = self._working.ranked(self._working.before(day) - length.count)
        return self.midnight(earlier) if due == self.midnight(day) else self.moved_to(due, earlier)

    def after(self, due: datetime, length: Duration) -> datetime:
        """When to escalate: so long after, at the same time of day; n whole days have passed."""
        return self.extended(due, length).at

    def extended(self, due: datetime, length: Duration, *, sign: int = 1, rolled: bool = False) -> Counted:
        """A due instant moved later, or with sign=-1 earlier: the last day moves, the time of day stays."""
        if sign not in (1, -1):
            raise UsageError(f"found sign={sign!r}; it is 1 for later and -1 for earlier")
        if length.elapsed:
            return Counted(plus(due, sign * _elapsed(length)), False)
        last = self.day_of(due - TICK)
        return self._ended(*self._counted(last, length, sign), rolled, due, last)

    def moved(
        self, due: datetime, unit: str, paused_from: datetime, resumed_at: datetime, *, rolled: bool = False
    ) -> Counted:
        """A due instant after a pause, which keeps what was left of the term.

        Hours and minutes move by the time paused; days, weeks, months and years by the midnights in
        (paused_from, resumed_at]; working days by the working days that begin with these midnights. What
        was due when the pause began stays. `provisional` speaks of the move alone.
        """
        if resumed_at < paused_from:
            raise UsageError(f"resumed at {resumed_at.isoformat()}, before the pause began")
        if due <= paused_from:
            return Counted(due, False)
        if unit in ("hour", "minute"):
            return Counted(plus(due, resumed_at - paused_from), False)
        paused, resumed = self.day_of(paused_from), self.day_of(resumed_at)
        if paused == resumed:
            return Counted(due, False)
        last = self.day_of(due - TICK)
        if unit == "working day":
            number, unsure = self.working_days_between(paused + 1, resumed + 1)
            later, also = self.add_working_days(last, number)
            # With no working day left, and none among those of the pause, the term would end during the
            # pause; the day on which it was paused is made good by the one on which it goes on.
            return self._ended(max(later, resumed), unsure or also, rolled, due, last)
        if unit not in _MOVED_BY_DAYS:
            raise UsageError(f"{unit!r} is not a unit of time; write 'day', 'working day' or 'hour'")
        return self._ended(last + resumed - paused, False, rolled, due, last)

    # -------------------------------------------------------------- parts of these

    def _counted(self, day: int, length: Duration, sign: int) -> tuple[int, bool]:
        """The day so far on (sign 1) or back (-1) as last days are counted, and whether provisional."""
        count = sign * length.count
        match length.unit:
            case "day":
                return _within(day + count), False
            case "week":
                return _within(day + 7 * count), False
            case "month":
                return _matching_day(day, count), False
            case "year":
                return _matching_day(day, 12 * count), False
            case "working day" if sign == 1 or not count:
                return self.add_working_days(day, length.count)
            case "working day":
                working = self._working
                last = working.ranked(working.before(_within(day) + 1) + count - 1)
                return last, not working.all_planned(last, day)
        raise UsageError(f"{length} are elapsed time and have no last day; give the instant of the start")

    def _ended(
        self, last: int, provisional: bool, rolled: bool, due: datetime | None = None, old_last: int = 0
    ) -> Counted:
        """24:00 of the last day; or the time of day of `due`, if that did not end its day `old_last`."""
        if rolled:
            last, unsure = self.roll_over(last)
            provisional = provisional or unsure
        if due is None or due == self.midnight(old_last + 1):
            return Counted(self.midnight(last + 1), provisional)
        return Counted(self.moved_to(due, last), provisional)

    def _start_day(self, start: int | datetime) -> int:
        return start if isinstance(start, int) else self.day_of(start)


@cache
def _state_council() -> Mapping[int, YearPlan]:
    """The years that chinesecalendar knows."""
    # Imported here because most cases never count a working day, and the import costs 7 ms.
    from chinese_calendar.constants import holidays, workdays

    return {
        year: YearPlan(
            rest=frozenset(day for day in holidays if day.year == year),
            work=frozenset(day for day in workdays if day.year == year),
        )
        for year in range(min(holidays).year, max(holidays).year + 1)
    }


def _within(day: int) -> int:
    if 1 <= day <= LAST_DAY:
        return day
    raise outside(f"day {day}")


def _elapsed(length: Duration) -> timedelta:
    try:
        return timedelta(minutes=length.count * (60 if length.unit == "hour" else 1))
    except OverflowError:
        raise outside(f"an instant {length} from another") from None


def _start_of(start: int | datetime, length: Duration) -> datetime:
    if isinstance(start, int):
        raise UsageError(f"{length} are elapsed time; give the instant of the start, not its day")
    return start


def _matching_day(day: int, months: int) -> int:
    """The same day of the month so many months on, or back; else that month's last."""
    start = date_of(day)
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    if not MINYEAR <= year <= MAXYEAR:
        raise outside(f"{start} moved by {months} months")
    number = start.day
    while True:
        try:
            return date(year, month + 1, number).toordinal()
        except ValueError:
            number -= 1
