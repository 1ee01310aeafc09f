"""The only module that knows the `transitions` package: a definition as one of its machines.

The plan that `decide` runs is compiled from this machine's own events, and a host that lives on
`transitions` can have the machine itself. Guards are named conditions that `transitions` looks up
on the host's model; documents, facts and clocks are not its business.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from transitions import Machine

from renoflow.definition.model import WorkflowDefinition

START = "@start"
SAME = "@same"
HISTORY = "@history"

Row = tuple[str | None, tuple[str, ...]]
"""A target (None: no change of state) and the names of the guards before it."""


def guard_names(definition: WorkflowDefinition, event: str) -> tuple[str, ...]:
    """A name for each guard of an event; one that is written in place is named by its position, in capitals
    that no declared condition can have."""
    return tuple(
        node if isinstance(node, str) else f"{event}_GUARD_{number}"
        for number, node in enumerate(definition.events[event].guards, 1)
    )


def origins(definition: WorkflowDefinition, state: str) -> tuple[str, ...]:
    """The states from which a remembering state can be entered, in file order."""
    found = {source for event in definition.events.values() if event.to == state for source in event.from_}
    return tuple(name for name in definition.states if name in found)


def came_from(origin: str) -> str:
    """The name of the condition that a state was entered from `origin`."""
    return f"came_from_{origin}"


def build_machine(definition: WorkflowDefinition, model: Any = None) -> Machine:
    """One machine for the definition; without a model it is a description that nobody moves."""
    machine = Machine(
        model=model,
        states=[START, *definition.states],
        initial=START,
        auto_transitions=False,
        send_event=True,
    )
    for name, event in definition.events.items():
        guards: list[str | Callable[..., bool | None]] = [*guard_names(definition, name)]
        for source in event.from_:
            if event.to == HISTORY:
                for origin in origins(definition, source):
                    machine.add_transition(name, source, origin, conditions=[*guards, came_from(origin)])
            else:
                target = None if event.to == SAME else event.to
                machine.add_transition(name, source, target, conditions=guards)
    return machine


def transition_table(machine: Machine) -> Mapping[str, Mapping[str, tuple[Row, ...]]]:
    """What the machine holds: event -> source -> rows, in the machine's own order."""
    return {
        name: {
            source: tuple(
                (row.dest, tuple(str(condition.func) for condition in row.conditions)) for row in rows
            )
            for source, rows in event.transitions.items()
        }
        for name, event in machine.events.items()
    }
