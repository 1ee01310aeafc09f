"""The rows by which a case is found, made anew from the case and its workflow's file."""

from __future__ import annotations

from collections.abc import Iterable

from renoflow.records import NO_FACTS
from renoflow.store import statements as sql
from renoflow.store.rows import Row, Values, changed_deadlines, stage_of
from renoflow.store.runner import Runner
from renoflow.store.terms import Term, terms_of


def term_rows(tenant: str, position: int, terms: Iterable[Term]) -> list[Values]:
    """`statements.NEW_TERMS` of the case at that place."""
    return [(position, name, value, tenant) for name, value in terms]


def reindex(runner: Runner, tenant: str, row: Row) -> None:
    """Terms, deadlines and stage of a case that is held; nothing of what was there before is left."""
    case = row.case
    runner.run(sql.FORGET_TERMS, position=row.position)
    runner.run(sql.FORGET_DEADLINES, tenant=tenant, id=case.id)
    _, running = changed_deadlines(runner.form, row.plan, tenant, NO_FACTS, case)
    terms = term_rows(tenant, row.position, terms_of(row.plan, case))
    runner.write({"running": running, "new_terms": terms})
    stage = stage_of(row.plan, case.state)
    runner.run(sql.SET_STAGE, position=row.position, stage=stage)


def give_up(runner: Runner, tenant: str, case_id: str, layout: Term) -> None:
    """Let a case that cannot be read stand in nobody's way: it keeps the rows that it has."""
    name, value = layout
    runner.run(sql.SKIP_LAYOUT, tenant=tenant, id=case_id, name=name, value=value)
