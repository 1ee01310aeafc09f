"""Personal values can be taken out of everything, and nobody can take anything else out unseen."""

from __future__ import annotations

import pytest
from sqlalchemy import inspect, text

import renoflow as rf
from tests.store.errands import BOSS, ask, at, note, take
from tests.store.places import Place

NAME = "王小明"


def known(place: Place) -> rf.CaseService:
    """A case in which a name is everywhere that it can be."""
    service = place.service()
    service.open("errand", "E-1", ask(person=NAME, remark="三楼"), key="k-0")
    service.send("E-1", note(at(1), person=NAME), key="k-1")
    service.send("E-1", take(at(2)))
    return service


def redact(service: rf.CaseService, minutes: float = 5) -> rf.Outcome:
    return service.redact("E-1", actor=BOSS, at=at(minutes), reason="asked for by the customer")


def everything(place: Place) -> str:
    """All the text that is in the database."""
    assert place.engine is not None
    with place.engine.connect() as connection:
        tables = [name for name in inspect(place.engine).get_table_names() if name.startswith("renoflow_")]
        return "\n".join(
            str(tuple(row)) for name in tables for row in connection.execute(text(f"select * from {name}"))
        )


def test_a_redacted_value_is_gone_for_every_reader(place: Place) -> None:
    """Case, history and outbox no longer have it; all else is as it was, and a line says what was done."""
    service = known(place)
    assert redact(service).accepted
    other = place.service()
    assert NAME not in repr((other.case("E-1"), other.history("E-1"), other.outbox()))
    assert other.case("E-1").facts["remark"] == "三楼"
    assert [entry.event for entry in other.history("E-1")][:3] == ["ask", "note", "take"]
    assert other.history("E-1")[-1].actor == BOSS.id


def test_a_redacted_value_is_in_no_row(database: Place) -> None:
    """Not a trace of it stands in any table, escaped or not."""
    service = known(database)
    assert NAME in everything(database)
    redact(service)
    found = everything(database)
    assert NAME not in found
    assert NAME.encode("unicode_escape").decode() not in found


def test_a_redacted_case_goes_on(place: Place) -> None:
    """It moves, its deadlines fire, and a retry has its answer."""
    service = known(place)
    redact(service)
    assert service.send("E-1", note(at(1), person=NAME), key="k-1").repeated
    assert service.send("E-1", note(at(9))).accepted
    assert service.sweep(at(days=30)).entries
    assert NAME not in repr((service.case("E-1"), service.history("E-1")))


def test_a_redaction_is_of_one_tenant(place: Place) -> None:
    """Another firm's case under the same name keeps what it has."""
    known(place)
    theirs = place.service(tenant="theirs")
    theirs.open("errand", "E-1", ask(person=NAME))
    redact(place.service())
    assert theirs.case("E-1").facts["person"] == NAME


# ------------------------------------------------------------------ the chain

TAMPERED = {
    "a line changed": "update renoflow_history set body = replace(body, '三楼', '四楼') where number = 1",
    "a line dropped": "delete from renoflow_history where number = 2",
    "the last line dropped": "delete from renoflow_history where number = 3",
    "two lines exchanged": "update renoflow_history set number = case number when 2 then 30 else 20 end "
    "where number in (2, 3)",
    "a name changed": "update renoflow_history set personal = replace(personal, '小明', '大明') "
    "where number = 1",
    "a name taken out by hand": "update renoflow_history set personal = null where number = 1",
}


def wrong(database: Place) -> dict[str, tuple[str, ...]]:
    """What is found in each history."""
    return dict(database.store.verify_history("main"))


def test_an_untouched_history_holds(database: Place) -> None:
    """What nobody touched is found in order, before a redaction and after."""
    service = known(database)
    assert wrong(database) == {"E-1": ()}
    redact(service)
    assert wrong(database) == {"E-1": ()}


@pytest.mark.parametrize("what", TAMPERED)
def test_a_touched_history_is_found(database: Place, what: str) -> None:
    """A line changed, dropped or moved behind our back shows."""
    known(database)
    assert database.engine is not None
    with database.engine.begin() as connection:
        assert connection.execute(text(TAMPERED[what])).rowcount > 0
    assert wrong(database)["E-1"] != ()
