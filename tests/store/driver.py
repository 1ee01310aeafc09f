"""The database drivers as they are, but telling of every statement before and after it runs.

What a thread does with its connections passes its `watcher`; a thread that has none is not watched. The hook
sits below SQLAlchemy and below the store, so that no statement can be forgotten, `commit` included.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

import psycopg
from sqlalchemy import Engine, create_engine, make_url

T = TypeVar("T")


class Watcher(Protocol):
    """Runs a statement of its thread when and as it likes."""

    def __call__(self, statement: str, run: Callable[[], T]) -> T: ...


_here = threading.local()


@contextmanager
def watched(watcher: Watcher) -> Iterator[None]:
    """Within, every statement of this thread goes through the watcher."""
    _here.watcher = watcher
    try:
        yield
    finally:
        _here.watcher = None


def _through(statement: object, run: Callable[[], T]) -> T:
    watcher = getattr(_here, "watcher", None)
    if watcher is None:
        return run()
    result: T = watcher(str(statement), run)
    return result


def engine_for(url: str, **options: Any) -> Engine:
    """An engine whose every statement can be watched."""
    if make_url(url).get_backend_name() == "sqlite":
        return create_engine(url, connect_args={"factory": SqliteConnection}, **options)
    target = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    return create_engine(url, creator=lambda: _Connection.connect(target, cursor_factory=_Cursor), **options)


# ------------------------------------------------------------------ SQLite


class _SqliteCursor(sqlite3.Cursor):
    def execute(self, statement: str, *rest: Any) -> Any:
        run = super().execute
        return _through(statement, lambda: run(statement, *rest))

    def executemany(self, statement: str, rows: Any, /) -> Any:
        run = super().executemany
        kept = list(rows)
        return _through(statement, lambda: run(statement, kept))


class SqliteConnection(sqlite3.Connection):
    def cursor(self, factory: Any = _SqliteCursor) -> Any:
        return super().cursor(factory)

    def execute(self, statement: str, *rest: Any) -> sqlite3.Cursor:
        cursor: sqlite3.Cursor = self.cursor().execute(statement, *rest)
        return cursor

    def commit(self) -> None:
        if self.in_transaction:
            run = super().commit
            _through("commit", run)

    def rollback(self) -> None:
        if self.in_transaction:
            run = super().rollback
            _through("rollback", run)


# ------------------------------------------------------------------ PostgreSQL


class _Cursor(psycopg.Cursor[Any]):
    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        run = super().execute
        return _through(query, lambda: run(query, params, **options))

    def executemany(self, query: Any, params_seq: Any, **options: Any) -> None:
        run = super().executemany
        _through(query, lambda: run(query, params_seq, **options))


class _Connection(psycopg.Connection[Any]):
    def commit(self) -> None:
        if self.info.transaction_status:
            run = super().commit
            _through("commit", run)

    def rollback(self) -> None:
        if self.info.transaction_status:
            run = super().rollback
            _through("rollback", run)
