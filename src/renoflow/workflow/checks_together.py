"""What the files say of each other: children, links, what one tells another and reads of it.

A workflow that is not loaded is no fault: then nothing can be said about it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from attrs import frozen

from renoflow.definition.model import (
    ChildDefinition,
    ChildrenLeaf,
    ConditionNode,
    EventDefinition,
    FactDefinition,
    LinkedLeaf,
    ReactionDefinition,
    Scalar,
    Telling,
    WorkflowDefinition,
    walk_condition,
)
from renoflow.errors import Problem
from renoflow.values import SYSTEM
from renoflow.workflow.checks_doings import START
from renoflow.workflow.checks_knowledge import Knowledge
from renoflow.workflow.inspection import Inspection, near
from renoflow.workflow.kinds import DURATION, WHOLE, Kind, kind_of_fact, misfit, takes

Definitions = Mapping[str, WorkflowDefinition]


def check_together(definitions: Definitions) -> tuple[Problem, ...]:
    """What is wrong between loaded workflows, keyed by id; a problem's `file` is the id of its workflow."""
    found: list[Problem] = []
    for name, definition in definitions.items():
        pair = _Between(Inspection(definition), Inspection(definition), definitions)
        _check_children(pair)
        _check_leaves(pair)
        _check_effects(pair)
        _check_told(pair)
        found += pair.inspection.problems(name, "")
    return tuple(found)


@frozen
class _Between:
    """One workflow among the others. `lookup` finds kinds; the faults of its own file are told elsewhere."""

    inspection: Inspection
    lookup: Inspection
    definitions: Definitions

    @property
    def own(self) -> WorkflowDefinition:
        return self.inspection.definition

    def fault(self, path: str, message: str, suggestion: str = "") -> None:
        self.inspection.fault(path, message, suggestion)

    def child(self, name: str) -> WorkflowDefinition | None:
        """The workflow of a child, None when it is not declared or not loaded."""
        child = self.own.children.get(name)
        return None if child is None else self.definitions.get(child.workflow)

    def link(self, name: str) -> WorkflowDefinition | None:
        link = self.own.links.get(name)
        return None if link is None else self.definitions.get(link.workflow)

    def state(self, other: WorkflowDefinition, name: str, path: str) -> None:
        if name not in other.states:
            self.fault(path, f"workflow {other.id!r} has no state {name!r}", near(name, other.states))

    def fact(self, other: WorkflowDefinition, name: str, path: str) -> FactDefinition | None:
        fact = other.facts.get(name)
        if fact is None:
            self.fault(path, f"workflow {other.id!r} has no fact {name!r}", near(name, other.facts))
        return fact

    def value(self, value: Scalar, other: WorkflowDefinition, fact: FactDefinition, path: str) -> None:
        """A value of this workflow (`@child.fact` aside) that another puts into a fact of its own."""
        target = kind_of_fact(fact, other.tables)
        found = self.lookup.kind(value, path)
        if isinstance(found, Kind):
            if not takes(target, found):
                self.fault(path, f"{value!r} is {found}, but the fact of {other.id!r} is {target}")
        elif found is not None and (wrong := misfit(target, found)):
            self.fault(
                path,
                f"{wrong}, but the fact of {other.id!r} is {target}",
                near(str(found), target.keys) if target.keys else "",
            )


# ------------------------------------------------------------------ children


def _check_children(between: _Between) -> None:
    for name, child in between.own.children.items():
        path = f"children.{name}"
        other = between.child(name)
        if other is None:
            continue
        for number, event in enumerate(child.hears):
            if event not in other.events:
                between.fault(
                    f"{path}.hears[{number}]",
                    f"workflow {other.id!r} has no event {event!r}",
                    near(event, other.events),
                )
        for number, fact in enumerate(child.reads):
            between.fact(other, fact, f"{path}.reads[{number}]")
        for key, values in child.each.items():
            declared = between.fact(other, key, f"{path}.each.{key}")
            for number, value in enumerate(values if declared is not None else ()):
                if declared is not None:
                    between.value(value, other, declared, f"{path}.each.{key}[{number}]")
        for reason, facts in child.reasons.items():
            for key, value in facts.items():
                declared = between.fact(other, key, f"{path}.reasons.{reason}.{key}")
                if declared is not None:
                    between.value(value, other, declared, f"{path}.reasons.{reason}.{key}")
        _check_next(between, child, other, path)
        _check_opened(between, name, child, other)


def _check_next(between: _Between, child: ChildDefinition, other: WorkflowDefinition, path: str) -> None:
    tells = child.tells_next
    if tells is None:
        return
    place = f"{path}.tells_next"
    fact = between.fact(other, tells.fact, f"{place}.fact")
    if fact is not None and fact.type != "yes_no":
        between.fault(
            f"{place}.fact", f"{tells.fact!r} is of type {fact.type}; it is set to true", "make it yes_no"
        )
    if fact is not None and fact.told_by != between.own.id:
        between.fault(
            f"{place}.fact",
            f"fact {tells.fact!r} of {other.id!r} is not told by {between.own.id!r}",
            f'give it told_by = "{between.own.id}"',
        )
    for number, state in enumerate(tells.states):
        between.state(other, state, f"{place}.states[{number}]")
        if state in other.states and not other.states[state].final:
            between.fault(
                f"{place}.states[{number}]",
                f"{state!r} does not end a case of {other.id!r}",
                "name final states",
            )


def _check_opened(between: _Between, name: str, child: ChildDefinition, other: WorkflowDefinition) -> None:
    """Whether the child can be opened with just the facts that it is given, by `system`."""
    openings = {key: event for key, event in other.events.items() if START in event.from_}
    for path, reason in _opening_places(between.own, name):
        given = {*child.each, *(child.reasons.get(reason, {}) if reason else {})}
        if any(fact not in other.facts for fact in given) or not openings:
            continue
        objections = {key: _objection(other, event, given) for key, event in openings.items()}
        if all(objections.values()):
            listed = "; ".join(f"{key}: {why}" for key, why in objections.items())
            what = f"{name}:{reason}" if reason else name
            between.fault(
                path,
                f"no opening of {other.id!r} accepts {what} ({listed})",
                "give the facts that it needs, or let it be opened with fewer",
            )


def _opening_places(own: WorkflowDefinition, child: str) -> Iterator[tuple[str, str]]:
    for path, item in _doings(own):
        for number, opening in enumerate(item.opens):
            name, _, reason = opening.child.partition(":")
            if name == child and (not reason or reason in own.children[name].reasons):
                yield f"{path}.opens[{number}].child", reason


def _objection(other: WorkflowDefinition, event: EventDefinition, given: set[str]) -> str:
    """Why an event would refuse what `system` brings; an empty string when it may accept."""
    if SYSTEM not in event.by:
        return f"{SYSTEM!r} is not among its by"
    strange = sorted(given - {*event.gives, *event.may_give})
    if strange:
        return f"it does not take fact {strange[0]!r}"
    absent = sorted(set(event.gives) - given)
    if absent:
        return f"it needs fact {absent[0]!r}"
    knowledge = Knowledge(definition=other, facts=frozenset(given), roles=frozenset((SYSTEM,)))
    for paper in event.documents:
        if paper.when is None or not knowledge.can_be(paper.when, False):
            return f"it needs document {paper.id!r}"
    if event.payments:
        return f"it needs payment {next(iter(event.payments))!r}"
    for guard in event.guards:
        if not knowledge.can_be(guard, True):
            lacking = knowledge.lacking(guard)
            what = f"its guard {guard!r}" if isinstance(guard, str) else "one of its guards"
            return f"{what} needs {', '.join(lacking)}" if lacking else f"{what} refuses {SYSTEM!r}"
    return ""


# ------------------------------------------------------------------ conditions


def _check_leaves(between: _Between) -> None:
    for path, root in _conditions(between.own):
        for node in walk_condition(root):
            if isinstance(node, ChildrenLeaf):
                _check_children_leaf(between, node, path)
            elif isinstance(node, LinkedLeaf) and (other := between.link(node.linked)) is not None:
                for state in (*(node.state or ()), *(node.state_not or ())):
                    between.state(other, state, path)


def _check_children_leaf(between: _Between, leaf: ChildrenLeaf, path: str) -> None:
    other = between.child(leaf.children)
    if other is None:
        return
    for state in leaf.state or ():
        between.state(other, state, path)
    for key, values in leaf.where.items():
        fact = between.fact(other, key, path)
        for value in values if fact is not None else ():
            if fact is not None:
                between.value(value, other, fact, path)


def _conditions(own: WorkflowDefinition) -> Iterator[tuple[str, ConditionNode]]:
    for name, condition in own.conditions.items():
        yield f"conditions.{name}", condition
    for name, event in own.events.items():
        for number, guard in enumerate(event.guards):
            yield f"events.{name}.guards[{number}]", guard
    for name, invariant in own.invariants.items():
        yield f"invariants.{name}.always.implies", invariant.always.implies


# ------------------------------------------------------------------ what follows from events


def _doings(own: WorkflowDefinition) -> Iterator[tuple[str, EventDefinition | ReactionDefinition]]:
    for name, event in own.events.items():
        yield f"events.{name}", event
    for number, reaction in enumerate(own.reactions):
        yield f"reactions[{number}]", reaction


def _check_effects(between: _Between) -> None:
    for path, item in _doings(between.own):
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
    between: _Between,
    value: Scalar,
    item: EventDefinition | ReactionDefinition,
    targets: list[Kind],
    path: str,
) -> None:
    """An `@child.fact`: of the kind that is wanted, whichever child told."""
    if not isinstance(value, str) or not value.startswith("@child."):
        return
    name = value.removeprefix("@child.")
    for happening in item.fired_by if isinstance(item, EventDefinition) else item.on:
        other = between.child(happening.split(".")[1]) if happening.startswith("child.") else None
        fact = None if other is None else other.facts.get(name)
        if other is None or fact is None:
            continue
        kind = kind_of_fact(fact, other.tables)
        if not any(takes(target, kind) for target in targets):
            wanted = " or ".join(map(str, targets))
            between.fault(path, f"fact {name!r} of {other.id!r} is {kind}, but here stands {wanted}")


def _check_telling(
    between: _Between, telling: Telling, item: EventDefinition | ReactionDefinition, path: str
) -> None:
    other = between.link(telling.link) if telling.link else between.child(telling.child or "")
    if other is None:
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
        between.fault(f"{path}.event", f"{what} opens a case; it cannot be told to one", "open a child")
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


# ------------------------------------------------------------------ told facts


def _check_told(between: _Between) -> None:
    for name, fact in between.own.facts.items():
        teller = between.definitions.get(fact.told_by or "")
        if teller is not None and not _tells(teller, between.own, name):
            between.fault(
                f"facts.{name}.told_by",
                f"workflow {teller.id!r} never tells {name!r}",
                "let it tell this fact (tells, or tells_next of a child) or remove told_by",
            )


def _tells(teller: WorkflowDefinition, listener: WorkflowDefinition, fact: str) -> bool:
    """Whether a workflow gives this fact to the other: by telling, in order, or on opening it."""
    for child in teller.children.values():
        if child.workflow != listener.id:
            continue
        opened = {*child.each, *(key for facts in child.reasons.values() for key in facts)}
        if fact in opened or (child.tells_next is not None and child.tells_next.fact == fact):
            return True
    for _, item in _doings(teller):
        for telling in item.tells:
            link = teller.links.get(telling.link or "")
            child_ = teller.children.get(telling.child or "")
            workflow = link.workflow if link else child_.workflow if child_ else ""
            if workflow == listener.id and fact in telling.facts:
                return True
    return False
