"""Cases, histories, deadlines, keys and the outbox."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "renoflow_cases",
        sa.Column("position", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("workflow", sa.Text, nullable=False),
        sa.Column("workflow_version", sa.Integer, nullable=False),
        sa.Column("root", sa.Text, nullable=False),
        sa.Column("parent", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("snapshot", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("head", sa.String(64), nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("moved_at", INSTANT, nullable=False),
        sa.Column("wakes_at", INSTANT),
        sa.Column("members", sa.Integer, nullable=False),
        sa.Column("family_wakes_at", INSTANT),
        sa.Column("attempts", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("retry_at", INSTANT),
        sa.Column("failure", sa.Text, nullable=False, server_default=sa.text("''")),
        sa.UniqueConstraint("tenant", "id", name="renoflow_cases_id"),
    )
    op.create_index("renoflow_cases_family", "renoflow_cases", ["root", "tenant"])
    waking = sa.text("family_wakes_at IS NOT NULL")
    op.create_index(
        "renoflow_cases_due",
        "renoflow_cases",
        ["tenant", "family_wakes_at", "position"],
        sqlite_where=waking,
        postgresql_where=waking,
    )
    op.create_table(
        "renoflow_history",
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("case_id", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("happened_at", INSTANT, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("personal", sa.Text),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "case_id", "number", name="renoflow_history_line"),
    )
    op.create_table(
        "renoflow_deadlines",
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("case_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("target_at", INSTANT),
        sa.Column("wake_at", INSTANT),
        sa.Column("breached_at", INSTANT),
        sa.PrimaryKeyConstraint("tenant", "case_id", "name", name="renoflow_deadlines_name"),
        sqlite_with_rowid=False,
    )
    op.create_index("renoflow_deadlines_due", "renoflow_deadlines", ["due_at", "tenant"])
    op.create_table(
        "renoflow_keys",
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("case_id", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("request", sa.String(64), nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("answered_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "case_id", "key", name="renoflow_keys_key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "renoflow_outbox",
        sa.Column("position", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("case_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("recipient", sa.Text, nullable=False),
        sa.Column("effect", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("retry_at", INSTANT),
        sa.Column("failure", sa.Text, nullable=False, server_default=sa.text("''")),
        sa.UniqueConstraint("tenant", "case_id", "key", name="renoflow_outbox_key"),
    )
    unsent = sa.text("status = 'waiting'")
    op.create_index(
        "renoflow_outbox_waiting",
        "renoflow_outbox",
        ["tenant", "retry_at", "position"],
        sqlite_where=unsent,
        postgresql_where=unsent,
    )
