"""Linked cases: what one case tells another, and what the other makes of it."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from renoflow.engine.step import Step, as_linked
from renoflow.records import Case, FactValue, LinkedCase, Reason, Told
from renoflow.workflow.plan import ChildPlan, Plan


def facts_taken(plan: Plan, told: Told) -> tuple[dict[str, FactValue], list[Reason]]:
    """The listener's own facts that are the teller's to tell, as kept; or why they cannot be taken."""
    if told.relation != "link" and told.state:
        return {}, []
    facts: dict[str, FactValue] = {}
    reasons: list[Reason] = []
    for name, value in told.facts.items():
        fact = plan.facts.get(name)
        if fact is None or fact.told_by != told.workflow:
            continue
        try:
            facts[name] = fact.read(value)
        except ValueError as error:
            values = {"found": str(value), "wanted": fact.wanted, "why": str(error)}
            reasons.append(Reason(code="fact_invalid", subject=name, label=fact.label, values=values))
    if not facts and not reasons and not told.state:
        reasons.append(Reason(code="nothing_told", subject=told.workflow))
    return facts, reasons


def hear(step: Step, told: Told, facts: Mapping[str, FactValue]) -> tuple[str, ...]:
    """Take in a linked case as it now stands, or facts that it tells; returns the happenings here."""
    if facts:
        step.facts = {**step.facts, **facts}
    if not told.state:
        _recall_child(step, told)
        return (f"{told.relation}.{told.name}.told",)
    if told.relation == "link":
        happenings = _hear_link(step, told)
        return (*happenings, f"link.{told.name}.told") if facts else happenings
    return _hear_child(step, told)


def _recall_child(step: Step, told: Told) -> None:
    """What follows from facts that a child tells may read what is known of it already."""
    known = step.children.get(told.name, {}).get(told.case) if told.relation == "child" else None
    if known is not None:
        step.told = replace(told, facts=known.facts)


def _hear_child(step: Step, told: Told) -> tuple[str, ...]:
    plan = step.plan.children.get(told.name)
    if plan is None:
        return ()
    cases = step.children.get(told.name, {})
    old = cases.get(told.case)
    if told.ended and plan.forgets and told.state not in plan.watched:
        # An ended child that nothing reads any more is left to the history: the case stays small.
        step.put("children", told.name, {name: case for name, case in cases.items() if name != told.case})
    else:
        step.put("children", told.name, {**cases, told.case: as_linked(told, told.facts)})
    step.told = told
    happenings = []
    if told.opened:
        happenings.append(f"child.{told.name}.opened")
    if told.event in plan.hears:
        happenings.append(f"child.{told.name}.{told.event}")
    # An ended child that was forgotten has ended already, whatever it still says.
    if told.ended and (told.opened if old is None else not old.ended):
        happenings.append(f"child.{told.name}.ended")
    if not told.ended and not told.opened and (old is None or old.ended):
        happenings.append(f"child.{told.name}.reopened")
    if plan.next_fact and told.ended and told.state in plan.next_states:
        _tell_next(step, plan)
    return tuple(happenings)


def _hear_link(step: Step, told: Told) -> tuple[str, ...]:
    """A parent or a peer has moved, or has been tied to this case. One whose place it takes goes on
    following."""
    if told.opened and told.name not in step.plan.links:
        if told.case not in step.followers:
            step.changes["followers"] = (*step.followers, told.case)
        return ()
    old = step.links.get(told.name)
    if old is not None and old.case != told.case:
        others = (name for name in step.followers if name not in (told.case, old.case))
        step.changes["followers"] = (*others, old.case)
    step.put("links", told.name, as_linked(told))
    return (f"link.{told.name}.moved",) if old is None or old.state != told.state else ()


def _tell_next(step: Step, plan: ChildPlan) -> None:
    """The first of its kind that is not done yet may begin, since all before it are."""

    def place(case: LinkedCase) -> tuple[object, ...]:
        return tuple(case.facts.get(fact) for fact in plan.order)

    brothers = [case for case in step.children[plan.name].values() if None not in place(case)]
    for case in sorted(brothers, key=place):
        if case.state not in plan.next_states:
            step.effect("tell", case.case, f"child.{plan.name}.ended", {"facts": {plan.next_fact: True}})
            return


# ------------------------------------------------------------------ what a case has to tell


def told_to_parent(
    parent: Plan, child: Plan, name: str, before: Case | None, after: Case, event: str
) -> Told | None:
    """What the parent must know of a child's step, or None when it concerns nobody above."""
    plan = parent.children[name]
    ended = after.state in child.finals
    facts = _read(plan, child, after)
    moved = before is None or before.state != after.state
    concerns = (
        before is None
        or event in plan.hears
        or (moved and (after.state in plan.watched or before.state in plan.watched))
        or ended != (before.state in child.finals)
        or facts != _read(plan, child, before)
    )
    if not concerns:
        return None
    return Told(
        relation="child",
        name=name,
        case=after.id,
        workflow=after.workflow,
        event=event,
        state=after.state,
        ended=ended,
        opened=before is None,
        facts=facts,
    )


def _read(plan: ChildPlan, child: Plan, case: Case) -> dict[str, FactValue]:
    """What the parent reads of a child and is known there; a count that was never touched is 0."""
    facts = {name: case.facts.get(name, child.facts[name].start) for name in plan.reads}
    return {name: value for name, value in facts.items() if value is not None}


def introduction(parent: Plan, case: Case, workflow: str, known_as: str = "") -> Told:
    """What a new case is told of the parent that it belongs to, which knows its kind by some name."""
    name = known_as or next((n for n, child in parent.children.items() if child.workflow == workflow), "")
    return Told(
        relation="parent",
        name=name,
        case=case.id,
        workflow=case.workflow,
        event="",
        state=case.state,
        ended=case.state in parent.finals,
    )


def concerns(listener: Plan, name: str, before: Case | None, after: Case) -> bool:
    """Whether a move concerns a case that links the other under `name`: its file reads one of the two states,
    or listens to every move."""
    if before is None or before.state == after.state:
        return False
    states = listener.listens.get(name, frozenset())
    return states is None or before.state in states or after.state in states
