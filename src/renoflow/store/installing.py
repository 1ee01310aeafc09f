"""Whether a database has the tables of this version, and making them where there are none."""

from __future__ import annotations

from sqlalchemy import Column, Connection, MetaData, PrimaryKeyConstraint, String, Table, inspect, select

from renoflow.errors import SchemaMismatch
from renoflow.store.revision import LATEST, VERSION_TABLE, upgrade_command
from renoflow.store.schema import metadata

_version = Table(
    VERSION_TABLE,
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name=f"{VERSION_TABLE}_pkc"),
)
"""As Alembic makes it."""


def is_blank(connection: Connection) -> bool:
    """Whether nothing of renoflow's is there."""
    return not any(name.startswith("renoflow_") for name in inspect(connection).get_table_names())


def make_tables(connection: Connection) -> None:
    """All the tables at their newest, as the migrations would make them."""
    metadata.create_all(connection)
    _version.create(connection)
    connection.execute(_version.insert(), {"version_num": LATEST})


def found_revision(connection: Connection) -> str | None:
    """Where the migrations stand; None where they were never run."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.execute(select(_version.c.version_num)).scalar()


def check_schema(connection: Connection, url: str) -> str:
    """Where the migrations stand; raises `SchemaMismatch` unless the tables are those of this version."""
    found = found_revision(connection)
    if found == LATEST:
        return found
    if found is None:
        message = f"{url} has no tables of renoflow; run: {upgrade_command(url)}"
    elif found < LATEST:
        message = (
            f"{url} has tables of version {found}, this renoflow needs {LATEST}; run: {upgrade_command(url)}"
        )
    else:
        message = (
            f"{url} has tables of version {found}, which this renoflow does not know (it needs {LATEST}); "
            "install the renoflow that made them: pip install --upgrade 'renoflow[sql]'"
        )
    raise SchemaMismatch(message, found=found, wanted=LATEST)
