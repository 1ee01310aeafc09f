"""The tables as the migrations make them are those of the schema, beside whatever the host has."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import MetaData, create_engine, inspect, text

import renoflow as rf
from renoflow.store import migrating
from renoflow.store.installing import make_tables
from renoflow.store.revision import LATEST, VERSION_TABLE
from renoflow.store.schema import metadata
from tests.postgres import Server
from tests.store.errands import ask, at, flows, searchable_errands, take


@pytest.fixture(params=["sqlite", "postgres"])
def urls(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Two empty databases of a kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'one.db'}", f"sqlite:///{tmp_path / 'two.db'}"
        return
    server: Server = request.getfixturevalue("postgres")
    one, two = server.url(), server.url()
    yield one, two
    server.drop(one)
    server.drop(two)


StoreOn = Callable[[str], rf.SqlStore]


@pytest.fixture
def store_on() -> Iterator[StoreOn]:
    """Stores whose connections are closed in the end."""
    with ExitStack() as closing:

        def store(url: str) -> rf.SqlStore:
            found = rf.SqlStore(url)
            closing.callback(found.engine.dispose)
            return found

        yield store


def described(url: str) -> dict[str, Any]:
    """All of renoflow's tables, down to the last index."""
    engine = create_engine(url)
    look = inspect(engine)
    found = {
        name: {
            "columns": [{**column, "type": str(column["type"])} for column in look.get_columns(name)],
            "key": look.get_pk_constraint(name),
            "unique": sorted(look.get_unique_constraints(name), key=str),
            "indexes": sorted((_plain(index) for index in look.get_indexes(name)), key=str),
        }
        for name in look.get_table_names()
        if name.startswith("renoflow_")
    }
    engine.dispose()
    return found


def _plain(index: Any) -> dict[str, Any]:
    options = {key: str(value) for key, value in index.pop("dialect_options", {}).items()}
    return {**index, **options}


def test_migrated_tables_are_those_of_the_schema(urls: tuple[str, str], store_on: StoreOn) -> None:
    """Every column, key, default and index: what was migrated step by step is what is made afresh."""
    migrated, fresh = urls
    assert store_on(migrated).upgrade() == LATEST
    engine = create_engine(fresh)
    with engine.begin() as connection:
        make_tables(connection)
    engine.dispose()
    assert described(migrated) == described(fresh)
    assert len(described(migrated)) >= 6
    for url in urls:
        assert store_on(url).differences() == []


def test_an_upgrade_can_be_run_again(urls: tuple[str, str], store_on: StoreOn) -> None:
    """A second one changes nothing, and the cases stay."""
    store = store_on(urls[0])
    store.upgrade()
    rf.CaseService(flows(), store).open("errand", "E-1", ask())
    assert store.upgrade() == LATEST
    assert rf.CaseService(flows(), store_on(urls[0])).case("E-1").state == "waiting"


def test_cases_kept_before_there_were_questions(
    urls: tuple[str, str], store_on: StoreOn, tmp_path: Path
) -> None:
    """What is due is listed as soon as the tables are up to date; once the cases were read again they are
    found as if they had been kept today, and histories are as they were."""
    today, older = urls
    workflows = searchable_errands(tmp_path)
    store = store_on(today)
    store.upgrade()
    service = rf.CaseService(workflows, store)
    for number in range(30):
        service.open("errand", f"E-{number}", ask(place="天河路" if number % 3 else "北京路1号"))
        service.send(f"E-{number}", take(at(number)))
    service.sweep(at(days=6))
    keep_as_before(today, older, "0001")
    store = store_on(older)
    with pytest.raises(rf.SchemaMismatch, match="renoflow db upgrade"):
        rf.CaseService(workflows, store)
    assert store.upgrade() == LATEST
    assert store.differences() == []
    migrated = rf.CaseService(workflows, store)
    later = at(days=7)
    assert migrated.worklist(at=later).items == service.worklist(at=later).items
    assert migrated.breaches(until=later) == service.breaches(until=later)
    with pytest.raises(rf.SchemaMismatch, match="renoflow db reindex"):
        migrated.search(text="天河")
    assert migrated.reindex() == (30, {})
    for question in ({"text": "天河"}, {"facts": {"place": "北京路1号"}}, {"state": "working"}):
        found = migrated.search(**question).items
        assert found == service.search(**question).items
        assert len(found) >= 10
    assert {faults for _, faults in store.verify_history()} == {()}
    assert rows_of(older) == rows_of(today)


def test_deadlines_that_no_case_has_stop_no_upgrade(urls: tuple[str, str], store_on: StoreOn) -> None:
    """Where somebody once removed a case by hand, what is left of it is in nobody's way."""
    today, older = urls
    store = store_on(today)
    store.upgrade()
    service = rf.CaseService(flows(), store)
    for name in ("E-1", "E-2"):
        service.open("errand", name, ask())
    with store.engine.begin() as connection:
        connection.execute(text("delete from renoflow_cases where id = 'E-1'"))
    keep_as_before(today, older, "0001")
    store = store_on(older)
    assert store.upgrade() == LATEST
    assert [one.case for one in rf.CaseService(flows(), store).worklist(at=at())] == ["E-2"]


def keep_as_before(source: str, target: str, revision: str) -> None:
    """The rows of one database in the tables of an earlier revision, as far as those had the columns."""
    engine = create_engine(target)
    with engine.begin() as connection:
        migrating.upgrade(connection, revision)
    earlier = MetaData()
    earlier.reflect(engine)
    rows = rows_of(source)
    with engine.begin() as connection:
        for name, kept in rows.items():
            if kept and name in earlier.tables:
                columns = set(earlier.tables[name].columns.keys())
                known = [{key: value for key, value in row.items() if key in columns} for row in kept]
                connection.execute(earlier.tables[name].insert(), known)
    engine.dispose()


def rows_of(url: str) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table of ours."""
    engine = create_engine(url)
    with engine.connect() as connection:
        found = {
            table.name: sorted((dict(row) for row in connection.execute(table.select()).mappings()), key=str)
            for table in metadata.sorted_tables
        }
    engine.dispose()
    return found


def test_the_hosts_tables_and_migrations_are_left_alone(urls: tuple[str, str], store_on: StoreOn) -> None:
    """The host has tables and an Alembic of its own in the same database; ours looks past both."""
    engine = create_engine(urls[0])
    with engine.begin() as connection:
        connection.execute(text("create table orders (id integer primary key)"))
        connection.execute(text("create table alembic_version (version_num varchar(32) not null)"))
        connection.execute(text("insert into alembic_version values ('theirs')"))
    store = store_on(urls[0])
    store.upgrade()
    assert store.differences() == []
    with engine.connect() as connection:
        assert connection.execute(text("select version_num from alembic_version")).scalars().all() == [
            "theirs"
        ]
        assert connection.execute(text(f"select version_num from {VERSION_TABLE}")).scalar_one() == LATEST
    assert inspect(engine).has_table("orders")
    engine.dispose()


def test_what_differs_is_said(urls: tuple[str, str], store_on: StoreOn) -> None:
    """A table that somebody changed by hand does not pass for the schema."""
    store = store_on(urls[0])
    store.upgrade()
    with store.engine.begin() as connection:
        connection.execute(text("drop index renoflow_cases_family"))
        connection.execute(text("alter table renoflow_history add column mood text"))
    assert sorted(store.differences()) == [
        "add index: renoflow_cases_family",
        "remove column: renoflow_history, mood",
    ]


def test_several_may_upgrade_at_once(postgres: Server, store_on: StoreOn) -> None:
    """Three processes of one release start together: one makes the tables, the others wait and find them."""
    url = postgres.url()
    command = [sys.executable, "-m", "renoflow.cli", "db", "upgrade", "--db", url]
    started = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    assert [process.communicate()[1] for process in started] == [""] * 3
    assert store_on(url).differences() == []
    store_on(url).engine.dispose()
    postgres.drop(url)


def test_a_new_sqlite_file_needs_no_command(tmp_path: Path, store_on: StoreOn) -> None:
    """The embedded default makes its tables on first use, also when several start on the new file at once."""
    url = f"sqlite:///{tmp_path / 'firm.db'}"
    with ThreadPoolExecutor(4) as pool:
        services = list(pool.map(lambda _: rf.CaseService(flows(), store_on(url)), range(4)))
    services[0].open("errand", "E-1", ask())
    assert services[3].case("E-1").state == "waiting"


def test_a_file_in_memory_is_refused() -> None:
    """Each connection would have a database of its own."""
    with pytest.raises(rf.UsageError, match="MemoryStore"):
        rf.SqlStore("sqlite://")


@pytest.mark.parametrize("url", ["firm.db", "mysql://user@host/firm"])
def test_another_database_is_refused(url: str) -> None:
    """The error says which URLs are understood."""
    with pytest.raises(rf.UsageError, match=r"sqlite:///firm\.db"):
        rf.SqlStore(url)


def test_another_driver_is_refused() -> None:
    """Whether it is installed or not, the error says what to do."""
    with pytest.raises((rf.UsageError, rf.MissingExtra)) as found:
        rf.SqlStore("postgresql+psycopg2://host/firm")
    assert "sqlite:///firm.db" in str(found.value) or "pip install" in str(found.value)
