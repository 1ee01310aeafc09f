"""What one case tells another: its events, their facts and documents, and whether they are told at all."""

from __future__ import annotations

from collections.abc import Iterator

from renoflow.definition.model import (
    EffectsDefinition,
    EventDefinition,
    ReactionDefinition,
    Scalar,
    Telling,
    WorkflowDefinition,
)
from renoflow.values import SYSTEM
from renoflow.workflow.between import Between, doings
from renoflow.workflow.checks_doings import START
from renoflow.workflow.inspection import near
from renoflow.workflow.kinds import DURATION, WHOLE, Kind, kind_of_fact, takes


def check_effects(between: Between) -> None:
    """What events and reactions tell, and what they take over from a child that told them."""
    for path, item in doings(between.own):
        for number, telling in enumerate(item.tells):
            _check_telling(between, telling, item, f"{path}.tells[{number}]")
        for key, values in (("sets", item.sets), ("adds", item.adds)):
            for name, value in values.items():
                fact = between.own.facts.get(name)
                if fact is not None:
                    target = kind_of_fact(fact, between.own.tables)
                    _check_heard(between, value, item, [target], f"{path}.{key}.{name}")
        for number, extension in enumerate(item.extends):
            _check_heard(between, extension.by, item, [WHOLE, DURATION], f"{path}.extends[{number}].by")


def _check_heard(
    between: Between,
    value: Scalar,
    item: EffectsDefinition,
    targets: list[Kind],
    path: str,
) -> None:
    """An `@child.fact`: of the kind that is wanted, whichever child told."""
    if not isinstance(value, str) or not value.startswith("@child."):
        return
    name = value.removeprefix("@child.")
    for happening in _happenings(item):
        other = between.child(happening.split(".")[1]) if happening.startswith("child.") else None
        fact = None if other is None else other.facts.get(name)
        if other is None or fact is None:
            continue
        kind = kind_of_fact(fact, other.tables)
        if not any(takes(target, kind) for target in targets):
            wanted = " or ".join(map(str, targets))
            between.fault(path, f"fact {name!r} of {other.id!r} is {kind}, but it must be {wanted}")


def _happenings(item: EffectsDefinition) -> tuple[str, ...]:
    """What an item follows from, where something may have been told."""
    if isinstance(item, EventDefinition):
        return item.fired_by
    return item.on if isinstance(item, ReactionDefinition) else ()


def _check_telling(between: Between, telling: Telling, item: EffectsDefinition, path: str) -> None:
    other = between.link(telling.link) if telling.link else between.child(telling.child or "")
    if other is None:
        return
    if telling.event is None:
        _check_facts_told(between, telling, item, other, path)
        return
    event = other.events.get(telling.event)
    if event is None:
        between.fault(
            f"{path}.event",
            f"workflow {other.id!r} has no event {telling.event!r}",
            near(telling.event, other.events),
        )
        return
    what = f"event {telling.event!r} of {other.id!r}"
    if SYSTEM not in event.by:
        between.fault(
            f"{path}.event", f"{what} is not for {SYSTEM!r}, which tells it", f'add "{SYSTEM}" to its by'
        )
    if START in event.from_:
        between.fault(
            f"{path}.event", f"{what} opens a case; it cannot be told to one", "open a child or a peer"
        )
    taken = (*event.gives, *event.may_give)
    for name, value in telling.facts.items():
        place = f"{path}.facts.{name}"
        if name not in taken:
            between.fault(place, f"{what} does not take fact {name!r}", near(name, taken))
        elif isinstance(value, str) and value.startswith("@child."):
            _check_heard(between, value, item, [kind_of_fact(other.facts[name], other.tables)], place)
        elif name in other.facts:
            between.value(value, other, other.facts[name], place)
    for name in event.gives:
        if name not in telling.facts:
            between.fault(
                path, f"{what} needs fact {name!r}, which is not told", f"add it to facts = {{ {name} = … }}"
            )
    for number, name in enumerate(telling.documents):
        if name not in other.documents:
            between.fault(
                f"{path}.documents[{number}]",
                f"workflow {other.id!r} has no document {name!r}",
                near(name, other.documents),
            )
    for paper in event.documents:
        repeats = paper.id in other.documents and other.documents[paper.id].repeats
        if repeats and paper.when is None and paper.id not in telling.documents:
            between.fault(
                path,
                f"{what} needs document {paper.id!r}, which is not told",
                f'add documents = ["{paper.id}"]',
            )


def _check_facts_told(
    between: Between,
    telling: Telling,
    item: EffectsDefinition,
    other: WorkflowDefinition,
    path: str,
) -> None:
    """Facts alone: the other has each, and lets this workflow tell it."""
    for name, value in telling.facts.items():
        place = f"{path}.facts.{name}"
        fact = between.fact(other, name, place)
        if fact is None:
            continue
        if fact.told_by != between.own.id:
            between.fault(
                place,
                f"fact {name!r} of {other.id!r} is not told by {between.own.id!r}",
                f'give it told_by = "{between.own.id}", or tell it with an event',
            )
        elif isinstance(value, str) and value.startswith("@child."):
            _check_heard(between, value, item, [kind_of_fact(fact, other.tables)], place)
        else:
            between.value(value, other, fact, place)


# ------------------------------------------------------------------ what is told at all


def check_told(between: Between) -> None:
    """Facts with `told_by`: the workflow that is named does tell them."""
    for name, fact in between.own.facts.items():
        teller = between.definitions.get(fact.told_by or "")
        if teller is not None and not _tells(teller, between.own, name):
            between.fault(
                f"facts.{name}.told_by",
                f"workflow {teller.id!r} never tells {name!r}",
                "let it tell this fact (tells, or tells_next of a child) or remove told_by",
            )


def check_sent(between: Between) -> None:
    """An event for `system` alone comes from a happening or from a linked case; else it never comes."""
    own = between.own.id
    for name, event in between.own.events.items():
        if set(event.by) != {SYSTEM} or event.fired_by or START in event.from_:
            continue
        told = {telling.event for other in between.definitions.values() for telling in _tellings(other, own)}
        if name in told or not _all_loaded(between):
            continue
        between.fault(
            f"events.{name}.by",
            f"only {SYSTEM!r} may do {name!r}, nothing fires it and no linked case tells it",
            "add fired_by, let somebody do it, or remove it",
        )


def check_listened(between: Between) -> None:
    """What is listened to as told does come: a linked workflow tells facts."""
    own = between.own
    for path, names in _listeners(own):
        for number, happening in enumerate(names):
            relation, _, rest = happening.partition(".")
            name, _, verb = rest.rpartition(".")
            if verb != "told" or relation not in ("link", "child"):
                continue
            teller = between.link(name) if relation == "link" else between.child(name)
            if teller is not None and not _tells_facts(teller, own):
                between.fault(
                    f"{path}[{number}]",
                    f"workflow {teller.id!r} never tells facts alone",
                    "let it tell some ({ link = …, facts = { … } }), or listen to another happening",
                )


def _listeners(own: WorkflowDefinition) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, event in own.events.items():
        yield f"events.{name}.fired_by", event.fired_by
    for number, reaction in enumerate(own.reactions):
        yield f"reactions[{number}].on", reaction.on
    for name, rule in own.deadlines.items():
        for key in ("starts", "restarts", "stops", "cancels", "rechosen_by"):
            yield f"deadlines.{name}.{key}", getattr(rule, key)


def _tells_facts(teller: WorkflowDefinition, listener: WorkflowDefinition) -> bool:
    in_order = any(c.tells_next for c in teller.children.values() if c.workflow == listener.id)
    return in_order or any(telling.event is None for telling in _tellings(teller, listener.id))


def _all_loaded(between: Between) -> bool:
    own = between.own
    named = {link.workflow for link in own.links.values()} | {
        child.workflow for child in own.children.values()
    }
    named |= {own.workflow.parent} if own.workflow.parent else set()
    return named <= between.definitions.keys()


def _tellings(teller: WorkflowDefinition, listener: str) -> Iterator[Telling]:
    """Whatever a workflow tells cases of another."""
    for _, item in doings(teller):
        for telling in item.tells:
            link, child = teller.links.get(telling.link or ""), teller.children.get(telling.child or "")
            relation = link or child
            if relation is not None and relation.workflow == listener:
                yield telling


def _tells(teller: WorkflowDefinition, listener: WorkflowDefinition, fact: str) -> bool:
    """Whether a workflow gives this fact to the other: by telling, in order, or on opening it."""
    for child in teller.children.values():
        if child.workflow != listener.id:
            continue
        opened = {*child.each, *(key for facts in child.reasons.values() for key in facts)}
        opened.update(key for _, item in doings(teller) for one in item.opens for key in one.facts)
        if fact in opened or (child.tells_next is not None and child.tells_next.fact == fact):
            return True
    return any(fact in telling.facts for telling in _tellings(teller, listener.id))
