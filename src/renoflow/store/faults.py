"""What a driver's error means: what was found and what to do about it."""

from __future__ import annotations

from renoflow.errors import (
    SchemaMismatch,
    StoreBusy,
    StoreError,
    StoreFull,
    StoreReadOnly,
    StoreUnreachable,
)
from renoflow.store.revision import LATEST, upgrade_command

SENT_AGAIN = "nothing of this call was kept; make it again"
"""What a caller does about most of them."""

_SQLITE: tuple[tuple[str, type[StoreError], str], ...] = (
    ("SQLITE_BUSY_SNAPSHOT", StoreBusy, "the transaction had read before another one wrote: run it again"),
    ("SQLITE_BUSY", StoreBusy, f"the file is locked by another writer: {SENT_AGAIN}"),
    ("SQLITE_LOCKED", StoreBusy, f"the table is locked by another statement: {SENT_AGAIN}"),
    ("SQLITE_FULL", StoreFull, f"free some space: {SENT_AGAIN}"),
    ("SQLITE_READONLY", StoreReadOnly, "give the process the right to write the file and its folder"),
    ("SQLITE_CANTOPEN", StoreUnreachable, "name a file in a folder that exists and may be written"),
    ("SQLITE_IOERR", StoreUnreachable, f"look after the disk: {SENT_AGAIN}"),
    ("SQLITE_NOTADB", StoreUnreachable, "the file is no SQLite database: give another path, or restore it"),
    ("SQLITE_CORRUPT", StoreUnreachable, "the file is damaged: restore it from a backup"),
)  # fmt: skip

_POSTGRES: tuple[tuple[str, type[StoreError], str], ...] = (
    ("40", StoreBusy, "another transaction was in the way: roll back and run the whole transaction again"),
    ("55P03", StoreBusy, f"a lock was not to be had in time: {SENT_AGAIN}"),
    ("57014", StoreBusy, f"the statement was cancelled or took too long: {SENT_AGAIN}"),
    ("53100", StoreFull, f"free some space: {SENT_AGAIN}"),
    ("53", StoreBusy, f"the server is out of connections or memory: {SENT_AGAIN}"),
    ("25006", StoreReadOnly, "connect to the primary, or lift the read-only setting"),
    ("25P02", StoreBusy, "the host's transaction had failed already: roll it back and run it again"),
    ("42501", StoreReadOnly, "grant the user the rights on the tables renoflow_*"),
    ("3D000", StoreUnreachable, "the database does not exist: create it, or correct the URL"),
    ("28", StoreUnreachable, "the user or the password was not accepted"),
    ("08", StoreUnreachable, f"look after the server: {SENT_AGAIN}"),
    ("57P", StoreUnreachable, f"the server stopped or restarted: {SENT_AGAIN}"),
    ("58", StoreUnreachable, "look after the server's disk"),
    ("XX", StoreUnreachable, "the server reports damage: look into its log"),
)  # fmt: skip

_NO_TABLE = ("no such table", "no such column", "has no column named")


def store_error(error: Exception, url: str) -> StoreError:
    """The error to raise instead of a driver's."""
    found = f"{type(error).__name__}: {str(error).strip()}"
    name = getattr(error, "sqlite_errorname", None)
    state = getattr(error, "sqlstate", None)
    if (name and any(part in str(error) for part in _NO_TABLE)) or state in ("42P01", "42703"):
        return SchemaMismatch(
            f"{found}: the tables are not those of this version; run: {upgrade_command(url)}",
            found=None,
            wanted=LATEST,
        )
    known = _SQLITE if name else _POSTGRES
    for start, kind, what in known:
        if (name or state or "").startswith(start):
            return kind(f"{found}: {what}{f' ({url})' if kind is StoreUnreachable else ''}")
    if state is None and name is None and type(error).__name__ == "OperationalError":
        return StoreUnreachable(
            f"{found}: the connection failed or was cut: look after the URL and the server; {SENT_AGAIN} "
            f"({url})"
        )
    return StoreError(found)
