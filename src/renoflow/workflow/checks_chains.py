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
"""An event of a workflow, `("project", "suspend")`, or a reaction, `("project", "reactions[0]")`."""


def endless_chains(definitions: Definitions) -> list[tuple[Doing, ...]]:
    """Every circle that runs through another case and can go round again, each once."""
    inside: dict[Doing, set[Doing]] = {}
    follows: dict[Doing, tuple[Doing, ...]] = {}
    for name, definition in definitions.items():
        for event in definition.events:
            known = _known_at_home(definition, event)
            inside[name, event] = set(_listening(definition, known))
            across = _across(definitions, definition, event)
            follows[name, event] = tuple(dict.fromkeys((*across, *inside[name, event])))
        for number, reaction in enumerate(definition.reactions):
            doing = name, f"reactions[{number}]"
            inside[doing] = set()
            follows[doing] = tuple(dict.fromkeys(_handed_out(definitions, definition, reaction)))
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


def _listening(own: WorkflowDefinition, happenings: set[str]) -> Iterator[Doing]:
    """The events that these happenings fire, and the reactions to them."""
    for name, event in own.events.items():
        if not happenings.isdisjoint(event.fired_by):
            yield own.id, name
    for number, reaction in enumerate(own.reactions):
        if not happenings.isdisjoint(reaction.on):
            yield own.id, f"reactions[{number}]"


def _known_at_home(own: WorkflowDefinition, name: str) -> set[str]:
    event = own.events[name]
    opened = {
        f"child.{one.child.partition(':')[0]}.opened" if one.child is not None else f"link.{one.link}.moved"
        for one in event.opens
    }
    return {name, *opened, *(() if event.to in (SAME, HISTORY) else (f"state.{event.to}.entered",))}


def _across(definitions: Definitions, own: WorkflowDefinition, name: str) -> Iterator[Doing]:
    """What an accepted event brings about in linked cases, in the same transaction."""
    event = own.events[name]
    yield from _handed_out(definitions, own, event)
    for other in definitions.values():
        heard = set[str]()
        for key, child in other.children.items():
            if child.workflow == own.id:
                heard |= {f"child.{key}.{one}" for one in _told_to_parent(own, name, child.hears)}
        if event.to != SAME:
            heard |= {f"link.{key}.moved" for key, link in other.links.items() if link.workflow == own.id}
        yield from _listening(other, heard)


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


def _handed_out(
    definitions: Definitions, own: WorkflowDefinition, item: EventDefinition | ReactionDefinition
) -> Iterator[Doing]:
    """What an effect offers to linked cases, and those that it opens."""
    for telling in item.tells:
        link = own.links.get(telling.link or "")
        relation = link or own.children.get(telling.child or "")
        other = definitions.get(relation.workflow) if relation is not None else None
        if other is None:
            continue
        if telling.event is None:
            yield from _listening(other, _told_happenings(other, own.id))
        elif telling.event in other.events:
            yield other.id, telling.event
        if link is not None and link.key:
            yield from _openings(other)
    for opening in item.opens:
        child = (opening.child or "").partition(":")[0]
        opened = own.children.get(child) or own.links.get(opening.link or "")
        other = definitions.get(opened.workflow) if opened is not None else None
        if other is not None:
            yield from _openings(other)


def _told_happenings(listener: WorkflowDefinition, teller: str) -> set[str]:
    """What it is called in a file that cases of a workflow have told it facts."""
    links = {f"link.{name}.told" for name, link in listener.links.items() if link.workflow == teller}
    return links | {f"child.{n}.told" for n, child in listener.children.items() if child.workflow == teller}


def _openings(own: WorkflowDefinition) -> Iterator[Doing]:
    for name, event in own.events.items():
        if START in event.from_ and SYSTEM in event.by:
            yield own.id, name


# ------------------------------------------------------------------ whether it goes round again


def _goes_round(definitions: Definitions, way: tuple[Doing, ...]) -> bool:
    """Whether each workflow could take its part again: a case that is opened anew each time always can."""
    for workflow in {name for name, _ in way}:
        own = definitions[workflow].events
        events = [own[event] for name, event in way if name == workflow and event in own]
        if events and not any(START in event.from_ for event in events) and not _closes(events):
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
