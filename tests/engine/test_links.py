"""Peers: tied by hand, at an opening or opened; what they tell each other; cases that are found by a key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import renoflow as rf
from renoflow.values import SYSTEM_ACTOR
from tests.engine.small import Desk, load, moment, shown

JOB = """
[states]
open   = {}
signed = {}
lost   = { final = true }
[facts]
source   = { type = "text" }
accepted = { type = "yes_no", told_by = "lead" }
rating   = { type = "whole", at_least = 1, at_most = 5, told_by = "lead" }
heard    = { type = "count" }
moves    = { type = "count" }
[conditions]
no_lead   = { linked = "lead", exists = false }
lead_over = { linked = "lead", state = ["over"] }
known_source = { fact = "source", known = true }
heard_once   = { happened = ["link.lead.told"] }
[events.begin]
from = "@start"
to = "open"
may_give = ["source"]
opens = [ { link = "lead", when = "known_source" } ]
[events.ask_again]
from = ["open"]
to = "@same"
opens = [ { link = "lead" } ]
[events.sign]
from = ["open"]
to = "signed"
guards = ["accepted"]
tells = [ { link = "lead", event = "mark_signed" } ]
[events.lose]
from = ["open", "signed"]
to = "lost"
[events.take_up]
from = ["lost"]
to = "open"
[events.hear]
from = ["open", "signed"]
to = "@same"
by = ["system"]
fired_by = ["link.lead.told"]
guards = ["heard_once"]
adds = { heard = 1 }
[events.file]
from = ["open", "signed"]
to = "@same"
guards = ["lead_over"]
[events.check]
from = ["open"]
to = "@same"
guards = ["no_lead"]
[links.lead]
workflow = "lead"
facts = { source = "@source", grade = "a" }
[[reactions]]
on = ["link.lead.moved"]
adds = { moves = 1 }
"""
LEAD = """
[states]
new    = {}
signed = {}
over   = { final = true }
[facts]
source = { type = "text" }
grade  = { type = "enum", values = ["a", "b"] }
score  = { type = "whole" }
[conditions]
job_lost = { linked = "job", state = ["lost"] }
[events.register]
from = "@start"
to = "new"
by = ["worker", "system"]
may_give = ["source", "grade"]
[events.accept]
from = ["new"]
to = "@same"
tells = [ { link = "job", facts = { accepted = true } } ]
[events.rate]
from = ["new", "over"]
to = "@same"
gives = ["score"]
tells = [ { link = "job", facts = { rating = "@score" } } ]
[events.mark_signed]
from = ["new"]
to = "signed"
by = ["system"]
[events.drop]
from = ["new", "signed"]
to = "over"
[events.revive]
from = ["over"]
to = "new"
[events.write_off]
from = ["new"]
to = "over"
guards = ["job_lost"]
[links.job]
workflow = "job"
"""


def tied(tmp_path: Path) -> Desk:
    """J-1 and L-1, tied by the boss."""
    desk = Desk(load(tmp_path, job=JOB, lead=LEAD))
    desk.open("2026-03-02 10:00")
    desk.open("2026-03-02 10:00", workflow="lead", case="L-1")
    assert not desk.link("lead", "L-1", "2026-03-02 11:00")
    return desk


def replays(desk: Desk) -> None:
    """Every case follows from its own history, through JSON as well."""
    for case in desk.service.cases():
        flow = desk.flows[case.workflow]
        history = desk.service.history(case.id)
        assert flow.replay(history) == case
        kept = [flow.entry_from_json(flow.to_json(entry)) for entry in history]
        assert kept == list(history)
        assert flow.replay(kept) == case
        assert flow.case_from_json(flow.to_json(case)) == case


# ------------------------------------------------------------------ tying


def test_two_cases_are_tied_and_both_histories_say_so(tmp_path: Path) -> None:
    """Each has the other by the name of its own file; the first says who tied them."""
    desk = tied(tmp_path)
    assert desk.service.case("J-1").links["lead"].case == "L-1"
    assert desk.service.case("L-1").links["job"].case == "J-1"
    first, second = desk.service.history("J-1")[-1], desk.service.history("L-1")[-1]
    assert (first.event, first.actor, shown(first.at)) == ("link.lead.told", "boss", "2026-03-02 11:00")
    assert (second.event, second.actor) == ("link.job.told", "system")
    replays(desk)


def test_each_is_told_of_the_moves_of_the_other_that_its_file_asks_for(tmp_path: Path) -> None:
    """Without the host's help, in the same transaction, and in the own history."""
    desk = tied(tmp_path)
    assert desk.do("write_off", "2026-03-02 12:00", case="L-1") == ["guard_unmet job_lost"]
    desk.do("lose", "2026-03-02 13:00")
    assert {entry.case for entry in desk.last.entries} == {"J-1", "L-1"}
    assert not desk.do("write_off", "2026-03-02 14:00", case="L-1")
    assert desk.service.case("J-1").links["lead"].state == "over"
    replays(desk)


def test_an_end_and_a_reopening_of_a_peer_are_always_told(tmp_path: Path) -> None:
    """The file of the lead asks for `lost` alone, and yet knows that the job has ended or goes on."""
    desk = tied(tmp_path)
    desk.do("lose", "2026-03-02 12:00")
    assert desk.service.case("L-1").links["job"].ended
    desk.do("take_up", "2026-03-02 13:00")
    assert not desk.service.case("L-1").links["job"].ended
    assert desk.service.case("L-1").links["job"].state == "open"
    # A peer that has ended is told as well: it may be taken up again.
    desk.do("drop", "2026-03-02 14:00", case="L-1")
    desk.do("lose", "2026-03-02 15:00")
    assert desk.service.case("L-1").links["job"].state == "lost"
    replays(desk)


def test_an_opening_can_be_tied_to_cases_that_are_there(tmp_path: Path) -> None:
    """The opening event already knows the peer, and the peer is told of the new case."""
    desk = Desk(load(tmp_path, job=JOB, lead=LEAD))
    desk.open("2026-03-02 10:00", workflow="lead", case="L-1")
    assert not desk.open("2026-03-02 11:00", links={"lead": "L-1"}, source="walk in")
    # It has a lead, so it opens none.
    assert [case.id for case in desk.service.cases()] == ["L-1", "J-1"]
    assert desk.service.case("L-1").links["job"].case == "J-1"
    assert desk.events("L-1") == ["register", "link.job.told"]
    (opening,) = desk.service.history("J-1")
    assert [told.case for told in opening.links] == ["L-1"]
    replays(desk)


def test_the_same_pair_again_changes_nothing(tmp_path: Path) -> None:
    """Tied from either side once more, no line is written."""
    desk = tied(tmp_path)
    before = list(desk.service.cases())
    assert not desk.link("lead", "L-1", "2026-03-02 12:00")
    assert desk.last.entries == ()
    assert not desk.link("job", "J-1", "2026-03-02 12:00", case="L-1")
    assert desk.last.entries == ()
    assert list(desk.service.cases()) == before


def test_a_name_that_is_taken_is_refused_until_that_case_has_ended(tmp_path: Path) -> None:
    """On either side; the refusal says which case stands there."""
    desk = tied(tmp_path)
    desk.open("2026-03-02 11:00", workflow="lead", case="L-2")
    desk.open("2026-03-02 11:00", case="J-2")
    assert desk.link("lead", "L-2", "2026-03-02 12:00") == ["link_taken lead"]
    assert "L-1" in desk.last.reasons[0].text("zh")
    assert desk.link("lead", "L-1", "2026-03-02 12:00", case="J-2") == ["link_taken job"]
    assert "J-1" in desk.last.reasons[0].text("en")
    assert desk.open("2026-03-02 12:00", case="J-3", links={"lead": "L-1"}) == ["link_taken job"]
    assert desk.service.find("J-3") is None
    assert desk.events("L-2") == ["register"]
    desk.do("drop", "2026-03-02 13:00", case="L-1")
    assert not desk.link("lead", "L-2", "2026-03-02 14:00")
    assert desk.service.case("J-1").links["lead"].case == "L-2"
    # What the old one does from now on is nothing to the job.
    desk.do("revive", "2026-03-02 15:00", case="L-1")
    assert desk.service.case("J-1").links["lead"].case == "L-2"
    replays(desk)


def replaced(tmp_path: Path) -> Desk:
    """J-1 took L-2 after L-1 had ended, and L-1 was taken up again."""
    desk = tied(tmp_path)
    desk.open("2026-03-02 11:00", workflow="lead", case="L-2")
    desk.do("drop", "2026-03-02 12:00", case="L-1")
    assert not desk.link("lead", "L-2", "2026-03-02 13:00")
    desk.do("revive", "2026-03-02 14:00", case="L-1")
    return desk


def test_a_peer_whose_place_was_taken_goes_on_hearing(tmp_path: Path) -> None:
    """It still has the job under its own name, and is never left with what the job once was."""
    desk = replaced(tmp_path)
    assert desk.service.case("J-1").followers == ("L-1",)
    desk.do("lose", "2026-03-02 15:00")
    for lead in ("L-1", "L-2"):
        assert desk.service.case(lead).links["job"].ended
        assert not desk.do("write_off", "2026-03-02 16:00", case=lead)
    replays(desk)


def test_what_a_replaced_peer_tells_is_not_heard(tmp_path: Path) -> None:
    """Neither facts nor events; the one that took its place is heard."""
    desk = replaced(tmp_path)
    desk.do("accept", "2026-03-02 15:00", case="L-1")
    assert "accepted" not in desk.service.case("J-1").facts
    desk.do("accept", "2026-03-02 16:00", case="L-2")
    assert desk.fact("accepted") is True
    replays(desk)


def test_what_is_told_to_a_peer_that_is_with_another_is_not_heard(tmp_path: Path) -> None:
    """The job was lost, its lead went on with another job, and then the first job was taken up again."""
    desk = tied(tmp_path)
    desk.open("2026-03-02 11:00", case="J-2")
    desk.do("accept", "2026-03-02 12:00", case="L-1")
    desk.do("lose", "2026-03-02 13:00")
    assert not desk.link("job", "J-2", "2026-03-02 14:00", case="L-1")
    desk.do("take_up", "2026-03-02 15:00")
    desk.do("sign", "2026-03-02 16:00")
    assert (desk.state(), desk.state("L-1")) == ("signed", "new")
    replays(desk)


def test_a_replaced_peer_can_be_tied_again(tmp_path: Path) -> None:
    """Once the one that took its place has ended it stands there as before, and is heard."""
    desk = replaced(tmp_path)
    assert desk.link("lead", "L-1", "2026-03-02 15:00") == ["link_taken lead"]
    desk.do("drop", "2026-03-02 16:00", case="L-2")
    assert not desk.link("lead", "L-1", "2026-03-02 17:00")
    case = desk.service.case("J-1")
    assert (case.links["lead"].case, case.followers) == ("L-1", ("L-2",))
    desk.do("accept", "2026-03-02 18:00", case="L-1")
    assert desk.fact("accepted") is True
    replays(desk)


def test_only_a_case_of_the_right_workflow_can_be_tied(tmp_path: Path) -> None:
    """Another kind of case, one that is not there, an unknown name, and time running backwards."""
    desk = tied(tmp_path)
    desk.open("2026-03-02 11:00", case="J-2")
    assert desk.link("lead", "J-2", "2026-03-02 12:00") == ["link_unfit lead"]
    assert desk.link("lead", "L-9", "2026-03-02 12:00") == ["unknown_case L-9"]
    assert desk.link("lead", "L-1", "2026-03-02 12:00", case="J-9") == ["unknown_case J-9"]
    with pytest.raises(rf.UnknownName):
        desk.link("lied", "L-1", "2026-03-02 12:00")
    desk.open("2026-03-02 11:00", workflow="lead", case="L-3")
    assert desk.link("lead", "L-3", "2026-03-01 12:00", case="J-2") == ["time_runs_backwards"]
    assert desk.events("L-3") == ["register"]


ONE_SIDED = """
[states]
open = {}
done = { final = true }
[facts]
moves = { type = "count" }
[events.begin]
from = "@start"
to = "open"
[events.end]
from = ["open"]
to = "done"
[links.job]
workflow = "job"
[[reactions]]
on = ["link.job.moved"]
adds = { moves = 1 }
"""


def test_a_case_may_follow_another_that_has_no_name_for_it(tmp_path: Path) -> None:
    """As many as want to follow one case; it keeps who they are, and tells all of them."""
    desk = Desk(load(tmp_path, job=JOB, lead=LEAD, watch=ONE_SIDED))
    desk.open("2026-03-02 10:00")
    for name in ("W-1", "W-2"):
        desk.open("2026-03-02 10:00", workflow="watch", case=name)
        assert not desk.link("job", "J-1", "2026-03-02 11:00", case=name)
        assert not desk.link("job", "J-1", "2026-03-02 11:00", case=name)
    assert desk.service.case("J-1").followers == ("W-1", "W-2")
    assert "watch" not in desk.service.case("J-1").links
    desk.do("lose", "2026-03-02 12:00")
    assert [desk.service.case(name).links["job"].state for name in ("W-1", "W-2")] == ["lost", "lost"]
    assert desk.fact("moves", "W-1") == 2
    replays(desk)


# ------------------------------------------------------------------ opening a peer


def test_a_case_opens_a_peer_with_the_facts_of_the_link(tmp_path: Path) -> None:
    """By the system, named after its opener, belonging to nobody, each knowing the other."""
    desk = Desk(load(tmp_path, job=JOB, lead=LEAD))
    desk.open("2026-03-02 10:00", source="walk in")
    lead = desk.service.case("J-1/lead")
    assert (lead.facts["source"], lead.facts["grade"], lead.parent) == ("walk in", "a", "")
    assert (lead.links["job"].case, lead.links["job"].state) == ("J-1", "open")
    assert desk.service.case("J-1").links["lead"].case == "J-1/lead"
    assert desk.service.history("J-1/lead")[0].actor == "system"
    assert desk.handed_out() == []
    replays(desk)


def test_a_second_peer_is_opened_only_when_the_first_has_ended(tmp_path: Path) -> None:
    """The name is taken while the first goes on; the second has a number."""
    desk = Desk(load(tmp_path, job=JOB, lead=LEAD))
    desk.open("2026-03-02 10:00", source="walk in")
    desk.do("ask_again", "2026-03-02 11:00")
    assert [case.id for case in desk.service.cases()] == ["J-1", "J-1/lead"]
    desk.do("drop", "2026-03-02 12:00", case="J-1/lead")
    desk.do("ask_again", "2026-03-02 13:00")
    assert desk.service.case("J-1").links["lead"].case == "J-1/lead-2"
    replays(desk)


def test_a_peer_whose_id_is_taken_is_among_the_refused_openings(tmp_path: Path) -> None:
    """Nothing is overwritten, and the host is told."""
    desk = Desk(load(tmp_path, job=JOB, lead=LEAD))
    desk.open("2026-03-02 09:00", workflow="lead", case="J-1/lead", source="by hand")
    desk.open("2026-03-02 10:00", source="walk in")
    ((case, reasons),) = desk.last.refused_openings
    assert (case, [reason.code for reason in reasons]) == ("J-1/lead", ["already_open"])
    assert desk.fact("source", "J-1/lead") == "by hand"
    assert desk.handed_out() == ["open lead begin"]


def test_a_peer_of_a_workflow_that_is_not_loaded_is_the_hosts_to_open(tmp_path: Path) -> None:
    """The effect says under which name and with which facts."""
    desk = Desk(load(tmp_path, job=JOB))
    desk.open("2026-03-02 10:00", source="walk in")
    (effect,) = desk.last.effects
    assert (effect.kind, effect.to) == ("open", "lead")
    assert effect.data == {
        "case": "J-1/lead", "link": "lead", "facts": {"source": "walk in", "grade": "a"},
    }  # fmt: skip


# ------------------------------------------------------------------ telling facts


def test_facts_that_are_told_are_taken_in_and_followed(tmp_path: Path) -> None:
    """Without an event: the fact is there, the happening is listened to, and the guard holds."""
    desk = tied(tmp_path)
    assert desk.do("sign", "2026-03-02 12:00") == ["guard_unmet accepted"]
    desk.do("accept", "2026-03-02 13:00", case="L-1")
    assert (desk.fact("accepted"), desk.fact("heard")) == (True, 1)
    assert desk.events()[-2:] == ["link.lead.told", "hear"]
    assert not desk.do("sign", "2026-03-02 14:00")
    assert desk.state("L-1") == "signed"
    replays(desk)


def test_nobody_else_brings_what_a_peer_tells(tmp_path: Path) -> None:
    """Tied or not, no command of the job takes the fact."""
    desk = tied(tmp_path)
    assert "fact_not_allowed accepted" in desk.do("sign", "2026-03-02 12:00", accepted=True)


def test_a_fact_that_does_not_fit_is_refused_without_a_trace(tmp_path: Path) -> None:
    """The listener stays as it was, and the teller goes on."""
    desk = tied(tmp_path)
    before = desk.service.case("J-1")
    assert not desk.do("rate", "2026-03-02 12:00", case="L-1", score=9)
    assert desk.service.case("J-1") == before
    assert desk.fact("score", "L-1") == 9
    assert not desk.do("rate", "2026-03-02 13:00", case="L-1", score=4)
    assert desk.fact("rating") == 4
    replays(desk)


def test_an_ended_case_still_learns_facts(tmp_path: Path) -> None:
    """Knowing is not doing: what is told to a case that has ended is kept."""
    desk = tied(tmp_path)
    desk.do("lose", "2026-03-02 12:00")
    desk.do("rate", "2026-03-02 13:00", case="L-1", score=2)
    assert (desk.fact("rating"), desk.state()) == (2, "lost")
    replays(desk)


PARENT = """
[states]
open = {}
done = { final = true }
[facts]
price   = { type = "money", told_by = "part" }
checked = { type = "count" }
colour  = { type = "text" }
last    = { type = "whole", set_by = "engine" }
[events.begin]
from = "@start"
to = "open"
opens = ["part"]
[events.choose]
from = ["open"]
to = "@same"
gives = ["colour"]
tells = [ { child = "part", facts = { wanted = "@colour" } } ]
[events.check]
from = ["open"]
to = "@same"
by = ["system"]
fired_by = ["child.part.told"]
adds = { checked = 1 }
sets = { last = "@child.number" }
[events.end]
from = ["open"]
to = "done"
[children.part]
workflow = "part"
each = { number = [1, 2] }
reads = ["number"]
"""
PART = """
[workflow]
parent = "job"
[states]
open = {}
done = { final = true }
[facts]
number = { type = "whole" }
offer  = { type = "money" }
wanted = { type = "text", told_by = "job" }
[events.create]
from = "@start"
to = "open"
by = ["system"]
gives = ["number"]
[events.quote]
from = ["open"]
to = "@same"
gives = ["offer"]
tells = [ { link = "job", facts = { price = "@offer" } } ]
[events.finish]
from = ["open"]
to = "done"
[links.job]
workflow = "job"
"""


def test_parents_and_children_tell_each_other_facts(tmp_path: Path) -> None:
    """The parent hears `child.part.told` and still reads the child; every open child is told, no other."""
    desk = Desk(load(tmp_path, job=PARENT, part=PART))
    desk.open("2026-03-02 10:00")
    desk.do("quote", "2026-03-02 11:00", case="J-1/part-2", offer="70")
    assert (str(desk.fact("price")), desk.fact("checked"), desk.fact("last")) == ("70.00", 1, 2)
    assert desk.events()[-2:] == ["child.part.told", "check"]
    assert desk.service.case("J-1").children["part"]["J-1/part-2"].facts == {"number": 2}
    desk.do("finish", "2026-03-02 12:00", case="J-1/part-1")
    desk.do("choose", "2026-03-02 13:00", colour="white")
    assert [desk.fact("wanted", f"J-1/part-{n}") for n in (1, 2)] == [None, "white"]
    replays(desk)


LATER = """
[events.add]
from = ["open"]
to = "@same"
opens = ["part"]
"""


def test_what_a_child_tells_is_not_brought_while_there_is_one(tmp_path: Path) -> None:
    """A command that could bring the price may do so for a job without parts only."""
    text = PARENT.replace('gives = ["colour"]', 'gives = ["colour"]\nmay_give = ["price"]')
    desk = Desk(load(tmp_path, job=text, part=PART))
    desk.open("2026-03-02 10:00")
    assert desk.do("choose", "2026-03-02 11:00", colour="white", price="1.00") == ["fact_not_allowed price"]
    later = text.replace('opens = ["part"]', "") + LATER
    desk = Desk(load(tmp_path, job=later, part=PART))
    desk.open("2026-03-02 10:00")
    assert not desk.do("choose", "2026-03-02 11:00", colour="white", price="1.00")


# ------------------------------------------------------------------ keys

CONDUCT = """
[states]
open   = {}
closed = { final = true }
[facts]
employee = { type = "actor" }
points   = { type = "whole" }
[events.begin]
from = "@start"
to = "open"
may_give = ["employee"]
[events.close]
from = ["open"]
to = "closed"
gives = ["points"]
tells = [
  { link = "ledger", event = "enter", facts = { points = "@points" } },
  { link = "ledger", facts = { last_seen = "@today" } },
]
[links.ledger]
workflow = "ledger"
key = ["employee", "@employee"]
facts = { kind = "employee", subject = "@employee" }
"""
LEDGER = """
[states]
open = {}
full = { final = true }
[facts]
kind      = { type = "text" }
subject   = { type = "actor" }
points    = { type = "whole" }
lines     = { type = "count" }
alerts    = { type = "count" }
last_seen = { type = "date", told_by = "conduct" }
[events.begin_ledger]
from = "@start"
to = "open"
by = ["system", "boss"]
gives = ["kind", "subject"]
[events.enter]
from = ["open"]
to = "@same"
by = ["system"]
gives = ["points"]
adds = { lines = "@points" }
[events.alert]
from = ["open"]
to = "@same"
by = ["system"]
fired_by = ["deadline.review.breached"]
adds = { alerts = 1 }
[events.fill]
from = ["open"]
to = "full"
[deadlines.review]
restarts = ["enter"]
stops = ["fill"]
terms = [ { limit = "2 days" } ]
[links.conduct]
workflow = "conduct"
"""


def staff(tmp_path: Path) -> Desk:
    return Desk(load(tmp_path, conduct=CONDUCT, ledger=LEDGER))


def close(desk: Desk, case: str, at: str, points: int, employee: str = "E-7") -> list[str]:
    """A conduct case opened on the 2nd and closed then."""
    desk.open("2026-03-02 10:00", workflow="conduct", case=case, employee=employee)
    return desk.do("close", at, case=case, points=points)


def test_a_case_that_is_found_by_a_key_is_opened_when_it_is_first_told_something(tmp_path: Path) -> None:
    """Opened and told in one transaction; the next teller finds it there."""
    desk = staff(tmp_path)
    for case, points in (("C-1", 3), ("C-2", 4)):
        assert not close(desk, case, "2026-03-02 11:00", points)
        assert desk.handed_out() == []
    ledger = desk.service.case("ledger/employee/E-7")
    assert (ledger.facts["kind"], ledger.facts["subject"], ledger.facts["lines"]) == ("employee", "E-7", 7)
    assert str(ledger.facts["last_seen"]) == "2026-03-02"
    assert (ledger.parent, ledger.links, ledger.followers) == ("", {}, ())
    assert desk.service.case("C-1").links == {}
    assert desk.events("ledger/employee/E-7") == [
        "begin_ledger", "enter", "link.conduct.told", "enter", "link.conduct.told",
    ]  # fmt: skip
    replays(desk)


def test_without_the_key_nothing_is_told_and_nothing_breaks(tmp_path: Path) -> None:
    """The employee is not known yet."""
    desk = staff(tmp_path)
    desk.open("2026-03-02 10:00", workflow="conduct", case="C-1")
    assert not desk.do("close", "2026-03-02 11:00", case="C-1", points=3)
    assert [case.id for case in desk.service.cases()] == ["C-1"]
    assert desk.handed_out() == []


def test_two_keys_never_find_one_case(tmp_path: Path) -> None:
    """A slash inside a part of a key does not end it."""
    desk = staff(tmp_path)
    close(desk, "C-1", "2026-03-02 11:00", 3, employee="E/7")
    assert desk.service.find("ledger/employee/E%2F7") is not None


def test_what_fell_due_in_a_ledger_comes_before_what_it_is_told(tmp_path: Path) -> None:
    """The review of the 4th was missed before the entry of the 6th begins the next one."""
    desk = staff(tmp_path)
    close(desk, "C-1", "2026-03-02 11:00", 1)
    close(desk, "C-2", "2026-03-06 11:00", 1)
    assert desk.events("ledger/employee/E-7")[-4:] == [
        "deadline.review.breached", "alert", "enter", "link.conduct.told",
    ]  # fmt: skip
    assert desk.due("review", "ledger/employee/E-7") == "2026-03-08 24:00"


def test_a_ledger_that_is_not_loaded_is_the_hosts_to_tell(tmp_path: Path) -> None:
    """The effect names the case, and how it would be opened."""
    desk = Desk(load(tmp_path, conduct=CONDUCT))
    close(desk, "C-1", "2026-03-02 11:00", 3)
    first, _ = desk.last.effects
    assert (first.kind, first.to, first.data["event"]) == ("tell", "ledger/employee/E-7", "enter")
    assert first.data["opening"] == {
        "workflow": "ledger", "facts": {"kind": "employee", "subject": "E-7"},
    }  # fmt: skip


# ------------------------------------------------------------------ scripts


def line(clock: str, role: str, **keys: Any) -> str:
    """A line of a script on the 2nd, by somebody in that role."""
    return json.dumps({"at": f"2026-03-02T{clock}:00+08:00", "actor": role, "roles": [role], **keys})


def test_a_script_ties_cases(tmp_path: Path) -> None:
    """By a line of its own, or by the opening; what is refused says which case is in the way."""
    flows = load(tmp_path, job=JOB, lead=LEAD)
    opening = {"open": "job", "case": "J-2", "links": {"lead": "L-1"}}
    lines = [
        line("09:00", "worker", open="lead", case="L-1"),
        line("10:00", "worker", open="job", case="J-1"),
        line("11:00", "boss", case="J-1", link="lead", to="L-1"),
        line("12:00", "worker", **opening),
        line("13:00", "worker", case="J-1", event="lose"),
        line("14:00", "worker", **opening),
    ]
    replay = rf.run_script(rf.read_script("\n".join(lines), flows), flows)
    assert [step.accepted for step in replay.steps] == [True, True, True, False, True, True]
    assert [reason.code for reason in replay.steps[3].reasons] == ["link_taken"]
    assert {case.id: sorted(one.case for one in case.links.values()) for case in replay.cases()} == {
        "L-1": ["J-2"], "J-1": ["L-1"], "J-2": ["L-1"],
    }  # fmt: skip
    assert {entry.actor for entry in replay.history("J-1") if entry.told} == {"boss"}


def test_a_script_may_open_what_a_key_finds(tmp_path: Path) -> None:
    """An id that begins with the workflow's own name has no parent before its last slash."""
    flows = load(tmp_path, conduct=CONDUCT, ledger=LEDGER)
    facts = {"kind": "employee", "subject": "E-7"}
    text = line("10:00", "boss", open="ledger", case="ledger/employee/E-7", facts=facts)
    replay = rf.run_script(rf.read_script(text, flows), flows)
    desk = Desk(flows)
    desk.service = replay.service
    assert not close(desk, "C-1", "2026-03-03 11:00", 3)
    assert desk.fact("lines", "ledger/employee/E-7") == 3


# ------------------------------------------------------------------ time

DUE = """
[states]
open = {}
late = { final = true }
[conditions]
other_late = { linked = "other", state = ["late"] }
[events.begin]
from = "@start"
to = "open"
[events.run_out]
from = ["open"]
to = "late"
by = ["system"]
fired_by = ["deadline.work.breached"]
[events.note]
from = ["open"]
to = "@same"
guards = ["other_late"]
[events.end]
from = ["open"]
to = "late"
[deadlines.work]
starts = ["begin"]
stops = ["end"]
terms = [ { limit = "DAYS days" } ]
[links.other]
workflow = "OTHER"
"""


def test_what_is_due_in_a_peer_comes_before_a_command(tmp_path: Path) -> None:
    """Tied, they are one family: the peer's breach of the 4th is known to the command of the 5th."""
    job = DUE.replace("DAYS", "9").replace("OTHER", "mate")
    desk = Desk(load(tmp_path, job=job, mate=DUE.replace("DAYS", "2").replace("OTHER", "job")))
    desk.open("2026-03-02 10:00")
    desk.open("2026-03-02 11:00", workflow="mate", case="M-1")
    desk.link("other", "M-1", "2026-03-02 12:00")
    assert not desk.do("note", "2026-03-05 10:00")
    assert desk.events()[-2:] == ["link.other.told", "note"]
    replays(desk)


def test_marks_of_tied_cases_at_one_instant_come_before_what_follows(tmp_path: Path) -> None:
    """Both breaches first, in the order of opening; then the events they fire."""
    job = DUE.replace("DAYS", "2").replace("OTHER", "mate")
    desk = Desk(load(tmp_path, job=job, mate=DUE.replace("DAYS", "2").replace("OTHER", "job")))
    desk.open("2026-03-02 11:00", workflow="mate", case="M-1")
    desk.open("2026-03-02 11:00")
    desk.link("other", "M-1", "2026-03-02 12:00")
    desk.wait("2026-03-05 10:00")
    assert [(entry.case, entry.event) for entry in desk.last.entries] == [
        ("M-1", "deadline.work.breached"), ("J-1", "deadline.work.breached"),
        ("M-1", "run_out"), ("J-1", "link.other.told"),
        ("J-1", "run_out"), ("M-1", "link.other.told"),
    ]  # fmt: skip
    replays(desk)


def test_what_was_due_in_either_stands_whatever_becomes_of_the_tie(tmp_path: Path) -> None:
    """Tying fires what is due in both families first, and keeps it when the tie is refused."""
    job = DUE.replace("DAYS", "9").replace("OTHER", "mate")
    desk = Desk(load(tmp_path, job=job, mate=DUE.replace("DAYS", "2").replace("OTHER", "job")))
    desk.open("2026-03-02 10:00")
    desk.open("2026-03-02 11:00", workflow="mate", case="M-1")
    desk.open("2026-03-02 11:00", workflow="mate", case="M-2")
    desk.link("other", "M-1", "2026-03-02 12:00")
    assert desk.link("other", "M-2", "2026-03-05 10:00") == []
    desk.open("2026-03-05 11:00", workflow="mate", case="M-3")
    desk.open("2026-03-05 11:00", case="J-2")
    desk.link("other", "M-3", "2026-03-05 11:00", case="J-2")
    assert desk.link("other", "M-3", "2026-03-05 12:00") == ["link_taken other"]
    assert (desk.state("M-1"), desk.state("M-2")) == ("late", "late")
    replays(desk)


# ------------------------------------------------------------------ properties

JOBS, LEADS = st.sampled_from(("J-1", "J-2", "J-3")), st.sampled_from(("L-1", "L-2", "L-3"))
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("link"), JOBS, LEADS),
        st.tuples(st.just("lead"), st.sampled_from(("accept", "drop", "revive", "write_off")), LEADS),
        st.tuples(st.just("job"), st.sampled_from(("sign", "lose", "take_up", "ask_again")), JOBS),
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
@example(
    steps=[
        ("link", "J-1", "L-3"), ("lead", "drop", "L-3"), ("link", "J-1", "L-1"), ("lead", "revive", "L-3"),
    ]
)  # fmt: skip
def test_ties_stay_mutual_and_every_case_replays(tmp_path: Path, steps: list[tuple[str, str, str]]) -> None:
    """Whatever is tied, ended and opened: who is known knows the other by name, or as one that follows."""
    desk = Desk(load(tmp_path, job=JOB, lead=LEAD))
    for number in (1, 2, 3):
        desk.open("2026-03-02 10:00", case=f"J-{number}")
        desk.open("2026-03-02 10:00", workflow="lead", case=f"L-{number}")
    for minute, (kind, what, name) in enumerate(steps):
        at = f"2026-03-03 10:{minute:02}"
        if kind == "link":
            desk.link("lead", name, at, case=what)
        else:
            desk.do(what, at, case=name)
    finals = {name: flow.plan.finals for name, flow in desk.flows.items()}
    for case in desk.service.cases():
        for name, linked in case.links.items():
            other = desk.service.case(linked.case)
            back = other.links["lead" if name == "job" else "job"]
            assert (back.case == case.id) is (case.id not in other.followers)
            assert linked.ended is (other.state in finals[other.workflow])
    replays(desk)


def test_a_telling_by_hand_is_still_possible(tmp_path: Path) -> None:
    """A host that keeps its own cases tells a link as the service does."""
    flows = load(tmp_path, job=JOB, lead=LEAD)
    person = rf.Actor("w", frozenset({"worker"}))
    lead = flows["lead"].open("L-1", actor=person, at=moment("2026-03-02 10:00")).unwrap()
    told = flows["lead"].standing(lead, "lead")
    job = flows["job"].open("J-1", actor=person, at=moment("2026-03-02 11:00"), links=[told]).unwrap()
    assert job.links["lead"].case == "L-1"
    told = flows["job"].standing(job, "job")
    command = rf.Command("link.job.told", SYSTEM_ACTOR, moment("2026-03-02 11:00"), told=told)
    assert flows["lead"].decide(lead, command).unwrap().links["job"].case == "J-1"
