"""Firms that share a database see nothing of each other."""

from __future__ import annotations

import renoflow as rf
from tests.store.errands import ask, at, note, take
from tests.store.places import Place


def test_two_tenants_may_use_the_same_names(place: Place) -> None:
    """The same case id is another case for another firm, with its own history, keys and deadlines."""
    ours, theirs = place.service(tenant="ours"), place.service(tenant="theirs")
    ours.open("errand", "E-1", ask(), key="k")
    assert theirs.find("E-1") is None
    assert not theirs.open("errand", "E-1", ask(), key="k").repeated
    ours.send("E-1", take(at(1)))
    theirs.send("E-1", note(at(2)))
    assert (ours.case("E-1").state, theirs.case("E-1").state) == ("working", "waiting")
    assert [entry.event for entry in theirs.history("E-1")] == ["ask", "note"]
    assert [entry.event for entry in ours.history("E-1")] == ["ask", "take"]


def test_a_sweep_is_one_tenants(place: Place) -> None:
    """What falls due at one firm does not happen on another's account."""
    ours, theirs = place.service(tenant="ours"), place.service(tenant="theirs")
    for service in (ours, theirs):
        service.open("errand", "E-1", ask())
    assert ours.sweep(at(days=5)).entries
    assert [entry.event for entry in theirs.history("E-1")] == ["ask"]
    assert theirs.next_wake(at(days=5)) is not None
    assert len(theirs.sweep(at(days=5)).entries) == 3


def test_an_outbox_is_one_tenants(place: Place) -> None:
    """Effects go out at the firm whose case they come from, and nowhere else."""
    ours, theirs = place.service(tenant="ours"), place.service(tenant="theirs")
    for service in (ours, theirs):
        service.open("errand", "E-1", ask())
        service.send("E-1", take(at(1)))
    found: list[rf.Effect] = []
    ours.deliver(found.append, at=at(5))
    assert len(found) == 1
    assert len(theirs.outbox()) == 1
    assert len(theirs.deliver(found.append, at=at(5)).delivered) == 1


def test_a_command_to_anothers_case_finds_nobody(place: Place) -> None:
    """A case of another firm is an unknown case."""
    place.service(tenant="ours").open("errand", "E-1", ask())
    outcome = place.service(tenant="theirs").send("E-1", take(at(1)))
    assert [reason.code for reason in outcome.reasons] == ["unknown_case"]
    assert list(place.service(tenant="theirs").cases()) == []
