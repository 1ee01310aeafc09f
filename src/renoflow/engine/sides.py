"""Whose turn it was, and for how long: time by responsible side, from a case's history."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from renoflow.records import FactValue, HistoryEntry
from renoflow.workflow.plan import Plan


def time_by_side(plan: Plan, history: Iterable[HistoryEntry], until: datetime) -> dict[str, timedelta]:
    """How long the case has waited for each side (`company`, `customer`, `third`, ...), up to `until`.

    A state says for whom it waits, or names a fact that says it, taken as it stood then.
    """
    spent: dict[str, timedelta] = {}
    known: dict[str, FactValue] = {}
    since: datetime | None = None
    side = ""
    for entry in history:
        if entry.at > until:
            break
        if since is not None and side:
            spent[side] = spent.get(side, timedelta()) + (entry.at - since)
        known = {**known, **entry.facts, **entry.derived}
        since = entry.at
        side = _side(plan, entry.target, known)
    if since is not None and side and until > since:
        spent[side] = spent.get(side, timedelta()) + (until - since)
    return spent


def _side(plan: Plan, state: str, facts: Mapping[str, FactValue]) -> str:
    definition = plan.definition.states.get(state)
    if definition is None or definition.final:
        return ""
    waits_for = definition.waits_for
    if waits_for.startswith("@"):
        waits_for = str(facts.get(waits_for[1:], ""))
    return "" if waits_for == "nobody" else waits_for
