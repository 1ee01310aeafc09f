"""Ledgers and accumulations: what counts, when, how often, and what is left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

import renoflow as rf
from tests.engine.counting_lines import Line, full_groups, full_groups_without, longest_absence
from tests.engine.small import Desk, load, moment

FILE = """
[states]
open = {}
shut = { final = true }

[facts]
entry = { type = "enum", values = ["late", "breach", "merit", "absent", "top"] }
happened_on = { type = "date" }
rule = { type = "text" }
source = { type = "text" }
head = { type = "actor" }

[conditions]
has_head = { fact = "head", known = true }
no_head = { not = "has_head" }

[events.start]
from = "@start"
to = "open"

[events.enter]
from = ["open"]
to = "@same"
gives = ["entry", "happened_on"]
may_give = ["rule", "source"]

[events.strike]
from = ["open"]
to = "@same"
gives = ["entry", "happened_on"]
may_give = ["rule", "source"]

[events.name_head]
from = ["open"]
to = "@same"
gives = ["head"]

[events.finish]
from = ["open"]
to = "shut"

[ledger]
entry = "entry"
dated_by = "happened_on"
rule = "rule"
source = "source"
enters = ["enter"]
strikes = ["strike"]
keeps = "3 years"

[accumulations.late_thrice]
counts = ["late"]
within = "calendar month"
at_least = 3
asks = [ { host = "breach" } ]

[accumulations.breach_thrice]
counts = ["breach"]
except_rules = ["of_the_head"]
within = "calendar month"
at_least = 3
asks = [ { host = "warning" } ]

[accumulations.head_answers]
when = "has_head"
counts = ["breach"]
within = "calendar month"
at_least = 2
asks = [ { host = "head" } ]

[accumulations.nobody_answers]
when = "no_head"
counts = ["breach"]
within = "calendar month"
at_least = 2
notifies = ["boss"]

[accumulations.merits]
counts = ["merit"]
none_of = ["breach"]
within = "calendar year"
at_least = 2
at = "period end"
asks = [ { host = "great_merit" } ]

[accumulations.away]
counts = ["absent"]
running = "15 days"
asks = [ { host = "dismissal" } ]

[accumulations.top_thrice]
counts = ["top"]
running = "3 years"
asks = [ { host = "prize" } ]

[deadlines.year_end]
kind = "wait"
starts = ["start"]
restarts = ["deadline.year_end.open"]
terms = [ { every = "year" } ]
"""
KINDS = ("late", "breach", "merit", "absent", "top")


@pytest.fixture(scope="module")
def flows(tmp_path_factory: pytest.TempPathFactory) -> rf.Workflows:
    return load(tmp_path_factory.mktemp("ledger"), job=FILE)


class Book:
    """A ledger that is written at a fixed hour, and what it has asked the host for."""

    def __init__(self, flows: rf.Workflows, opened: str = "2026-01-05 09:00") -> None:
        self.desk = Desk(flows)
        assert self.desk.open(opened) == []
        self.asked: list[str] = []
        self.told: list[str] = []

    def enter(self, entry: str, day: str, at: str = "2026-06-30 18:00", **more: str) -> list[str]:
        return self.do("enter", at, entry=entry, happened_on=day, **more)

    def do(self, event: str, at: str, **facts: str) -> list[str]:
        reasons = self.desk.do(event, at, **facts)
        self._note()
        return reasons

    def wait(self, at: str) -> None:
        self.desk.wait(at)
        self._note()

    def _note(self) -> None:
        self.asked += [one.to for one in self.desk.last.effects if one.kind == "ask"]
        self.told += [one.to for one in self.desk.last.effects if one.kind == "notify"]

    @property
    def lines(self) -> tuple[rf.LedgerLine, ...]:
        return self.desk.service.case("J-1").ledger


def test_the_third_line_of_a_month_is_met_at_once(flows: rf.Workflows) -> None:
    """Three lines within a calendar month are one opening, six are two."""
    book = Book(flows)
    for number in range(1, 7):
        book.enter("late", f"2026-05-{number:02}")
        assert len(book.asked) == number // 3


def test_the_month_is_that_of_the_deed(flows: rf.Workflows) -> None:
    """A line that is entered late counts in its own month, and lines of two months never come together."""
    book = Book(flows)
    for day in ("2026-05-30", "2026-05-31", "2026-06-01", "2026-06-02"):
        book.enter("late", day)
    assert book.asked == []
    book.enter("late", "2026-05-04", at="2026-07-09 09:00")
    assert book.asked == ["breach"]


def test_an_accumulation_stands_in_the_history_with_the_days_that_it_counted(flows: rf.Workflows) -> None:
    """The line of the history follows from the entry that completed it, and is the system's doing."""
    book = Book(flows)
    for day in ("2026-05-20", "2026-05-04", "2026-05-11"):
        book.enter("late", day)
    last = book.desk.service.history("J-1")[-1]
    assert (last.event, last.actor, last.note) == (
        "accumulation.late_thrice",
        "system",
        "2026-05-04 2026-05-11 2026-05-20",
    )
    assert last.cause == last.number - 1


def test_lines_under_an_excepted_rule_do_not_count(flows: rf.Workflows) -> None:
    """Three breaches of which one came by the excepted rule are two."""
    book = Book(flows)
    book.enter("breach", "2026-05-04", rule="of_the_head")
    book.enter("breach", "2026-05-05")
    book.enter("breach", "2026-05-06")
    assert "warning" not in book.asked
    book.enter("breach", "2026-05-07")
    assert book.asked.count("warning") == 1


def test_what_waits_for_a_fact_is_met_once_it_is_known(flows: rf.Workflows) -> None:
    """Nothing is lost while nobody is named: a notice goes out, and every full group follows later."""
    book = Book(flows)
    for number in range(1, 6):
        book.enter("breach", f"2026-05-{number:02}")
    assert (book.asked.count("head"), book.told) == (0, ["boss", "boss"])
    book.do("name_head", "2026-07-01 09:00", head="qian")
    assert book.asked.count("head") == 2


def test_a_struck_line_counts_no_more(flows: rf.Workflows) -> None:
    """The latest line of that kind and day that decided nothing is taken out."""
    book = Book(flows)
    book.enter("late", "2026-05-04", source="door")
    book.enter("late", "2026-05-04", source="desk")
    book.do("strike", "2026-07-01 09:00", entry="late", happened_on="2026-05-04")
    assert [line.source for line in book.lines] == ["door"]
    book.enter("late", "2026-05-05", at="2026-07-01 10:00")
    assert book.asked == []


def test_only_the_line_that_is_meant_is_struck(flows: rf.Workflows) -> None:
    """With a source, the line that has it goes, although a later one is like it."""
    book = Book(flows)
    book.enter("late", "2026-05-04", source="door")
    book.enter("late", "2026-05-04", source="desk")
    book.do("strike", "2026-07-01 09:00", entry="late", happened_on="2026-05-04", source="door")
    assert [line.source for line in book.lines] == ["desk"]


def test_what_was_decided_stays(flows: rf.Workflows) -> None:
    """A line that was counted cannot be struck out, nor can one that is not there."""
    book = Book(flows)
    for day in ("2026-05-04", "2026-05-05", "2026-05-06"):
        book.enter("late", day)
    assert book.do("strike", "2026-07-01 09:00", entry="late", happened_on="2026-05-05") == [
        "line_missing late"
    ]
    assert book.do("strike", "2026-07-01 09:00", entry="merit", happened_on="2026-05-05") == [
        "line_missing merit"
    ]
    (reason,) = book.desk.last.reasons
    assert "2026-05-05" in reason.text("zh")
    assert "2026-05-05" in reason.text("en")


def test_a_notice_alone_keeps_no_line_from_being_struck(flows: rf.Workflows) -> None:
    """What only told somebody has decided nothing."""
    book = Book(flows)
    book.enter("breach", "2026-05-04")
    book.enter("breach", "2026-05-05")
    assert book.told == ["boss"]
    assert book.do("strike", "2026-07-01 09:00", entry="breach", happened_on="2026-05-05") == []


def test_a_year_is_settled_when_it_is_over(flows: rf.Workflows) -> None:
    """Merits of a year without a breach are met at 00:00 of the first of January, and not before."""
    book = Book(flows)
    book.enter("merit", "2026-03-02")
    book.enter("merit", "2026-06-02")
    book.wait("2026-12-31 23:59")
    assert book.asked == []
    book.wait("2026-12-31 24:00")
    assert book.asked == ["great_merit"]


def test_a_breach_in_december_spoils_the_year(flows: rf.Workflows) -> None:
    """One line of which there may be none, and the year gives nothing."""
    book = Book(flows)
    book.enter("merit", "2026-03-02")
    book.enter("merit", "2026-06-02")
    book.enter("breach", "2026-12-30", at="2026-12-31 09:00")
    book.wait("2027-01-02 00:00")
    assert book.asked == []


def test_a_line_of_last_year_that_comes_late_counts_at_once(flows: rf.Workflows) -> None:
    """The year is over already, so the second merit is met when it is entered."""
    book = Book(flows)
    book.enter("merit", "2026-03-02")
    book.wait("2027-01-15 00:00")
    book.enter("merit", "2026-12-20", at="2027-01-20 09:00")
    assert book.asked == ["great_merit"]


def test_three_years_running(flows: rf.Workflows) -> None:
    """Three successive years are a run whatever the order of entering; a gap breaks it."""
    book = Book(flows, "2023-01-05 09:00")
    for year in (2022, 2024):
        book.enter("top", f"{year}-12-31", at="2025-01-10 09:00")
    assert book.asked == []
    book.enter("top", "2025-12-31", at="2026-01-10 09:00")
    assert book.asked == []
    book.enter("top", "2023-12-31", at="2026-01-11 09:00")
    assert book.asked == ["prize"]


def test_absent_for_fifteen_days(flows: rf.Workflows) -> None:
    """From a Monday to the Monday two weeks on are fifteen days, with two weekends of rest between."""
    book = Book(flows)
    for day in _working_days(flows, date(2026, 6, 1), date(2026, 6, 12)):
        book.enter("absent", day.isoformat())
    assert book.asked == []
    book.enter("absent", "2026-06-15")
    assert book.asked == ["dismissal"]


def test_a_day_of_attendance_breaks_the_absence(flows: rf.Workflows) -> None:
    """One working day between is enough, a holiday is not."""
    book = Book(flows)
    days = _working_days(flows, date(2026, 6, 1), date(2026, 6, 30))
    for day in days:
        if day != date(2026, 6, 9):
            book.enter("absent", day.isoformat(), at="2026-07-09 09:00")
    assert days[-1] - days[0] == timedelta(days=29)
    assert book.asked == ["dismissal"]  # from the 10th on, over the holiday of the 19th


def test_a_day_beyond_what_is_kept_is_refused(flows: rf.Workflows) -> None:
    """A line of four years ago would count with lines that are gone, so it is not taken."""
    book = Book(flows)
    assert book.enter("late", "2022-12-31") == ["fact_invalid happened_on"]
    assert "2023-01-01" in book.desk.last.reasons[0].text("zh")
    assert book.enter("late", "2023-01-01") == []


def test_what_nothing_can_count_any_more_is_dropped(flows: rf.Workflows) -> None:
    """A used line that no other rule counts leaves the snapshot, and so does one that has become too old."""
    book = Book(flows)
    for day in ("2026-05-04", "2026-05-05", "2026-05-06", "2026-05-07"):
        book.enter("late", day)
    assert [line.day.day for line in book.lines] == [7]
    book.enter("late", "2030-02-01", at="2030-02-02 09:00")
    assert [line.day.year for line in book.lines] == [2030]


def test_the_tally_says_what_counts_and_what_is_missing(flows: rf.Workflows) -> None:
    """Per rule and period, in both languages."""
    book = Book(flows)
    book.enter("late", "2026-05-04")
    book.enter("late", "2026-05-05")
    book.enter("merit", "2026-05-06")
    book.enter("breach", "2026-05-07")
    book.enter("top", "2025-12-31")
    case = book.desk.service.case("J-1")
    found = {
        (one.accumulation, one.period): one for one in flows["job"].tally(case, moment("2026-06-30 19:00"))
    }
    may = found["late_thrice", "2026-05"]
    assert (may.found, may.wanted, may.missing, [line.day.day for line in may.lines]) == (2, 3, 1, [4, 5])
    assert found["late_thrice", "2026-06"].missing == 3
    assert [line.kind for line in found["merits", "2026"].against] == ["breach"]
    assert (found["top_thrice", ""].found, found["top_thrice", ""].unit) == (1, "year")
    assert ("head_answers", "2026-05") not in found
    for one in found.values():
        assert one.text("zh").endswith("。")
        assert one.text("en").endswith(".")


# ------------------------------------------------------------------ properties

some_days = st.dates(date(2026, 4, 20), date(2026, 6, 10))
some_lines = st.lists(st.tuples(st.sampled_from(KINDS), some_days), max_size=30)


def _written(flows: rf.Workflows, lines: Iterable[Line]) -> Book:
    book = Book(flows)
    for entry, day in lines:
        assert book.enter(entry, day.isoformat()) == []
    return book


@settings(max_examples=60, deadline=None)
@given(lines=some_lines)
def test_a_plain_count_agrees(flows: rf.Workflows, lines: list[Line]) -> None:
    """What is opened is what a count in plain Python finds."""
    book = _written(flows, lines)
    book.wait("2027-01-05 00:00")
    asked = Counter(book.asked)
    assert asked["breach"] == full_groups(lines, "late", 3)
    assert asked["warning"] == full_groups(lines, "breach", 3)
    assert len(book.told) == full_groups(lines, "breach", 2)
    assert asked["great_merit"] == full_groups_without(lines, "merit", 2, "breach", 2027)


@settings(max_examples=60, deadline=None)
@given(lines=some_lines, data=st.data())
def test_the_order_of_entering_changes_no_count(
    flows: rf.Workflows, lines: list[Line], data: st.DataObject
) -> None:
    """Any order of the same lines gives the same number of each opening, where lines are counted."""
    counted = [line for line in lines if line[0] in ("late", "breach", "merit")]
    one, other = _written(flows, counted), _written(flows, data.draw(st.permutations(counted)))
    for book in (one, other):
        book.wait("2027-01-05 00:00")
    assert Counter(one.asked) == Counter(other.asked)


@settings(max_examples=60, deadline=None)
@given(lines=some_lines)
def test_nothing_is_counted_twice_by_a_rule(flows: rf.Workflows, lines: list[Line]) -> None:
    """The days that an accumulation has counted are never more than were entered."""
    book = _written(flows, lines)
    counts = {"late_thrice": "late", "breach_thrice": "breach", "away": "absent"}
    used = Counter(
        (counts[name], day)
        for entry in book.desk.service.history("J-1")
        if (name := entry.event.removeprefix("accumulation.")) in counts
        for day in entry.note.split()
    )
    entered = Counter((entry, day.isoformat()) for entry, day in lines)
    assert used <= entered


@settings(max_examples=60, deadline=None)
@given(lines=some_lines)
def test_the_history_alone_gives_the_same_ledger(flows: rf.Workflows, lines: list[Line]) -> None:
    """Replaying gives the case back, and so does writing it out and reading it."""
    book = _written(flows, lines)
    flow, case = flows["job"], book.desk.service.case("J-1")
    assert flow.replay(book.desk.service.history("J-1")) == case
    assert flow.case_from_json(flow.to_json(case)) == case
    for entry in book.desk.service.history("J-1"):
        assert flow.entry_from_json(flow.to_json(entry)) == entry


@settings(max_examples=60, deadline=None)
@given(days=st.sets(st.dates(date(2026, 6, 1), date(2026, 6, 30)), min_size=8))
def test_absence_agrees_with_a_plain_count(flows: rf.Workflows, days: set[date]) -> None:
    """Fifteen days running are found exactly when a plain search finds them."""
    book = _written(flows, (("absent", day) for day in sorted(days)))
    working = _working_days(flows, date(2026, 5, 1), date(2026, 7, 31))
    assert ("dismissal" in book.asked) is (longest_absence(days, working) >= 15)


def _working_days(flows: rf.Workflows, first: date, last: date) -> list[date]:
    days = (date.fromordinal(n) for n in range(first.toordinal(), last.toordinal() + 1))
    return [day for day in days if flows.calendar.is_working_day(day.toordinal())]
