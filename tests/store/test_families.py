"""Linked cases move in one transaction, wherever they are kept."""

from __future__ import annotations

import renoflow as rf
from tests.store.errands import BOSS, WORKER, ask, at, flows, note, take
from tests.store.places import Place


def divide(minutes: float) -> rf.Command:
    return rf.Command("divide", WORKER, at(minutes))


def finish(minutes: float) -> rf.Command:
    return rf.Command("finish_part", WORKER, at(minutes))


def begun(place: Place) -> rf.CaseService:
    service = place.service()
    service.open("errand", "E-1", ask())
    for minutes in (1, 2):
        assert service.send("E-1", divide(minutes)).accepted
    return service


def test_children_are_opened_with_the_step(place: Place) -> None:
    """What an event opens is there with it, in the order of opening, and knows its parent."""
    service = begun(place)
    parts = [case for case in service.cases() if case.workflow == "part"]
    assert [part.id for part in parts] == ["E-1/part-1", "E-1/part-2"]
    assert {part.parent for part in parts} == {"E-1"}
    assert set(service.case("E-1").children["part"]) == {"E-1/part-1", "E-1/part-2"}


def test_a_parent_is_told_in_the_same_call(place: Place) -> None:
    """What a child does changes its parent, and one outcome tells of both."""
    outcome = begun(place).send("E-1/part-1", finish(10))
    assert [(entry.case, entry.event) for entry in outcome.entries] == [
        ("E-1/part-1", "finish_part"),
        ("E-1", "child.part.finish_part"),
    ]
    assert place.service().case("E-1").facts["parts"] == 1


def test_a_child_is_told_of_its_parent(place: Place) -> None:
    """A child's guard follows what its parent has become."""
    service = begun(place)
    assert service.send("E-1", rf.Command("close", BOSS, at(5))).accepted
    assert [reason.code for reason in service.send("E-1/part-1", finish(6)).reasons] == ["guard_unmet"]


def test_a_childs_answer_is_the_same_again_with_its_parents_line(place: Place) -> None:
    """The first answer to a key has the lines of every case that it moved."""
    service = begun(place)
    first = service.send("E-1/part-1", finish(10), key="k")
    again = place.service().send("E-1/part-1", finish(10), key="k")
    assert again.entries == first.entries
    assert service.case("E-1").facts["parts"] == 1


def test_a_case_may_be_opened_under_a_parent(place: Place) -> None:
    """A host opens a child by hand, and the parent has it."""
    service = place.service()
    service.open("errand", "E-1", ask())
    opened = service.open(
        "part", "mine", rf.Command("open_part", rf.Actor("system", {"system"}), at(1)), parent="E-1"
    )
    assert opened.accepted
    assert "mine" in service.case("E-1").children["part"]
    assert service.send("mine", finish(2)).accepted
    assert service.case("E-1").facts["parts"] == 1


def test_what_is_due_in_a_family_happens_in_the_order_of_time(place: Place) -> None:
    """A command to the child finds the parent's deadline passed as well, and in its place."""
    service = begun(place)
    outcome = service.send("E-1/part-2", finish(60 * 24 * 6))
    assert [(entry.case, entry.event) for entry in outcome.entries] == [
        ("E-1", "deadline.pick_up.breached"),
        ("E-1", "deadline.pick_up.escalation"),
        ("E-1", "remind"),
        ("E-1/part-1", "deadline.part_limit.breached"),
        ("E-1/part-2", "deadline.part_limit.breached"),
        ("E-1/part-2", "finish_part"),
        ("E-1", "child.part.finish_part"),
    ]


def test_a_family_is_the_same_from_its_histories(place: Place) -> None:
    """Every case of a family follows from its own history."""
    service = begun(place)
    service.send("E-1", take(at(3)))
    service.send("E-1/part-1", finish(10))
    service.send("E-1", note(at(60 * 24 * 9)))
    for case in service.cases():
        assert flows()[case.workflow].replay(service.history(case.id)) == case
