"""What can be done now and what the rest lacks (`allowed`), and the shortest way to a state (`route`)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from datetime import datetime

import msgspec

from renoflow.engine.decide import fire_due
from renoflow.engine.requirements import transition_for, unmet
from renoflow.engine.rules import Rules
from renoflow.engine.step import Step
from renoflow.errors import UnknownName
from renoflow.records import NO_FACTS, Case, Reason
from renoflow.values import SYSTEM, Actor, Label
from renoflow.workflow.machine import START
from renoflow.workflow.plan import EventPlan, TransitionPlan

BROUGHT = frozenset({"fact_missing", "document_missing", "signature_missing", "payment_missing"})
"""Codes of what the command itself can bring."""


class Option(msgspec.Struct, frozen=True, kw_only=True):
    """One event as it stands for this case and this actor.

    `allowed`: it can be done now if the command brings what `needs` lists. `lacks` lists what must change
    first. `may_give` are the facts that the event accepts besides.
    """

    event: str
    label: Label
    roles: tuple[str, ...]
    roles_label: Label
    target: str
    allowed: bool
    needs: tuple[Reason, ...] = ()
    lacks: tuple[Reason, ...] = ()
    may_give: tuple[str, ...] = ()


class RouteStep(msgspec.Struct, frozen=True, kw_only=True):
    """One event on the way: who does it, with which documents and facts, under which guards, by when."""

    event: str
    label: Label
    source: str
    target: str
    roles: tuple[str, ...]
    documents: tuple[str, ...]
    facts: tuple[str, ...]
    guards: tuple[Label, ...]
    due: tuple[tuple[str, datetime], ...] = ()


def allowed(rules: Rules, case: Case, actor: Actor | None, at: datetime) -> tuple[Option, ...]:
    """Every event that the case's state knows, in file order; without an actor, for whoever has the role.

    What falls due by `at` is taken as having happened. The system's own events are left out.
    """
    step = Step(rules, case, actor or Actor("?"), at)
    fire_due(step, at)
    moved = step.case(max(at, case.at))
    return tuple(_options(rules, moved, actor, at))


def _options(rules: Rules, case: Case, actor: Actor | None, at: datetime) -> Iterator[Option]:
    for event in rules.plan.events.values():
        if event.by == {SYSTEM}:
            continue
        step = Step(rules, case, actor or Actor("?", event.by), at)
        transition = transition_for(step, event)
        if transition is None:
            continue
        reasons, _ = unmet(step, event, transition, NO_FACTS, (), ())
        open_guards = {
            guard.name
            for guard in event.guards
            if guard.reads_proof or guard.reads.intersection(event.accepts)
        }
        needs = tuple(
            reason
            for reason in reasons
            if reason.code in BROUGHT or (reason.code == "guard_unmet" and reason.subject in open_guards)
        )
        lacks = tuple(reason for reason in reasons if reason not in needs)
        yield Option(
            event=event.name,
            label=event.label,
            roles=tuple(sorted(event.by)),
            roles_label=event.by_label,
            target=transition.target,
            allowed=not lacks,
            needs=needs,
            lacks=lacks,
            may_give=tuple(name for name in event.accepts if name not in event.gives),
        )


def route(rules: Rules, case: Case, target: str) -> tuple[RouteStep, ...] | None:
    """The fewest events from where the case stands to `target`; empty when it is there, None when there is
    no way. Raises `UnknownName` for a state that the workflow does not have."""
    plan = rules.plan
    if target not in plan.state_labels:
        raise UnknownName("state", target, plan.state_labels)
    came: dict[str, tuple[str, EventPlan, TransitionPlan] | None] = {case.state: None}
    queue = deque([case.state])
    while queue and target not in came:
        state = queue.popleft()
        if state in plan.finals and state != case.state:
            continue
        for event, transition in _ways_out(rules, case, state):
            if transition.target not in came:
                came[transition.target] = (state, event, transition)
                queue.append(transition.target)
    if target not in came:
        return None
    steps: list[RouteStep] = []
    link = came[target]
    while link is not None:
        source, event, transition = link
        steps.append(_route_step(case, event, transition))
        link = came[source]
    return tuple(reversed(steps))


def _ways_out(rules: Rules, case: Case, state: str) -> Iterator[tuple[EventPlan, TransitionPlan]]:
    # What people do comes before what the system does by itself, which needs something to go wrong first.
    for event in sorted(rules.plan.events.values(), key=lambda event: event.by == {SYSTEM}):
        if START in event.sources:
            continue
        plain = event.transitions.get(state)
        if plain is not None and plain.enters:
            yield event, plain
        # Where a history leads is known only from where the case stands; on the way it would lead back.
        back = event.histories.get((state, case.remembered.get(state, ""))) if state == case.state else None
        if back is not None:
            yield event, back


def _route_step(case: Case, event: EventPlan, transition: TransitionPlan) -> RouteStep:
    due = tuple(
        (op.clock.name, clock.due_at)
        for op in transition.ops
        if op.stop
        and (clock := case.deadlines.get(op.clock.name))
        and clock.status in ("running", "breached")
    )
    return RouteStep(
        event=event.name,
        label=event.label,
        source=transition.source,
        target=transition.target,
        roles=tuple(sorted(event.by)),
        documents=tuple(paper.id for paper in event.papers),
        facts=event.gives,
        guards=tuple(guard.label for guard in event.guards),
        due=due,
    )
