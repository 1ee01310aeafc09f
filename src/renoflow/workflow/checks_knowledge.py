"""What can be known when: facts that nobody gives, guards that can never hold, names that nobody uses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import frozen

from renoflow.definition.model import (
    ActorRoleLeaf,
    AllOf,
    AnyOf,
    ConditionNode,
    EffectsDefinition,
    FactLeaf,
    NotOf,
    Scalar,
    WorkflowDefinition,
)
from renoflow.values import SYSTEM
from renoflow.workflow.checks_doings import START
from renoflow.workflow.checks_graph import StateGraph, state_graph, targets
from renoflow.workflow.inspection import Inspection


@frozen(kw_only=True)
class Knowledge:
    """What may be known where a condition is asked: `facts`, and `roles` where the actor is settled."""

    definition: WorkflowDefinition
    facts: frozenset[str]
    roles: frozenset[str] | None = None

    def can_be(self, node: ConditionNode, wanted: bool, seen: tuple[str, ...] = ()) -> bool:
        """Whether the condition could turn out so; where that cannot be told, it could."""
        if isinstance(node, str):
            named = self.definition.conditions.get(node)
            if named is None:
                return self._fact(FactLeaf(fact=node, equals=True), wanted)
            return True if node in seen else self.can_be(named, wanted, (*seen, node))
        if isinstance(node, NotOf):
            return self.can_be(node.not_, not wanted, seen)
        if isinstance(node, (AllOf, AnyOf)):
            parts = node.all if isinstance(node, AllOf) else node.any
            quantifier = all if isinstance(node, AllOf) is wanted else any
            return quantifier(self.can_be(part, wanted, seen) for part in parts)
        if isinstance(node, ActorRoleLeaf) and self.roles is not None:
            return self.roles.isdisjoint(node.actor_role) is not wanted
        return self._fact(node, wanted) if isinstance(node, FactLeaf) else True

    def _fact(self, leaf: FactLeaf, wanted: bool) -> bool:
        """An unknown fact fulfils `known = false` and `not_equals`, and nothing else."""
        holds_when_unknown = leaf.known is False or leaf.not_equals is not None
        return holds_when_unknown is wanted or not self.missing(leaf)

    def missing(self, leaf: FactLeaf) -> list[str]:
        """The facts without which this leaf cannot be weighed."""
        values = (leaf.equals, leaf.not_equals, leaf.at_least, leaf.at_most, leaf.above, leaf.below)
        return [
            *self._unknown(leaf.fact),
            *(name for value in values for name in self._unknown(_referred(value))),
        ]

    def _unknown(self, name: str) -> list[str]:
        fact = name.partition(".")[0]
        return [fact] if fact in self.definition.facts and fact not in self.facts else []

    def lacking(self, node: ConditionNode, seen: tuple[str, ...] = ()) -> list[str]:
        """The facts that a condition reads and that cannot be known, for the message."""
        if isinstance(node, str):
            named = self.definition.conditions.get(node)
            if named is None:
                return self._unknown(node)
            return [] if node in seen else self.lacking(named, (*seen, node))
        if isinstance(node, FactLeaf):
            return self.missing(node)
        parts = (
            node.all
            if isinstance(node, AllOf)
            else node.any
            if isinstance(node, AnyOf)
            else (node.not_,)
            if isinstance(node, NotOf)
            else ()
        )
        return list(dict.fromkeys(name for part in parts for name in self.lacking(part, seen)))


def _referred(value: Scalar | None) -> str:
    return value[1:] if isinstance(value, str) and value.startswith("@") else ""


def check_knowledge(inspection: Inspection) -> None:
    """Facts without a source, guards that can never hold, circles of names."""
    definition = inspection.definition
    nowhere = _check_sources(inspection)
    _check_guards(inspection, state_graph(definition), nowhere)
    _check_circles(inspection)


# ------------------------------------------------------------------ where facts come from


def _by_the_way(definition: WorkflowDefinition) -> tuple[EffectsDefinition, ...]:
    """What has effects without being an event."""
    return (*definition.reactions, *definition.accumulations.values())


def _check_sources(inspection: Inspection) -> list[str]:
    """Gives the facts that are read and have no source at all."""
    nowhere = []
    definition = inspection.definition
    given = {name for event in definition.events.values() for name in (*event.gives, *event.may_give)}
    set_ = {
        name
        for item in (*definition.events.values(), *_by_the_way(definition))
        for name in (*item.sets, *item.adds)
    }
    for name, fact in definition.facts.items():
        path = f"facts.{name}"
        if name in given or fact.told_by is not None:
            continue
        if name in set_:
            if fact.type != "count" and fact.set_by is None:
                inspection.fault(
                    path,
                    f"{name!r} is set by effects only, and no command may give it",
                    'add set_by = "engine", or let an event give it',
                )
        elif name in inspection.readers:
            nowhere.append(name)
            inspection.fault(
                path,
                f"{name!r} is read by {inspection.readers[name]}, but no event gives it, nothing sets it "
                "and no case tells it, so it is never known",
                "add it to the gives or may_give of an event",
            )
    return nowhere


# ------------------------------------------------------------------ guards


def _check_guards(inspection: Inspection, graph: StateGraph, nowhere: list[str]) -> None:
    """Guards that need a fact which nothing before them can bring, or an actor who may not act.

    `nowhere` are the facts without any source: told at their declaration, and not again at every guard.
    """
    definition = inspection.definition
    known_at = _known_facts(definition, graph)
    for name, event in definition.events.items():
        sources = [s for s in event.from_ if s == START or s in graph.reachable]
        if not sources:
            continue
        facts = frozenset((*event.gives, *event.may_give, *nowhere)).union(*(known_at[s] for s in sources))
        roles = frozenset(event.by) if set(event.by) == {SYSTEM} else None
        knowledge = Knowledge(definition=definition, facts=facts, roles=roles)
        for number, guard in enumerate(event.guards):
            if knowledge.can_be(guard, True):
                continue
            lacking = knowledge.lacking(guard)
            why = (
                f"nothing before gives {' or '.join(map(repr, lacking))}"
                if lacking
                else f"{SYSTEM!r} alone may act, and he never fits"
            )
            what = f"guard {guard!r}" if isinstance(guard, str) else "this guard"
            add = f"add {lacking[0]!r} to the may_give of this event or of one before it" if lacking else ""
            inspection.fault(f"events.{name}.guards[{number}]", f"{what} can never hold: {why}", add)


def _known_facts(definition: WorkflowDefinition, graph: StateGraph) -> Mapping[str, frozenset[str]]:
    """Per state, every fact that may be known there, by any way."""
    always = {n for n, fact in definition.facts.items() if fact.told_by is not None or fact.type == "count"}
    always |= {name for item in _by_the_way(definition) for name in (*item.sets, *item.adds)}
    known: dict[str, set[str]] = {name: set(always) for name in (START, *definition.states)}
    changed = True
    while changed:
        changed = False
        for event in definition.events.values():
            brought = {*event.gives, *event.may_give, *event.sets, *event.adds}
            for source in event.from_:
                if source not in known or (source != START and source not in graph.reachable):
                    continue
                for target in targets(event, source, graph.origins) & definition.states.keys():
                    new = (known[source] | brought) - known[target]
                    if new:
                        known[target] |= new
                        changed = True
    return {name: frozenset(facts) for name, facts in known.items()}


# ------------------------------------------------------------------ circles of names


def _check_circles(inspection: Inspection) -> None:
    """Conditions and amounts that are defined by themselves."""
    definition = inspection.definition
    needs: dict[str, list[str]] = {}
    for name, condition in definition.conditions.items():
        needs[f"conditions.{name}"] = list(_needs_of_condition(definition, condition))
    for name, amount in definition.amounts.items():
        found: list[str] = []
        for term in amount.terms:
            bounds = [b for b in (term.at_most, term.at_least) if b is not None]
            listed = [one for b in bounds for one in ((b,) if isinstance(b, str) else b)]
            figures = (term.value, term.of, term.share, *term.plus, *term.minus, *listed)
            found += [f"amounts.{_referred(one)}" for one in figures if _referred(one) in definition.amounts]
            found += [f"conditions.{term.when}"] if term.when in definition.conditions else []
        needs[f"amounts.{name}"] = found
    told: set[str] = set()
    for name in needs:
        circle = _circle(name, needs)
        if circle and told.isdisjoint(circle):
            told.update(circle)
            inspection.fault(
                name, f"it is defined by itself: {' -> '.join((*circle, name))}", "cut the circle"
            )


def _needs_of_condition(definition: WorkflowDefinition, node: ConditionNode) -> Iterable[str]:
    if isinstance(node, str):
        if node in definition.conditions:
            yield f"conditions.{node}"
    elif isinstance(node, (AllOf, AnyOf)):
        for part in node.all if isinstance(node, AllOf) else node.any:
            yield from _needs_of_condition(definition, part)
    elif isinstance(node, NotOf):
        yield from _needs_of_condition(definition, node.not_)
    elif isinstance(node, FactLeaf):
        if node.fact in definition.amounts:
            yield f"amounts.{node.fact}"
        for value in (node.equals, node.not_equals, node.at_least, node.at_most, node.above, node.below):
            if _referred(value) in definition.amounts:
                yield f"amounts.{_referred(value)}"


def _circle(start: str, needs: Mapping[str, list[str]]) -> tuple[str, ...]:
    seen: set[str] = set()
    ways: list[tuple[str, ...]] = [(start,)]
    for way in ways:
        for name in needs.get(way[-1], ()):
            if name == start:
                return way
            if name not in seen:
                seen.add(name)
                ways.append((*way, name))
    return ()


# ------------------------------------------------------------------ unused


def check_unused(inspection: Inspection) -> None:
    """Declared and never named again: a leftover, or a name misspelt elsewhere. Run last: it needs to know
    which names the rest of the file has used.

    Documents and payments are left out: they may come with any command, for the file alone.
    """
    definition = inspection.definition
    for section in ("stages", "parameters", "tables", "amounts", "conditions"):
        for name in getattr(definition, section):
            if (section, name) not in inspection.used:
                inspection.fault(f"{section}.{name}", f"{name!r} is never used", "remove it")
    touched = {name for section, name in inspection.used if section == "facts"}
    for name, fact in definition.facts.items():
        if name not in touched and fact.told_by is None:
            inspection.fault(f"facts.{name}", f"{name!r} is never used", "remove it, or let an event give it")
    for name, link in definition.links.items():
        if link.facts and not link.key and ("opened", name) not in inspection.used:
            message = f"nothing opens a case under links.{name}"
            inspection.fault(
                f"links.{name}.facts", message, f'add opens = [{{ link = "{name}" }}], or remove it'
            )
        if link.key and ("told", name) not in inspection.used:
            message = "nothing is told over a link with a key, so it is never used"
            inspection.fault(
                f"links.{name}.key", message, f'add tells = [{{ link = "{name}", … }}], or remove it'
            )
    for name, child in definition.children.items():
        for event in child.hears:
            if ("hears", f"{name}.{event}") not in inspection.used:
                inspection.fault(
                    f"children.{name}.hears", f"nothing follows from hearing {event!r}", "remove it"
                )
        for reason in child.reasons:
            if ("reasons", f"{name}:{reason}") not in inspection.used:
                inspection.fault(
                    f"children.{name}.reasons.{reason}", f"nothing opens {name}:{reason}", "remove it"
                )
