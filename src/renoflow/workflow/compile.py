"""From a checked definition to a plan: every name resolved, every choice that can be made made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

from attrs import evolve

from renoflow.definition.model import (
    ActorNotLeaf,
    ActorSameLeaf,
    Always,
    ChildDefinition,
    ChildrenLeaf,
    ConditionNode,
    HappenedLeaf,
    LinkedLeaf,
    WorkflowDefinition,
    walk_condition,
)
from renoflow.values import SYSTEM, Label
from renoflow.workflow import machine as machines
from renoflow.workflow.clocks import compile_clocks, ops_of
from renoflow.workflow.condition import Condition
from renoflow.workflow.conditions import ConditionCompiler
from renoflow.workflow.effects import EffectsCompiler
from renoflow.workflow.leaves import LeafCompiler, Predicate
from renoflow.workflow.ledgers import compile_ledger
from renoflow.workflow.operands import Operands, Test
from renoflow.workflow.plan import (
    ChildPlan,
    ClockOp,
    EventPlan,
    Invariant,
    PaperPlan,
    Plan,
    ReactionPlan,
    TransitionPlan,
)
from renoflow.workflow.statements import one_of, roles


def compile_workflow(
    definition: WorkflowDefinition,
    *,
    loaded: Mapping[str, WorkflowDefinition] | None = None,
    predicates: Mapping[str, Predicate] | None = None,
) -> Plan:
    """A plan for one checked definition. `loaded` are the workflows that run beside it (itself when not
    given), `predicates` what the host registers for `registered` leaves."""
    definition = _without_parameters_in_roles(definition)
    loaded = loaded if loaded is not None else {definition.id: definition}
    return _Compiler(definition, loaded, predicates or {}).plan()


class _Compiler:
    def __init__(
        self,
        definition: WorkflowDefinition,
        loaded: Mapping[str, WorkflowDefinition],
        predicates: Mapping[str, Predicate],
    ) -> None:
        self.definition = definition
        self.loaded = loaded
        self.operands = Operands(definition)
        leaves = LeafCompiler(definition, self.operands, loaded=loaded, predicates=predicates)
        self.conditions = ConditionCompiler(definition, self.operands, leaves)
        self.effects = EffectsCompiler(definition, self.operands, self.conditions).effects
        self.clocks = compile_clocks(definition, self.operands, self.conditions)
        self.ops: Callable[[tuple[str, ...]], tuple[ClockOp, ...]] = cache(
            lambda happenings: ops_of(definition, self.clocks, happenings)
        )
        self.fired = self._by_happening({name: event.fired_by for name, event in definition.events.items()})
        self.invariants = {state: self._invariants(state) for state in definition.states}
        reactions = {str(n): reaction.on for n, reaction in enumerate(definition.reactions)}
        plans = [
            ReactionPlan(when=self._test(reaction.when), effects=self.effects(reaction))
            for reaction in definition.reactions
        ]
        self.reactions = {
            happening: tuple(plans[int(number)] for number in numbers)
            for happening, numbers in self._by_happening(reactions).items()
        }
        self.tracked = _tracked(definition)
        self.actor_events = _actor_events(definition)

    def plan(self) -> Plan:
        definition = self.definition
        table = machines.transition_table(machines.build_machine(definition))
        events = {name: self.event(name, table[name]) for name in definition.events}
        return Plan(
            definition=definition,
            id=definition.id,
            version=definition.workflow.version,
            label=definition.workflow.label,
            events=events,
            openings=tuple(n for n, e in definition.events.items() if machines.START in e.from_),
            facts=self.operands.facts,
            clocks=self.clocks,
            conditions={name: self.conditions.compile(name) for name in definition.conditions},
            amounts={name: self.operands.amount(name) for name in definition.amounts},
            signers={name: document.signers for name, document in definition.documents.items()},
            repeating=frozenset(n for n, document in definition.documents.items() if document.repeats),
            finals=frozenset(name for name, state in definition.states.items() if state.final),
            remembering=frozenset(n for n, state in definition.states.items() if state.remembers),
            state_labels={n: Label(state.zh, state.en) for n, state in definition.states.items()},
            role_labels={n: Label(role.zh, role.en) for n, role in definition.roles.items()},
            roles=frozenset((*definition.roles, SYSTEM)),
            children={name: self.child(name, child) for name, child in definition.children.items()},
            links={name: link.workflow for name, link in definition.links.items() if not link.key},
            listens={name: self._listens(name) for name in definition.links},
            fired=self.fired,
            reactions=self.reactions,
            ledger=compile_ledger(definition, self.operands, self._test, self.effects),
            tracked=self.tracked,
            invariants=self.invariants,
            ops=self.ops,
            relatives=self.loaded,
        )

    # -------------------------------------------------------------- events

    def event(self, name: str, table: Mapping[str, tuple[machines.Row, ...]]) -> EventPlan:
        event = self.definition.events[name]
        guards = tuple(self.conditions.compile(node) for node in event.guards)
        by_name = dict(zip(machines.guard_names(self.definition, name), guards, strict=True))
        transitions: dict[str, TransitionPlan] = {}
        histories: dict[tuple[str, str], TransitionPlan] = {}
        for source, rows in table.items():
            for target, conditions in rows:
                needed = tuple(by_name[c] for c in conditions if c in by_name)
                step = self.transition(name, source, target, needed)
                if event.to == machines.HISTORY:
                    histories[source, step.target] = step
                else:
                    transitions[source] = step
        given = (*event.gives, *event.may_give)
        effects = self.effects(event)
        return EventPlan(
            name=name,
            label=event.label,
            by=frozenset(event.by),
            by_label=roles(self.definition, event.by),
            sources=event.from_,
            sources_label=self._states_label(event.from_),
            guards=guards,
            gives=event.gives,
            accepts={fact: self.operands.facts[fact] for fact in given},
            papers=tuple(self.paper(item.id, item.when, item.unsigned_when) for item in event.documents),
            payments=tuple(
                (
                    payment,
                    Label(self.definition.payments[payment].zh, self.definition.payments[payment].en),
                    self.operands.figure(amount),
                )
                for payment, amount in event.payments.items()
            ),
            effects=effects,
            changes_facts=effects.inward,
            hands_out=effects.outward,
            transitions=transitions,
            histories=histories,
            tracked=self.tracked.get(name, 0),
            tracks_actor=name in self.actor_events,
            cites=event.cites,
        )

    def transition(
        self, event: str, source: str, target: str | None, guards: tuple[Condition, ...]
    ) -> TransitionPlan:
        enters = target is not None
        state = source if target is None else target
        happenings = (event, f"state.{state}.entered") if enters else (event,)
        ends = enters and self.definition.states[state].final
        return TransitionPlan(
            event=event,
            source=source,
            target=state,
            enters=enters,
            ends=ends,
            guards=guards,
            tests=tuple(guard.test for guard in guards),
            ops=self._step_ops(happenings, source, state, enters, ends),
            followers=tuple(name for h in happenings for name in self.fired.get(h, ())),
            reactions=tuple(plan for h in happenings for plan in self.reactions.get(h, ())),
        )

    def _step_ops(
        self, happenings: tuple[str, ...], source: str, target: str, enters: bool, ends: bool
    ) -> tuple[ClockOp, ...]:
        """The clocks that a step touches; a pause clause matters where it may begin or end."""
        ops = {op.clock.name: op for op in self.ops(happenings)}
        for clock in self.clocks.values() if enters else ():
            op = ops.get(clock.name)
            if ends and clock.kind != "period" and not (op is not None and (op.start or op.restart)):
                ops[clock.name] = evolve(op, cancel=True) if op else ClockOp(clock=clock, cancel=True)
                if op is not None and op.stop:
                    # What the last event fulfils is met; the rest of the clocks end without a verdict.
                    ops[clock.name] = op
                continue
            if any(source in pause.states or target in pause.states for pause in clock.pauses):
                ops[clock.name] = evolve(op or ClockOp(clock=clock), entry=target)
        return tuple(ops[name] for name in self.clocks if name in ops)

    def paper(self, name: str, when: str | None, unsigned_when: str | None) -> PaperPlan:
        document = self.definition.documents[name]
        return PaperPlan(
            id=name,
            label=Label(document.zh, document.en),
            signers=document.signers,
            signer_labels=tuple(roles(self.definition, (role,)) for role in document.signers),
            repeats=document.repeats,
            when=self._test(when),
            unsigned_when=self._test(unsigned_when),
        )

    # -------------------------------------------------------------- linked cases, invariants

    def child(self, name: str, child: ChildDefinition) -> ChildPlan:
        watched = {
            state
            for node in self._leaves()
            if isinstance(node, ChildrenLeaf) and node.children == name
            for state in node.state or ()
        }
        ordered = tuple(child.each) if child.tells_next else ()
        return ChildPlan(
            name=name,
            workflow=child.workflow,
            loaded=child.workflow in self.loaded,
            hears=frozenset(child.hears),
            # What tells brothers apart is read as well, since guards ask for it by value.
            reads=tuple(dict.fromkeys((*child.each, *child.reads, *self._where(name)))),
            watched=frozenset(watched),
            forgets=not child.tells_next and not self._counts_ended(name),
            next_fact=child.tells_next.fact if child.tells_next else "",
            next_states=frozenset(child.tells_next.states) if child.tells_next else frozenset(),
            order=ordered,
        )

    def _counts_ended(self, child: str) -> bool:
        """Whether something reads children of this kind even after their end."""
        sums = f"children.{child}."
        amounts = [
            item
            for amount in self.definition.amounts.values()
            for term in amount.terms
            for item in (term.of, *term.plus, *term.minus)
            if item is not None
        ]
        finals_read = any(
            isinstance(node, ChildrenLeaf)
            and node.children == child
            and (node.quantity != "none" or (node.ended is not False and node.state is None))
            for node in self._leaves()
        )
        return finals_read or any(item.startswith(sums) for item in amounts)

    def _where(self, child: str) -> list[str]:
        return [
            key
            for node in self._leaves()
            if isinstance(node, ChildrenLeaf) and node.children == child
            for key in node.where
        ]

    def _leaves(self) -> list[ConditionNode]:
        return [node for condition in _all_conditions(self.definition) for node in walk_condition(condition)]

    def _listens(self, link: str) -> frozenset[str] | None:
        """The states of a linked case that the file reads, so that the other has to tell of them; None for
        every move, where it listens to moves and names no state."""
        named = [
            state
            for node in self._leaves()
            if isinstance(node, LinkedLeaf) and node.linked == link
            for state in (*(node.state or ()), *(node.state_not or ()))
        ]
        moved = f"link.{link}.moved"
        if not named and (moved in self.tracked or moved in _listened(self.definition)):
            return None
        return frozenset(named)

    def _invariants(self, state: str) -> tuple[Invariant, ...]:
        return tuple(
            Invariant(name=name, label=item.label, test=self._holds(item.always))
            for name, item in self.definition.invariants.items()
            if not item.always.state or state in item.always.state
        )

    def _holds(self, always: Always) -> Test:
        implied = self.conditions.compile(always.implies).test
        if always.when is None:
            return implied
        when = self.conditions.compile(always.when).test
        return lambda scene: not when(scene) or implied(scene)

    # -------------------------------------------------------------- small things

    def _test(self, name: str | None) -> Test | None:
        return self.conditions.test(name)

    def _states_label(self, states: tuple[str, ...]) -> Label:
        known = [self.definition.states[name] for name in states if name in self.definition.states]
        return one_of([Label(state.zh, state.en) for state in known])

    def _by_happening(self, listeners: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        """Who listens to what, in file order; `deadline.X.*.expired` listens to every part."""
        found: dict[str, tuple[str, ...]] = {}
        for name, happenings in listeners.items():
            for happening in happenings:
                for one in self._expanded(happening):
                    found[one] = (*found.get(one, ()), name)
        return found

    def _expanded(self, happening: str) -> tuple[str, ...]:
        if not happening.startswith("deadline."):
            return (happening,)
        rule, mark = happening.removeprefix("deadline.").rsplit(".", 1)
        parts = self.definition.deadlines[rule.split(".")[0]].parts
        if parts and (rule.endswith(".*") or "." not in rule):
            return tuple(f"deadline.{rule.split('.')[0]}.{part.name}.{mark}" for part in parts)
        return (happening,)


def _listened(definition: WorkflowDefinition) -> frozenset[str]:
    """Every happening that something in the file follows."""
    found = [h for event in definition.events.values() for h in event.fired_by]
    found += [h for reaction in definition.reactions for h in reaction.on]
    for rule in definition.deadlines.values():
        found += (*rule.starts, *rule.restarts, *rule.stops, *rule.cancels, *rule.rechosen_by)
    return frozenset(found)


def _all_conditions(definition: WorkflowDefinition) -> list[ConditionNode]:
    inline = [node for event in definition.events.values() for node in event.guards]
    implied = [item.always.implies for item in definition.invariants.values()]
    return [*definition.conditions.values(), *inline, *implied]


def _tracked(definition: WorkflowDefinition) -> dict[str, int]:
    """How many of the latest instants of an event some condition needs."""
    found: dict[str, int] = {}
    for condition in _all_conditions(definition):
        for node in walk_condition(condition):
            if isinstance(node, HappenedLeaf):
                for event in node.happened:
                    found[event] = max(found.get(event, 0), node.at_least)
                if node.since is not None and node.since.startswith("event."):
                    since = node.since.removeprefix("event.")
                    found[since] = max(found.get(since, 0), 1)
    return found


def _actor_events(definition: WorkflowDefinition) -> frozenset[str]:
    """The events of which some condition asks who did them."""
    return frozenset(
        reference.removeprefix("event.")
        for condition in _all_conditions(definition)
        for node in walk_condition(condition)
        if isinstance(node, (ActorNotLeaf, ActorSameLeaf))
        for reference in (node.actor_not if isinstance(node, ActorNotLeaf) else node.actor_same)
        if reference.startswith("event.")
    )


def _without_parameters_in_roles(definition: WorkflowDefinition) -> WorkflowDefinition:
    """Roles that a firm chooses (`$file_role`) replaced by the chosen ones."""

    def chosen(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(
            str(definition.parameters[name[1:]].value) if name.startswith("$") else name for name in names
        )

    events = {
        name: evolve(event, by=chosen(event.by)) if any(r.startswith("$") for r in event.by) else event
        for name, event in definition.events.items()
    }
    documents = {
        name: evolve(paper, signers=chosen(paper.signers))
        if any(r.startswith("$") for r in paper.signers)
        else paper
        for name, paper in definition.documents.items()
    }
    return evolve(definition, events=events, documents=documents)
