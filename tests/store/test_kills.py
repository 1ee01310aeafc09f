"""A process killed before each of its statements in turn: what it was doing has happened wholly or not at
all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

import renoflow as rf
from tests.postgres import Server
from tests.store.driver import engine_for
from tests.store.errands import BOSS, WORKER, ask, at, flows, note, take
from tests.store.kills import killed_at_every_statement
from tests.store.places import install

LATE = at(days=5)
Doing = Callable[[rf.CaseService], object]


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path, postgres: Server) -> Iterator[str]:
    if request.param == "sqlite":
        found = f"sqlite:///{tmp_path / 'cases.db'}"
        install(found).dispose()
        yield found
        return
    found = postgres.url()
    install(found).dispose()
    yield found
    postgres.drop(found)


FLOWS = flows()


def once(url: str, doing: Callable[[rf.CaseService], Any], trial: int) -> Any:
    """Do it as a process that begins and ends with it; every trial is another tenant's."""
    engine = engine_for(url)
    try:
        return doing(rf.CaseService(FLOWS, store=rf.SqlStore(engine), tenant=f"trial-{trial}"))
    finally:
        engine.dispose()


def picture(service: rf.CaseService) -> object:
    """Everything that a tenant has, but the time of the next attempts."""
    cases = list(service.cases())
    return (
        cases,
        [service.history(case.id) for case in cases],
        [item.effect for item in service.outbox(limit=1000)],
    )


def overdue(service: rf.CaseService) -> None:
    for name in ("E-1", "E-2"):
        service.open("errand", name, ask(person="王女士"))


def redacted(service: rf.CaseService) -> object:
    return service.redact("E-1", actor=BOSS, at=at(2), reason="asked for by the customer")


def nothing(service: rf.CaseService) -> None:
    """There is no case before."""


WRITES: dict[str, tuple[Doing, Doing]] = {
    "open": (nothing, lambda service: service.open("errand", "E-1", ask(), key="k")),
    "send": (overdue, lambda service: service.send("E-1", note(at(1)), key="k")),
    "send to one that is overdue": (overdue, lambda service: service.send("E-1", take(LATE), key="k")),
    "open a child": (
        overdue,
        lambda service: service.send("E-1", rf.Command("divide", WORKER, at(1)), key="k"),
    ),
    "sweep": (overdue, lambda service: service.sweep(LATE)),
    "redact": (overdue, redacted),
}


@pytest.mark.parametrize("what", WRITES)
def test_a_write_happens_wholly_or_not_at_all(url: str, what: str) -> None:
    """After a kill at any statement there is what was before, or all of it; made again, all of it, and
    once."""
    before, doing = WRITES[what]
    twin = rf.CaseService(FLOWS)
    before(twin)
    untouched = picture(twin)
    doing(twin)
    complete = picture(twin)

    def begin(trial: int) -> Callable[[], object]:
        once(url, before, trial)
        return lambda: once(url, doing, trial)

    kept = []
    for trial in killed_at_every_statement(begin):
        found = once(url, picture, trial)
        assert found in (untouched, complete), f"killed after {trial} statements"
        kept.append(found == complete)
        # A redaction has no key: made again it would be written down again.
        if what != "redact" or found == untouched:
            once(url, doing, trial)
        assert once(url, picture, trial) == complete, f"made again after {trial} statements"
    assert kept == sorted(kept)
    assert len(set(kept)) == 2


def test_a_write_goes_with_the_hosts_own_row(url: str) -> None:
    """In the host's transaction a kill leaves both, the host's row and the move, or neither."""
    engine = engine_for(url)
    with engine.begin() as connection:
        connection.execute(text("create table orders (trial integer)"))
    engine.dispose()

    def begin(trial: int) -> Callable[[], object]:
        once(url, overdue, trial)
        return lambda: once(url, lambda service: together(service, trial), trial)

    def together(service: rf.CaseService, trial: int) -> None:
        with service.store.engine.begin() as connection:  # type: ignore[attr-defined]
            connection.execute(text("insert into orders values (:trial)"), {"trial": trial})
            service.send("E-1", take(LATE), key="k", connection=connection)

    seen = set()
    for trial in killed_at_every_statement(begin):
        state = once(url, lambda service: service.case("E-1").state, trial)
        with engine.connect() as connection:
            query = text("select count(*) from orders where trial = :trial")
            row = connection.execute(query, {"trial": trial}).scalar_one()
        engine.dispose()
        assert (state, row) in (("waiting", 0), ("working", 1)), f"killed after {trial} statements"
        seen.add(row)
    assert seen == {0, 1}


def test_an_effect_is_delivered_at_least_once(url: str, tmp_path: Path) -> None:
    """A kill at any statement of a delivery loses no effect; one may come twice, and says so by its key."""
    journal = tmp_path / "delivered"

    def before(service: rf.CaseService) -> None:
        overdue(service)
        service.sweep(LATE)

    def delivering(service: rf.CaseService, minutes: float) -> object:
        def handler(effect: rf.Effect) -> None:
            with journal.open("a", encoding="utf-8") as file:
                file.write(f"{effect.key}\n")

        return service.deliver(handler, at=at(minutes, days=6))

    def begin(trial: int) -> Callable[[], object]:
        once(url, before, trial)
        journal.write_text("", encoding="utf-8")
        return lambda: once(url, lambda service: delivering(service, 0), trial)

    for trial in killed_at_every_statement(begin):
        once(url, lambda service: delivering(service, 24 * 60), trial)
        times = Counter(journal.read_text("utf-8").split())
        assert len(times) == 4, f"killed after {trial} statements"
        assert sum(times.values()) <= 5, f"killed after {trial} statements"
        assert once(url, lambda service: len(service.outbox("delivered")), trial) == 4
