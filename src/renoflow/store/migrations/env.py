"""What Alembic runs: our tables only, our own version table, on the connection that it was handed."""

from alembic import context
from sqlalchemy import text

from renoflow.store.migrating import is_ours
from renoflow.store.revision import VERSION_TABLE
from renoflow.store.schema import metadata

LOCK = 0x72656E6F
"""Two that upgrade a PostgreSQL at once wait for each other; SQLite has one writer anyway."""

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    include_name=is_ours,
    render_as_batch=connection.dialect.name == "sqlite",
)
if connection.dialect.name == "postgresql":
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
context.run_migrations()
