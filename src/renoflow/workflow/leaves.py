"""The leaves of conditions, one method per kind: what each tests, what it says, what it sees now."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from renoflow.definition.model import (
    ActorNotLeaf,
    ActorRoleLeaf,
    ActorSameLeaf,
    ChildrenLeaf,
    DeadlineLeaf,
    DocumentLeaf,
    FactLeaf,
    HappenedLeaf,
    Leaf,
    LinkedLeaf,
    PaidLeaf,
    ParameterLeaf,
    RegisteredLeaf,
    Scalar,
    StateLeaf,
    WorkflowDefinition,
)
from renoflow.records import LinkedCase
from renoflow.values import SYSTEM, ZERO, Duration, Label, parse_duration
from renoflow.workflow import statements
from renoflow.workflow.condition import Condition
from renoflow.workflow.facts import COMPARISONS, FactPlan, comparable, spoken
from renoflow.workflow.operands import Getter, Operands, Test
from renoflow.workflow.scene import Scene

Predicate = Callable[[Scene], bool]
"""What a host registers by name for a `registered` leaf."""


class LeafCompiler:
    """Compiles the leaves of one definition; `loaded` are the workflows that run beside it, `predicates` what
    the host registers."""

    def __init__(
        self,
        definition: WorkflowDefinition,
        operands: Operands,
        *,
        loaded: Mapping[str, WorkflowDefinition],
        predicates: Mapping[str, Predicate],
    ) -> None:
        self.definition = definition
        self.operands = operands
        self.loaded = loaded
        self.predicates = predicates

    def leaf(self, leaf: Leaf) -> Condition:
        return _LEAVES[type(leaf)](self, leaf)

    def fact(self, leaf: FactLeaf) -> Condition:
        fact = leaf.fact.split(".")[0]
        plan = self.operands.subjects[fact]
        whole = plan if fact == leaf.fact else None
        get = self.operands.fact_getter(leaf.fact)
        test = self._fact_test(leaf, get)
        compared = (
            leaf.equals, leaf.not_equals, leaf.at_least, leaf.at_most, leaf.above, leaf.below,
            leaf.days_from_now_at_least,
        )  # fmt: skip
        others = [str(ref)[1:].split(".")[0] for ref in compared if str(ref).startswith("@")]
        reads = frozenset[str]().union(*(self.operands.read_by(name) for name in (fact, *others)))
        return Condition(
            name=leaf.fact,
            label=statements.fact(plan, leaf, self._spell(leaf, whole)),
            how="leaf",
            test=test,
            found=lambda scene: spoken(whole, get(scene)),
            reads=reads,
            reads_proof=any(name.startswith("paid.") for name in reads),
            can_be_met=leaf.known is not False,
        )

    def _spell(self, leaf: FactLeaf, plan: FactPlan | None) -> Callable[[Scalar], Label]:
        like = None if leaf.days_from_now_at_least is not None else plan
        return lambda value: self.operands.spoken(value, like)

    def _fact_test(self, leaf: FactLeaf, get: Getter) -> Test:
        name = leaf.fact
        plan = self.operands.subjects.get(name)
        if leaf.known is not None:
            known = leaf.known
            return lambda scene: (get(scene) is not None) is known
        if leaf.in_ is not None:
            members = frozenset(self.operands.constant(item, plan) for item in leaf.in_)
            return lambda scene: get(scene) in members
        if leaf.includes is not None:
            wanted = frozenset(leaf.includes)
            return lambda scene: wanted.issubset(get(scene) or ())
        if leaf.days_from_now_at_least is not None:
            ahead = self.operands.getter(leaf.days_from_now_at_least)

            def noticed(scene: Scene) -> bool:
                day, days = get(scene), ahead(scene)
                return day is not None and days is not None and day.toordinal() >= scene.today + days

            return noticed
        for sign in ("equals", "not_equals"):
            value = getattr(leaf, sign)
            if value is not None:
                other = self.operands.getter(value, plan)
                if sign == "not_equals":
                    return lambda scene: (mine := get(scene)) is None or mine != other(scene)
                if not self.operands.is_reference(value) and name in self.operands.facts:
                    constant = self.operands.constant(value, plan)
                    start = self.operands.facts[name].start
                    return lambda scene: scene.facts.get(name, start) == constant
                return lambda scene: (mine := get(scene)) is not None and mine == other(scene)
        sign, value = next(
            (sign, getattr(leaf, sign)) for sign in COMPARISONS if getattr(leaf, sign) is not None
        )
        holds, bound = COMPARISONS[sign], self.operands.comparand(value, plan)

        def compares(scene: Scene) -> bool:
            mine = get(scene)
            if mine is None:
                return False
            limit = bound(scene)
            return limit is not None and holds(comparable(mine), limit)

        return compares

    def document(self, leaf: DocumentLeaf) -> Condition:
        name = leaf.document
        present, every = leaf.present is not False, leaf.signed == "all"

        def there(scene: Scene) -> bool:
            return (name in scene.documents) is present

        def signed(scene: Scene) -> bool:
            record = scene.documents.get(name)
            return record is not None and record.signed_copies >= (record.copies if every else 1)

        test = there if leaf.signed is None else signed

        return Condition(
            name=name,
            label=statements.document(self.definition, leaf),
            how="leaf",
            test=test,
            reads_proof=True,
        )

    def deadline(self, leaf: DeadlineLeaf) -> Condition:
        names = self._deadline_names(leaf.deadline)
        fits: Callable[[Scene, str], bool]
        if leaf.passed_more_than is not None:
            length = parse_duration(self.operands.resolved(leaf.passed_more_than))

            def fits(scene: Scene, name: str) -> bool:
                clock = scene.deadlines.get(name)
                return clock is not None and _passed(scene, clock.started_at, length)
        else:
            wanted = frozenset(leaf.status or ())

            def fits(scene: Scene, name: str) -> bool:
                clock = scene.deadlines.get(name)
                return (clock.status if clock is not None else "idle") in wanted

        if len(names) == 1 and leaf.quantity != "none":
            only = names[0]
            test: Test = lambda scene: fits(scene, only)  # noqa: E731 - a function by case
        else:
            # A part that never started (it is not covered) is nobody's business.
            def test(scene: Scene) -> bool:
                hits = [fits(scene, name) for name in names if name in scene.deadlines]
                return _quantity(leaf.quantity, hits)

        waits = leaf.status is not None and "open" in leaf.status and len(names) == 1

        def opens_at(scene: Scene) -> Any:
            clock = scene.deadlines.get(names[0])
            return clock.due_at if clock is not None and clock.status == "running" else None

        return Condition(
            name=leaf.deadline,
            label=statements.deadline(self.definition, leaf, self.operands.resolved),
            how="leaf",
            test=test,
            found=lambda scene: statements.statuses(scene, names),
            opens_at=opens_at if waits else None,
        )

    def _deadline_names(self, name: str) -> tuple[str, ...]:
        rule, _, part = name.partition(".")
        parts = self.definition.deadlines[rule].parts
        if part == "*" or (not part and parts):
            return tuple(f"{rule}.{one.name}" for one in parts)
        return (name,)

    def paid(self, leaf: PaidLeaf) -> Condition:
        name = leaf.paid
        floor = None if leaf.at_least is None else self.operands.comparand(leaf.at_least, None)

        def test(scene: Scene) -> bool:
            paid = scene.payments.get(name)
            if floor is None:
                return paid is not None and paid > ZERO
            wanted = floor(scene)
            return wanted is not None and (paid or ZERO) >= wanted

        return Condition(
            name=name,
            label=statements.paid(self.definition, leaf),
            how="leaf",
            test=test,
            payment=name,
            reads_proof=True,
            found=lambda scene: _yuan(scene.payments.get(name, 0)),
        )

    def children(self, leaf: ChildrenLeaf) -> Condition:
        name = leaf.children
        if self.definition.children[name].workflow not in self.loaded:
            # A guard on a workflow that is not loaded counts none.
            holds = leaf.quantity != "some"
            return Condition(
                name=name,
                label=statements.children(self.definition, self.loaded, leaf),
                how="leaf",
                test=lambda scene: holds,
            )
        where = {key: frozenset(values) for key, values in leaf.where.items()}
        test = _children_test(leaf, name, where)
        return Condition(
            name=name,
            label=statements.children(self.definition, self.loaded, leaf),
            how="leaf",
            test=test,
            found=lambda scene: statements.case_names(_in_the_way(leaf, where, scene.children.get(name, {}))),
        )

    def happened(self, leaf: HappenedLeaf) -> Condition:
        events = leaf.happened
        label = statements.happened(self.definition, leaf)
        if leaf.passed_more_than is not None:
            length = parse_duration(self.operands.resolved(leaf.passed_more_than))

            def long_ago(scene: Scene) -> bool:
                instants = [scene.happened[event][-1] for event in events if event in scene.happened]
                return not instants or _passed(scene, max(instants), length)

            return Condition(name=events[0], label=label, how="leaf", test=long_ago)
        since = _since(leaf.since)

        def often(scene: Scene) -> bool:
            start = since(scene)
            found = [at for event in events for at in scene.happened.get(event, ())]
            return sum(1 for at in found if start is None or at > start) >= leaf.at_least

        return Condition(name=events[0], label=label, how="leaf", test=often)

    def actor_not(self, leaf: ActorNotLeaf) -> Condition:
        people = self._people(leaf.actor_not)
        return Condition(
            name="actor",
            label=statements.actor_not(self.definition, leaf.actor_not),
            how="leaf",
            test=lambda scene: scene.actor.id == SYSTEM or scene.actor.id not in people(scene),
            found=lambda scene: Label(scene.actor.id, scene.actor.id),
        )

    def actor_same(self, leaf: ActorSameLeaf) -> Condition:
        people = self._people(leaf.actor_same)
        return Condition(
            name="actor",
            label=statements.actor_same(self.definition, leaf.actor_same),
            how="leaf",
            test=lambda scene: scene.actor.id in people(scene),
            found=lambda scene: Label(scene.actor.id, scene.actor.id),
        )

    def _people(self, references: tuple[str, ...]) -> Callable[[Scene], set[str]]:
        events = [ref.removeprefix("event.") for ref in references if ref.startswith("event.")]
        facts = [ref.removeprefix("@") for ref in references if ref.startswith("@")]

        def people(scene: Scene) -> set[str]:
            found = {person for event in events for person in scene.actors.get(event, ())}
            found.update(str(scene.facts[fact]) for fact in facts if fact in scene.facts)
            return found

        return people

    def actor_role(self, leaf: ActorRoleLeaf) -> Condition:
        roles = frozenset(leaf.actor_role)
        return Condition(
            name="actor",
            label=statements.actor_role(self.definition, leaf.actor_role),
            how="leaf",
            test=lambda scene: not roles.isdisjoint(scene.actor.roles),
        )

    def parameter(self, leaf: ParameterLeaf) -> Condition:
        value = self.operands.typed(self.definition.parameters[leaf.parameter].value)
        signs = {s: getattr(leaf, s) for s in ("at_least", "at_most") if getattr(leaf, s) is not None}
        holds = leaf.equals is None or value == self.operands.typed(leaf.equals)
        holds = holds and all(COMPARISONS[s](value, self.operands.typed(b)) for s, b in signs.items())
        return Condition(
            name=leaf.parameter,
            label=statements.parameter(self.definition, leaf),
            how="leaf",
            test=lambda scene: holds,
            can_be_met=False,
        )

    def linked(self, leaf: LinkedLeaf) -> Condition:
        name = leaf.linked

        def test(scene: Scene) -> bool:
            case = scene.links.get(name)
            if leaf.exists is not None and (case is not None) is not leaf.exists:
                return False
            if leaf.state is not None and (case is None or case.state not in leaf.state):
                return False
            return leaf.state_not is None or (case is not None and case.state not in leaf.state_not)

        return Condition(
            name=name,
            label=statements.linked(self.definition, self.loaded, leaf),
            how="leaf",
            test=test,
            found=lambda scene: statements.link_state(self.loaded, scene.links.get(name)),
        )

    def state(self, leaf: StateLeaf) -> Condition:
        states = frozenset(leaf.state)
        return Condition(
            name="state",
            label=statements.state(self.definition, leaf),
            how="leaf",
            test=lambda scene: scene.state in states,
        )

    def registered(self, leaf: RegisteredLeaf) -> Condition:
        predicate = self.predicates.get(leaf.registered)
        label = Label(f"宿主条件 {leaf.registered}", f"the host's condition {leaf.registered}")
        # Without the host's predicate the guard cannot be known to hold, so it does not.
        return Condition(
            name=leaf.registered, label=label, how="leaf", test=predicate or (lambda scene: False)
        )


_LEAVES: Mapping[type, Callable[[LeafCompiler, Any], Condition]] = {
    FactLeaf: LeafCompiler.fact,
    DocumentLeaf: LeafCompiler.document,
    DeadlineLeaf: LeafCompiler.deadline,
    PaidLeaf: LeafCompiler.paid,
    ChildrenLeaf: LeafCompiler.children,
    HappenedLeaf: LeafCompiler.happened,
    ActorNotLeaf: LeafCompiler.actor_not,
    ActorSameLeaf: LeafCompiler.actor_same,
    ActorRoleLeaf: LeafCompiler.actor_role,
    ParameterLeaf: LeafCompiler.parameter,
    LinkedLeaf: LeafCompiler.linked,
    StateLeaf: LeafCompiler.state,
    RegisteredLeaf: LeafCompiler.registered,
}


def _children_test(leaf: ChildrenLeaf, name: str, where: Mapping[str, frozenset[Any]]) -> Test:
    """How many of the children that `where` speaks of are in the states asked for."""
    states = None if leaf.state is None else frozenset(leaf.state)
    ended, quantity = leaf.ended, leaf.quantity
    wheres = tuple(where.items())

    def test(scene: Scene) -> bool:
        cases = scene.children.get(name)
        if not cases:
            return quantity == "none"
        there = list(cases.values())
        for key, values in wheres:
            there = [case for case in there if case.facts.get(key) in values]
        fitting = there
        if states is not None:
            fitting = [case for case in fitting if case.state in states]
        if ended is not None:
            fitting = [case for case in fitting if case.ended is ended]
        if quantity != "all":
            return bool(fitting) is (quantity == "some")
        if not there or len(fitting) < len(there):
            return False
        # Each value that is asked for must be there.
        for key, values in wheres:  # noqa: SIM110 - a generator would cost more than the comparison
            if not values.issubset([case.facts[key] for case in there]):
                return False
        return True

    return test


def _in_the_way(
    leaf: ChildrenLeaf, where: Mapping[str, frozenset[Any]], cases: Mapping[str, LinkedCase]
) -> Iterator[LinkedCase]:
    """The children because of which the leaf does not hold."""
    for case in cases.values():
        if _matches(case.facts, tuple(where.items())):
            in_state = leaf.state is None or case.state in leaf.state
            fits = in_state and (leaf.ended is None or case.ended is leaf.ended)
            if fits is not (leaf.quantity == "all"):
                yield case


NOTHING: Mapping[str, Any] = {}


def _matches(facts: Mapping[str, Any], wheres: tuple[tuple[str, frozenset[Any]], ...]) -> bool:
    for key, values in wheres:  # noqa: SIM110 - a generator would cost more than the comparison
        if facts.get(key) not in values:
            return False
    return True


def _yuan(amount: Decimal | int) -> Label:
    return Label(f"{amount:.2f} 元", f"{amount:.2f} yuan")


def _quantity(quantity: str, hits: list[bool]) -> bool:
    if quantity == "none":
        return not any(hits)
    return bool(hits) and all(hits) if quantity == "all" else any(hits)


def _passed(scene: Scene, start: Any, length: Duration) -> bool:
    """More than `length` since `start`: whole days end at midnight, hours are elapsed."""
    if length.elapsed:
        seconds = length.count * (3600 if length.unit == "hour" else 60)
        return bool(scene.at - start > timedelta(seconds=seconds))
    return scene.at >= scene.calendar.more_than(scene.calendar.day_of(start), length)


def _since(text: str | None) -> Getter:
    if text is None:
        return lambda scene: None
    if text == "state.entered":
        return lambda scene: scene.entered_at
    if text.startswith("event."):
        event = text.removeprefix("event.")
        return lambda scene: scene.happened[event][-1] if event in scene.happened else None
    rule, moment = text.removeprefix("deadline.").rsplit(".", 1)
    field = "started_at" if moment == "started" else "breached_at"
    return lambda scene: getattr(scene.deadlines.get(rule), field, None)
