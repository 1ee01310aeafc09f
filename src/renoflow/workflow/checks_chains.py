"""Chains that run through several files and come back to where they began, for ever.

One file's own circles are found in `checks_graph`. Guards are not weighed here either; the lines that an
accumulation uses up are: a circle that enters fewer than it needs dies out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from math import prod
from typing import NamedTuple

from renoflow.definition.model import (
    AccumulationDefinition,
    EffectsDefinition,
    EventDefinition,
    LedgerDefinition,
    Telling,
    WorkflowDefinition,
)
from renoflow.values import SYSTEM
from renoflow.workflow.between import Definitions, doings
from renoflow.workflow.checks_doings import HISTORY, SAME, START

COUNT = "accumulations."


class Doing(NamedTuple):
    """An event of a workflow, a reaction (`reactions[0]`) or an accumulation (`accumulations.a1`). `entry` is
    what an event enters into a ledger, where whoever tells it says that."""

    workflow: str
    name: str
    entry: str = ""

    def __str__(self) -> str:
        return f"{self.workflow}.{self.name}" + (f"({self.entry})" if self.entry else "")


Follows = dict[Doing, Counter[Doing]]
"""What each brings about, and how often at a time."""


def endless_chains(definitions: Definitions) -> list[tuple[Doing, ...]]:
    """Every circle that runs through another case and can go round again, each once."""
    inside: dict[Doing, set[Doing]] = {}
    follows: Follows = {}
    for definition in definitions.values():
        for doing in _events(definitions, definition):
            inside[doing] = {*_listening(definition, _known_at_home(definition, doing.name))}
            inside[doing].update(_counting(definition, doing))
            across = _across(definitions, definition, doing.name)
            follows[doing] = Counter(across) | Counter(inside[doing])
        for doing, item in _other_doings(definition):
            inside[doing] = set()
            follows[doing] = Counter(_handed_out(definitions, definition, item))
    found: dict[frozenset[Doing], tuple[Doing, ...]] = {}
    for doing in follows:
        way = _way_back(doing, follows)
        leaves = any(b not in inside[a] for a, b in _steps(way))
        if leaves and _goes_round(definitions, way) and _feeds_itself(definitions, way, follows):
            found.setdefault(frozenset(way), way)
    return list(found.values())


def _events(definitions: Definitions, own: WorkflowDefinition) -> Iterator[Doing]:
    """Every event, and those that enter a line once more for each entry that is told to them."""
    for name in own.events:
        yield Doing(own.id, name)
    told = {
        doing
        for other in definitions.values()
        for _, item in doings(other)
        for doing in _handed_out(definitions, other, item)
    }
    yield from sorted(doing for doing in told if doing.workflow == own.id and doing.entry)


def _other_doings(own: WorkflowDefinition) -> Iterator[tuple[Doing, EffectsDefinition]]:
    for path, item in doings(own):
        if not isinstance(item, EventDefinition):
            yield Doing(own.id, path), item


def _steps(way: tuple[Doing, ...]) -> Iterator[tuple[Doing, Doing]]:
    return zip(way, (*way[1:], *way[:1]), strict=True)


def _way_back(start: Doing, follows: Follows) -> tuple[Doing, ...]:
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
            yield Doing(own.id, name)
    for number, reaction in enumerate(own.reactions):
        if not happenings.isdisjoint(reaction.on):
            yield Doing(own.id, f"reactions[{number}]")


def _counting(own: WorkflowDefinition, doing: Doing) -> Iterator[Doing]:
    """The accumulations that may count the line that an event enters."""
    if own.ledger is None or doing.name not in own.ledger.enters:
        return
    for name, item in own.accumulations.items():
        if doing.entry in ("", *item.counts):
            yield Doing(own.id, f"{COUNT}{name}")


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
    definitions: Definitions, own: WorkflowDefinition, item: EffectsDefinition
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
            yield Doing(other.id, telling.event, _entry_told(other.ledger, telling))
        if link is not None and link.key:
            yield from _openings(other)
    for opening in item.opens:
        child = own.children.get((opening.child or "").partition(":")[0])
        opened = child or own.links.get(opening.link or "")
        other = definitions.get(opened.workflow) if opened is not None else None
        if other is not None:
            number = prod(len(values) for values in child.each.values()) if child is not None else 1
            yield from number * (*_openings(other),)


def _entry_told(ledger: LedgerDefinition | None, telling: Telling) -> str:
    """The entry of the line that a telling enters; empty where there is none, or the case knows which."""
    if ledger is None or telling.event not in ledger.enters:
        return ""
    entry = str(telling.facts.get(ledger.entry, ""))
    return "" if entry.startswith(("@", "$")) else entry


def _told_happenings(listener: WorkflowDefinition, teller: str) -> set[str]:
    """What it is called in a file that cases of a workflow have told it facts."""
    links = {f"link.{name}.told" for name, link in listener.links.items() if link.workflow == teller}
    return links | {f"child.{n}.told" for n, child in listener.children.items() if child.workflow == teller}


def _openings(own: WorkflowDefinition) -> Iterator[Doing]:
    for name, event in own.events.items():
        if START in event.from_ and SYSTEM in event.by:
            yield Doing(own.id, name)


# ------------------------------------------------------------------ whether it goes round again


def _feeds_itself(definitions: Definitions, way: tuple[Doing, ...], follows: Follows) -> bool:
    """Whether a round enters as many lines as its accumulations use up; a run of days takes days."""
    needed = 1
    for doing in way:
        own = definitions[doing.workflow]
        counted = own.accumulations.get(doing.name.partition(COUNT)[2])
        if counted is not None:
            if counted.running is not None:
                return False
            needed *= _lines_needed(own, counted)
    return prod(follows[a][b] for a, b in _steps(way)) >= needed


def _lines_needed(own: WorkflowDefinition, item: AccumulationDefinition) -> int:
    number = 1 if item.at_least is None else item.at_least
    if isinstance(number, str) and number.startswith("$"):
        number = own.parameters[number[1:]].value if number[1:] in own.parameters else 1
    return number if isinstance(number, int) else 1


def _goes_round(definitions: Definitions, way: tuple[Doing, ...]) -> bool:
    """Whether each workflow could take its part again: a case that is opened anew each time always can."""
    for workflow in {doing.workflow for doing in way}:
        own = definitions[workflow].events
        events = [own[doing.name] for doing in way if doing.workflow == workflow and doing.name in own]
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
