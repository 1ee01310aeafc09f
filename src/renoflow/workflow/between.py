"""One workflow among the others that are loaded, for the checks of what files say of each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from attrs import frozen

from renoflow.definition.model import (
    EffectsDefinition,
    FactDefinition,
    Scalar,
    WorkflowDefinition,
)
from renoflow.workflow.inspection import Inspection, near
from renoflow.workflow.kinds import Kind, kind_of_fact, misfit, takes

Definitions = Mapping[str, WorkflowDefinition]


@frozen
class Between:
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

    def facts(self, given: Mapping[str, Scalar], other: WorkflowDefinition, path: str) -> None:
        """Values of this workflow that another takes as facts."""
        for name, value in given.items():
            declared = self.fact(other, name, f"{path}.{name}")
            if declared is not None:
                self.value(value, other, declared, f"{path}.{name}")

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
                f"{wrong}, as the fact of {other.id!r} asks",
                near(str(found), target.keys) if target.keys else "",
            )


def doings(own: WorkflowDefinition) -> Iterator[tuple[str, EffectsDefinition]]:
    """Everything that has effects, with its path."""
    for name, event in own.events.items():
        yield f"events.{name}", event
    for number, reaction in enumerate(own.reactions):
        yield f"reactions[{number}]", reaction
    for name, accumulation in own.accumulations.items():
        yield f"accumulations.{name}", accumulation
