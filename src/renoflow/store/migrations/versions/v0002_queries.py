"""What a host asks for: work by day, cases by state, fact and text, breaches by month.

Which facts are searchable, the workflow files say: `renoflow db reindex` fills in their terms, and which
dates are provisional. A layout that is empty has it done.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
SORTED = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
EMPTY = sa.text("''")


def upgrade() -> None:
    op.create_index("renoflow_cases_state", "renoflow_cases", ["workflow", "state", "tenant", "position"])
    _partial("renoflow_cases_parent", "renoflow_cases", ["parent", "tenant", "position"], "parent <> ''")
    _partial(
        "renoflow_history_breaches",
        "renoflow_history",
        ["event", "tenant", "happened_at", "case_id"],
        "substr(event, length(event) - 8) = '.breached'",
    )
    _deadlines()
    op.create_table(
        "renoflow_terms",
        sa.Column("position", NUMBER, nullable=False),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("value", SORTED, nullable=False),
        sa.PrimaryKeyConstraint("position", "name", "value", name="renoflow_terms_case"),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO renoflow_terms (position, tenant, name, value) "
        "SELECT position, tenant, 'layout ' || workflow, '' FROM renoflow_cases"
    )
    op.create_index("renoflow_terms_value", "renoflow_terms", ["name", "value", "tenant", "position"])


def _deadlines() -> None:
    table = "renoflow_deadlines"
    op.add_column(table, sa.Column("workflow", sa.Text, nullable=False, server_default=EMPTY))
    provisional = sa.Column("provisional", sa.Boolean, nullable=False, server_default=sa.false())
    op.add_column(table, provisional)
    op.execute(
        "UPDATE renoflow_deadlines SET workflow = coalesce((SELECT c.workflow FROM renoflow_cases c "
        "WHERE c.tenant = renoflow_deadlines.tenant AND c.id = renoflow_deadlines.case_id), '')"
    )
    op.drop_index("renoflow_deadlines_due", table)
    _partial(
        "renoflow_deadlines_owed",
        table,
        ["workflow", "name", "tenant", "due_at", "case_id"],
        "status <> 'paused'",
    )


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
