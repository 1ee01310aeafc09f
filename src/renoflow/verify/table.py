"""What a machine and a plan hold, written in the same words, so that the two can be laid side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from renoflow.definition.model import WorkflowDefinition
from renoflow.workflow.machine import (
    START,
    Row,
    build_machine,
    came_from,
    guard_names,
    transition_table,
)
from renoflow.workflow.plan import EventPlan, Plan, TransitionPlan

Table = Mapping[tuple[str, str], str]
"""What is said of an event in a state; the state is empty for an event as a whole, the event for a state."""


def machine_table(definition: WorkflowDefinition) -> Table:
    """The rows of the plain machine, and what the file says of its events and states."""
    found: dict[tuple[str, str], str] = {}
    for event, sources in transition_table(build_machine(definition)).items():
        opens = START in definition.events[event].from_
        found[event, ""] = _of_event(opens, sources, guard_names(definition, event))
        for source, rows in sources.items():
            found[event, source] = _of_rows(dict.fromkeys(rows))
    for name, state in definition.states.items():
        found["", name] = _of_state(state.final, state.remembers)
    return found


def plan_table(plan: Plan) -> Table:
    """The same of a plan. What is not as it must be inside of it is said in words that no machine uses."""
    found: dict[tuple[str, str], str] = {}
    for name, event in plan.events.items():
        names = _own_guards(plan, name)
        guards = [names.get(id(guard), f"another {guard.name}") for guard in event.guards]
        said = _of_event(name in plan.openings, event.sources, guards)
        found[name, ""] = said if event.name == name else f"{said}, known as {event.name}"
        rows: dict[str, list[Row]] = {}
        for source, transition in event.transitions.items():
            rows.setdefault(source, []).append(_row(plan, event, source, transition, names))
        for (source, origin), transition in event.histories.items():
            target, before = _row(plan, event, source, transition, names)
            rows.setdefault(source, []).append((target, (*before, came_from(origin))))
        found.update({(name, source): _of_rows(several) for source, several in rows.items()})
    for state in (*plan.state_labels, *sorted(plan.finals | plan.remembering)):
        found["", state] = _of_state(state in plan.finals, state in plan.remembering)
    return found


def _row(
    plan: Plan, event: EventPlan, source: str, transition: TransitionPlan, names: Mapping[int, str]
) -> Row:
    guards = [names.get(id(guard), f"another {guard.name}") for guard in transition.guards]
    if [id(guard) for guard in transition.guards] != [id(guard) for guard in event.guards]:
        guards.append("other conditions than the event's own")
    if transition.tests != tuple(guard.test for guard in transition.guards):
        guards.append("tests that are not those of its guards")
    if (transition.event, transition.source) != (event.name, source):
        guards.append(f"a place of its own, {transition.event} from {transition.source}")
    if not transition.enters and transition.target != source:
        guards.append(f"a wrong word on where it stays, {transition.target}")
    if transition.ends is not (transition.enters and transition.target in plan.finals):
        guards.append("a wrong word on whether it ends the case")
    return transition.target if transition.enters else None, tuple(guards)


def _own_guards(plan: Plan, event: str) -> Mapping[int, str]:
    """The event's compiled guards by what the machine calls them; one that is named must be the condition of
    that name and no other."""
    known = plan.definition.events.get(event)
    if known is None:
        return {}
    names = guard_names(plan.definition, event)
    return {
        id(guard): name
        for node, name, guard in zip(known.guards, names, plan.events[event].guards, strict=False)
        if not isinstance(node, str) or (guard.name == node and plan.conditions.get(node, guard) is guard)
    }


# ------------------------------------------------------------------ the words


def _of_event(opens: bool, sources: Iterable[str], guards: Iterable[str]) -> str:
    head = "an opening event" if opens else "an event"
    return f"{head} from {_and(sources)}, guarded by {_and(guards)}"


def _of_rows(rows: Iterable[Row]) -> str:
    return "; or ".join(
        f"{'stays' if target is None else f'to {target}'}{f' if {_and(guards)}' if guards else ''}"
        for target, guards in rows
    )


def _of_state(final: bool, remembers: bool) -> str:
    words = ("a state", *(("final",) if final else ()), *(("remembering",) if remembers else ()))
    return ", ".join(words)


def _and(names: Iterable[str]) -> str:
    return ", ".join(names) or "nothing"
