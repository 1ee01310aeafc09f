"""What the files say of each other: children, links, what one tells another and reads of it.

A workflow that is not loaded is no fault: then nothing can be said about it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from renoflow.definition.model import (
    ChildDefinition,
    ChildrenLeaf,
    ConditionNode,
    LinkedLeaf,
    Scalar,
    WorkflowDefinition,
    walk_condition,
)
from renoflow.errors import Problem
from renoflow.workflow.between import Between, Definitions, doings
from renoflow.workflow.checks_chains import COUNT, Doing, endless_chains
from renoflow.workflow.checks_openings import check_links, check_opening
from renoflow.workflow.checks_told import check_effects, check_listened, check_sent, check_told
from renoflow.workflow.inspection import Inspection, near


def check_together(definitions: Definitions) -> tuple[Problem, ...]:
    """What is wrong between loaded workflows, keyed by id; a problem's `file` is the id of its workflow."""
    found: list[Problem] = []
    chains = endless_chains(definitions)
    for name, definition in definitions.items():
        pair = Between(Inspection(definition), Inspection(definition), definitions)
        _check_children(pair)
        check_links(pair)
        _check_leaves(pair)
        check_effects(pair)
        check_told(pair)
        check_sent(pair)
        check_listened(pair)
        _report_chains(pair, chains)
        found += pair.inspection.problems(name, "")
    return tuple(found)


def _report_chains(between: Between, chains: list[tuple[Doing, ...]]) -> None:
    """A circle is told at its first event, or where it counts."""
    for chain in chains:
        count = next((n for n, doing in enumerate(chain) if doing.name.startswith(COUNT)), None)
        way = (*chain[count or 0 :], *chain[: count or 0])
        first, shown = way[0], " -> ".join(map(str, (*way, way[0])))
        if first.workflow != between.own.id:
            continue
        if count is None:
            between.fault(
                f"events.{first.name}" if first.name in between.own.events else first.name,
                f"these events can bring each other about for ever: {shown}",
                "let one of them lead to a state from which it cannot be done again",
            )
        else:
            between.fault(
                first.name,
                f"what is counted here can bring itself about for ever: {shown}",
                "let a round enter fewer lines than are counted, or let a person act in it",
            )


# ------------------------------------------------------------------ children


def _check_children(between: Between) -> None:
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
            between.facts(facts, other, f"{path}.reasons.{reason}")
        _check_next(between, child, other, path)
        _check_opened(between, name, child, other)


def _check_next(between: Between, child: ChildDefinition, other: WorkflowDefinition, path: str) -> None:
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


def _check_opened(between: Between, name: str, child: ChildDefinition, other: WorkflowDefinition) -> None:
    """Whether the child can be opened with just the facts that it is given, by `system`."""
    for path, reason, facts in _opening_places(between.own, name):
        between.facts(facts, other, f"{path}.facts")
        given = {*child.each, *(child.reasons.get(reason, {}) if reason else {}), *facts}
        check_opening(between, other, given, f"{path}.child", f"{name}:{reason}" if reason else name)


def _opening_places(own: WorkflowDefinition, child: str) -> Iterator[tuple[str, str, Mapping[str, Scalar]]]:
    """Where a kind of child is opened, for which reason, and with which facts of its own."""
    for path, item in doings(own):
        for number, opening in enumerate(item.opens):
            name, _, reason = (opening.child or "").partition(":")
            if name == child and (not reason or reason in own.children[name].reasons):
                yield f"{path}.opens[{number}]", reason, opening.facts


# ------------------------------------------------------------------ conditions


def _check_leaves(between: Between) -> None:
    for path, root in _conditions(between.own):
        for node in walk_condition(root):
            if isinstance(node, ChildrenLeaf):
                _check_children_leaf(between, node, path)
            elif isinstance(node, LinkedLeaf) and (other := between.link(node.linked)) is not None:
                for state in (*(node.state or ()), *(node.state_not or ())):
                    between.state(other, state, path)


def _check_children_leaf(between: Between, leaf: ChildrenLeaf, path: str) -> None:
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
