"""The migrations of our tables, which Alembic runs beside the host's own."""
