"""Terms that end with a calendar period, and the duties that come back in each.

March 2026: the 2nd is a Monday.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from renoflow.values import Lang
from renoflow.views.describe import describe_text
from tests.engine.small import ZONE, Desk, load, moment

DUTY = """
[states]
open   = {}
halted = {}
done   = { final = true }
[facts]
missed = { type = "count" }
big    = { type = "yes_no" }
[events.begin]
from = "@start"
to = "open"
[events.report]
from = ["open", "halted"]
to = "@same"
[events.learn]
from = ["open", "halted"]
to = "@same"
gives = ["big"]
[events.drop]
from = ["open"]
to = "@same"
[events.note]
from = ["open", "halted"]
to = "@same"
by = ["system"]
fired_by = ["deadline.work.breached"]
adds = { missed = 1 }
[events.halt]
from = ["open"]
to = "halted"
[events.go_on]
from = ["halted"]
to = "open"
[events.end]
from = ["open", "halted"]
to = "done"
[deadlines.work]
starts = ["begin"]
restarts = ["report", "deadline.work.breached"]
stops = ["end"]
cancels = ["drop"]
rechosen_by = ["learn"]
pauses = [ { in = ["halted"] } ]
terms = [ { name = "often", when = "big", every = "day" }, { every = "PERIOD" } ]
warnings = [ { before = "12 hours", notify = ["worker"] } ]
escalations = [ { after = "1 day", notify = ["boss"] } ]
extended_by = ["boss"]
"""


def duty(tmp_path: Path, period: str = "week") -> Desk:
    return Desk(load(tmp_path, job=DUTY.replace("PERIOD", period)))


@pytest.mark.parametrize(
    ("period", "start", "due"),
    [
        ("day", "2026-03-04 10:00", "2026-03-04 24:00"),
        ("week", "2026-03-02 00:00", "2026-03-08 24:00"),
        ("week", "2026-03-08 23:59", "2026-03-08 24:00"),
        ("week", "2026-12-31 10:00", "2027-01-03 24:00"),
        ("month", "2026-02-01 10:00", "2026-02-28 24:00"),
        ("month", "2024-02-29 10:00", "2024-02-29 24:00"),
        ("month", "2026-12-31 10:00", "2026-12-31 24:00"),
        ("quarter", "2026-01-01 10:00", "2026-03-31 24:00"),
        ("quarter", "2026-05-20 10:00", "2026-06-30 24:00"),
        ("quarter", "2026-11-01 10:00", "2026-12-31 24:00"),
        ("year", "2026-07-01 10:00", "2026-12-31 24:00"),
    ],
)
def test_a_term_ends_with_the_period_of_its_start(tmp_path: Path, period: str, start: str, due: str) -> None:
    """At 24:00 of the last day of the day, week, month, quarter or year in which it starts."""
    desk = duty(tmp_path, period)
    desk.open(start)
    assert desk.due() == due


def test_what_is_done_early_counts_for_its_period_and_the_next_one_is_owed(tmp_path: Path) -> None:
    """A report in the week makes the next due at the end of the next week."""
    desk = duty(tmp_path)
    desk.open("2026-03-02 10:00")
    desk.do("report", "2026-03-04 10:00")
    assert desk.due() == "2026-03-15 24:00"
    desk.do("report", "2026-03-15 23:59")
    assert desk.due() == "2026-03-22 24:00"
    desk.wait("2026-03-22 23:00")
    assert desk.fact("missed") is None


def test_two_in_one_period_are_no_advance(tmp_path: Path) -> None:
    """A second report in the same week leaves the next week's owed."""
    desk = duty(tmp_path)
    desk.open("2026-03-02 10:00")
    desk.do("report", "2026-03-04 10:00")
    desk.do("report", "2026-03-05 10:00")
    assert desk.due() == "2026-03-15 24:00"


def test_what_is_missed_is_noted_and_the_next_period_is_owed(tmp_path: Path) -> None:
    """Week after week, with nobody doing anything."""
    desk = duty(tmp_path)
    desk.open("2026-03-04 10:00")
    desk.wait("2026-03-25 10:00")
    assert desk.fact("missed") == 3
    assert (desk.status(), desk.due()) == ("running", "2026-03-29 24:00")
    breaches = [entry for entry in desk.service.history("J-1") if entry.event == "deadline.work.breached"]
    assert [entry.at for entry in breaches] == [
        moment("2026-03-08 24:00"), moment("2026-03-15 24:00"), moment("2026-03-22 24:00"),
    ]  # fmt: skip
    assert desk.flows["job"].replay(desk.service.history("J-1")) == desk.service.case("J-1")


def test_a_duty_that_was_cancelled_is_owed_again_in_the_same_period(tmp_path: Path) -> None:
    """Nothing was done in this period, so its end is the date again."""
    desk = duty(tmp_path)
    desk.open("2026-03-02 10:00")
    desk.do("drop", "2026-03-03 10:00")
    desk.do("report", "2026-03-04 10:00")
    assert desk.due() == "2026-03-08 24:00"


def test_an_extended_end_does_not_excuse_the_period_that_goes_on(tmp_path: Path) -> None:
    """The report of the first week may come on Tuesday; that of the second is still due on its Sunday."""
    desk = duty(tmp_path)
    desk.open("2026-03-02 10:00")
    assert not desk.extend("work", "2026-03-03 10:00", "3 days")
    assert desk.due() == "2026-03-11 24:00"
    desk.do("report", "2026-03-10 10:00")
    assert desk.due() == "2026-03-15 24:00"


@pytest.mark.parametrize(
    ("resumed", "due"),
    [("2026-03-06 10:00", "2026-03-08 24:00"), ("2026-03-18 10:00", "2026-03-22 24:00")],
)
def test_a_pause_does_not_move_the_end_of_a_period(tmp_path: Path, resumed: str, due: str) -> None:
    """Within the period it stands; where it has passed, the period that goes on is owed, and no other."""
    desk = duty(tmp_path)
    desk.open("2026-03-02 10:00")
    desk.do("halt", "2026-03-04 10:00")
    desk.do("go_on", resumed)
    assert (desk.status(), desk.due(), desk.fact("missed")) == ("running", due, None)
    desk.do("report", resumed)
    assert moment(desk.due() or "") == moment(due) + timedelta(days=7)


def test_a_period_chosen_again_ends_after_now(tmp_path: Path) -> None:
    """From the week to the day on a Thursday: that day's end; and back: that week's."""
    desk = duty(tmp_path)
    desk.open("2026-03-02 10:00")
    desk.do("learn", "2026-03-05 10:00", big=True)
    assert desk.due() == "2026-03-05 24:00"
    desk.do("learn", "2026-03-05 11:00", big=False)
    assert desk.due() == "2026-03-08 24:00"


def test_warnings_and_escalations_come_as_for_limits(tmp_path: Path) -> None:
    """A warning before the end of each week; what is escalated follows the breach of a duty that is left."""
    desk = Desk(
        load(tmp_path, job=DUTY.replace("PERIOD", "week").replace(', "deadline.work.breached"]', "]"))
    )
    desk.open("2026-03-02 10:00")
    desk.wait("2026-03-12 10:00")
    assert desk.handed_out() == [
        "notify worker deadline.work.warning", "notify boss deadline.work.escalation",
    ]  # fmt: skip


WAIT = """
[states]
open = {}
done = { final = true }
[facts]
rounds = { type = "count" }
[events.begin]
from = "@start"
to = "open"
[events.look]
from = ["open"]
to = "@same"
by = ["system"]
fired_by = ["deadline.work.open"]
adds = { rounds = 1 }
[events.end]
from = ["open"]
to = "done"
[deadlines.work]
kind = "wait"
starts = ["begin"]
restarts = ["deadline.work.open"]
terms = [ { every = "month" } ]
"""


def test_a_wait_is_over_as_the_next_period_begins_and_can_come_back(tmp_path: Path) -> None:
    """At 00:00 of the first of each month."""
    desk = Desk(load(tmp_path, job=WAIT))
    desk.open("2026-01-31 10:00")
    desk.wait("2026-04-15 10:00")
    rounds = [entry.at for entry in desk.service.history("J-1") if entry.event == "look"]
    assert rounds == [moment(f"2026-{month:02}-01 00:00") for month in (2, 3, 4)]
    assert desk.flows["job"].replay(desk.service.history("J-1")) == desk.service.case("J-1")


def test_it_is_put_into_words(tmp_path: Path) -> None:
    """Which period is owed, by which periods it counts, and when it is due; in both languages."""
    desk = duty(tmp_path)
    desk.open("2026-03-02 10:00")
    desk.do("report", "2026-03-04 10:00")
    desk.do("halt", "2026-03-05 10:00")
    desk.do("go_on", "2026-03-06 10:00")
    story = desk.flows["job"].explain(desk.service.case("J-1"), "work")
    zh, en = story.text("zh"), story.text("en")
    assert "因「项目report」起算，本期为 2026-03-09 所在的一期。按自然周（周一至周日）计" in zh
    assert "到期：2026-03-15 24:00。" in zh
    assert "期末不变" in zh
    assert "for the period of 2026-03-09. Counted by the calendar week (Monday to Sunday)" in en
    assert "the end of the period stands" in en


@pytest.mark.parametrize(
    ("lang", "words"), [("zh", "以期末为限，按 自然月"), ("en", "by the end of the calendar month")]
)
def test_a_description_says_with_which_period_it_ends(tmp_path: Path, lang: Lang, words: str) -> None:
    """`describe` names the period among the terms."""
    assert words in describe_text(duty(tmp_path, "month").flows["job"], lang)


def test_the_last_period_there_is_has_no_next(tmp_path: Path) -> None:
    """A week that runs out of the calendar is refused as a date out of range."""
    desk = duty(tmp_path)
    assert desk.open("9999-12-31 10:00") == ["date_out_of_range"]


# ------------------------------------------------------------------ properties


def period_of(day: date, period: str) -> tuple[int, ...]:
    """Which period a day lies in, written down without the library's help."""
    return {
        "day": (day.toordinal(),),
        "week": day.isocalendar()[:2],
        "month": (day.year, day.month),
        "quarter": (day.year, (day.month - 1) // 3),
        "year": (day.year,),
    }[period]


def end_of(key: tuple[int, ...], period: str) -> date:
    match period:
        case "day":
            return date.fromordinal(key[0])
        case "week":
            return date.fromisocalendar(key[0], key[1], 7)
        case "month":
            return date(key[0], key[1], monthrange(key[0], key[1])[1])
        case "quarter":
            last = key[1] * 3 + 3
            return date(key[0], last, monthrange(key[0], last)[1])
    return date(key[0], 12, 31)


SPANS = {"day": 1, "week": 7, "month": 30, "quarter": 91, "year": 365}


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), period=st.sampled_from(sorted(SPANS)))
def test_a_recurring_duty_misses_exactly_the_periods_without_a_report(
    tmp_path: Path, data: Any, period: str
) -> None:
    """Whenever reports come: each period that ends without one is breached once, at its end, and no other."""
    begun = data.draw(st.dates(date(2024, 1, 1), date(2026, 12, 31)))
    hours = data.draw(st.lists(st.integers(1, 24 * 6 * SPANS[period]), max_size=12).map(sorted))
    start = datetime.combine(begun, time(0, 30), ZONE)
    reports = [start + timedelta(hours=hour) for hour in hours]
    desk = duty(tmp_path, period)
    desk.open(f"{start:%Y-%m-%d %H:%M}")
    for at in reports:
        assert not desk.do("report", f"{at:%Y-%m-%d %H:%M}")
    until = start + timedelta(days=7 * SPANS[period])
    desk.wait(f"{until:%Y-%m-%d %H:%M}")
    found = [
        e.at.astimezone(ZONE) for e in desk.service.history("J-1") if e.event == "deadline.work.breached"
    ]
    kept = {period_of(at.date(), period) for at in reports}
    expected = []
    for number in range((until.date() - begun).days + 1):
        day = begun + timedelta(days=number)
        key = period_of(day, period)
        if end_of(key, period) == day and day < until.date() and key not in kept:
            expected.append(datetime.combine(day + timedelta(days=1), time(), ZONE))
    assert found == expected
    assert desk.flows["job"].replay(desk.service.history("J-1")) == desk.service.case("J-1")
