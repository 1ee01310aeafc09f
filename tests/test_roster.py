"""Whether a customer manager is at the front desk at all opening hours."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

import renoflow as rf

ZONE = timezone(timedelta(hours=8))
DAY = (datetime(2026, 3, 2, 8, tzinfo=ZONE), datetime(2026, 3, 2, 20, tzinfo=ZONE))


def shift(employee: str, starts: int, ends: int, role: str = "customer_manager", day: int = 2) -> rf.Shift:
    """A shift from one full hour to another."""
    begin = datetime(2026, 3, day, tzinfo=ZONE)
    return rf.Shift(
        employee=employee,
        role=role,
        starts=begin + timedelta(hours=starts),
        ends=begin + timedelta(hours=ends),
    )


def spans(gaps: tuple[rf.RosterGap, ...]) -> list[tuple[int, int]]:
    return [(gap.starts.hour, gap.ends.hour) for gap in gaps]


def test_shifts_that_meet_or_overlap_leave_no_gap() -> None:
    """Early and late shift that meet cover the day, in whatever order they are written."""
    assert rf.roster_gaps([shift("zhang", 14, 20), shift("wang", 7, 14)], [DAY]) == ()
    assert rf.roster_gaps([shift("wang", 7, 15), shift("zhang", 9, 12), shift("li", 14, 21)], [DAY]) == ()


def test_no_customer_manager_at_the_front_desk_breaks_the_invariant() -> None:
    """Hours at which only others are at the desk are gaps, said in both languages."""
    roster = [shift("wang", 8, 12), shift("chen", 8, 20, role="front_desk"), shift("zhang", 13, 18)]
    gaps = rf.roster_gaps(roster, [DAY])
    assert [gap.text("zh") for gap in gaps] == [
        "2026-03-02 12:00 至 13:00 前台没有客户经理",
        "2026-03-02 18:00 至 20:00 前台没有客户经理",
    ]
    assert [gap.text("en") for gap in gaps] == [
        "no customer manager at the front desk from 2026-03-02 12:00 to 13:00",
        "no customer manager at the front desk from 2026-03-02 18:00 to 20:00",
    ]


def test_an_empty_roster_leaves_all_opening_hours_open() -> None:
    """Without a shift every opening is a gap; without opening hours there is none."""
    next_day = (DAY[0] + timedelta(days=1), DAY[1] + timedelta(days=1))
    assert spans(rf.roster_gaps([], [next_day, DAY])) == [(8, 20), (8, 20)]
    assert rf.roster_gaps([], []) == ()


def test_hours_in_another_zone_are_the_same_hours() -> None:
    """Shifts and opening hours are compared as instants, and gaps are told in the zone of the hours."""
    utc = rf.Shift(
        employee="wang", role="customer_manager", starts="2026-03-02T00:00:00Z", ends="2026-03-02T10:00:00Z"
    )
    assert spans(rf.roster_gaps([utc], [DAY])) == [(18, 20)]


def test_a_gap_over_midnight_names_both_days() -> None:
    """A gap that ends on another day says on which."""
    night = (datetime(2026, 3, 2, 22, tzinfo=ZONE), datetime(2026, 3, 3, 6, tzinfo=ZONE))
    (gap,) = rf.roster_gaps([shift("wang", 20, 23)], [night])
    assert gap.text("zh") == "2026-03-02 23:00 至 2026-03-03 06:00 前台没有客户经理"


def test_a_shift_that_ends_before_it_begins_is_refused() -> None:
    """A shift with its ends exchanged, or without a time zone, is no shift."""
    with pytest.raises(rf.UsageError, match="ends on the next day"):
        shift("wang", 20, 8)
    with pytest.raises(rf.NaiveInstant):
        rf.Shift(
            employee="wang",
            role="customer_manager",
            starts=datetime(2026, 3, 2, 8),  # noqa: DTZ001 - the missing zone is what is tried
            ends=DAY[1],
        )
