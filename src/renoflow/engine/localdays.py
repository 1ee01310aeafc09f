"""The days of one place: which day an instant falls on, and the instant at which a day begins.

A day is a proleptic ordinal (1 is 0001-01-01), an instant an aware datetime with tzinfo=datetime.UTC.
The instants at which days begin are remembered, since looking one up costs a tenth of working it out.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

from renoflow.errors import OutOfRange, UnknownName
from renoflow.values import Lang, instant

LAST_DAY = date.max.toordinal()
TICK = timedelta.resolution


class LocalDays:
    """The days of a time zone. Immutable for its users; threads may share it."""

    def __init__(self, zone: str) -> None:
        self._zone = _zone_info(zone)
        # Only ever added to, always with the same value for a day: safe without a lock.
        self._midnights: dict[int, datetime] = {}

    @property
    def zone(self) -> str:
        """The IANA name, as "Asia/Shanghai"."""
        return self._zone.key

    def midnight(self, day: int) -> datetime:
        """00:00 of a day; its first instant where clocks skip 00:00.

        A day that the place never had (Apia, 2011-12-30) begins and ends as the next one begins. Raises
        `UsageError` outside the years 1 to 9999.
        """
        try:
            return self._midnights[day]
        except KeyError:
            first = self._midnights[day] = _first_instant(day, self._zone)
            return first

    def day_of(self, at: datetime) -> int:
        """The day on which an instant falls. Days never run back: where clocks are set back over a
        midnight (St John's until 2011, one minute past), the hour lived twice belongs to the new day.

        Raises `NaiveInstant` without a zone, `UsageError` outside the years 1 to 9999.
        """
        if at.tzinfo is not UTC:
            at = instant(at)
        midnights = self._midnights
        # No zone is a whole day off UTC, so the local day is one of the three around the UTC one.
        day = at.toordinal() + 1
        try:
            while at < midnights[day]:
                day -= 1
        except KeyError:
            return self._first_look(at)
        return day

    def moved_to(self, at: datetime, day: int) -> datetime:
        """The same time of day on another day."""
        wall = self._local(at).time()
        return as_utc(datetime.combine(date_of(day), wall, self._zone))

    def text_of(self, at: datetime, lang: Lang = "zh") -> str:
        """An instant as people read it when something ends: `2026-03-09 24:00` for 00:00 of 03-10, else
        `2026-03-09 15:30`. Both languages write it alike; of what begins at an instant, use `iso`."""
        if at == self.midnight(self.day_of(at)):
            return f"{date_of(self.day_of(at - TICK))} 24:00"
        return self._local(at).isoformat(" ", "minutes")[:16]

    def local(self, at: datetime) -> datetime:
        """The same instant with the firm's zone, for showing."""
        return at.astimezone(self._zone)

    def iso(self, at: datetime) -> str:
        """ISO 8601 in the zone: `2026-03-10T00:00:00+08:00`; microseconds only where there are some."""
        return self._local(at).isoformat()

    def _first_look(self, at: datetime) -> int:
        """The day of an instant whose midnights are not all remembered yet; remembers them.

        The first and the last day there are have no midnight on both sides, and stay with this.
        """
        day = self._local(at).toordinal()
        while day < LAST_DAY and at >= self.midnight(day + 1):
            day += 1
        for near in range(max(day, 2), min(at.toordinal() + 1, LAST_DAY) + 1):
            self.midnight(near)
        return day

    def _local(self, at: datetime) -> datetime:
        try:
            return at.astimezone(self._zone)
        except OverflowError:
            raise outside(f"{at.isoformat()} in {self.zone}") from None


def outside(what: str) -> OutOfRange:
    """The error for what no calendar of four-digit years can hold."""
    return OutOfRange(f"{what} lies outside the years 1 to 9999")


def date_of(day: int) -> date:
    try:
        return date.fromordinal(day)
    except (ValueError, OverflowError):
        raise outside(f"day {day}") from None


def as_utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise outside(at.isoformat()) from None


def plus(at: datetime, length: timedelta) -> datetime:
    """An instant moved by elapsed time; raises `UsageError` outside the years 1 to 9999."""
    try:
        return at + length
    except OverflowError:
        raise outside(f"{at.isoformat()} moved by {length}") from None


def _zone_info(zone: str) -> ZoneInfo:
    try:
        return ZoneInfo(zone)
    # A key may be unknown, ill-formed, or the name of a folder of zones.
    except (KeyError, ValueError, TypeError, OSError):
        raise UnknownName("time zone", str(zone), available_timezones()) from None


def _first_instant(day: int, zone: ZoneInfo) -> datetime:
    wall = datetime.combine(date_of(day), datetime.min.time(), zone)
    late = as_utc(wall)
    # Of one zone, datetimes are compared as clocks show them: unequal, if 00:00 was skipped.
    if late.astimezone(zone) == wall:
        return late
    # `late` read the skipped 00:00 by the offset before the change, fold=1 reads it by the one after:
    # the change lies between, and is the day's first instant even where it began before midnight.
    early = as_utc(wall.replace(fold=1))
    while (gap := (late - early) // timedelta(seconds=1)) > 1:
        middle = early + timedelta(seconds=gap // 2)
        if middle.astimezone(zone).toordinal() < day:
            early = middle
        else:
            late = middle
    return late
