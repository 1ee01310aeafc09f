"""Cases and history lines as JSON and back, for hosts that keep them themselves.

Written as they are, read by their workflow: JSON has no exact numbers, dates or instants, so a fact's type
comes from its declaration.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from renoflow.errors import UsageError
from renoflow.records import Case, HistoryEntry, LinkedCase
from renoflow.workflow.facts import typed_fact
from renoflow.workflow.plan import Plan

T = TypeVar("T")
Facts = Mapping[str, Any]


def to_json(value: Case | HistoryEntry) -> bytes:
    """Compact UTF-8 JSON; the same value always gives the same bytes."""
    return msgspec.json.encode(value, order="deterministic")


def case_from_json(plan: Plan, data: bytes | str) -> Case:
    """The case that was written; raises `UsageError` for anything else."""
    case = _decoded(data, Case)
    if case.workflow != plan.id:
        raise UsageError(f"case {case.id} belongs to {case.workflow!r}, not to {plan.id!r}")
    children = {
        name: {key: _linked(plan, child) for key, child in kind.items()}
        for name, kind in case.children.items()
    }
    links = {name: _linked(plan, linked) for name, linked in case.links.items()}
    return replace(case, facts=_typed(plan, case.facts), children=children, links=links)


def entry_from_json(plan: Plan, data: bytes | str) -> HistoryEntry:
    """The history line that was written; raises `UsageError` for anything else."""
    entry = _decoded(data, HistoryEntry)
    told = entry.told
    if told is not None:
        # What is told without a standing are facts of the listener's own.
        relation = told.relation if told.state else "link"
        told = replace(told, facts=_of_relative(plan, told.workflow, told.facts, relation))
    facts = entry.facts if entry.event.startswith("deadline.") else _typed(plan, entry.facts)
    return replace(entry, facts=facts, derived=_typed(plan, entry.derived), told=told)


def _decoded(data: bytes | str, kind: type[T]) -> T:
    if not isinstance(data, (bytes, str)):
        raise UsageError(f"a {kind.__name__} is read from JSON text or bytes; found {type(data).__name__}")
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.MsgspecError as error:
        raise UsageError(f"this is not a {kind.__name__} written by renoflow: {error}") from None


def _typed(plan: Plan, facts: Facts) -> Facts:
    try:
        return {name: plan.facts[name].keep(value) for name, value in facts.items()}
    except KeyError as error:
        raise UsageError(f"{plan.id} v{plan.version} has no fact {error.args[0]!r}") from None
    except ValueError as error:
        raise UsageError(f"a fact of {plan.id} v{plan.version} does not fit its type: {error}") from None


def _linked(plan: Plan, linked: LinkedCase) -> LinkedCase:
    if not linked.facts:
        return linked
    return replace(linked, facts=_of_relative(plan, linked.workflow, linked.facts, "child"))


def _of_relative(plan: Plan, workflow: str, facts: Facts, relation: str) -> Facts:
    """A child's facts have its own types; what a linked case tells has ours."""
    if relation != "child":
        return {name: plan.facts[name].keep(v) if name in plan.facts else v for name, v in facts.items()}
    other = plan.relatives.get(workflow)
    if other is None:
        return facts
    return {name: typed_fact(other, name, value) for name, value in facts.items()}
