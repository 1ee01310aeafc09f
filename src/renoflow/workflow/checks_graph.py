"""The graph of states: what can be reached, what leads nowhere, what could run for ever."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import frozen

from renoflow.definition.model import EventDefinition, WorkflowDefinition
from renoflow.workflow.checks_doings import HISTORY, SAME, START
from renoflow.workflow.inspection import Inspection

Edges = Mapping[str, frozenset[str]]


@frozen(kw_only=True)
class StateGraph:
    """`exits` are the states that one event away, `origins` where a state's `@history` may lead back to."""

    openings: tuple[str, ...]
    exits: Edges
    origins: Edges
    reachable: frozenset[str]


def state_graph(definition: WorkflowDefinition) -> StateGraph:
    """The states and how events connect them; names that are not declared are left out."""
    states = definition.states
    origins: dict[str, set[str]] = {name: set() for name in states}
    for event in definition.events.values():
        if event.to in states:
            origins[event.to].update(s for s in event.from_ if s in states and s != event.to)
    exits: dict[str, set[str]] = {name: set() for name in states}
    onwards: dict[str, set[str]] = {START: set(), **{name: set() for name in states}}
    for event in definition.events.values():
        for source in event.from_:
            if source in states:
                exits[source] |= targets(event, source, origins) & states.keys()
            # The way back leads only to where the case has been, so it reaches nothing new.
            if source in onwards and event.to in states:
                onwards[source].add(event.to)
    return StateGraph(
        openings=tuple(name for name, event in definition.events.items() if START in event.from_),
        exits={name: frozenset(found) for name, found in exits.items()},
        origins={name: frozenset(found) for name, found in origins.items()},
        reachable=closure((START,), onwards) - {START},
    )


def targets(event: EventDefinition, source: str, origins: Mapping[str, Iterable[str]]) -> set[str]:
    """Where an event may lead from a state."""
    if event.to == SAME:
        return {source}
    return set(origins.get(source, ())) if event.to == HISTORY else {event.to}


def closure(starts: Iterable[str], edges: Mapping[str, Iterable[str]]) -> frozenset[str]:
    """Everything that can be reached, the starts included."""
    found: set[str] = set()
    open_ = list(starts)
    while open_:
        name = open_.pop()
        if name not in found:
            found.add(name)
            open_.extend(edges.get(name, ()))
    return frozenset(found)


def check_graph(inspection: Inspection) -> None:
    """Openings, unreachable states, dead ends, `@history`, and chains without an end."""
    graph = state_graph(inspection.definition)
    if not graph.openings:
        inspection.fault("events", "no event opens a case", f'give one of them from = "{START}"')
    else:
        for name in inspection.definition.states:
            if name not in graph.reachable:
                inspection.fault(
                    f"states.{name}",
                    f"no way leads to {name!r} from the opening",
                    "let an event lead there, or remove the state",
                )
    _check_ends(inspection, graph)
    _check_history(inspection, graph)
    _check_chains(inspection, graph)
    _check_openings_for_ever(inspection)


def _check_ends(inspection: Inspection, graph: StateGraph) -> None:
    states = inspection.definition.states
    finals = [name for name, state in states.items() if state.final]
    if not finals:
        inspection.fault("states", "no state is final, so no case can end", "add final = true to one")
        return
    back: dict[str, set[str]] = {name: set() for name in states}
    for source, found in graph.exits.items():
        for target in found:
            back[target].add(source)
    ending = closure(finals, back)
    for name, state in states.items():
        if state.final or name not in graph.reachable:
            continue
        if not graph.exits[name] - {name}:
            inspection.fault(
                f"states.{name}",
                f"{name!r} has no way out and is not final",
                "add an event from here, or final = true",
            )
        elif name not in ending:
            inspection.fault(
                f"states.{name}", f"from {name!r} no final state can be reached", "add an event that leads on"
            )


def _check_history(inspection: Inspection, graph: StateGraph) -> None:
    definition = inspection.definition
    going_back = {s for event in definition.events.values() if event.to == HISTORY for s in event.from_}
    for name, state in definition.states.items():
        if state.remembers and name not in going_back:
            inspection.fault(
                f"states.{name}.remembers",
                f"no event leads back from {name!r}",
                f'add an event with to = "{HISTORY}", or remove remembers',
            )
        elif name in going_back and state.remembers and name in graph.reachable and not graph.origins[name]:
            inspection.fault(
                f"states.{name}.remembers",
                f"{name!r} is entered from nowhere, so nothing is behind it",
                "enter it from another state, or remove remembers",
            )


# ------------------------------------------------------------------ chains of system events


@frozen
class _Link:
    """A system event accepted, the state it led to, and whether that was an entry."""

    event: str
    state: str
    entered: bool


def _check_chains(inspection: Inspection, graph: StateGraph) -> None:
    """System events that fire each other round in a circle, each acceptable where the last one led.

    Guards are not weighed: a chain that only a guard ends has to be cut by its states instead.
    """
    definition = inspection.definition
    automatic = {name: event for name, event in definition.events.items() if event.fired_by}
    links = {
        _Link(name, target, event.to != SAME)
        for name, event in automatic.items()
        for source in event.from_
        if source != START
        for target in targets(event, source, graph.origins)
    }
    follows: dict[_Link, set[_Link]] = {}
    for link in links:
        known = _happenings(definition, link)
        follows[link] = {
            _Link(name, target, event.to != SAME)
            for name, event in automatic.items()
            # An event that names itself is a fault of its own, told elsewhere.
            if link.state in event.from_ and not known.isdisjoint({*event.fired_by} - {name})
            for target in targets(event, link.state, graph.origins)
        }
    for circle in _circles(follows):
        first = min(circle, key=list(automatic).index)
        at = circle.index(first)
        way = " -> ".join((*circle[at:], *circle[:at], first))
        inspection.fault(
            f"events.{first}.fired_by",
            f"these events can fire each other for ever: {way}",
            "let one of them lead to a state from which the next cannot start",
        )


def _happenings(definition: WorkflowDefinition, link: _Link) -> set[str]:
    """What becomes known at once when an event is accepted, children opened included."""
    event = definition.events[link.event]
    found = {link.event} | ({f"state.{link.state}.entered"} if link.entered else set())
    opened = [*event.opens]
    for reaction in definition.reactions:
        if not found.isdisjoint(reaction.on):
            opened += reaction.opens
    children = {one.child.partition(":")[0] for one in opened if one.child is not None}
    peers = {one.link for one in opened if one.link is not None}
    return found | {f"child.{name}.opened" for name in children} | {f"link.{name}.moved" for name in peers}


def _circles(follows: Mapping[_Link, set[_Link]]) -> list[tuple[str, ...]]:
    """The shortest way of each link back to itself, as event names; each set of events once."""
    found: dict[frozenset[str], tuple[str, ...]] = {}
    for link in follows:
        way = _way_back(link, follows)
        if way:
            found.setdefault(frozenset(way), way)
    return list(found.values())


def _way_back(start: _Link, follows: Mapping[_Link, set[_Link]]) -> tuple[str, ...]:
    seen: set[_Link] = set()
    ways: list[tuple[_Link, tuple[str, ...]]] = [(start, (start.event,))]
    for link, way in ways:
        for after in sorted(follows.get(link, ()), key=lambda one: (one.event, one.state)):
            if after == start:
                return way
            if after not in seen:
                seen.add(after)
                ways.append((after, (*way, after.event)))
    return ()


def _check_openings_for_ever(inspection: Inspection) -> None:
    """Reactions to the opening of a child that open another, and so back to the first."""
    reactions = inspection.definition.reactions
    after: dict[str, set[str]] = {}
    for reaction in reactions:
        opened = {one.child.partition(":")[0] for one in reaction.opens if one.child is not None}
        for happening in reaction.on:
            if happening.startswith("child.") and happening.endswith(".opened"):
                after.setdefault(happening.split(".")[1], set()).update(opened)
    for number, reaction in enumerate(reactions):
        for position, happening in enumerate(reaction.on):
            child = happening.split(".")[1] if happening.endswith(".opened") else ""
            if child in closure(after.get(child, ()), after):
                inspection.fault(
                    f"reactions[{number}].on[{position}]",
                    f"the opening of {child!r} leads to another opening of {child!r}, for ever",
                    "open it on the event that calls for it",
                )
