"""Which schema this version of renoflow works on, without loading the migrations."""

from __future__ import annotations

LATEST = "0002"
"""The newest migration; a database must stand exactly there."""

VERSION_TABLE = "renoflow_alembic_version"
"""Apart from the host's own `alembic_version`."""


def upgrade_command(url: str) -> str:
    """What a person runs to bring the tables up to date."""
    return f"renoflow db upgrade --db {url}"
