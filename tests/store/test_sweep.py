"""What falls due happens once, in the order of time, and one that fails stops no other."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

import renoflow as rf
from tests.store.errands import WORKER, ask, at, flows, take
from tests.store.places import Place


def breaches(outcome: rf.Outcome) -> list[tuple[str, datetime]]:
    return [(entry.case, entry.at) for entry in outcome.entries if entry.event.endswith(".breached")]


def opened(service: rf.CaseService, **days: str) -> None:
    """Cases that are to be picked up by the end of the given days of March 2026."""
    for name, day in days.items():
        service.open("errand", name, ask(agreed_on=f"2026-03-{day}"))


def unless(poison: str) -> Callable[[Any], bool]:
    """The host's own function, which breaks on the cases of one remark."""

    def host_agrees(scene: Any) -> bool:
        if scene.facts.get("remark") == poison:
            raise ConnectionError("the map service does not answer")
        return True

    return host_agrees


def test_a_sweep_fires_in_the_order_of_time(place: Place) -> None:
    """Whatever the order of opening, what was due first happens first."""
    service = place.service()
    opened(service, A="07", B="04", C="06", D="05")
    assert [case for case, _ in breaches(service.sweep(at(days=10)))] == ["B", "D", "C", "A"]


def test_at_one_instant_the_order_of_opening_decides(place: Place) -> None:
    """What is due together happens in the order in which the cases were opened."""
    service = place.service()
    opened(service, C="05", A="05", B="05")
    assert [case for case, _ in breaches(service.sweep(at(days=10)))] == ["C", "A", "B"]


def test_a_sweep_reaches_to_its_instant_and_no_further(place: Place) -> None:
    """The end of the day is the instant: a second before, nothing; at it, the breach."""
    service = place.service()
    opened(service, A="04")
    due = datetime.fromisoformat("2026-03-05T00:00:00+08:00")
    assert service.next_wake(at(days=30)) == due
    assert service.sweep("2026-03-04T23:59:59+08:00").entries == ()
    assert breaches(service.sweep(due)) == [("A", due)]


def test_a_second_sweep_finds_nothing(place: Place) -> None:
    """Every deadline fires once, whoever sweeps how often."""
    service = place.service()
    opened(service, A="04", B="05")
    assert service.sweep(at(days=10)).entries
    assert place.service().sweep(at(days=10)).entries == ()
    assert len(service.outbox()) == 4


def test_a_limit_takes_the_first_so_many(place: Place) -> None:
    """Sweeps with a limit do the same things in the same order as one without."""
    service = place.service()
    opened(service, A="07", B="04", C="06", D="05", E="04")
    found: list[str] = []
    while part := breaches(service.sweep(at(days=10), limit=2)):
        assert len(part) <= 2
        found += [case for case, _ in part]
    assert found == ["B", "E", "D", "C", "A"]


def test_warnings_and_breaches_of_one_case_come_at_their_instants(place: Place) -> None:
    """One late sweep writes each line with the instant at which it was due."""
    service = place.service()
    opened(service, A="04")
    service.send("A", take(at(1)))
    found = service.sweep(at(days=30))
    assert [(entry.event, entry.at.day) for entry in found.entries] == [
        ("deadline.finish.warning", 6),
        ("deadline.finish.breached", 7),
        ("remind", 7),
    ]


def test_families_are_swept_together(place: Place) -> None:
    """A child's deadline fires in the sweep like its parent's."""
    service = place.service()
    opened(service, A="09")
    service.send("A", rf.Command("divide", WORKER, at(1)))
    assert [case for case, _ in breaches(service.sweep(at(days=30)))] == ["A/part-1", "A"]


# ------------------------------------------------------------------ poison


def test_one_that_fails_stops_no_other(place: Place) -> None:
    """The deadline that the host's function breaks on waits; all others happen, and nothing of it is kept."""
    service = place.service(host_agrees=unless("bad"))
    for number in range(6):
        service.open("errand", f"E-{number}", ask(remark="bad" if number == 2 else "good"))
    found = service.sweep(at(days=5))
    assert [case for case, _ in breaches(found)] == ["E-0", "E-1", "E-3", "E-4", "E-5"]
    assert [(one.case, one.attempts) for one in found.postponed] == [("E-2", 1)]
    assert "the map service does not answer" in found.postponed[0].failure
    assert [entry.event for entry in service.history("E-2")] == ["ask"]
    assert [one.case for one in service.postponed()] == ["E-2"]


def test_it_waits_longer_after_every_attempt(place: Place) -> None:
    """Not before its time is it tried again, and then counted."""
    service = place.service(host_agrees=unless("bad"))
    service.open("errand", "E-1", ask(remark="bad"))
    now, waits = at(days=5), []
    for attempt in range(1, 5):
        [one] = service.sweep(now).postponed
        assert one.attempts == attempt
        assert service.sweep(now).postponed == ()
        waits.append(one.retry_at - now)
        now = one.retry_at
    assert waits == sorted(waits)
    assert waits[0] < waits[-1]


def test_it_happens_once_when_the_fault_is_mended(place: Place) -> None:
    """After the host has mended its function the deadline fires at the instant at which it was due."""
    broken = place.service(host_agrees=unless("bad"))
    broken.open("errand", "E-1", ask(remark="bad"))
    [waiting] = broken.sweep(at(days=5)).postponed
    mended = place.service()
    found = mended.sweep(waiting.retry_at)
    assert [entry.event for entry in found.entries] == [
        "deadline.pick_up.breached",
        "deadline.pick_up.escalation",
        "remind",
    ]
    assert breaches(found)[0][1] == datetime.fromisoformat("2026-03-05T00:00:00+08:00")
    assert mended.postponed() in ((), [])


def test_a_poisoned_case_never_fills_the_limit(place: Place) -> None:
    """However many fail, the next sweep takes those that can be done."""
    service = place.service(host_agrees=unless("bad"))
    for number in range(8):
        service.open("errand", f"E-{number}", ask(remark="bad" if number < 5 else "good"))
    fired = [case for _ in range(4) for case, _ in breaches(service.sweep(at(days=5), limit=2))]
    assert fired == ["E-5", "E-6", "E-7"]


def test_a_command_to_a_poisoned_case_says_so(place: Place) -> None:
    """The host's own error comes out of its own call, and nothing is kept."""
    service = place.service(host_agrees=unless("bad"))
    service.open("errand", "E-1", ask(remark="bad"))
    with pytest.raises(ConnectionError, match="map service"):
        service.send("E-1", take(at(days=5)))
    assert [entry.event for entry in service.history("E-1")] == ["ask"]


def test_a_replay_ends_where_what_was_due_fails() -> None:
    """A script does not go on as if a deadline had not been: the error names line, case and failure."""
    workflows = flows(unless("poison"))
    said = '"at": "2026-03-02T10:00:00+08:00", "actor": "wang", "roles": ["boss"]'
    facts = '"facts": {"place": "8 Park Road", "price": "1.00", "remark": "poison"}'
    lines = rf.read_script(f'{{"open": "errand", "case": "E-1", {said}, {facts}}}', workflows)
    assert rf.run_script(lines, workflows, at=at(days=1)).steps[0].accepted
    with pytest.raises(rf.ScriptError, match=r"line 1: .* E-1 failed: ConnectionError: the map service"):
        rf.run_script(lines, workflows, at=at(days=4))
    late = said.replace("03-02", "03-09")
    more = rf.read_script(f'\n{{"open": "errand", "case": "E-2", {late}, {facts}}}', workflows)
    with pytest.raises(rf.ScriptError, match="line 2: "):
        rf.run_script([*lines, *more], workflows)
