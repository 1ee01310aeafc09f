"""A history that was tampered with in the database is found, whatever was done to it."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import text

import renoflow as rf
from tests.store.errands import WORKER, ask, at, give_back, note, take
from tests.store.places import Place

TAMPERING = {
    "changed": (
        "update renoflow_history set body = replace(body, 'take', 'note') where number = 2",
        "entry 2 was changed",
    ),
    "its hash changed too": (
        (
            "update renoflow_history set body = replace(body, 'take', 'note'), hash = "
            "'0000000000000000000000000000000000000000000000000000000000000000' where number = 2"
        ),
        "entry 3 was changed",
    ),
    "dropped": ("delete from renoflow_history where number = 2", "entry 2 is missing"),
    "cut off": (
        "delete from renoflow_history where number > 2",
        "the history ends at entry 2; the case has 4",
    ),
    "all gone": ("delete from renoflow_history", "the history ends at entry 0; the case has 4"),
    "added at the end": (
        (
            "insert into renoflow_history "
            "select tenant, case_id, 5, happened_at, event, body, personal, hash "
            "from renoflow_history where number = 2"
        ),
        "the history ends at entry 5; the case has 4",
    ),
    "reordered": (
        (
            "update renoflow_history set number = case number when 2 then 30 when 3 then 2 else number end; "
            "update renoflow_history set number = 3 where number = 30"
        ),
        "entry 2 was changed, or what stood before it was",
    ),
    "a personal value changed": (
        "update renoflow_history set personal = replace(personal, 'Zhao', 'Qian') where number = 1",
        "the value at facts.person was changed",
    ),
    "a personal value gone": (
        "update renoflow_history set personal = null where number = 1",
        "the value at facts.person is gone, and no redaction says so",
    ),
    "not readable": ("update renoflow_history set body = 'x' where number = 2", "entry 2 cannot be read"),
    "the snapshot goes back": (
        "update renoflow_cases set version = 3",
        "the history ends at entry 4; the case has 3",
    ),
    "the case is gone": ("delete from renoflow_cases", "there is a history, and no case"),
}


def told(place: Place) -> rf.SqlStore:
    """E-1 with four lines, one of which names a person, and a sound E-2 beside it in another tenant."""
    for tenant in ("main", "other"):
        service = place.service(tenant=tenant)
        service.open("errand", "E-1", ask(person="Zhao"))
        for command in (take(at(1)), note(at(2)), give_back(at(3))):
            assert service.send("E-1", command).accepted
    store: rf.SqlStore = place.store
    return store


def test_a_history_that_was_left_alone_is_sound(database: Place) -> None:
    """Whatever happened to a case, what was written fits together: steps, children, deadlines, notes."""
    store = told(database)
    service = database.service()
    service.send("E-1", rf.Command("divide", WORKER, at(4), note="two parts"))
    service.send("E-1", rf.Command("take", WORKER, at(5), documents=take(at(5)).documents))
    service.send("E-1/part-1", rf.Command("finish_part", WORKER, at(6), facts={"helper": "Sun"}))
    service.sweep(at(days=30))
    assert dict(store.verify_history()) == {"E-1": (), "E-1/part-1": ()}


@pytest.mark.parametrize("what", TAMPERING)
def test_tampering_is_found(database: Place, what: str) -> None:
    """The case is named, and the entry where it no longer fits; no other case is blamed."""
    store = told(database)
    statements, fault = TAMPERING[what]
    assert database.engine is not None
    with database.engine.begin() as connection:
        for statement in statements.split("; "):
            ours = statement + (" and" if " where " in statement else " where") + " tenant = 'main'"
            connection.execute(text(ours))
    (found,) = [faults for _, faults in store.verify_history() if faults]
    assert fault in "; ".join(one.en for one in found)
    assert all(re.search("[\u4e00-\u9fff]", one.zh) for one in found)
    assert dict(store.verify_history("other")) == {"E-1": ()}


def test_one_case_can_be_asked_for(database: Place) -> None:
    """A case that is not there is said to be none."""
    store = told(database)
    assert list(store.verify_history(case="E-1")) == [("E-1", ())]
    assert list(store.verify_history(case="E-9")) == [
        ("E-9", (rf.Label("没有这个案卷", "there is no such case"),))
    ]
