"""Linked cases: what one case tells another, and what the other makes of it."""

from __future__ import annotations

from renoflow.engine.step import Step
from renoflow.records import Case, LinkedCase, Told
from renoflow.workflow.plan import ChildPlan, Plan


def hear(step: Step, told: Told) -> tuple[str, ...]:
    """Take in a linked case as it now stands; returns the happenings that it makes here."""
    if told.relation == "link":
        return _hear_link(step, told)
    plan = step.plan.children.get(told.name)
    if plan is None:
        return ()
    cases = step.children.get(told.name, {})
    old = cases.get(told.case)
    now = LinkedCase(told.case, told.workflow, told.state, told.ended, told.facts)
    if told.ended and plan.forgets and told.state not in plan.watched:
        # An ended child that nothing reads any more is left to the history: the case stays small.
        step.put("children", told.name, {name: case for name, case in cases.items() if name != told.case})
    else:
        step.put("children", told.name, {**cases, told.case: now})
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
    """A parent or another linked case has moved, or tells a fact that is its to tell."""
    old = step.links.get(told.name)
    linked = LinkedCase(told.case, told.workflow, told.state, told.ended)
    step.put("links", told.name, linked)
    step.told = told
    ours = {
        name: value
        for name, value in told.facts.items()
        if name in step.plan.facts and step.plan.facts[name].told_by == told.workflow
    }
    if ours:
        step.facts = {**step.facts, **ours}
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
    facts = {fact: after.facts[fact] for fact in plan.reads if fact in after.facts}
    moved = before is None or before.state != after.state
    concerns = (
        before is None
        or event in plan.hears
        or (moved and (after.state in plan.watched or before.state in plan.watched))
        or ended != (before.state in child.finals)
        or any(before.facts.get(fact) != value for fact, value in facts.items())
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


def told_to_child(parent: Plan, child: Plan, before: Case | None, after: Case) -> bool:
    """Whether a move of the parent concerns a child: its file reads one of the two states, or any move."""
    if before is None or before.state == after.state or child.listens == frozenset():
        return False
    return child.listens is None or before.state in child.listens or after.state in child.listens
