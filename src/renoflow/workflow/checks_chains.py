"""Chains that run through several files and come back to where they began, for ever.

One file's own circles are found in `checks_graph`. Guards are not weighed here either.
"""

from __future__ import annotations

from collections.abc import Iterator

from renoflow.definition.model import EventDefinition, ReactionDefinition, WorkflowDefinition
from renoflow.values import SYSTEM
from renoflow.workflow.between import Definitions
from renoflow.workflow.checks_doings import HISTORY, SAME, START

Doing = tuple[str, str]
"""An event of a workflow: `("project", "suspend")`."""


def endless_chains(definitions: Definitions) -> list[tuple[Doing, ...]]:
    """Every circle of events that runs through another case and can go round again, each once."""
    inside: dict[Doing, set[Doing]] = {}
    follows: dict[Doing, tuple[Doing, ...]] = {}
    for name, definition in definitions.items():
        for event in definition.events:
            inside[name, event] = set(_within(definition, event))
            across = _across(definitions, definition, event)
            follows[name, event] = tuple(dict.fromkeys((*across, *inside[name, event])))
    found: dict[frozenset[Doing], tuple[Doing, ...]] = {}
    for doing in follows:
        way = _way_back(doing, follows)
        leaves = any(b not in inside[a] for a, b in zip(way, (*way[1:], *way[:1]), strict=True))
        if leaves and _goes_round(definitions, way):
            found.setdefault(frozenset(way), way)
    return list(found.values())


def _way_back(start: Doing, follows: dict[Doing, tuple[Doing, ...]]) -> tuple[Doing, ...]:
    seen: set[Doing] = set()
    ways: list[tuple[Doing, ...]] = [(start,)]
    for way in ways:
        for after in follows.get(way[-1], ()):
            if after == start:
                return way
            if after not in seen:
                seen.add(after)
                ways.append((*way, after))
    return ()


# ------------------------------------------------------------------ what follows at once


def _within(own: WorkflowDefinition, name: str) -> Iterator[Doing]:
    """The events of its own case that an accepted event fires."""
    known = _known_at_home(own, name)
    yield from (
        (own.id, other) for other, event in own.events.items() if not known.isdisjoint(event.fired_by)
    )


def _known_at_home(own: WorkflowDefinition, name: str) -> set[str]:
    event = own.events[name]
    opened = {f"child.{opening.child.partition(':')[0]}.opened" for opening in event.opens}
    return {name, *opened, *(() if event.to in (SAME, HISTORY) else (f"state.{event.to}.entered",))}


def _across(definitions: Definitions, own: WorkflowDefinition, name: str) -> Iterator[Doing]:
    """The events of linked cases that an accepted event brings about in the same transaction."""
    event = own.events[name]
    yield from _handed_out(definitions, own, event)
    yield from _reactions(definitions, own, _known_at_home(own, name))
    for other in definitions.values():
        heard = set[str]()
        for key, child in other.children.items():
            if child.workflow == own.id:
                heard |= {f"child.{key}.{one}" for one in _told_to_parent(own, name, child.hears)}
        if event.to != SAME:
            heard |= {f"link.{key}.moved" for key, link in other.links.items() if link.workflow == own.id}
        yield from ((other.id, n) for n, e in other.events.items() if not heard.isdisjoint(e.fired_by))
        yield from _reactions(definitions, other, heard)


def _told_to_parent(own: WorkflowDefinition, name: str, hears: tuple[str, ...]) -> Iterator[str]:
    event = own.events[name]
    ends = event.to in own.states and own.states[event.to].final
    if name in hears:
        yield name
    if START in event.from_:
        yield "opened"
    elif ends:
        yield "ended"
    elif event.to != SAME and any(own.states[s].final for s in event.from_ if s in own.states):
        yield "reopened"


def _reactions(definitions: Definitions, own: WorkflowDefinition, happenings: set[str]) -> Iterator[Doing]:
    for reaction in own.reactions:
        if not happenings.isdisjoint(reaction.on):
            yield from _handed_out(definitions, own, reaction)


def _handed_out(
    definitions: Definitions, own: WorkflowDefinition, item: EventDefinition | ReactionDefinition
) -> Iterator[Doing]:
    """Events of linked cases that an effect offers."""
    for telling in item.tells:
        relation = own.links.get(telling.link or "") or own.children.get(telling.child or "")
        other = definitions.get(relation.workflow) if relation is not None else None
        if other is not None and telling.event in other.events:
            yield other.id, telling.event
    for opening in item.opens:
        child = own.children.get(opening.child.partition(":")[0])
        other = definitions.get(child.workflow) if child is not None else None
        for name, event in other.events.items() if other is not None else ():
            if START in event.from_ and SYSTEM in event.by and other is not None:
                yield other.id, name


# ------------------------------------------------------------------ whether it goes round again


def _goes_round(definitions: Definitions, way: tuple[Doing, ...]) -> bool:
    """Whether each workflow could take its part again: a case that is opened anew each time always can."""
    for workflow in {name for name, _ in way}:
        events = [definitions[workflow].events[event] for name, event in way if name == workflow]
        if not any(START in event.from_ for event in events) and not _closes(events):
            return False
    return True


def _closes(events: list[EventDefinition]) -> bool:
    """Whether a case can do these events one after another and then the first again."""
    states = set(events[0].from_)
    for event in (*events, events[0]):
        states &= set(event.from_)
        if not states:
            return False
        if event.to == HISTORY:
            return True  # where it leads depends on the case
        states = states if event.to == SAME else {event.to}
    return True
