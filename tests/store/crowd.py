"""Rows of as many cases as are wanted, made by the database itself: for plans and benchmarks of questions."""

from __future__ import annotations

from sqlalchemy import Engine, text

NUMBERS = {
    "sqlite": "with recursive n (n) as (select 1 union all select n + 1 from n where n < :many)",
    "postgresql": "with n (n) as (select generate_series(1, :many))",
}
# Two tenants; states, parents, values and days spread as they are in a firm.
FILL = (
    """insert into renoflow_cases (tenant, id, workflow, workflow_version, root, parent, state, stage,
    snapshot, version, head, opened_at, moved_at, members) {numbers} select case when n % 2 = 0 then
    'main' else 'other' end, 'M-' || n, 'errand', 1, 'M-' || n, case when n % 3 = 0 then 'M-' || (n - n % 30)
    else '' end, case when n % 10 = 0 then 'waiting' when n % 10 = 1 then 'working' else 'closed' end, 'work',
    '{{}}', 1, '', {instant}, {instant}, 1 from n""",
    """insert into renoflow_deadlines (tenant, case_id, name, generation, status, owner, due_at, workflow)
    {numbers} select case when n % 2 = 0 then 'main' else 'other' end, 'M-' || n, 'pick_up', 1, 'running',
    'worker', {instant}, 'errand' from n where n % 10 < 2""",
    """insert into renoflow_terms (position, tenant, name, value) {numbers} select n, case when n % 2 = 0 then
    'main' else 'other' end, 'errand.place', 'street ' || (n % 500) from n""",
    """insert into renoflow_terms (position, tenant, name, value) {numbers} select n, case when n % 2 = 0 then
    'main' else 'other' end, 'words', 'm-' || n from n""",
    """insert into renoflow_terms (position, tenant, name, value) {numbers} select n, case when n % 2 = 0 then
    'main' else 'other' end, 'layout errand', :layout from n""",
    """insert into renoflow_history (tenant, case_id, number, happened_at, event, body, hash) {numbers} select
    case when n % 2 = 0 then 'main' else 'other' end, 'M-' || n, 1, {instant},
    case when n % 50 = 0 then 'deadline.pick_up.breached' else 'ask' end, '{{}}', '' from n""",
)
INSTANT = {
    "sqlite": "'2026-03-' || printf('%02d', 1 + n % 28) || 'T02:00:00.000000Z'",
    "postgresql": "timestamptz '2026-03-01 02:00Z' + (n % 28) * interval '1 day'",
}


def fill(engine: Engine, many: int, layout: str = "") -> None:
    """So many errands, half of them another tenant's; then let the planner look at its tables. `layout` is
    that of their workflow's searchable facts."""
    dialect = engine.dialect.name
    with engine.begin() as connection:
        for one in FILL:
            statement = text(one.format(numbers=NUMBERS[dialect], instant=INSTANT[dialect]))
            wanted = {"many": many} | ({"layout": layout} if ":layout" in one else {})
            connection.execute(statement, wanted)
        connection.execute(text("analyze"))
