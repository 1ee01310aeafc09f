"""Cases whose workflow has moved on since they were kept."""

from __future__ import annotations

from pathlib import Path

import pytest

import renoflow as rf
from tests.store.errands import ask, at, changed_flows, note, take
from tests.store.places import Place

NEWER = ('id = "errand"\nversion = 1', 'id = "errand"\nversion = 2')


def test_an_older_case_is_read_by_a_newer_workflow(database: Place, tmp_path: Path) -> None:
    """Where its state, its facts and its deadlines are still there, it goes on under the new rules."""
    database.service().open("errand", "E-1", ask())
    later = rf.CaseService(changed_flows(tmp_path, NEWER), database.store)
    assert later.case("E-1").workflow_version == 1
    assert later.send("E-1", take(at(1))).accepted
    assert [entry.event for entry in later.history("E-1")] == ["ask", "take"]


@pytest.mark.parametrize(
    ("old", "new", "strange"),
    [
        ("waiting", "queueing", "the state 'waiting'"),
        ("pick_up", "collect", "the deadline 'pick_up'"),
        ('place     = { type = "text"', 'place     = { type = "money"', "does not fit its type"),
        ("place", "address", "has no fact 'place'"),
    ],
)
def test_an_older_case_that_does_not_fit_is_named(
    database: Place, tmp_path: Path, old: str, new: str, strange: str
) -> None:
    """The error says what the newer workflow does not know, with both versions; nothing is written."""
    database.service().open("errand", "E-1", ask())
    later = rf.CaseService(changed_flows(tmp_path, NEWER, (old, new)), database.store)
    with pytest.raises(rf.StoredDataError) as found:
        later.send("E-1", note(at(1)))
    assert strange in str(found.value)
    assert "v1" in str(found.value)
    assert "v2" in str(found.value)
    assert database.service().case("E-1").version == 1


def test_a_newer_case_is_not_read_by_an_older_workflow(database: Place, tmp_path: Path) -> None:
    """A process that was not brought up to date leaves the case alone, and says what to load."""
    newer = rf.CaseService(changed_flows(tmp_path, NEWER), database.store)
    newer.open("errand", "E-1", ask())
    with pytest.raises(rf.StoredDataError, match=r"kept under errand v2, and v1 is loaded"):
        database.service().send("E-1", take(at(1)))
    assert newer.send("E-1", take(at(1))).accepted
