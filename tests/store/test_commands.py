"""What a host may rely on for every single command, wherever the cases are kept."""

from __future__ import annotations

import pytest

import renoflow as rf
from tests.store.errands import BOSS, WORKER, ask, at, flows, give_back, note, take
from tests.store.places import Place

DONE = rf.Command("close", BOSS, at(90))


def events(service: rf.CaseService, case_id: str = "E-1") -> list[str]:
    return [entry.event for entry in service.history(case_id)]


def test_what_was_kept_is_read_by_another_service(place: Place) -> None:
    """Case, history and outbox are the same for whoever reads them."""
    opened = place.service().open("errand", "E-1", ask(person="王女士", agreed_on="2026-03-05"))
    moved = place.service().send("E-1", take(at(1)))
    other = place.service()
    assert other.case("E-1") == moved.case
    assert other.history("E-1") == opened.entries + moved.entries
    assert tuple(item.effect for item in other.outbox()) == moved.effects
    assert [case.id for case in other.cases()] == ["E-1"]


def test_the_history_gives_the_case_again(place: Place) -> None:
    """What stands in the history, replayed by the pure core, is the case that is kept."""
    service = place.service()
    service.open("errand", "E-1", ask())
    for command in (take(at(1)), note(at(2), remark="钥匙在物业"), give_back(at(3)), note(at(9000))):
        assert service.send("E-1", command).accepted
    assert flows()["errand"].replay(service.history("E-1")) == service.case("E-1")


def test_a_refused_command_leaves_nothing(place: Place) -> None:
    """A no changes neither case nor history nor outbox, and says why."""
    service = place.service()
    before = service.open("errand", "E-1", ask()).case
    outcome = service.send("E-1", give_back(at(1)))
    assert [reason.code for reason in outcome.reasons] == ["wrong_state"]
    assert outcome.case == before == service.case("E-1")
    assert events(service) == ["ask"]
    assert service.outbox() == [] or service.outbox() == ()


def test_a_case_is_opened_once(place: Place) -> None:
    """A second opening is refused and changes nothing."""
    service = place.service()
    first = service.open("errand", "E-1", ask())
    again = place.service().open("errand", "E-1", ask(at(5), remark="another"))
    assert [reason.code for reason in again.reasons] == ["already_open"]
    assert service.case("E-1") == first.case


def test_a_refused_opening_makes_no_case(place: Place) -> None:
    """What the rules do not let begin is not there afterwards."""
    service = place.service()
    refused = service.open("errand", "E-1", rf.Command("ask", BOSS, at(), facts={"place": "x"}))
    assert [reason.code for reason in refused.reasons] == ["fact_missing"]
    assert service.find("E-1") is None
    assert service.open("errand", "E-1", ask()).accepted


def test_a_command_for_nobody_is_refused(place: Place) -> None:
    """A case that does not exist is a reason, not an error."""
    outcome = place.service().send("E-9", take(at(1)))
    assert [reason.code for reason in outcome.reasons] == ["unknown_case"]


def test_a_stale_version_is_refused(place: Place) -> None:
    """Who decided on a case that has moved on since is told so."""
    service = place.service()
    seen = service.open("errand", "E-1", ask()).case
    assert seen is not None
    service.send("E-1", note(at(1)))
    late = rf.Command("note", WORKER, at(2), version=seen.version)
    assert [reason.code for reason in service.send("E-1", late).reasons] == ["stale_version"]
    assert events(service) == ["ask", "note"]


# ------------------------------------------------------------------ idempotency keys


def test_a_command_sent_twice_happens_once(place: Place) -> None:
    """The same key and the same request have the first answer, whoever asks and however late."""
    service = place.service()
    service.open("errand", "E-1", ask())
    first = service.send("E-1", note(at(1)), key="k-1")
    service.send("E-1", note(at(2)))
    again = place.service().send("E-1", note(at(7)), key="k-1")
    assert (again.entries, again.effects, again.reasons) == (first.entries, first.effects, ())
    assert (first.repeated, again.repeated) == (False, True)
    assert again.case == service.case("E-1")
    assert service.case("E-1").facts["notes"] == 2
    assert len(service.outbox()) == 2


def test_a_refusal_is_remembered_too(place: Place) -> None:
    """A no stays the answer to its key, even where it would be a yes by now."""
    service = place.service()
    service.open("errand", "E-1", ask())
    first = service.send("E-1", give_back(at(1)), key="k-1")
    service.send("E-1", take(at(2)))
    again = service.send("E-1", give_back(at(3)), key="k-1")
    assert first.refused
    assert again.reasons == first.reasons
    assert [reason.text("en") for reason in again.reasons] == [reason.text("en") for reason in first.reasons]
    assert service.case("E-1").state == "working"


def test_a_key_for_another_request_is_an_error(place: Place) -> None:
    """One key cannot stand for two requests; nothing of the second happens."""
    service = place.service()
    service.open("errand", "E-1", ask())
    service.send("E-1", note(at(1)), key="k-1")
    for other in (take(at(2)), note(at(2), remark="other"), rf.Command("note", BOSS, at(2))):
        with pytest.raises(rf.KeyReused, match="k-1"):
            service.send("E-1", other, key="k-1")
    assert events(service) == ["ask", "note"]


def test_an_opening_sent_twice_happens_once(place: Place) -> None:
    """A key holds for openings as well."""
    first = place.service().open("errand", "E-1", ask(), key="k-0")
    again = place.service().open("errand", "E-1", ask(), key="k-0")
    assert again.accepted
    assert again.entries == first.entries
    assert len(list(place.service().cases())) == 1


def test_keys_belong_to_their_case(place: Place) -> None:
    """The same key in another case is another key."""
    service = place.service()
    for name in ("E-1", "E-2"):
        service.open("errand", name, ask())
        assert service.send(name, note(at(1)), key="k").case == service.case(name)
    assert [service.case(name).facts["notes"] for name in ("E-1", "E-2")] == [1, 1]


def test_an_answer_outlives_the_end_of_the_case(place: Place) -> None:
    """What closed a case can be asked for again after it is closed."""
    service = place.service()
    service.open("errand", "E-1", ask())
    first = service.send("E-1", DONE, key="k-1")
    again = service.send("E-1", DONE, key="k-1")
    assert first.accepted
    assert again.entries == first.entries


# ------------------------------------------------------------------ what fell due before


def test_what_fell_due_happens_before_a_command(place: Place) -> None:
    """A command finds the case as the clock has made it, without any sweep."""
    service = place.service()
    service.open("errand", "E-1", ask())
    outcome = service.send("E-1", take(at(days=5)))
    assert outcome.accepted
    expected = ["deadline.pick_up.breached", "deadline.pick_up.escalation", "remind", "take"]
    assert [entry.event for entry in outcome.entries] == expected


def test_what_fell_due_stands_though_the_command_is_refused(place: Place) -> None:
    """A no takes back only the command, never the clock."""
    service = place.service()
    service.open("errand", "E-1", ask())
    outcome = service.send("E-1", give_back(at(days=5)))
    assert outcome.refused
    assert events(service)[1:] == ["deadline.pick_up.breached", "deadline.pick_up.escalation", "remind"]
    assert len(service.outbox()) == 2
