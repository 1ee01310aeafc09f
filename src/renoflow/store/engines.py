"""Engines: what a URL leads to, and how SQLite is set up."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from typing import Any

from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from renoflow.errors import MissingExtra, UsageError

WAIT_MS = 30_000
"""How long SQLite waits for another writer."""

EXAMPLES = "'sqlite:///firm.db' or 'postgresql+psycopg://user@host/firm'"


def engine_for(url: str) -> Engine:
    """An engine of our own; raises `UsageError` for a URL that we cannot use."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise UsageError(f"{url!r} is not a database URL; write it as {EXAMPLES}") from None
    if parsed.drivername in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise UsageError("a database in memory is one per connection; use rf.MemoryStore(), or name a file")
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise UsageError(f"{url!r}: cases are kept in SQLite or PostgreSQL; write {EXAMPLES}")
    try:
        engine = create_engine(parsed)
    except NoSuchModuleError:
        raise UsageError(f"{url!r} names a driver that is not known; write {EXAMPLES}") from None
    except ModuleNotFoundError as error:
        raise MissingExtra(error.name or "psycopg", "postgres") from None
    supported(engine)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", set_up_sqlite)
    return engine


def supported(engine: Engine) -> Engine:
    """The engine, if it is one of the two databases through one of the two drivers."""
    if (engine.dialect.name, engine.dialect.driver) not in (
        ("sqlite", "pysqlite"),
        ("postgresql", "psycopg"),
    ):
        raise UsageError(
            f"cases are kept in SQLite, or in PostgreSQL through psycopg 3; found "
            f"{engine.dialect.name}+{engine.dialect.driver}; write {EXAMPLES}"
        )
    return engine


def shown_url(engine: Engine) -> str:
    """For messages: without the password."""
    return engine.url.render_as_string(hide_password=True)


def set_up_sqlite(connection: Any, _: Any) -> None:
    """Listens for new connections of an engine."""
    connection.execute(f"PRAGMA busy_timeout = {WAIT_MS}")
    # A file that may not be written can still be read; the first write says so.
    with suppress(sqlite3.OperationalError):
        connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    # What was redacted is not left in the file.
    connection.execute("PRAGMA secure_delete = ON")
