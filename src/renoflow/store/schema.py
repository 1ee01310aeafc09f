"""The tables, all prefixed `renoflow_`. Every change here comes with a migration (see `migrations/`).

Each row belongs to a tenant. Cases that are linked share a `root`: the row of that case is what a writer
locks for the whole family, and it alone holds `family_wakes_at`, which no clock of the family comes before.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

metadata = MetaData()

INSTANT = DateTime(timezone=True).with_variant(String(27), "sqlite")
"""UTC; text of a fixed width in SQLite, which sorts as time does."""

NUMBER = BigInteger().with_variant(Integer, "sqlite")
"""A row number that the database hands out."""

SORTED = Text().with_variant(Text(collation="C"), "postgresql")
"""A text that is looked for by its beginning: sorted by its characters, whatever the database's language."""

cases = Table(
    "renoflow_cases",
    metadata,
    Column("position", NUMBER, primary_key=True, autoincrement=True),
    Column("tenant", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("workflow", Text, nullable=False),
    Column("workflow_version", Integer, nullable=False),
    Column("root", Text, nullable=False),
    Column("parent", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("snapshot", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("head", String(64), nullable=False),
    Column("opened_at", INSTANT, nullable=False),
    Column("moved_at", INSTANT, nullable=False),
    Column("wakes_at", INSTANT),
    Column("members", Integer, nullable=False),
    Column("family_wakes_at", INSTANT),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("retry_at", INSTANT),
    Column("failure", Text, nullable=False, server_default=text("''")),
    UniqueConstraint("tenant", "id", name="renoflow_cases_id"),
    Index("renoflow_cases_family", "root", "tenant"),
    Index("renoflow_cases_state", "workflow", "state", "tenant", "position"),
)
HAS_PARENT = text("parent <> ''")
Index(
    "renoflow_cases_parent",
    cases.c.parent,
    cases.c.tenant,
    cases.c.position,
    sqlite_where=HAS_PARENT,
    postgresql_where=HAS_PARENT,
)
Index(
    "renoflow_cases_due",
    cases.c.tenant,
    cases.c.family_wakes_at,
    cases.c.position,
    sqlite_where=cases.c.family_wakes_at.isnot(None),
    postgresql_where=cases.c.family_wakes_at.isnot(None),
)

history = Table(
    "renoflow_history",
    metadata,
    Column("tenant", Text, nullable=False),
    Column("case_id", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("happened_at", INSTANT, nullable=False),
    Column("event", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("personal", Text),
    Column("hash", String(64), nullable=False),
    PrimaryKeyConstraint("tenant", "case_id", "number", name="renoflow_history_line"),
)
BREACHED = text("substr(event, length(event) - 8) = '.breached'")
Index(
    "renoflow_history_breaches",
    history.c.event,
    history.c.tenant,
    history.c.happened_at,
    history.c.case_id,
    sqlite_where=BREACHED,
    postgresql_where=BREACHED,
)

deadlines = Table(
    "renoflow_deadlines",
    metadata,
    Column("tenant", Text, nullable=False),
    Column("case_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("due_at", INSTANT, nullable=False),
    Column("target_at", INSTANT),
    Column("wake_at", INSTANT),
    Column("breached_at", INSTANT),
    Column("workflow", Text, nullable=False, server_default=text("''")),
    Column("provisional", Boolean, nullable=False, server_default=false()),
    PrimaryKeyConstraint("tenant", "case_id", "name", name="renoflow_deadlines_name"),
    sqlite_with_rowid=False,
)
OWED = text("status <> 'paused'")
Index(
    "renoflow_deadlines_owed",
    deadlines.c.workflow,
    deadlines.c.name,
    deadlines.c.tenant,
    deadlines.c.due_at,
    deadlines.c.case_id,
    sqlite_where=OWED,
    postgresql_where=OWED,
)

terms = Table(
    "renoflow_terms",
    metadata,
    Column("position", NUMBER, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("value", SORTED, nullable=False),
    PrimaryKeyConstraint("position", "name", "value", name="renoflow_terms_case"),
    Index("renoflow_terms_value", "name", "value", "tenant", "position"),
    sqlite_with_rowid=False,
)

keys = Table(
    "renoflow_keys",
    metadata,
    Column("tenant", Text, nullable=False),
    Column("case_id", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("request", String(64), nullable=False),
    Column("answer", Text, nullable=False),
    Column("answered_at", INSTANT, nullable=False),
    PrimaryKeyConstraint("tenant", "case_id", "key", name="renoflow_keys_key"),
    sqlite_with_rowid=False,
)

outbox = Table(
    "renoflow_outbox",
    metadata,
    Column("position", NUMBER, primary_key=True, autoincrement=True),
    Column("tenant", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("case_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("effect", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("retry_at", INSTANT),
    Column("failure", Text, nullable=False, server_default=text("''")),
    UniqueConstraint("tenant", "case_id", "key", name="renoflow_outbox_key"),
)
Index(
    "renoflow_outbox_waiting",
    outbox.c.tenant,
    outbox.c.retry_at,
    outbox.c.position,
    sqlite_where=outbox.c.status == "waiting",
    postgresql_where=outbox.c.status == "waiting",
)
