"""A connection is kept at hand between steps, and is nobody's burden."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import Engine, create_engine

import renoflow as rf
from tests.postgres import Server
from tests.store.errands import ask, at, flows, note


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'firm.db'}"
    server: Server = request.getfixturevalue("postgres")
    return server.url()


def opened(target: str | Engine) -> rf.CaseService:
    store = rf.SqlStore(target)
    store.upgrade()
    service = rf.CaseService(flows(), store)
    service.open("errand", "E-1", ask())
    return service


def engine_of(service: rf.CaseService) -> Engine:
    assert isinstance(service.store, rf.SqlStore)
    return service.store.engine


def out(service: rf.CaseService) -> int:
    """Connections that are away from the pool."""
    return engine_of(service).pool.checkedout()  # type: ignore[attr-defined, no-any-return]


def test_one_connection_is_kept_however_many_write(url: str) -> None:
    """Steps from several threads leave one connection away from the pool, and all are there afterwards."""
    service = opened(url)

    def write(name: str) -> Callable[[], None]:
        def work() -> None:
            service.open("errand", name, ask())
            for turn in range(5):
                assert service.send(name, note(at(turn + 1)), key=f"k-{turn}").accepted

        return work

    threads = [Thread(target=write(f"E-{number}")) for number in range(2, 6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [service.case(f"E-{number}").facts["notes"] for number in range(2, 6)] == [5] * 4
    assert out(service) == 1
    engine_of(service).dispose()


def test_it_is_let_go_with_the_engine(url: str) -> None:
    """Disposed of, the engine has nothing out; the next step makes a connection again."""
    service = opened(url)
    assert out(service) == 1
    engine_of(service).dispose()
    assert out(service) == 0
    assert service.send("E-1", note(at(1))).accepted
    engine_of(service).dispose()


def test_a_step_that_fails_gives_its_connection_back(url: str) -> None:
    """After an error nothing is kept that might be in the middle of something."""
    service = opened(url)
    with pytest.raises(rf.UnknownName):
        service.link("E-1", "nobody", "E-1", actor=rf.Actor("li"), at=at(1))
    assert out(service) == 0
    assert service.send("E-1", note(at(1))).accepted
    engine_of(service).dispose()


FORKED = """
import os, sys
import renoflow as rf
from tests.store.errands import at, flows, note

service = rf.CaseService(flows(), rf.SqlStore(sys.argv[1]))
assert service.send("E-1", note(at(1))).accepted
if (child := os.fork()) == 0:
    service.store.engine.dispose(close=False)
    os._exit(0 if service.send("E-1", note(at(2))).accepted else 1)
assert os.waitpid(child, 0)[1] == 0
assert service.send("E-1", note(at(3))).accepted
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_process_and_its_fork_write_on_connections_of_their_own(url: str) -> None:
    """What a process has kept stays its own when a fork of it gives its pool up, as SQLAlchemy asks."""
    service = opened(url)
    engine_of(service).dispose()
    subprocess.run([sys.executable, "-c", FORKED, url], check=True, timeout=60)
    assert service.case("E-1").facts["notes"] == 3
    engine_of(service).dispose()


def test_nothing_is_kept_of_a_hosts_engine(url: str) -> None:
    """A pool of one is free for the host between two steps."""
    engine = create_engine(url, pool_size=1, max_overflow=0, pool_timeout=0.1)
    service = opened(engine)
    assert service.send("E-1", note(at(1))).accepted
    with engine.connect() as connection:
        assert connection.exec_driver_sql("select count(*) from renoflow_cases").scalar_one() == 1
    engine.dispose()
