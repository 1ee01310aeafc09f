"""Bringing the tables of a database up to date, and saying what differs from this version's."""

from __future__ import annotations

from collections.abc import MutableMapping
from threading import Lock
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from renoflow.store.installing import found_revision
from renoflow.store.revision import VERSION_TABLE
from renoflow.store.schema import metadata

_ONE_AT_A_TIME = Lock()
"""Alembic keeps what it is doing in a variable of the process."""


def is_ours(name: str | None, kind: str, parents: MutableMapping[Any, Any]) -> bool:
    """Whether a table is one of ours; the host's are never looked at."""
    return kind != "table" or (name or "").startswith("renoflow_")


def upgrade(connection: Connection, to: str = "head") -> str:
    """Run the migrations that are missing, in the connection's transaction; returns where it then stands."""
    config = Config()
    config.set_main_option("script_location", "renoflow:store/migrations")
    config.attributes["connection"] = connection
    with _ONE_AT_A_TIME:
        command.upgrade(config, to)
    return found_revision(connection) or ""


def differences(connection: Connection) -> list[str]:
    """How the tables differ from those of this version, one sentence each."""
    options = {"include_name": is_ours, "version_table": VERSION_TABLE, "compare_server_default": False}
    context = MigrationContext.configure(connection, opts=options)
    return [_said(change) for change in compare_metadata(context, metadata)]


def _said(change: Any) -> str:
    if isinstance(change, list):
        return "; ".join(_said(one) for one in change)
    kind, *about = change
    names = [str(getattr(one, "name", one)) for one in about if one is not None]
    return f"{kind.replace('_', ' ')}: {', '.join(names)}"
