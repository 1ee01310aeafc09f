"""What is personal can be removed for good, wherever it was kept, and the history still holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import text

import renoflow as rf
from renoflow.store.schema import metadata
from tests.store.errands import BOSS, START, WORKER, ask, at, flows, note, take
from tests.store.places import Place

CLERK = rf.Actor("chen")
WHY = "asked for in writing on 2 March"


def redact(service: rf.CaseService, case: str = "E-1", *facts: str, **more: Any) -> rf.Outcome:
    return service.redact(case, facts or None, actor=CLERK, at=at(30), reason=WHY, **more)


def kept(place: Place) -> str:
    """Everything that is kept of all cases, as one text."""
    if place.engine is None:
        service = place.service()
        parts = [service.history(case.id) for case in service.cases()]
        items = [service.outbox(status) for status in ("waiting", "delivered", "dead")]
        failed = [one.failure for one in service.postponed()]
        return msgspec.json.encode([list(service.cases()), parts, items, failed], enc_hook=repr).decode()
    with place.engine.connect() as connection:
        tables = [connection.execute(table.select()).all() for table in metadata.sorted_tables]
    return repr(tables)


def test_a_personal_fact_is_gone_wherever_it_stood(place: Place) -> None:
    """Case and history no longer hold the value, early or late; all else is as it was."""
    service = place.service()
    service.open("errand", "E-1", ask(person="Zhao", remark="by the gate"))
    service.send("E-1", note(at(1), person="Qian"))
    before = service.history("E-1")
    outcome = redact(service)
    assert [entry.event for entry in outcome.entries] == ["fact.person.redacted"]
    assert "Zhao" not in kept(place)
    assert "Qian" not in kept(place)
    case = service.case("E-1")
    assert "person" not in case.facts
    assert case.facts["remark"] == "by the gate"
    after = service.history("E-1")
    assert [entry.event for entry in after] == [*(one.event for one in before), "fact.person.redacted"]
    assert after[-1].note == WHY
    assert after[-1].actor == "chen"
    assert after[0].facts == {name: value for name, value in before[0].facts.items() if name != "person"}


NAME = "赵小明"
"""As a personal value is in earnest; JSON may have it as it is, or escaped sign by sign."""


def forms(text: str) -> tuple[str, str]:
    return text, text.encode("unicode_escape").decode()


def test_a_chinese_name_is_in_no_table_in_any_form(place: Place) -> None:
    """Neither as it is written nor escaped: not where it was given, refused, told or failed over."""

    def breaks(scene: Any) -> bool:
        raise ConnectionError(f"nobody answers for {scene.facts['person']}")

    def unheard(effect: rf.Effect) -> None:
        raise ConnectionError(f"{NAME} does not answer")

    service = place.service(host_agrees=breaks)
    service.open("errand", "E-1", ask(person=NAME), key="k-1")
    service.send("E-1", note(at(1), person=NAME), key="k-2")
    service.send("E-1", note(at(2), person=[NAME], remark=[NAME]), key="k-3")
    assert service.deliver(unheard, at=at(3)).failed
    assert NAME in service.sweep(at(days=3)).postponed[0].failure
    assert any(form in kept(place) for form in forms(NAME))
    # As of before the deadline, which cannot be passed while the host's function is broken.
    redact(service)
    for form in forms(NAME):
        assert form not in kept(place).lower()
    assert service.outbox()[0].failure == "ConnectionError: [redacted] does not answer"


def test_a_failure_of_the_family_does_not_quote_it_any_more(place: Place) -> None:
    """What a child had told was quoted where its parent's deadline failed."""

    def breaks(scene: Any) -> bool:
        raise ConnectionError(f"nobody answers for {NAME}")

    service = place.service(host_agrees=breaks)
    service.open("errand", "E-1", ask())
    service.send("E-1", rf.Command("divide", WORKER, at(1)))
    service.send("E-1/part-1", rf.Command("finish_part", WORKER, at(2), facts={"helper": NAME}))
    assert NAME in service.sweep(at(days=3)).postponed[0].failure
    redact(service, "E-1/part-1")
    assert NAME not in kept(place)


def test_nothing_of_it_is_left_in_the_file(tmp_path: Path) -> None:
    """In SQLite's own file it is overwritten, once the write-ahead log is folded in."""
    path = tmp_path / "firm.db"
    store = rf.SqlStore(f"sqlite:///{path}")
    service = rf.CaseService(flows(), store)
    service.open("errand", "E-1", ask(person=NAME), key="k-1")
    for turn in range(20):
        service.send("E-1", note(at(turn + 1), person=NAME), key=f"n-{turn}")
    redact(service)
    with store.engine.connect() as connection:
        assert connection.execute(text("pragma wal_checkpoint(truncate)")).one()[0] == 0
    store.engine.dispose()
    for form in forms(NAME):
        assert form.encode() not in path.read_bytes()


def test_the_chain_holds_after_a_redaction(database: Place) -> None:
    """What was removed by a redaction is no fault; what goes without one still is."""
    service = database.service()
    service.open("errand", "E-1", ask(person="Zhao"))
    redact(service)
    service.send("E-1", note(at(40), person="Qian"))
    assert dict(database.store.verify_history()) == {"E-1": ()}
    assert database.engine is not None
    with database.engine.begin() as connection:
        connection.execute(text("update renoflow_history set personal = null where number = 3"))
    ((_, faults),) = database.store.verify_history()
    assert "the value at facts.person is gone" in faults[0].en


def test_what_a_linked_case_heard_goes_too(place: Place) -> None:
    """A parent was told its child's personal fact: it goes from the parent's case and history as well."""
    service = place.service()
    service.open("errand", "E-1", ask(person="Zhao"))
    service.send("E-1", rf.Command("divide", WORKER, at(1)))
    service.send("E-1/part-1", rf.Command("finish_part", WORKER, at(2), facts={"helper": "Sun"}))
    assert "Sun" in kept(place)
    redact(service, "E-1/part-1")
    assert "Sun" not in kept(place)
    assert service.case("E-1").facts["person"] == "Zhao"
    if place.engine is not None:
        assert {faults for _, faults in place.store.verify_history()} == {()}


def test_notes_go_when_they_are_asked_for(place: Place) -> None:
    """The free text of notes is kept unless it is asked for; why it was removed stays to be read."""
    service = place.service()
    service.open("errand", "E-1", ask())
    service.send("E-1", rf.Command("note", WORKER, at(1), note="Zhao rang"))
    redact(service)
    assert service.history("E-1")[1].note == "Zhao rang"
    redact(service, notes=True)
    assert "Zhao rang" not in kept(place)
    assert [entry.note for entry in service.history("E-1")[2:]] == [WHY] * 3


def test_a_remembered_refusal_forgets_what_was_given(place: Place) -> None:
    """A refusal that quoted the value is still a refusal when it is asked again, without the value."""
    service = place.service()
    service.open("errand", "E-1", ask())
    wrong = note(at(1), person=" ", remark="x")
    first = service.send("E-1", wrong, key="k")
    assert [reason.code for reason in first.reasons] == ["fact_invalid"]
    redact(service)
    again = service.send("E-1", wrong, key="k")
    assert [(one.code, one.subject) for one in again.reasons] == [("fact_invalid", "person")]
    assert again.reasons[0].text("en")


def test_a_redacted_case_goes_on(place: Place) -> None:
    """The next step is decided without the value, and the version has risen."""
    service = place.service()
    service.open("errand", "E-1", ask(person="Zhao"))
    redact(service)
    assert service.case("E-1").version == 2
    assert service.send("E-1", take(at(40))).accepted


def test_a_redacted_history_is_not_decided_again(place: Place) -> None:
    """Replaying it says why it cannot be done, instead of blaming an early line."""
    service = place.service()
    service.open("errand", "E-1", ask(person="Zhao"))
    redact(service)
    with pytest.raises(rf.HistoryMismatch, match=r"entry 2 .* cannot be decided again"):
        service.workflows["errand"].replay(service.history("E-1"))


def test_a_retry_after_a_redaction_has_the_first_answer(place: Place) -> None:
    """Of a request that gave a personal value not even a digest is left; its key still answers."""
    service = place.service()
    service.open("errand", "E-1", ask())
    first = service.send("E-1", note(at(1), person="Zhao"), key="k")
    redact(service)
    again = service.send("E-1", note(at(1), person="Zhao"), key="k")
    assert again.repeated
    assert [entry.number for entry in again.entries] == [entry.number for entry in first.entries]
    assert "Zhao" not in repr(again)
    if place.engine is not None:
        with place.engine.connect() as connection:
            assert connection.execute(text("select request from renoflow_keys")).scalars().all() == [""]


def test_a_redaction_is_of_one_tenant(place: Place) -> None:
    """Another firm's case under the same name keeps what it has."""
    for tenant in ("main", "theirs"):
        place.service(tenant=tenant).open("errand", "E-1", ask(person="Zhao"))
    redact(place.service())
    assert place.service(tenant="theirs").case("E-1").facts["person"] == "Zhao"


def test_only_what_is_personal_can_be_removed(place: Place) -> None:
    """A fact that the rules go by, or one that is not there, is refused, and nothing is written."""
    service = place.service()
    service.open("errand", "E-1", ask(person="Zhao"))
    with pytest.raises(rf.UsageError, match="personal are: person"):
        redact(service, "E-1", "price")
    with pytest.raises(rf.UnknownName, match="did you mean 'person'"):
        redact(service, "E-1", "persona")
    with pytest.raises(rf.UsageError, match="reason"):
        service.redact("E-1", actor=CLERK, at=at(1), reason=" ")
    with pytest.raises(rf.UnknownName, match="case"):
        redact(service, "E-9")
    assert service.case("E-1").version == 1


def test_nobody_redacts_by_sending_a_command(place: Place) -> None:
    """The line of a redaction is no event that a command could name."""
    service = place.service()
    service.open("errand", "E-1", ask(person="Zhao"))
    outcome = service.send("E-1", rf.Command("fact.person.redacted", BOSS, at(1)))
    assert [reason.code for reason in outcome.reasons] == ["unknown_event"]
    assert service.case("E-1").facts["person"] == "Zhao"


def test_what_fell_due_before_comes_first(place: Place) -> None:
    """A deadline that had passed is recorded at its own instant, before the redaction."""
    service = place.service()
    service.open("errand", "E-1", ask(START, person="Zhao"))
    service.redact("E-1", actor=CLERK, at=at(days=9), reason=WHY)
    events = [entry.event for entry in service.history("E-1")]
    assert events.index("deadline.pick_up.breached") < events.index("fact.person.redacted")
