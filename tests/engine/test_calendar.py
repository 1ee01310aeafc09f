"""The firm's calendar: dates that are known, the State Council's days, and what must hold for all dates."""

from __future__ import annotations

import copy
import csv
import pickle
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from renoflow.engine.calendar import Calendar, Counted, YearPlan
from renoflow.errors import NaiveInstant, UnknownName, UsageError
from renoflow.values import Duration, instant, parse_duration
from tests.engine import counting_by_hand as by_hand
from tests.engine.counting_by_hand import day

ZONES = ("Asia/Shanghai", "America/Sao_Paulo", "America/New_York", "UTC", "Pacific/Apia")
CALENDARS = {zone: Calendar(zone) for zone in ZONES}
SHANGHAI = CALENDARS["Asia/Shanghai"]
DATA = Path(__file__).parent / "data" / "state_council_2024_2026.csv"

FIRST, LAST = day("2004-01-01"), day("2030-12-31")
ELAPSED = ("minute", "hour")
WHOLE = ("day", "working day", "week", "month", "year")


def at(text: str) -> datetime:
    """An instant of Shanghai, as `at("2026-03-09 15:30")`."""
    return instant(f"{text.replace(' ', 'T')}+08:00")


def length(text: str) -> Duration:
    return parse_duration(text)


def end_of(text: str) -> datetime:
    """24:00 of a day in Shanghai."""
    return at(f"{text} 00:00") + timedelta(days=1)


calendars = st.sampled_from(tuple(CALENDARS.values()))
days = st.integers(FIRST, LAST)
instants = st.datetimes(
    datetime(2004, 1, 2),  # noqa: DTZ001 - hypothesis wants its bounds naive
    datetime(2030, 12, 30),  # noqa: DTZ001 - as above
    timezones=st.just(UTC),
)


@st.composite
def lengths(draw: st.DrawFn, units: tuple[str, ...] = (*ELAPSED, *WHOLE)) -> Duration:
    unit = draw(st.sampled_from(units))
    most = {"month": 40, "year": 6, "week": 30}.get(unit, 120)
    return Duration(draw(st.integers(0, most)), unit)  # type: ignore[arg-type] # one of the units


# ------------------------------------------------------------------ the rulebook's vectors


@pytest.mark.parametrize(
    ("start", "term", "last"),
    [
        ("2026-03-02", "5 days", "2026-03-07"),
        ("2026-03-02", "7 days", "2026-03-09"),
        ("2026-03-02", "10 days", "2026-03-12"),
        ("2026-05-01", "5 days", "2026-05-06"),
        ("2026-05-06", "5 days", "2026-05-11"),
        ("2026-05-09", "5 days", "2026-05-14"),
        ("2024-02-29", "2 years", "2026-02-28"),
        ("2024-02-29", "5 years", "2029-02-28"),
        ("2024-02-29", "4 years", "2028-02-29"),
        ("2026-01-31", "1 month", "2026-02-28"),
        ("2026-08-31", "6 months", "2027-02-28"),
        ("2026-12-15", "1 month", "2027-01-15"),
        ("2026-03-02", "2 weeks", "2026-03-16"),
        ("2026-03-02", "0 days", "2026-03-02"),
        ("2026-02-13", "1 working day", "2026-02-14"),
        ("2026-02-14", "1 working day", "2026-02-24"),
        ("2026-09-30", "7 working days", "2026-10-15"),
    ],
)
def test_a_term_ends_at_24_00_of_its_last_day(start: str, term: str, last: str) -> None:
    """The first day is not counted, and the hour of the start makes no difference."""
    for hour in ("00:00", "10:00", "23:59"):
        assert SHANGHAI.due(at(f"{start} {hour}"), length(term)) == (end_of(last), False)
    assert SHANGHAI.last_day(day(start), length(term)) == (day(last), False)


def test_more_than_ten_days_holds_from_the_thirteenth() -> None:
    """The hotline right begins at 00:00 after the day on which the limit ends."""
    assert SHANGHAI.more_than(day("2026-03-02"), length("10 days")) == at("2026-03-13 00:00")
    assert SHANGHAI.more_than(at("2026-03-02 10:00"), length("10 days")) == at("2026-03-13 00:00")


def test_a_wait_is_over_when_its_last_day_begins() -> None:
    """The air test of works complete on the 2nd is open from the 9th, 00:00."""
    start = day("2026-03-02")
    assert SHANGHAI.opens(start, length("7 days")) == (at("2026-03-09 00:00"), False)
    assert SHANGHAI.opens(start, length("1 month")) == (at("2026-04-02 00:00"), False)
    assert SHANGHAI.opens(start, length("5 working days")) == (at("2026-03-09 00:00"), False)
    assert SHANGHAI.opens(at("2026-03-02 10:00"), length("24 hours")) == (at("2026-03-03 10:00"), False)


def test_hours_are_elapsed_to_the_second() -> None:
    """Hours and minutes take no notice of days."""
    start = instant("2026-09-30T23:59:58+08:00")
    assert SHANGHAI.due(start, length("2 hours")).at == start + timedelta(hours=2)
    assert SHANGHAI.due(start, length("30 minutes"), rolled=True).at == start + timedelta(minutes=30)
    assert SHANGHAI.more_than(start, length("24 hours")) == start + timedelta(hours=24)


@pytest.mark.parametrize(
    ("start", "term", "last"),
    [
        ("2026-09-16", "15 days", "2026-10-08"),  # 10-01, in the holiday
        ("2026-02-07", "7 days", "2026-02-14"),  # a Saturday that is worked
        ("2026-02-14", "1 day", "2026-02-24"),
        ("2026-03-06", "1 day", "2026-03-09"),  # a Saturday
        ("2026-03-06", "3 days", "2026-03-09"),  # a Monday
    ],
)
def test_a_last_day_of_rest_rolls_over_on_request(start: str, term: str, last: str) -> None:
    """Weekends and holidays move the last day to the next working day, make-up workdays do not."""
    assert SHANGHAI.due(at(f"{start} 10:00"), length(term), rolled=True) == (end_of(last), False)
    unrolled = date.fromordinal(SHANGHAI.last_day(day(start), length(term))[0])
    assert SHANGHAI.due_on(unrolled, rolled=True) == (end_of(last), False)
    assert SHANGHAI.due_on(unrolled.toordinal()) == SHANGHAI.due(at(f"{start} 10:00"), length(term))


# ------------------------------------------------------------------ the State Council's days


def frozen_days() -> dict[date, bool]:
    """Each day that the plans of 2024 to 2026 name, and whether it is worked."""
    named = {}
    with DATA.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            first, last = (date.fromisoformat(row[key]) for key in ("first", "last"))
            for ordinal in range(first.toordinal(), last.toordinal() + 1):
                named[date.fromordinal(ordinal)] = row["kind"] == "work"
    return named


def test_every_day_of_three_years_is_as_the_state_council_announced() -> None:
    """A release of chinesecalendar that changes the past is noticed here."""
    named = frozen_days()
    assert len(named) == 108
    for ordinal in range(day("2024-01-01"), day("2026-12-31") + 1):
        one = date.fromordinal(ordinal)
        assert SHANGHAI.is_working_day(ordinal) is named.get(one, one.weekday() < 5), one


@pytest.mark.parametrize(("year", "number"), [(2024, 262 - 11), (2025, 261 - 13), (2026, 261 - 13)])
def test_a_year_has_its_number_of_working_days(year: int, number: int) -> None:
    """Its weekdays less its legal holidays, of which there are 13 since 2025 and were 11 before."""
    first = date(year, 1, 1).toordinal()
    assert SHANGHAI.working_days_between(first, date(year + 1, 1, 1).toordinal()) == (number, False)


def test_the_years_of_the_table_are_published() -> None:
    """From 2004 to 2026; days before and after are not."""
    assert [year for year in range(1999, 2035) if SHANGHAI.published(year)] == list(range(2004, 2027))
    assert SHANGHAI.is_published(day("2004-01-01"))
    assert SHANGHAI.is_published(day("2026-12-31"))
    assert not SHANGHAI.is_published(day("2003-12-31"))
    assert not SHANGHAI.is_published(day("2027-01-01"))


# ------------------------------------------------------------------ unpublished years, a firm's own years


def test_a_date_is_provisional_only_if_it_looked_into_an_unpublished_year() -> None:
    """The day that a count starts on is not looked at, the day it ends on is."""
    eve = day("2026-12-30")
    assert SHANGHAI.add_working_days(eve, 1) == (day("2026-12-31"), False)
    assert SHANGHAI.add_working_days(eve, 2) == (day("2027-01-01"), True)
    assert SHANGHAI.add_working_days(day("2027-06-01"), 0) == (day("2027-06-01"), False)
    assert SHANGHAI.add_working_days(day("2003-12-31"), 1) == (day("2004-01-02"), False)
    assert SHANGHAI.add_working_days(day("2003-12-30"), 1) == (day("2003-12-31"), True)
    assert SHANGHAI.roll_over(day("2026-12-31")) == (day("2026-12-31"), False)
    assert SHANGHAI.roll_over(day("2027-01-04")) == (day("2027-01-04"), True)
    assert SHANGHAI.roll_over(day("2027-01-02")) == (day("2027-01-04"), True)
    assert SHANGHAI.working_days_between(day("2026-12-28"), day("2027-01-01")) == (4, False)
    assert SHANGHAI.working_days_between(day("2026-12-28"), day("2027-01-02")) == (5, True)
    assert SHANGHAI.working_days_between(day("2027-01-02"), day("2027-01-02")) == (0, False)


def test_calendar_days_are_never_provisional_unless_rolled() -> None:
    """A term in days, months or years does not depend on anybody's plan."""
    start = at("2026-12-30 10:00")
    assert SHANGHAI.due(start, length("2 years")) == (end_of("2028-12-30"), False)
    assert SHANGHAI.due(start, length("3 days"), rolled=True) == (end_of("2027-01-04"), True)
    assert SHANGHAI.due_on(date(2027, 1, 2)) == (end_of("2027-01-02"), False)
    assert SHANGHAI.opens(day("2026-12-30"), length("2 working days")) == (at("2027-01-01 00:00"), True)


def test_a_firm_adds_a_year() -> None:
    """What was provisional becomes certain, by the plan that was given."""
    plan = YearPlan(
        rest=frozenset({date(2027, 1, 1), date(2027, 1, 4), date(2027, 1, 2)}),
        work=frozenset({date(2027, 1, 3)}),
    )
    own = Calendar(years={2027: plan})
    assert own.published(2027)
    assert not own.published(2028)
    assert own.published(2026)
    assert own.add_working_days(day("2026-12-31"), 1) == (day("2027-01-03"), False)
    assert own.add_working_days(day("2026-12-31"), 2) == (day("2027-01-05"), False)
    assert own.roll_over(day("2027-01-01")) == (day("2027-01-03"), False)
    assert own.add_working_days(day("2027-12-31"), 1) == (day("2028-01-03"), True)


def test_a_gap_between_published_years_is_provisional() -> None:
    """Every year on the way must be published, not only the last."""
    own = Calendar(years={2028: YearPlan()})
    assert own.add_working_days(day("2028-01-01"), 1) == (day("2028-01-03"), False)
    assert own.add_working_days(day("2026-12-31"), 270)[1]
    assert own.working_days_between(day("2026-12-01"), day("2028-02-01"))[1]


def test_a_rest_day_of_an_unpublished_year_rolls_over_provisionally() -> None:
    """Though the working day it rolls to is certain: the rest day is not."""
    own = Calendar(years={2029: YearPlan()})
    assert own.roll_over(day("2028-12-31")) == (day("2029-01-01"), True)
    assert own.roll_over(day("2029-01-01")) == (day("2029-01-01"), False)


def test_a_firm_replaces_a_year() -> None:
    """Its plan stands for the whole year; nothing of the published one is left in it."""
    own = Calendar(years={2026: YearPlan(rest=frozenset({date(2026, 3, 2)}))})
    assert not own.is_working_day(day("2026-03-02"))
    assert own.is_working_day(day("2026-10-01"))
    assert not own.is_working_day(day("2026-02-14"))
    assert not own.is_working_day(day("2025-10-01"))
    assert own.published(2026)


# ------------------------------------------------------------------ against counting by hand


@given(days, st.integers(0, 400))
def test_adding_working_days_agrees_with_walking(start: int, n: int) -> None:
    """Bisection and a walk from day to day reach the same day, provisional alike."""
    assert SHANGHAI.add_working_days(start, n) == by_hand.add_working_days(start, n)


@given(days, st.integers(-3, 400))
def test_counting_working_days_agrees_with_walking(start: int, span: int) -> None:
    """The number of working days from a day up to another, and whether it is provisional."""
    expected = by_hand.count(start, start + span), by_hand.guessed(range(start, start + span))
    assert SHANGHAI.working_days_between(start, start + span) == expected


def test_each_day_agrees_with_walking() -> None:
    """Every day of 27 years: whether it is worked, and where it rolls over to."""
    for one in range(FIRST - 20, LAST + 1):
        assert SHANGHAI.is_working_day(one) is by_hand.is_working(one)
        assert SHANGHAI.roll_over(one) == by_hand.roll_over(one)


@given(days, lengths(WHOLE))
def test_last_days_agree_with_walking(start: int, term: Duration) -> None:
    """Days, weeks, working days, and month by month."""
    assert SHANGHAI.last_day(start, term)[0] == by_hand.last_day(start, term)


@given(calendars, days)
def test_midnights_agree_with_a_search(calendar: Calendar, one: int) -> None:
    """The first instant at which a clock of the place shows the day."""
    assert calendar.midnight(one) == by_hand.midnight(one, calendar.zone)


@given(calendars, instants)
def test_the_day_of_an_instant_agrees_with_zoneinfo(calendar: Calendar, moment: datetime) -> None:
    """Any instant, on both sides of a midnight too; a second look answers as the first."""
    midnight = calendar.midnight(calendar.day_of(moment))
    for one in (moment, midnight, midnight - timedelta.resolution):
        expected = by_hand.day_of(one, calendar.zone)
        assert Calendar(calendar.zone).day_of(one) == expected
        assert calendar.day_of(one) == calendar.day_of(one) == expected


@given(calendars, instants, lengths(WHOLE), st.booleans())
def test_a_due_instant_agrees_with_counting_by_hand(
    calendar: Calendar, start: datetime, term: Duration, rolled: bool
) -> None:
    """The whole way, in five zones: local day, last day, rolled over, its end."""
    first = by_hand.day_of(start, calendar.zone)
    last = by_hand.last_day(first, term)
    looked_at = range(first + 1, last + 1) if term.unit == "working day" else range(0)
    provisional = by_hand.guessed(looked_at)
    if rolled:
        last, unsure = by_hand.roll_over(last)
        provisional = provisional or unsure
    expected = Counted(by_hand.midnight(last + 1, calendar.zone), provisional)
    assert calendar.due(start, term, rolled=rolled) == expected


# ------------------------------------------------------------------ zones


@pytest.mark.parametrize(
    ("zone", "text", "expected"),
    [
        ("Asia/Shanghai", "2026-03-10", "2026-03-09T16:00:00+00:00"),
        ("UTC", "2026-03-10", "2026-03-10T00:00:00+00:00"),
        ("America/New_York", "2026-03-08", "2026-03-08T05:00:00+00:00"),
        ("America/New_York", "2026-03-09", "2026-03-09T04:00:00+00:00"),
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00+00:00"),  # 00:00 to 01:00 skipped
        ("America/Sao_Paulo", "2019-02-17", "2019-02-17T03:00:00+00:00"),  # 23:00 to 24:00 lived twice
        ("Asia/Shanghai", "1940-06-01", "1940-05-31T16:00:00+00:00"),  # 00:00 to 01:00 skipped
        ("America/Toronto", "1919-03-31", "1919-03-31T04:30:00+00:00"),  # 23:30 to 00:30 skipped
        ("Pacific/Apia", "2011-12-29", "2011-12-29T10:00:00+00:00"),
        ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00+00:00"),  # never was
        ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00+00:00"),
        ("America/Havana", "2025-11-02", "2025-11-02T04:00:00+00:00"),  # 00:00 to 01:00 lived twice
        ("America/St_Johns", "2006-10-29", "2006-10-29T02:30:00+00:00"),  # 23:01 to 00:01 lived twice
    ],
)
def test_a_day_begins_at_its_first_instant(zone: str, text: str, expected: str) -> None:
    """Where 00:00 is skipped, lived twice, or the whole day left out."""
    assert Calendar(zone).midnight(day(text)) == datetime.fromisoformat(expected)


@pytest.mark.parametrize(
    "zone",
    [
        "Africa/Cairo", "America/Asuncion", "America/Havana", "America/Goose_Bay", "Asia/Amman",
        "Asia/Beirut", "Pacific/Kwajalein", "Australia/Lord_Howe", "Pacific/Kiritimati",
    ],
)  # fmt: skip
def test_in_difficult_zones_too_a_day_begins_at_its_first_instant(zone: str) -> None:
    """Clocks changed at midnight, over midnight, by half an hour and by a day."""
    calendar, place = Calendar(zone), ZoneInfo(zone)
    for one in range(day("1985-01-01"), day("2030-12-31")):
        begins = calendar.midnight(one)
        assert begins.astimezone(place).toordinal() >= one
        assert (begins - timedelta.resolution).astimezone(place).toordinal() < one
        assert calendar.day_of(begins - timedelta.resolution) < one <= calendar.day_of(begins)


def test_days_never_run_back() -> None:
    """Where clocks go from 00:01 back to 23:01, the second hour of 23 belongs to the new day."""
    calendar = Calendar("America/St_Johns")
    begins = calendar.midnight(day("2006-10-29"))
    moments = [begins + timedelta(minutes=m) for m in range(-120, 121)]
    seen = [calendar.day_of(moment) for moment in moments]
    assert seen == sorted(seen) == [Calendar(calendar.zone).day_of(moment) for moment in moments]
    assert set(seen) == {day("2006-10-28"), day("2006-10-29")}


def test_one_day_is_another_day_elsewhere() -> None:
    """The same instant falls on the day of the place."""
    moment = instant("2026-03-09T20:00:00+00:00")
    found = {zone: date.fromordinal(CALENDARS[zone].day_of(moment)).day for zone in ZONES}
    assert found == {
        "Asia/Shanghai": 10, "America/Sao_Paulo": 9, "America/New_York": 9, "UTC": 9, "Pacific/Apia": 10
    }  # fmt: skip


# ------------------------------------------------------------------ order


@given(calendars, instants, instants, lengths(), st.booleans())
def test_a_later_start_is_never_due_earlier(
    calendar: Calendar, one: datetime, other: datetime, term: Duration, rolled: bool
) -> None:
    """In every unit, rolled over or not."""
    early, late = sorted((one, other))
    assert calendar.due(early, term, rolled=rolled).at <= calendar.due(late, term, rolled=rolled).at
    assert calendar.opens(early, term).at <= calendar.opens(late, term).at
    assert calendar.opens(early, term).at <= calendar.due(early, term).at


@given(calendars, instants, lengths(WHOLE), st.integers(1, 50))
def test_a_longer_term_ends_later(calendar: Calendar, start: datetime, term: Duration, more: int) -> None:
    """One more of any unit moves the end."""
    assume(calendar.zone != "Pacific/Apia")  # a day that never was makes no difference
    longer = Duration(term.count + more, term.unit)
    assert calendar.due(start, term).at < calendar.due(start, longer).at
    assert calendar.due(start, term).at > start


# ------------------------------------------------------------------ warnings, escalations, extensions


def test_a_warning_stands_before_and_an_escalation_after() -> None:
    """Of what ends with Monday 03-09."""
    due = end_of("2026-03-09")
    assert SHANGHAI.before(due, length("1 day")) == at("2026-03-09 00:00")
    assert SHANGHAI.before(due, length("1 working day")) == at("2026-03-09 00:00")
    assert SHANGHAI.before(due, length("2 working days")) == at("2026-03-06 00:00")
    assert SHANGHAI.before(due, length("0 working days")) == due
    assert SHANGHAI.before(due, length("1 week")) == at("2026-03-03 00:00")
    assert SHANGHAI.before(due, length("1 month")) == end_of("2026-02-09")
    assert SHANGHAI.before(due, length("6 hours")) == at("2026-03-09 18:00")
    assert SHANGHAI.after(due, length("1 day")) == end_of("2026-03-10")
    assert SHANGHAI.after(due, length("5 working days")) == end_of("2026-03-16")
    assert SHANGHAI.after(end_of("2026-03-06"), length("1 working day")) == end_of("2026-03-09")
    assert SHANGHAI.after(due, length("90 minutes")) == at("2026-03-10 01:30")


def test_a_due_instant_within_a_day_keeps_its_time_of_day() -> None:
    """A limit in hours may have a warning in days; clocks that change in between do not show."""
    assert SHANGHAI.before(at("2026-03-09 15:30"), length("1 working day")) == at("2026-03-06 15:30")
    assert SHANGHAI.after(at("2026-03-06 15:30"), length("1 working day")) == at("2026-03-09 15:30")
    newyork = CALENDARS["America/New_York"]
    due = instant("2026-03-09T15:30:00-04:00")
    assert newyork.iso(newyork.before(due, length("2 days"))) == "2026-03-07T15:30:00-05:00"


def test_an_extension_moves_the_last_day() -> None:
    """Later by default, earlier with the sign; months by the last day, not by the midnight after it."""
    due = end_of("2026-02-28")
    assert SHANGHAI.extended(due, length("1 month")) == (end_of("2026-03-28"), False)
    assert SHANGHAI.extended(due, length("3 days")).at == end_of("2026-03-03")
    assert SHANGHAI.extended(due, length("3 days"), sign=-1).at == end_of("2026-02-25")
    assert SHANGHAI.extended(due, length("1 working day"), sign=-1).at == end_of("2026-02-27")
    assert SHANGHAI.extended(due, length("2 hours"), sign=-1).at == at("2026-02-28 22:00")
    assert SHANGHAI.extended(end_of("2026-03-06"), length("1 day"), rolled=True).at == end_of("2026-03-09")
    assert SHANGHAI.extended(end_of("2026-12-30"), length("2 working days")).provisional


@given(calendars, days, lengths(("day", "week")))
def test_whole_days_lie_between_a_warning_and_the_end(calendar: Calendar, last: int, ahead: Duration) -> None:
    """n days before leave n days, and n days after have passed."""
    assume(calendar.zone != "Pacific/Apia")
    due = calendar.midnight(last + 1)
    number = ahead.count * (7 if ahead.unit == "week" else 1)
    assert calendar.day_of(calendar.before(due, ahead)) == last + 1 - number
    assert calendar.day_of(calendar.after(due, ahead)) == last + 1 + number


@given(calendars, days, st.integers(0, 60))
def test_working_days_lie_between_a_warning_and_the_end(calendar: Calendar, last: int, n: int) -> None:
    """On whatever day the term ends, n working days are left by the warning and gone by the escalation."""
    assume(calendar.zone != "Pacific/Apia")
    due, length = calendar.midnight(last + 1), Duration(n, "working day")
    earlier = calendar.extended(due, length, sign=-1).at
    for warning in (calendar.before(due, length), earlier):
        assert by_hand.count(calendar.day_of(warning), last + 1) == n
    assert by_hand.count(last + 1, calendar.day_of(calendar.after(due, length))) == n
    assert earlier <= calendar.before(due, length) <= due
    if by_hand.is_working(last):
        assert calendar.after(earlier, length) == due


# ------------------------------------------------------------------ pauses


@pytest.mark.parametrize(
    ("last", "unit", "paused", "resumed", "moved_to"),
    [
        ("2026-03-09", "day", "2026-03-05 10:00", "2026-03-05 23:59", "2026-03-09"),
        ("2026-03-09", "day", "2026-03-05 23:59", "2026-03-06 00:00", "2026-03-10"),
        ("2026-03-09", "month", "2026-03-05 10:00", "2026-03-15 09:00", "2026-03-19"),
        ("2026-03-10", "working day", "2026-03-06 15:00", "2026-03-09 09:00", "2026-03-11"),
        ("2026-03-10", "working day", "2026-03-06 15:00", "2026-03-08 09:00", "2026-03-10"),
        ("2026-03-10", "working day", "2026-03-07 15:00", "2026-03-09 00:00", "2026-03-11"),
        ("2026-02-26", "working day", "2026-02-13 15:00", "2026-02-14 09:00", "2026-02-27"),
        ("2026-10-08", "working day", "2026-09-30 15:00", "2026-10-07 09:00", "2026-10-08"),
        ("2026-03-06", "working day", "2026-03-06 15:00", "2026-03-07 09:00", "2026-03-07"),
        ("2026-03-06", "working day", "2026-03-06 15:00", "2026-03-09 09:00", "2026-03-09"),
    ],
)
def test_a_pause_moves_a_term_by_its_own_unit(
    last: str, unit: str, paused: str, resumed: str, moved_to: str
) -> None:
    """Midnights for days and months, working days for working days; never to an end within the pause."""
    assert SHANGHAI.moved(end_of(last), unit, at(paused), at(resumed)) == (end_of(moved_to), False)


def test_a_pause_keeps_the_time_of_day() -> None:
    """Of what is due within a day, and moves by days all the same."""
    paused, resumed = at("2026-03-06 10:00"), at("2026-03-09 09:00")
    assert SHANGHAI.moved(at("2026-03-10 15:30"), "day", paused, resumed) == (at("2026-03-13 15:30"), False)
    assert SHANGHAI.moved(at("2026-03-10 15:30"), "working day", paused, resumed).at == at("2026-03-11 15:30")


def test_a_pause_moves_hours_by_the_time_paused() -> None:
    """To the microsecond."""
    paused = at("2026-03-05 10:00")
    assert SHANGHAI.moved(at("2026-03-05 15:30"), "hour", paused, paused + timedelta(seconds=90)) == (
        at("2026-03-05 15:30") + timedelta(seconds=90),
        False,
    )


def test_what_was_due_before_a_pause_stays() -> None:
    """A target that was missed already is not given back."""
    paused, resumed = at("2026-03-05 10:00"), at("2026-03-25 10:00")
    for unit in (*ELAPSED, *WHOLE):
        assert SHANGHAI.moved(paused, unit, paused, resumed) == (paused, False)
        assert SHANGHAI.moved(end_of("2026-03-01"), unit, paused, resumed) == (end_of("2026-03-01"), False)


def test_a_statutory_term_rolls_over_after_a_pause() -> None:
    """On request, as at its start."""
    paused, resumed = at("2026-03-05 10:00"), at("2026-03-06 10:00")
    due = end_of("2026-03-06")
    assert SHANGHAI.moved(due, "day", paused, resumed, rolled=True) == (end_of("2026-03-09"), False)
    assert SHANGHAI.moved(end_of("2026-12-31"), "day", paused, resumed, rolled=True).provisional


def test_a_pause_into_an_unpublished_year_is_provisional() -> None:
    """If working days were counted in it, at the pause or at the end."""
    paused = at("2026-12-30 10:00")
    assert SHANGHAI.moved(end_of("2027-01-01"), "working day", paused, at("2026-12-31 10:00")).provisional
    assert SHANGHAI.moved(end_of("2026-12-30"), "working day", paused, at("2027-01-02 10:00")).provisional
    assert not SHANGHAI.moved(end_of("2026-12-30"), "working day", paused, at("2026-12-31 10:00")).provisional
    assert not SHANGHAI.moved(end_of("2026-12-31"), "day", paused, at("2027-03-01 10:00")).provisional
    paused, resumed = at("2003-12-29 10:00"), at("2003-12-30 10:00")
    assert SHANGHAI.moved(end_of("2004-01-05"), "working day", paused, resumed).provisional


@st.composite
def pauses(draw: st.DrawFn, units: tuple[str, ...]) -> tuple[Calendar, datetime, str, datetime, datetime]:
    """A calendar, a due instant, its unit, and a pause that began before it and lasts up to a month."""
    calendar, start = draw(calendars), draw(instants)
    term = draw(lengths(units))
    due = calendar.due(start, term).at
    assume(due > start)
    paused = draw(st.datetimes(_naive(start), _naive(due) - timedelta.resolution, timezones=st.just(UTC)))
    return calendar, due, term.unit, paused, paused + draw(st.timedeltas(timedelta(0), timedelta(days=31)))


def _naive(moment: datetime) -> datetime:
    return moment.replace(tzinfo=None)


def working_days_left(zone: str, moment: datetime, due: datetime) -> int:
    """The working days after that of an instant, up to the last of the term."""
    last = by_hand.day_of(due - timedelta.resolution, zone)
    return by_hand.count(by_hand.day_of(moment, zone) + 1, last + 1)


@given(pauses(("working day",)))
def test_a_pause_neither_gains_nor_loses_working_days(
    pause: tuple[Calendar, datetime, str, datetime, datetime],
) -> None:
    """As many are left on resuming as when the pause began, and the term has not ended meanwhile."""
    calendar, due, unit, paused, resumed = pause
    moved = calendar.moved(due, unit, paused, resumed).at
    zone = calendar.zone
    assert working_days_left(zone, resumed, moved) == working_days_left(zone, paused, due)
    assert moved >= due
    assert moved > resumed


@given(pauses(("day", "week", "month", "year")))
def test_a_pause_neither_gains_nor_loses_days(
    pause: tuple[Calendar, datetime, str, datetime, datetime],
) -> None:
    """The last day moves by the midnights that passed, counted one by one."""
    calendar, due, unit, paused, resumed = pause
    zone = calendar.zone
    moved = calendar.moved(due, unit, paused, resumed).at
    around = range(by_hand.day_of(paused, zone) - 1, by_hand.day_of(resumed, zone) + 2)
    passed = sum(paused < by_hand.midnight(one, zone) <= resumed for one in around)
    last = by_hand.day_of(due - timedelta.resolution, zone)
    assert moved == by_hand.midnight(last + passed + 1, zone)
    assert moved > resumed


@given(pauses(ELAPSED))
def test_a_pause_neither_gains_nor_loses_time(
    pause: tuple[Calendar, datetime, str, datetime, datetime],
) -> None:
    """What is left of hours is the same to the microsecond."""
    calendar, due, unit, paused, resumed = pause
    assert calendar.moved(due, unit, paused, resumed).at - resumed == due - paused


@given(pauses((*ELAPSED, *WHOLE)), st.floats(0, 1))
def test_a_pause_in_two_parts_is_one_pause(
    pause: tuple[Calendar, datetime, str, datetime, datetime], share: float
) -> None:
    """Resumed and paused again at once, wherever it is cut; and a longer pause never moves less."""
    calendar, due, unit, paused, resumed = pause
    cut = paused + (resumed - paused) * share
    first = calendar.moved(due, unit, paused, cut).at
    whole = calendar.moved(due, unit, paused, resumed).at
    assert calendar.moved(first, unit, cut, resumed).at == whole
    assert first <= whole


@given(pauses(WHOLE))
def test_a_pause_within_a_day_moves_nothing(
    pause: tuple[Calendar, datetime, str, datetime, datetime],
) -> None:
    """Resumed on the day on which it was paused."""
    calendar, due, unit, paused, resumed = pause
    last_instant = calendar.midnight(calendar.day_of(paused) + 1) - timedelta.resolution
    assert calendar.moved(due, unit, paused, min(resumed, last_instant)) == (due, False)


# ------------------------------------------------------------------ as people and machines read it


def test_the_end_of_a_day_reads_24_00() -> None:
    """Nobody reads the tenth where the ninth is meant."""
    for lang in ("zh", "en"):
        assert SHANGHAI.text_of(at("2026-03-10 00:00"), lang) == "2026-03-09 24:00"
    assert SHANGHAI.text_of(at("2026-03-09 15:30")) == "2026-03-09 15:30"
    assert SHANGHAI.text_of(instant("2026-03-10T00:00:59.5+08:00")) == "2026-03-10 00:00"
    assert SHANGHAI.text_of(at("2026-01-01 00:00")) == "2025-12-31 24:00"
    saopaulo = CALENDARS["America/Sao_Paulo"]
    assert saopaulo.text_of(saopaulo.midnight(day("2018-11-04"))) == "2018-11-03 24:00"
    apia = CALENDARS["Pacific/Apia"]
    assert apia.text_of(apia.midnight(day("2011-12-31"))) == "2011-12-29 24:00"


def test_instants_are_written_with_offset_and_seconds() -> None:
    """Microseconds only where there are some."""
    assert SHANGHAI.iso(at("2026-03-10 00:00")) == "2026-03-10T00:00:00+08:00"
    assert SHANGHAI.iso(at("2026-03-10 00:00") + timedelta(microseconds=5)) == (
        "2026-03-10T00:00:00.000005+08:00"
    )
    assert CALENDARS["UTC"].iso(at("2026-03-10 00:00")) == "2026-03-09T16:00:00+00:00"


@given(calendars, instants)
def test_what_is_written_reads_back(calendar: Calendar, moment: datetime) -> None:
    """In any zone, clocks set back or not."""
    assert instant(calendar.iso(moment)) == moment


# ------------------------------------------------------------------ wrong use, and the edges


EARLIEST, LATEST = date.min.toordinal(), date.max.toordinal()
START = at("2026-03-02 10:00")
OUTSIDE: list[Callable[[], object]] = [
    lambda: SHANGHAI.midnight(0),
    lambda: SHANGHAI.midnight(EARLIEST),  # 8 hours before the first instant there is
    lambda: SHANGHAI.midnight(LATEST + 1),
    lambda: SHANGHAI.midnight(10**30),
    lambda: SHANGHAI.day_of(datetime.max.replace(tzinfo=UTC)),
    lambda: CALENDARS["America/New_York"].day_of(datetime.min.replace(tzinfo=UTC)),
    lambda: SHANGHAI.iso(datetime.max.replace(tzinfo=UTC)),
    lambda: SHANGHAI.text_of(datetime.max.replace(tzinfo=UTC)),
    lambda: SHANGHAI.is_working_day(0),
    lambda: SHANGHAI.is_working_day(LATEST + 1),
    lambda: SHANGHAI.roll_over(-5),
    lambda: SHANGHAI.roll_over(LATEST + 1),
    lambda: SHANGHAI.add_working_days(LATEST - 3, 15),
    lambda: SHANGHAI.add_working_days(0, 0),
    lambda: SHANGHAI.add_working_days(1, 10**30),
    lambda: SHANGHAI.working_days_between(0, 5),
    lambda: SHANGHAI.working_days_between(5, LATEST + 2),
    lambda: SHANGHAI.last_day(LATEST, length("1 day")),
    lambda: SHANGHAI.last_day(LATEST, length("1 week")),
    lambda: SHANGHAI.last_day(LATEST, length("1 month")),
    lambda: SHANGHAI.last_day(LATEST, length("999999 years")),
    lambda: SHANGHAI.due(START, length("999999 years")),
    lambda: SHANGHAI.due(datetime.max.replace(tzinfo=UTC), length("1 hour")),
    lambda: SHANGHAI.due(START, Duration(10**12, "hour")),
    lambda: SHANGHAI.due_on(date.max),
    lambda: SHANGHAI.opens(LATEST, length("1 day")),
    lambda: SHANGHAI.more_than(LATEST, length("1 day")),
    lambda: SHANGHAI.before(START, length("999999 years")),
    lambda: SHANGHAI.before(START, length("999999 working days")),
    lambda: SHANGHAI.before(START, Duration(10**9, "hour")),
    lambda: SHANGHAI.after(START, length("999999 weeks")),
    lambda: SHANGHAI.moved(datetime.max.replace(tzinfo=UTC), "hour", START, START + timedelta(1)),
    lambda: Calendar(years={10_000: YearPlan()}).published(10_000),
]


@pytest.mark.parametrize("call", OUTSIDE)
def test_outside_four_digit_years_is_a_usage_error(call: Callable[[], object]) -> None:
    """Never an overflow from within."""
    with pytest.raises(UsageError, match="outside the years 1 to 9999"):
        call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Calendar("Asia/Shangai"), "did you mean 'Asia/Shanghai'"),
        (lambda: Calendar(""), "unknown time zone ''"),
        (lambda: Calendar("America"), "unknown time zone 'America'"),
        (lambda: Calendar("../etc/passwd"), "unknown time zone"),
        (lambda: Calendar(years={2027: YearPlan(frozenset({date(2026, 12, 31)}))}), "its own year"),
        (
            lambda: Calendar(
                years={2027: YearPlan(frozenset({date(2027, 1, 2)}), frozenset({date(2027, 1, 2)}))}
            ),
            "both off and worked",
        ),
        (lambda: SHANGHAI.add_working_days(1000, -1), "0 or more"),
        (lambda: SHANGHAI.last_day(1000, length("2 hours")), "elapsed time"),
        (lambda: SHANGHAI.opens(1000, length("2 hours")), "instant of the start"),
        (lambda: SHANGHAI.more_than(1000, length("30 minutes")), "instant of the start"),
        (lambda: SHANGHAI.due_on(START), "is an instant"),
        (lambda: SHANGHAI.extended(START, length("1 day"), sign=2), "sign=2"),
        (lambda: SHANGHAI.moved(end_of("2026-03-09"), "fortnight", START, end_of("2026-03-04")), "fortnight"),
        (lambda: SHANGHAI.moved(end_of("2026-03-09"), "day", START, START - timedelta(1)), "before the"),
    ],
)
def test_wrong_use_is_told(call: Callable[[], object], message: str) -> None:
    """What was found, and what to write."""
    with pytest.raises(UsageError, match=message):
        call()


def test_the_first_and_the_last_day_there_are_hold_their_instants() -> None:
    """Though the midnight on their far side cannot be told."""
    assert SHANGHAI.day_of(datetime(1, 1, 1, 3, tzinfo=UTC)) == EARLIEST
    assert SHANGHAI.day_of(datetime(9999, 12, 31, 15, 59, tzinfo=UTC)) == LATEST
    assert CALENDARS["America/New_York"].day_of(datetime(1, 1, 1, 12, tzinfo=UTC)) == EARLIEST
    assert CALENDARS["America/New_York"].day_of(datetime.max.replace(tzinfo=UTC)) == LATEST
    assert SHANGHAI.add_working_days(LATEST - 1, 1) == (LATEST, True)
    assert SHANGHAI.working_days_between(EARLIEST, LATEST + 1)[1]


def test_an_unknown_zone_carries_its_name() -> None:
    """As a fact of the error, not only in its text."""
    with pytest.raises(UnknownName) as caught:
        Calendar("Asia/Peking")
    assert (caught.value.kind, caught.value.name) == ("time zone", "Asia/Peking")


def test_an_instant_needs_a_zone_and_may_have_another() -> None:
    """A naive one is refused, one of another zone is the same instant."""
    with pytest.raises(NaiveInstant):
        SHANGHAI.day_of(datetime(2026, 3, 2, 10))  # noqa: DTZ001 - what is refused
    moment = datetime(2026, 3, 2, 23, tzinfo=ZoneInfo("America/New_York"))
    assert SHANGHAI.day_of(moment) == SHANGHAI.day_of(moment.astimezone(UTC)) == day("2026-03-03")


@given(
    st.sampled_from(("Asia/Shanghai", "America/New_York", "Pacific/Apia", "America/Juneau", "Asia/Manila")),
    st.datetimes(timezones=st.just(UTC)),
    lengths(),
    st.booleans(),
)
def test_any_instant_at_all_is_answered_or_refused(
    zone: str, moment: datetime, term: Duration, rolled: bool
) -> None:
    """From the year 1 to 9999: a day that holds the instant, or `UsageError`, and nothing else."""
    calendar = Calendar(zone)
    try:
        one = calendar.day_of(moment)
        calendar.iso(moment)
    except UsageError:
        assert moment.year in (1, 9999)
        return
    if EARLIEST < one < LATEST:
        assert calendar.midnight(one) <= moment < calendar.midnight(one + 1)
        calendar.text_of(moment)
    if 2 < moment.year < 9980:
        assert calendar.due(moment, term, rolled=rolled).at >= moment


@given(st.integers(EARLIEST, LATEST - 7_000), st.integers(0, 3_000))
def test_working_days_hold_together_in_any_century(start: int, n: int) -> None:
    """The n-th working day is one, and there are n up to it."""
    last, _ = SHANGHAI.add_working_days(start, n)
    assert SHANGHAI.working_days_between(start + 1, last + 1)[0] == n
    assert n == 0 or SHANGHAI.is_working_day(last)


# ------------------------------------------------------------------ one calendar for everybody


def test_threads_share_a_calendar() -> None:
    """A cold one asked by eight threads at once answers each as a fresh one does."""
    shared = Calendar("America/Sao_Paulo")
    terms = [length(text) for text in ("15 working days", "7 days", "1 month")]
    starts = [START + timedelta(hours=7 * n) for n in range(300)]

    def work(_: int) -> list[Counted]:
        return [shared.due(start, term, rolled=True) for start in starts for term in terms]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(work, range(8)))
    assert all(answer == answers[0] for answer in answers)
    assert answers[0] == [Calendar(shared.zone).due(s, t, rolled=True) for s in starts for t in terms]


def test_what_is_remembered_is_bounded_and_makes_no_difference() -> None:
    """More questions than it keeps answers for."""
    calendar = Calendar()
    for one in range(day("2000-01-01"), day("2000-01-01") + 12_000):
        calendar.add_working_days(one, 3)
    assert len(calendar._added) <= 10_000
    assert calendar.add_working_days(day("2026-02-13"), 1) == (day("2026-02-14"), False)


def test_a_calendar_can_be_copied_and_pickled() -> None:
    """Used or unused, its copies count alike."""
    used = Calendar(years={2027: YearPlan(rest=frozenset({date(2027, 1, 1)}))})
    expected = used.due(START, length("300 working days"))
    for other in (copy.deepcopy(used), pickle.loads(pickle.dumps(used))):  # noqa: S301 - our own bytes
        assert other.due(START, length("300 working days")) == expected
    assert repr(used) == "<Calendar Asia/Shanghai, own years [2027]>"


def test_the_table_of_holidays_is_loaded_when_it_is_needed() -> None:
    """A service that never counts a working day never imports chinesecalendar."""
    program = """
import sys
from datetime import UTC, datetime
from renoflow.engine.calendar import Calendar
from renoflow.values import parse_duration
calendar, start = Calendar(), datetime(2026, 3, 2, tzinfo=UTC)
calendar.due(start, parse_duration("5 days"))
assert "chinese_calendar" not in sys.modules
calendar.due(start, parse_duration("5 working days"))
assert "chinese_calendar" in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)
