"""What the world does to a database: a clear error each time, and the case as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import Engine, create_engine, text

import renoflow as rf
from renoflow.store.revision import VERSION_TABLE
from tests.postgres import Server
from tests.store.driver import engine_for, watched
from tests.store.errands import ask, at, flows, note, take
from tests.store.places import Place, count, install

T = TypeVar("T")


@pytest.fixture
def sqlite(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'cases.db'}"
    install(url).dispose()
    return url


@pytest.fixture
def postgresql(postgres: Server) -> Iterator[str]:
    url = postgres.url()
    install(url).dispose()
    yield url
    postgres.drop(url)


ENGINES: list[Engine] = []


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    """Every engine of a test is closed after it."""
    yield
    while ENGINES:
        ENGINES.pop().dispose()


def engine_on(url: str, **options: Any) -> Engine:
    ENGINES.append(create_engine(url, **options))
    return ENGINES[-1]


def service_on(url: str, **options: Any) -> rf.CaseService:
    return rf.CaseService(flows(), store=rf.SqlStore(engine_on(url, **options)))


def execute(url: str, *statements: str) -> None:
    with engine_on(url).begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def unharmed(url: str, events: list[str]) -> bool:
    """Whether the case is as these events have made it, and goes on."""
    service = service_on(url)
    same = [entry.event for entry in service.history("E-1")] == events
    return same and service.send("E-1", note(at(60))).accepted


# ------------------------------------------------------------------ no room


def test_a_full_sqlite_file_says_so(sqlite: str) -> None:
    """When the file may not grow, the write that would not fit is not kept, and the earlier ones are."""
    service = service_on(sqlite, pool_size=1, max_overflow=0)
    service.open("errand", "E-1", ask())
    with service.store.engine.connect() as connection:  # type: ignore[attr-defined]
        pages = connection.execute(text("pragma page_count")).scalar_one()
        connection.execute(text(f"pragma max_page_count = {pages}"))
    kept = ["ask"]

    def fill() -> None:
        for minutes in range(500):
            service.send("E-1", note(at(minutes / 60), remark="x" * 200))
            kept.append("note")

    with pytest.raises(rf.StoreFull, match="free some space"):
        fill()
    assert unharmed(sqlite, kept)


def test_a_full_server_says_so(postgresql: str) -> None:
    """When PostgreSQL has no room for a line of history, nothing of the step is kept."""
    service = service_on(postgresql)
    service.open("errand", "E-1", ask())
    execute(
        postgresql,
        "create function full_disk() returns trigger language plpgsql as "
        "$$ begin raise exception 'could not extend file: No space left' using errcode = '53100'; end $$",
        "create trigger full_disk before insert on renoflow_history "
        "for each row execute function full_disk()",
    )
    with pytest.raises(rf.StoreFull, match="free some space"):
        service.send("E-1", take(at(1)))
    execute(postgresql, "drop trigger full_disk on renoflow_history")
    assert unharmed(postgresql, ["ask"])


# ------------------------------------------------------------------ not to be written


def test_a_read_only_file_can_be_read(sqlite: str) -> None:
    """Reading goes on, and a write says that the file may not be written."""
    service_on(sqlite).open("errand", "E-1", ask())
    path = sqlite.removeprefix("sqlite:///")
    service = service_on(f"sqlite:///file:{path}?mode=ro&uri=true")
    assert service.case("E-1").state == "waiting"
    with pytest.raises(rf.StoreReadOnly, match="right to write"):
        service.send("E-1", take(at(1)))
    assert unharmed(sqlite, ["ask"])


def test_a_read_only_server_can_be_read(postgresql: str) -> None:
    """A standby answers questions and refuses moves with a clear error."""
    service_on(postgresql).open("errand", "E-1", ask())
    options = {"options": "-c default_transaction_read_only=on"}
    service = service_on(postgresql, connect_args=options)
    assert service.case("E-1").state == "waiting"
    with pytest.raises(rf.StoreReadOnly, match="connect to the primary"):
        service.send("E-1", take(at(1)))
    assert unharmed(postgresql, ["ask"])


# ------------------------------------------------------------------ held by others


def test_a_locked_file_says_so(sqlite: str) -> None:
    """A writer that waited long enough for another's transaction is told to come again."""
    service = service_on(sqlite, connect_args={"timeout": 0.05})
    service.open("errand", "E-1", ask())
    other = engine_on(sqlite)
    with other.connect() as connection:
        connection.exec_driver_sql("begin immediate")
        with pytest.raises(rf.StoreBusy, match="locked"):
            service.send("E-1", take(at(1)))
        assert service.case("E-1").state == "waiting"
    assert unharmed(sqlite, ["ask"])


def test_a_locked_case_says_so(postgresql: str) -> None:
    """With a lock timeout of the host's a case that others hold is busy, and is not moved."""
    service = service_on(postgresql, connect_args={"options": "-c lock_timeout=20ms"})
    service.open("errand", "E-1", ask())
    other = engine_on(postgresql)
    with other.connect() as connection:
        connection.execute(text("select 1 from renoflow_cases for update"))
        with pytest.raises(rf.StoreBusy):
            service.send("E-1", take(at(1)))
        assert service.sweep(at(days=5)).entries == ()
    assert unharmed(postgresql, ["ask"])


def test_an_exhausted_pool_says_so(postgresql: str) -> None:
    """When every connection of the host's pool is in use, that is what the error says."""
    service = service_on(postgresql, pool_size=1, max_overflow=0, pool_timeout=0.05)
    service.open("errand", "E-1", ask())
    with (
        service.store.engine.connect(),  # type: ignore[attr-defined]
        pytest.raises(rf.StoreBusy, match="pool"),
    ):
        service.send("E-1", take(at(1)))
    assert unharmed(postgresql, ["ask"])


# ------------------------------------------------------------------ cut off


class Cutter:
    """Has the server end the connection before the so-many-th statement, once."""

    def __init__(self, server: Server, url: str, before: int) -> None:
        self._server, self._url, self._left, self.reached = server, url, before, False

    def __call__(self, statement: str, run: Callable[[], T]) -> T:
        if self._left == 0:
            self.reached = True
            with self._server.connect(self._url) as other:
                other.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity "
                    "where datname = current_database() and pid <> pg_backend_pid()"
                )
        self._left -= 1
        return run()


def test_a_connection_cut_at_any_statement_loses_and_doubles_nothing(
    postgresql: str, postgres: Server
) -> None:
    """Cut before each statement in turn: it is made again, or there is a clear error and the case as it
    was."""
    engine = engine_for(postgresql)
    service = rf.CaseService(flows(), store=rf.SqlStore(engine))
    answers = []
    for before in range(20):
        name = f"E-{before}"
        service.open("errand", name, ask())
        cutter = Cutter(postgres, postgresql, before)
        with watched(cutter):
            try:
                service.send(name, note(at(1)), key="k")
                answers.append("done")
            except rf.StoreUnreachable as error:
                answers.append(str(error))
        if not cutter.reached:
            break
        assert service.send(name, note(at(1)), key="k").accepted
        assert [entry.event for entry in service.history(name)] == ["ask", "note"]
    engine.dispose()
    *earlier, commit, whole = answers
    assert len(earlier) >= 2
    assert {*earlier, whole} == {"done"}
    assert "key" in commit


def test_a_connection_cut_in_the_hosts_transaction_takes_both(postgresql: str, postgres: Server) -> None:
    """Cut in the middle of the host's own transaction: its rows are gone with the move."""
    service = service_on(postgresql)
    service.open("errand", "E-1", ask())
    execute(postgresql, "create table orders (id text)")

    def cut() -> None:
        with service.store.engine.begin() as connection:  # type: ignore[attr-defined]
            connection.execute(text("insert into orders values ('E-1')"))
            service.send("E-1", note(at(1)), connection=connection)
            Cutter(postgres, postgresql, 0)("", lambda: None)
            service.send("E-1", take(at(2)), connection=connection)

    with pytest.raises(rf.StoreUnreachable):
        cut()
    assert unharmed(postgresql, ["ask"])
    assert count(engine_on(postgresql), "orders") == 0


def test_a_server_that_is_not_there_says_so(tmp_path: Path) -> None:
    """No server, or no folder for the file: the error says what could not be reached."""
    with pytest.raises(rf.StoreUnreachable):
        service_on(f"postgresql+psycopg://nobody@/none?host={tmp_path}").cases()
    with pytest.raises(rf.StoreUnreachable, match="folder"):
        service_on(f"sqlite:///{tmp_path}/none/cases.db")


# ------------------------------------------------------------------ damaged


DAMAGE = {
    "snapshot cut off": "update renoflow_cases set snapshot = substr(snapshot, 1, 40) where id = 'E-1'",
    "snapshot of another shape": "update renoflow_cases set snapshot = '[]' where id = 'E-1'",
    "unknown workflow": "update renoflow_cases set workflow = 'gone' where id = 'E-1'",
}


@pytest.mark.parametrize("what", DAMAGE)
def test_a_damaged_case_is_named_and_stops_no_other(database: Place, what: str) -> None:
    """The error names the table and the case; other cases are moved and swept as ever."""
    service = database.service()
    for name in ("E-1", "E-2"):
        service.open("errand", name, ask())
    assert database.engine is not None
    with database.engine.begin() as connection:
        connection.execute(text(DAMAGE[what]))
    for call in (lambda: service.case("E-1"), lambda: service.send("E-1", take(at(1)))):
        with pytest.raises(rf.StoredDataError) as found:
            call()
        assert (found.value.table, found.value.case) == ("renoflow_cases", "E-1")
    assert service.send("E-2", note(at(1))).accepted
    swept = service.sweep(at(days=5))
    assert {entry.case for entry in swept.entries} == {"E-2"}
    assert [one.case for one in swept.postponed] == ["E-1"]


def test_a_damaged_line_of_history_is_named(database: Place) -> None:
    """Reading a history says which line of which case cannot be read; the case itself goes on."""
    service = database.service()
    service.open("errand", "E-1", ask())
    assert database.engine is not None
    with database.engine.begin() as connection:
        connection.execute(text("update renoflow_history set body = 'x'"))
    with pytest.raises(rf.StoredDataError, match="entry 1") as found:
        service.history("E-1")
    assert found.value.table == "renoflow_history"
    assert service.send("E-1", take(at(1))).accepted


@pytest.mark.parametrize("revision", ["9999", "0000"])
def test_tables_of_another_version_are_refused(database: Place, revision: str) -> None:
    """A schema from the future, or from before, is not touched, and the error says what to run."""
    assert database.engine is not None
    with database.engine.begin() as connection:
        connection.execute(text(f"update {VERSION_TABLE} set version_num = :now"), {"now": revision})
    with pytest.raises(rf.SchemaMismatch) as found:
        rf.CaseService(flows(), store=rf.SqlStore(database.engine))
    assert found.value.found == revision
    assert ("db upgrade" if revision == "0000" else "pip install") in str(found.value)


def test_a_server_without_tables_is_refused(postgres: Server) -> None:
    """Nothing is made on a server unasked: the error names the command that does."""
    url = postgres.url()
    with pytest.raises(rf.SchemaMismatch, match="renoflow db upgrade"):
        service_on(url)
    postgres.drop(url)


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    """A file of something else is left alone."""
    path = tmp_path / "notes.txt"
    path.write_text("these are my notes, " * 100, "utf-8")
    with pytest.raises(rf.StoreUnreachable, match="no SQLite database"):
        service_on(f"sqlite:///{path}")
    assert path.read_text("utf-8").startswith("these are my notes")
