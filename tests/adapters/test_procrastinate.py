"""The sweep and the outbox as jobs of procrastinate: in the host's transaction, and on workers that may
die."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import procrastinate
import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.orm import Session

import renoflow as rf
from renoflow.adapters.procrastinate import add_jobs
from tests.adapters.worker import STUCK, app_on
from tests.building import CHECKOUT
from tests.patience import until
from tests.postgres import plain
from tests.store.errands import ask, flows
from tests.store.places import install

CASES = 30


@pytest.fixture
def engine(postgres_url: str) -> Iterator[Engine]:
    """A database with our tables and procrastinate's."""
    install(postgres_url).dispose()
    app = procrastinate.App(connector=procrastinate.SyncPsycopgConnector(conninfo=plain(postgres_url)))
    with app.open():
        app.schema_manager.apply_schema()
    engine = create_engine(postgres_url)
    yield engine
    engine.dispose()


def overdue(number: int) -> rf.Command:
    """An opening so long ago that its deadline has passed."""
    remark = STUCK if number == CASES // 2 else "plain"
    return ask(datetime.now(UTC) - timedelta(days=20), remark=remark)


def jobs_in(engine: Engine) -> list[tuple[str, str, bool]]:
    """Every job: its task, its status, and whether it waits for an instant."""
    query = "select task_name, status::text, scheduled_at is not null from procrastinate_jobs order by id"
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def test_a_job_comes_with_the_hosts_transaction(engine: Engine, postgres_url: str, tmp_path: Path) -> None:
    """The case and its jobs are kept together, or neither is."""
    store = rf.SqlStore(engine)
    jobs, service = app_on(postgres_url, store, tmp_path, "web"), rf.CaseService(flows(), store=store)
    for kept in (False, True):
        with Session(engine) as session:
            case = service.open("errand", "E-1", overdue(0), connection=session).case
            assert case is not None
            jobs.soon(session, sweep_at=case.wakes_at)
            if kept:
                session.commit()
            else:
                session.rollback()
        assert jobs_in(engine) == kept * [
            ("renoflow:deliver", "todo", False),
            ("renoflow:sweep", "todo", True),
        ]
        assert (service.find("E-1") is not None) == kept


def test_a_plain_connection_will_do(engine: Engine, postgres_url: str, tmp_path: Path) -> None:
    """A job can be deferred on a connection of SQLAlchemy's as well as in a session."""
    with engine.begin() as connection:
        app_on(postgres_url, rf.SqlStore(engine), tmp_path, "web").soon(connection)
    assert jobs_in(engine) == [("renoflow:deliver", "todo", False)]


def test_a_killed_worker_loses_and_doubles_nothing(engine: Engine, postgres_url: str, tmp_path: Path) -> None:
    """One of two workers is killed in the middle of a sweep and not begun again: every deadline fires once,
    every effect is delivered, and the job that the dead one left is done by the other."""
    service = rf.CaseService(flows(), store=rf.SqlStore(engine))
    for number in range(CASES):
        service.open("errand", f"E-{number}", overdue(number))
    workers = {name: worker(postgres_url, tmp_path, name) for name in ("first", "second")}
    try:
        stuck = tmp_path / STUCK
        until(lambda: stuck.exists() and stuck.read_text("utf-8") != "", *workers.values())
        dead = workers.pop(stuck.read_text("utf-8"))
        dead.kill()
        dead.wait()
        left = [job for job, status in statuses(engine).items() if status == "doing"]
        assert left
        until(lambda: finished(engine, left), *workers.values())
    finally:
        for one in workers.values():
            one.terminate()
            one.wait()
    for number in range(CASES):
        events = Counter(entry.event for entry in service.history(f"E-{number}"))
        assert (events["deadline.pick_up.breached"], events["remind"]) == (1, 1)
    delivered = Counter((tmp_path / "delivered").read_text("utf-8").split())
    assert len(delivered) == 2 * CASES
    assert len(service.outbox("delivered", limit=1000)) == 2 * CASES


def worker(url: str, folder: Path, name: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.adapters.worker", url, str(folder), name], cwd=CHECKOUT
    )


def statuses(engine: Engine) -> dict[int, str]:
    with engine.connect() as connection:
        found = connection.execute(text("select id, status::text from procrastinate_jobs"))
        return {int(row.id): str(row.status) for row in found}


def finished(engine: Engine, left: list[int]) -> bool:
    """Nothing is due, nothing waits to be delivered, and the jobs that were left are done."""
    query = """
    select (select count(*) from renoflow_cases where family_wakes_at <= now())
      + (select count(*) from renoflow_outbox where status = 'waiting')
    """
    found = statuses(engine)
    with engine.connect() as connection:
        open_ends = connection.execute(text(query)).scalar_one()
    return open_ends == 0 and all(found[job] == "succeeded" for job in left)


def test_without_procrastinate_the_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the extra is missing the error says how to install it."""
    monkeypatch.setitem(sys.modules, "procrastinate", None)
    monkeypatch.delitem(sys.modules, "renoflow.adapters.procrastinate")
    with pytest.raises(rf.MissingExtra, match=r"pip install 'renoflow\[procrastinate\]'"):
        importlib.import_module("renoflow.adapters.procrastinate")


def test_the_jobs_are_added_once(postgres_url: str) -> None:
    """Adding them to an app a second time is procrastinate's own clear error."""
    app = procrastinate.App(connector=procrastinate.SyncPsycopgConnector(conninfo=plain(postgres_url)))
    service = rf.CaseService(flows())
    add_jobs(app, service, lambda effect: None)
    with pytest.raises(procrastinate.exceptions.TaskAlreadyRegistered, match="renoflow"):
        add_jobs(app, service, lambda effect: None)
