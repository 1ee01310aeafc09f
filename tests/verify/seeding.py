"""Faults, put one at a time into a compiled plan: everything that can be wrong with a row of it.

Which faults there are depends on the plan alone, in a fixed order, so a plan and its stripped twin get the
same ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain, pairwise
from typing import Any

from attrs import evolve, frozen

from renoflow.workflow.condition import Condition
from renoflow.workflow.machine import START
from renoflow.workflow.plan import EventPlan, Plan, TransitionPlan

Key = str | tuple[str, str]
"""Where a transition stands in its event: its source, or its source and origin."""


@frozen(kw_only=True)
class Fault:
    """A plan with one fault. `events` are those that it bears on; `silent` is one that answers need not show,
    because it changes only what the plan says of itself."""

    kind: str
    text: str
    events: tuple[str, ...]
    plan: Plan
    silent: bool = False

    def __str__(self) -> str:
        return f"{self.plan.id}: {self.kind}: {self.text}"


def faults(plan: Plan) -> Iterator[Fault]:
    """Every fault that can be made of a plan."""
    for event in plan.events.values():
        for key, transition in transitions_of(event).items():
            yield from _in_a_transition(plan, event, key, transition)
            yield from _in_the_guards(plan, event, key, transition)
        yield from _in_an_event(plan, event)
        yield from _in_the_sources(plan, event)
        yield from _in_the_origins(plan, event)
    for first, second in pairwise(plan.events.values()):
        yield _exchanged(plan, first, second)
    yield from _in_the_states(plan)


def transitions_of(event: EventPlan) -> Mapping[Key, TransitionPlan]:
    """An event's transitions by where they stand in it."""
    items: list[tuple[Key, TransitionPlan]] = [*event.transitions.items(), *event.histories.items()]
    return dict(items)


# ------------------------------------------------------------------ one transition


def _in_a_transition(plan: Plan, event: EventPlan, key: Key, transition: TransitionPlan) -> Iterator[Fault]:
    text = f"{event.name} from {_place(key)}"

    def fault(kind: str, changed: TransitionPlan | None, silent: bool = False) -> Fault:
        return _fault(plan, kind, text, _with_transition(event, key, changed), silent=silent)

    yield fault("transition dropped", None)
    other = _after(plan, transition.target)
    elsewhere = evolve(transition, enters=True, target=other, ends=other in plan.finals)
    yield fault("target changed", elsewhere)
    if not transition.enters:
        yield fault("a wrong word on where it stays", evolve(transition, target=other), silent=True)
    kind = "entry turned into a stay" if transition.enters else "stay turned into a re-entry"
    yield fault(kind, evolve(transition, enters=not transition.enters))
    yield fault("a wrong word on the end", evolve(transition, ends=not transition.ends), silent=True)


def _in_the_guards(plan: Plan, event: EventPlan, key: Key, transition: TransitionPlan) -> Iterator[Fault]:
    guards = transition.guards
    foreign = _foreign(plan, event)

    def fault(kind: str, name: str, *changed: Condition) -> Fault:
        text = f"{event.name} from {_place(key)}, {name}"
        new = evolve(transition, guards=changed, tests=tuple(guard.test for guard in changed))
        return _fault(plan, kind, text, _with_transition(event, key, new))

    for number, guard in enumerate(guards):
        before, after = guards[:number], guards[number + 1 :]
        yield fault("guard dropped", guard.name, *before, *after)
        yield fault("guard negated", guard.name, *before, _negated(guard), *after)
        yield fault("guard swapped for another", guard.name, *before, foreign, *after)
        yield fault("guard made one of two", guard.name, *before, _either(guard, foreign), *after)
    if len(guards) > 1:
        yield fault("all guards dropped", "all")
        yield fault("any guard is enough", "all", _either(*guards))
    for kind, added in (("guard added", foreign), ("negated guard added", _negated(foreign))):
        text = f"{event.name} from {_place(key)}, {foreign.name}"
        # A refusal goes by the event's guards, so one that only the transition has is never heard of.
        new = evolve(transition, guards=(*guards, added), tests=(*transition.tests, added.test))
        alone = _with_transition(event, key, new)
        yield _fault(plan, f"{kind} to the transition alone", text, alone, silent=True)
        yield _fault(plan, kind, text, evolve(alone, guards=(*event.guards, added)))


# ------------------------------------------------------------------ one event


def _in_an_event(plan: Plan, event: EventPlan) -> Iterator[Fault]:
    rest = {name: item for name, item in plan.events.items() if name != event.name}
    yield Fault(kind="event dropped", text=event.name, events=(event.name,), plan=evolve(plan, events=rest))
    renamed = f"{event.name}_again"
    yield Fault(
        kind="event renamed",
        text=event.name,
        events=(event.name, renamed),
        plan=evolve(plan, events={**rest, renamed: evolve(event, name=renamed)}),
    )
    for guard in event.guards:
        left = tuple(item for item in event.guards if item is not guard)
        yield _fault(
            plan, "guard not named in refusals", f"{event.name}, {guard.name}", evolve(event, guards=left)
        )
        changed = evolve(event, guards=left)
        for key, transition in transitions_of(event).items():
            kept = tuple(item for item in transition.guards if item is not guard)
            new = evolve(transition, guards=kept, tests=tuple(item.test for item in kept))
            changed = _with_transition(changed, key, new)
        yield _fault(plan, "guard dropped everywhere", f"{event.name}, {guard.name}", changed)


def _in_the_sources(plan: Plan, event: EventPlan) -> Iterator[Fault]:
    """The event possible where it is not: for an opening event from each state, else from `@start` too."""
    sample = next(iter(transitions_of(event).values()))
    stays = not sample.enters
    for state in (START, *plan.state_labels):
        if state in event.sources or (state == START and stays):
            continue
        kind = "source added"
        if START in event.sources:
            kind = "opening reachable from a state"
        elif state == START:
            kind = "event opens a case"
        new = evolve(sample, source=state, target=state if stays else sample.target)
        yield _fault(plan, kind, f"{event.name} from {state}", _with_transition(event, state, new))


def _exchanged(plan: Plan, first: EventPlan, second: EventPlan) -> Fault:
    one = evolve(first, transitions=second.transitions, histories=second.histories)
    two = evolve(second, transitions=first.transitions, histories=first.histories)
    return Fault(
        kind="transitions exchanged",
        text=f"{first.name} and {second.name}",
        events=(first.name, second.name),
        plan=evolve(plan, events={**plan.events, first.name: one, second.name: two}),
        silent=_shape(first) == _shape(second),
    )


# ------------------------------------------------------------------ origins and kinds of states


def _in_the_origins(plan: Plan, event: EventPlan) -> Iterator[Fault]:
    for ((source, one), first), ((_, two), second) in pairwise(event.histories.items()):
        swapped = {**event.histories, (source, one): second, (source, two): first}
        text = f"{event.name} from {source}, {one} and {two}"
        yield _fault(plan, "origins swapped", text, evolve(event, histories=swapped))
    for (source, origin), transition in event.histories.items():
        text = f"{event.name} from {source}, {origin}"
        changed = _with_transition(event, source, transition)
        yield _fault(plan, "origin no longer asked", text, changed)
        other = next(name for name in plan.state_labels if (source, name) not in event.histories)
        histories = {**event.histories, (source, other): transition}
        yield _fault(plan, "impossible origin added", text, evolve(event, histories=histories))
    for source, transition in event.transitions.items():
        if transition.enters and transition.target in plan.remembering:
            # An event that has any way back by `@history` leaves what is remembered alone.
            histories = {(source, source): transition}
            text = f"{event.name} from {source}"
            yield _fault(plan, "origin not remembered", text, evolve(event, histories=histories))


def _in_the_states(plan: Plan) -> Iterator[Fault]:
    for state in plan.state_labels:
        arriving = tuple(
            event.name
            for event in plan.events.values()
            if any(t.enters and t.target == state for t in event.transitions.values())
        )
        yield Fault(
            kind="remembering turned round",
            text=state,
            events=arriving,
            plan=evolve(plan, remembering=plan.remembering ^ {state}),
            silent=not arriving,
        )
        yield Fault(
            kind="final turned round",
            text=state,
            events=arriving,
            plan=evolve(plan, finals=plan.finals ^ {state}),
            silent=True,
        )
    for name in plan.openings:
        rest = tuple(opening for opening in plan.openings if opening != name)
        changed = evolve(plan, openings=rest)
        yield Fault(kind="opening forgotten", text=name, events=(name,), plan=changed, silent=True)


# ------------------------------------------------------------------ building


def _fault(plan: Plan, kind: str, text: str, event: EventPlan, *, silent: bool = False) -> Fault:
    changed = evolve(plan, events={**plan.events, event.name: event})
    return Fault(kind=kind, text=text, events=(event.name,), plan=changed, silent=silent)


def _with_transition(event: EventPlan, key: Key, transition: TransitionPlan | None) -> EventPlan:
    """The event with another transition in that place, or with none."""
    field = "transitions" if isinstance(key, str) else "histories"
    there: dict[Any, TransitionPlan] = dict(getattr(event, field))
    there.pop(key, None)
    changes: dict[str, Any] = {field: there if transition is None else {**there, key: transition}}
    return evolve(event, **changes)


def _negated(guard: Condition) -> Condition:
    return evolve(guard, test=lambda scene: not guard.test(scene))


def _either(*guards: Condition) -> Condition:
    return evolve(guards[0], test=lambda scene: any(guard.test(scene) for guard in guards))


def _foreign(plan: Plan, event: EventPlan) -> Condition:
    """A guard that belongs to the workflow but not to this event."""
    own = {guard.name for guard in event.guards}
    others = chain.from_iterable(item.guards for item in plan.events.values())
    return next(guard for guard in others if guard.name not in own)


def _shape(event: EventPlan) -> list[tuple[Key, str, bool, list[str]]]:
    """What an event's transitions come to, whatever it is called."""
    return [
        (key, transition.target, transition.enters, [guard.name for guard in transition.guards])
        for key, transition in transitions_of(event).items()
    ]


def _after(plan: Plan, state: str) -> str:
    names = list(plan.state_labels)
    return names[(names.index(state) + 1) % len(names)]


def _place(key: Key) -> str:
    return key if isinstance(key, str) else f"{key[0]} (come from {key[1]})"
