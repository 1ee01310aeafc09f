"""Cases in SQLite or PostgreSQL, in a transaction of the store's own or of the host's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session as OrmSession
from sqlalchemy.orm import scoped_session

from renoflow.errors import StoreBusy, StoreUnreachable, UsageError
from renoflow.store import statements as sql
from renoflow.store.engines import engine_for, shown_url, supported
from renoflow.store.faults import SENT_AGAIN, store_error
from renoflow.store.installing import check_schema, is_blank, make_tables
from renoflow.store.protocol import OvertakenError, Plans, Session
from renoflow.store.reading import SqlReader
from renoflow.store.rows import NATIVE, TEXT
from renoflow.store.runner import Runner
from renoflow.store.session import SqlSession
from renoflow.store.verifying import Verifier
from renoflow.values import Label

T = TypeVar("T")

TRIES = 8
"""How often a call is made again when others were faster."""

ROLLED_BACK = ("40001", "40P01")
"""A serialization failure, a deadlock: the same transaction may succeed when it is run again."""

UNKNOWN = "It came at the commit, so nobody knows whether the call was kept: make it again with the same key"
"""What is said when the answer to a commit was lost."""


class SqlStore:
    """Keeps cases in SQLite (`"sqlite:///firm.db"`) or PostgreSQL (`"postgresql+psycopg://..."`).

    Takes a URL or the host's SQLAlchemy engine. The tables of a new SQLite file are made on first use; on
    PostgreSQL `renoflow db upgrade` makes them.
    """

    def __init__(self, url_or_engine: str | Engine) -> None:
        self.engine = (
            engine_for(url_or_engine) if isinstance(url_or_engine, str) else supported(url_or_engine)
        )
        self.postgres = self.engine.dialect.name == "postgresql"
        self.url = shown_url(self.engine)
        self._driver_error: type[Exception] = self.engine.dialect.loaded_dbapi.Error
        self._prepared = False

    def prepare(self) -> None:
        """Raises `SchemaMismatch`, with the command that mends it, unless the tables are of this version."""
        if self._prepared:
            return
        with self._faults(), self.engine.connect() as connection:
            blank = not self.postgres and is_blank(connection)
            connection.rollback()
            if blank:
                with self._exclusively(connection):
                    # Somebody else may have made them while the lock was waited for.
                    if is_blank(connection):
                        make_tables(connection)
            check_schema(connection, self.url)
        self._prepared = True

    def check(self) -> str:
        """Where the migrations stand; raises `SchemaMismatch` when this version needs them elsewhere."""
        with self._faults(), self.engine.connect() as connection:
            return check_schema(connection, self.url)

    def upgrade(self) -> str:
        """Make the tables, or bring them up to date, in one transaction; returns where they now stand."""
        from renoflow.store.migrating import upgrade

        with self._faults(), self.engine.connect() as connection, self._exclusively(connection):
            return upgrade(connection)

    def tenants(self) -> list[str]:
        """Whose cases there are."""
        self.prepare()
        found = [""]
        with self._faults(), self.engine.connect() as connection:
            runner = self._runner(connection.connection)
            while (row := runner.first(sql.NEXT_TENANT, tenant=found[-1]))[0] is not None:
                found.append(row[0])
        return found[1:]

    def unindexed(self) -> bool:
        """Whether there are cases that nobody finds by facts and words before they are read again."""
        self.prepare()
        with self._faults(), self.engine.connect() as connection:
            return bool(self._runner(connection.connection).first(sql.UNINDEXED)[0])

    def differences(self) -> list[str]:
        """How the tables differ from those of this version, one sentence each; none when they match."""
        from renoflow.store.migrating import differences

        with self._faults(), self.engine.connect() as connection:
            return differences(connection)

    # -------------------------------------------------------------- writing

    def write(self, tenant: str, plans: Plans, connection: Any, work: Callable[[Session], T]) -> T:
        """The work in one transaction; made again from the start when others were faster."""
        self.prepare()
        cut = False
        for _ in range(TRIES):
            try:
                if connection is not None:
                    return self._in_the_hosts(tenant, plans, connection, work)
                return self._in_our_own(tenant, plans, work)
            except OvertakenError:
                continue
            except _InTheWayError as error:
                if connection is not None:
                    raise StoreBusy(str(error)) from error.__cause__
            except _CutOffError as error:
                # What was cut off before its commit never was; a pool may hold connections long dead.
                if cut or connection is not None:
                    raise StoreUnreachable(str(error)) from error.__cause__
                cut = True
        raise StoreBusy(f"others moved the case each of {TRIES} times that this was tried: {SENT_AGAIN}")

    def _in_our_own(self, tenant: str, plans: Plans, work: Callable[[Session], T]) -> T:
        """On a bare connection of the pool, since a step is shorter than what more would cost."""
        try:
            raw = self.engine.raw_connection()
            try:
                found = self._tried(raw, tenant, plans, work)
                self._commit(raw)
                return found
            finally:
                raw.close()
        except (PoolTimeoutError, DBAPIError, self._driver_error) as error:
            raise self._meaning(error) from error

    def _tried(self, raw: Any, tenant: str, plans: Plans, work: Callable[[Session], T]) -> T:
        """The work, ready to be committed, or as if it had not been."""
        try:
            runner = self._runner(raw)
            if not self.postgres:
                runner.run(sql.NOTHING if raw.in_transaction else sql.BEGIN)
            return work(SqlSession(runner, tenant, plans))
        except BaseException:
            self._drop(raw)
            raise

    def _commit(self, raw: Any) -> None:
        try:
            raw.commit()
        except self._driver_error as error:
            self._drop(raw)
            found = self._meaning(error)
            if isinstance(found, _CutOffError):
                raise StoreUnreachable(f"{found}. {UNKNOWN}") from error
            raise found from error

    def _drop(self, raw: Any) -> None:
        """Roll back; where the connection is gone the database has done so."""
        try:
            raw.rollback()
        except self._driver_error:
            raw.invalidate()

    def _in_the_hosts(self, tenant: str, plans: Plans, connection: Any, work: Callable[[Session], T]) -> T:
        """Inside a savepoint, so that a failure here leaves the host's transaction as it was."""
        with self._faults():
            host = self._connection_of(connection)
            runner = self._runner(host.connection)
            if not self.postgres:
                # First of all, since SQLite turns a reader away that becomes a writer; and without a
                # transaction around it the savepoint would be one, and its release a commit.
                runner.run(sql.NOTHING if _raw(host).in_transaction else sql.BEGIN)
            with host.begin_nested():
                return work(SqlSession(runner, tenant, plans))

    def _connection_of(self, connection: Any) -> Connection:
        if isinstance(connection, (OrmSession, scoped_session)):
            connection = connection.connection()
        if not isinstance(connection, Connection):
            raise UsageError(
                f"connection= takes a SQLAlchemy Connection or Session; found {type(connection).__name__}"
            )
        if connection.dialect.name != self.engine.dialect.name:
            raise UsageError(
                f"the connection is to {connection.dialect.name}, the store is on {self.engine.dialect.name}"
            )
        if self.postgres and _raw(connection).autocommit:
            raise UsageError("the connection is in autocommit mode; a case needs a transaction to be part of")
        return connection

    @contextmanager
    def _exclusively(self, connection: Connection) -> Iterator[None]:
        """A transaction in which tables are made, by one process at a time."""
        with connection.begin():
            if not self.postgres and not _raw(connection).in_transaction:
                connection.exec_driver_sql(sql.BEGIN)
            yield

    def _runner(self, raw: Any) -> Runner:
        return Runner(
            cursor=raw.cursor(),
            form=NATIVE if self.postgres else TEXT,
            postgres=self.postgres,
            driver_error=self._driver_error,
            meaning=self._meaning,
        )

    # -------------------------------------------------------------- reading

    @contextmanager
    def read(self, tenant: str, plans: Plans, connection: Any = None) -> Iterator[SqlReader]:
        self.prepare()
        with self._faults():
            if connection is None:
                with self.engine.connect() as own:
                    yield SqlReader(self._runner(own.connection), tenant, plans)
            else:
                host = self._connection_of(connection)
                if not host.in_transaction():
                    host.begin()
                yield SqlReader(self._runner(host.connection), tenant, plans)

    def verify_history(
        self, tenant: str = "main", case: str | None = None
    ) -> Iterator[tuple[str, tuple[Label, ...]]]:
        """Every case (or one) with what is wrong with its history: changed, dropped, added or reordered
        lines; nothing, where all is well."""
        self.prepare()
        with self._faults(), self.engine.connect() as connection:
            verifier = Verifier(self._runner(connection.connection), tenant)
            yield from verifier.all() if case is None else [(case, verifier.case(case))]

    # -------------------------------------------------------------- what goes wrong

    @contextmanager
    def _faults(self) -> Iterator[None]:
        """The driver's errors as ours."""
        try:
            yield
        except (PoolTimeoutError, DBAPIError, self._driver_error) as error:
            raise self._meaning(error) from error

    def _meaning(self, error: Exception) -> Exception:
        if isinstance(error, PoolTimeoutError):
            return StoreBusy(f"all connections of the pool are in use: {error}")
        driver = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
        found = store_error(driver, self.url)
        if getattr(driver, "sqlstate", None) in ROLLED_BACK:
            return _InTheWayError(str(found))
        if not isinstance(found, StoreUnreachable):
            return found
        if self.postgres and (getattr(driver, "sqlstate", None) or "08").startswith(CUT_OFF):
            # The others in the pool have died with it.
            self.engine.dispose()
            return _CutOffError(str(found))
        return found


CUT_OFF = ("08", "57P01", "57P02")
"""The server ended the connection; the driver has no state to tell where it found it ended."""


class _InTheWayError(StoreBusy):
    """Another transaction was in the way, and ours had to go."""


class _CutOffError(StoreUnreachable):
    """The connection was lost while it was in use."""


def _raw(connection: Connection) -> Any:
    return connection.connection.dbapi_connection
