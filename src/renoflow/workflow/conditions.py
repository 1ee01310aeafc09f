"""Conditions: data in the file, compiled by name and from their parts."""

from attrs import evolve

from renoflow.definition.model import (
    AllOf,
    AnyOf,
    ConditionNode,
    FactLeaf,
    NotOf,
    WorkflowDefinition,
)
from renoflow.values import Label
from renoflow.workflow import statements
from renoflow.workflow.condition import Condition
from renoflow.workflow.leaves import LeafCompiler
from renoflow.workflow.operands import Operands, Test
from renoflow.workflow.scene import Scene


class ConditionCompiler:
    """Compiles the conditions of one definition; amounts may read them as well."""

    def __init__(self, definition: WorkflowDefinition, operands: Operands, leaves: LeafCompiler) -> None:
        self.definition = definition
        self.leaves = leaves
        self._named: dict[str, Condition] = {}
        operands.test_of = lambda name: self.compile(name).test

    def compile(self, node: ConditionNode) -> Condition:
        """A condition from a name or from its data."""
        if isinstance(node, str):
            return self._by_name(node)
        parts: tuple[Condition, ...]
        if isinstance(node, AllOf):
            parts = tuple(self.compile(part) for part in node.all)
            return _group(node, "all", parts, _all_of(tuple(part.test for part in parts)))
        if isinstance(node, AnyOf):
            parts = tuple(self.compile(part) for part in node.any)
            return _group(node, "any", parts, _any_of(tuple(part.test for part in parts)))
        if isinstance(node, NotOf):
            part = self.compile(node.not_)
            inner = part.test
            return _group(node, "not", (part,), lambda scene: not inner(scene))
        leaf = self.leaves.leaf(node)
        if node.zh is not None and node.en is not None:
            return evolve(leaf, label=Label(node.zh, node.en))
        return leaf

    def test(self, name: str | None) -> Test | None:
        """The test of a condition that may be left out."""
        return None if name is None else self.compile(name).test

    def _by_name(self, name: str) -> Condition:
        found = self._named.get(name)
        if found is None:
            node = self.definition.conditions.get(name)
            if node is None:
                node = FactLeaf(fact=name, equals=True)
            found = self._named[name] = evolve(self.compile(node), name=name)
        return found


def _group(node: AllOf | AnyOf | NotOf, how: str, parts: tuple[Condition, ...], test: Test) -> Condition:
    label = (
        Label(node.zh, node.en)
        if node.zh is not None and node.en is not None
        else statements.group(how, tuple(part.label for part in parts))
    )
    reads = frozenset[str]().union(*(part.reads for part in parts))
    can_be_met = {
        "not": False,
        "all": all(part.can_be_met for part in parts),
        "any": any(part.can_be_met for part in parts),
    }[how]
    return Condition(
        name="",
        label=label,
        how=how,
        test=test,
        parts=parts,
        reads=reads,
        reads_proof=any(part.reads_proof for part in parts),
        can_be_met=can_be_met,
    )


def _all_of(tests: tuple[Test, ...]) -> Test:
    if len(tests) == 2:
        first, second = tests
        return lambda scene: first(scene) and second(scene)

    def all_hold(scene: Scene) -> bool:
        for test in tests:  # noqa: SIM110 - a generator would cost more than the tests
            if not test(scene):
                return False
        return True

    return all_hold


def _any_of(tests: tuple[Test, ...]) -> Test:
    if len(tests) == 2:
        first, second = tests
        return lambda scene: first(scene) or second(scene)

    def any_holds(scene: Scene) -> bool:
        for test in tests:  # noqa: SIM110 - a generator would cost more than the tests
            if test(scene):
                return True
        return False

    return any_holds
