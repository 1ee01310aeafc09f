"""A workflow with nothing left but states, events and guards, beside the plain machine of the same file.

Both are asked the same questions: this event, in this state, come from there, with these guards holding.
The plan answers through the real `decide`; the machine fires its trigger on a tiny model. What a guard
says is not looked up anywhere: each question settles it for both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import product
from types import SimpleNamespace
from typing import Any

from attrs import evolve, frozen

from renoflow.definition.model import (
    ConditionNode,
    EventDefinition,
    HeaderDefinition,
    RegisteredLeaf,
    WorkflowDefinition,
)
from renoflow.engine.calendar import Calendar
from renoflow.engine.workflow import Workflow
from renoflow.records import Case, Command, Decision
from renoflow.values import SYSTEM, SYSTEM_ACTOR
from renoflow.workflow.compile import compile_workflow
from renoflow.workflow.machine import (
    HISTORY,
    START,
    build_machine,
    came_from,
    guard_names,
    origins,
)
from renoflow.workflow.plan import Plan

MOST_GUARDS = 6
"""Up to here every combination of an event's guards is tried; above, all, none, and all but each one."""

BEFORE = datetime(2026, 1, 1, tzinfo=UTC)
NOW = BEFORE + timedelta(hours=1)


@frozen(kw_only=True)
class Question:
    """An event offered in a state. `came_from` is what a remembering state remembers, `guards` are the
    event's own guards with what each says, `others` what every guard of another event says."""

    event: str
    state: str
    came_from: str | None
    guards: Mapping[str, bool]
    others: bool


@frozen(kw_only=True)
class Answer:
    """What became of it: the state after, whether that state was entered (or only stayed in), where it would
    lead back to, and the guards that a refusal names."""

    accepted: bool
    state: str
    entered: bool
    came_from: str | None
    unmet: tuple[str, ...]

    def __str__(self) -> str:
        if not self.accepted:
            return f"refused, for want of {', '.join(self.unmet)}" if self.unmet else "refused"
        text = f"to {self.state}" if self.entered else f"stays in {self.state}"
        return f"{text}, which remembers {self.came_from}" if self.came_from else text


class Outcomes:
    """What each guard says at the moment."""

    def __init__(self) -> None:
        self.guards: Mapping[str, bool] = {}
        self.others = False

    def settle(self, question: Question) -> None:
        self.guards = question.guards
        self.others = question.others

    def asker(self, guard: str) -> Callable[[object], bool]:
        """What stands for a guard: the plan's registered predicate and the condition of the model in one."""
        return lambda _: self.guards.get(guard, self.others)


class Rehearsal:
    """Both sides of one definition, ready to be asked. Not for several threads at once."""

    def __init__(self, definition: WorkflowDefinition) -> None:
        self.definition = definition
        self._outcomes = Outcomes()
        names = {guard for event in definition.events for guard in guard_names(definition, event)}
        asked = {name: self._outcomes.asker(name) for name in sorted(names)}
        plan = compile_workflow(bare_definition(definition), predicates=asked)
        self._workflow = Workflow(plan, Calendar())
        self._host = _Host(definition, asked)
        self._heard: dict[str, tuple[tuple[Question, Answer], ...]] = {}

    @property
    def plan(self) -> Plan:
        """The stripped workflow's plan."""
        return self._workflow.plan

    def questions(self, event: str) -> Iterator[Question]:
        """Every state and every outcome of the event's guards; where a state remembers, every origin too.

        An event that goes back by `@history` is also asked from origins that there cannot be. An event that
        the file does not know is asked as one without guards.
        """
        known = self.definition.events.get(event)
        names = () if known is None else tuple(dict.fromkeys(guard_names(self.definition, event)))
        places = tuple(self._places(known))
        for outcome, others in product(combinations(len(names)), (True, False)):
            guards = dict(zip(names, outcome, strict=True))
            for state, origin in places:
                yield Question(event=event, state=state, came_from=origin, guards=guards, others=others)

    def _places(self, event: EventDefinition | None) -> Iterator[tuple[str, str | None]]:
        yield START, None
        for state, told in self.definition.states.items():
            yield state, None
            if told.remembers:
                goes_back = event is not None and event.to == HISTORY and state in event.from_
                behind = self.definition.states if goes_back else origins(self.definition, state)
                yield from ((state, origin) for origin in behind)

    def machine_says(self, event: str) -> tuple[tuple[Question, Answer], ...]:
        """The plain machine's answer to every question about an event; asked once and kept."""
        found = self._heard.get(event)
        if found is None:
            answers = []
            for question in self.questions(event):
                self._outcomes.settle(question)
                answers.append((question, self._host.answer(question)))
            found = self._heard[event] = tuple(answers)
        return found

    def both_say(self, event: str, plan: Plan) -> Iterator[tuple[Question, Answer, Answer]]:
        """The same questions to `decide` on a stripped plan, with the machine's answer before its own."""
        workflow = Workflow(plan, self._workflow.calendar)
        command = Command(event, SYSTEM_ACTOR, NOW)
        cases: dict[tuple[str, str | None], Case] = {}
        for question, machine in self.machine_says(event):
            self._outcomes.settle(question)
            state, origin = question.state, question.came_from
            if state == START:
                decision = workflow.open("C-1", actor=SYSTEM_ACTOR, at=NOW, event=event)
            else:
                if (state, origin) not in cases:
                    cases[state, origin] = _case(workflow, state, origin)
                decision = workflow.decide(cases[state, origin], command)
            yield question, machine, _answer(decision)


def _answer(decision: Decision) -> Answer:
    after = decision.case
    return Answer(
        accepted=decision.accepted,
        state=START if after is None else after.state,
        entered=after is not None and after.entered_at == NOW,
        came_from=None if after is None else after.remembered.get(after.state),
        unmet=tuple(r.subject for r in decision.reasons if r.code in ("guard_unmet", "not_yet_due")),
    )


def combinations(count: int) -> Iterator[tuple[bool, ...]]:
    """What so many guards may say together, all of them holding first."""
    if count <= MOST_GUARDS:
        yield from product((True, False), repeat=count)
        return
    yield (True,) * count
    yield (False,) * count
    for failing in range(count):
        yield tuple(number != failing for number in range(count))


# ------------------------------------------------------------------ the side of `decide`


def bare_definition(definition: WorkflowDefinition) -> WorkflowDefinition:
    """States, events and guards; each guard asks a predicate that is registered by the guard's own name."""
    header = definition.workflow
    return WorkflowDefinition(
        workflow=HeaderDefinition(id=header.id, version=header.version, label=header.label),
        stages=definition.stages,
        states={name: evolve(state, waits_for="nobody") for name, state in definition.states.items()},
        conditions={
            node: RegisteredLeaf(registered=node)
            for event in definition.events.values()
            for node in event.guards
            if isinstance(node, str)
        },
        events={name: _bare_event(definition, name) for name in definition.events},
    )


def _bare_event(definition: WorkflowDefinition, name: str) -> EventDefinition:
    event = definition.events[name]
    guards: tuple[ConditionNode, ...] = tuple(
        node if isinstance(node, str) else RegisteredLeaf(registered=guard)
        for node, guard in zip(event.guards, guard_names(definition, name), strict=True)
    )
    return EventDefinition(label=event.label, from_=event.from_, to=event.to, by=(SYSTEM,), guards=guards)


def _case(workflow: Workflow, state: str, origin: str | None) -> Case:
    return Case(
        id="C-1",
        workflow=workflow.id,
        workflow_version=workflow.version,
        state=state,
        entries=1,
        at=BEFORE,
        remembered={} if origin is None else {state: origin},
    )


# ------------------------------------------------------------------ the side of the machine


class _Host:
    """A tiny model on the plain machine, with a function for every condition that the machine asks for.

    It remembers where it came from as the format says that a host must: on entering a state that remembers,
    unless by `@history`.
    """

    def __init__(self, definition: WorkflowDefinition, asked: Mapping[str, Callable[[object], bool]]) -> None:
        self.definition = definition
        self.entered = False
        self.remembered: dict[str, str] = {}
        behind = {came_from(state): self._came_from(state) for state in definition.states}
        self.model: Any = SimpleNamespace(**asked, **behind)
        self.machine = build_machine(definition, self.model)
        self.guards = {event: guard_names(definition, event) for event in definition.events}
        self.triggers = {state: self.machine.get_triggers(state) for state in (START, *definition.states)}
        for state in definition.states:
            self.machine.get_state(state).add_callback("enter", self._enter)

    def _came_from(self, origin: str) -> Callable[[object], bool]:
        return lambda _: self.remembered.get(self.model.state) == origin

    def _enter(self, event_data: Any) -> None:
        self.entered = True
        state = event_data.transition.dest
        goes_back = self.definition.events[event_data.event.name].to == HISTORY
        if self.definition.states[state].remembers and not goes_back:
            self.remembered[state] = event_data.transition.source

    def answer(self, question: Question) -> Answer:
        state = question.state
        self.entered = False
        self.remembered = {} if question.came_from is None else {state: question.came_from}
        self.machine.set_state(state, self.model)
        # From a state that an event does not start from, the machine raises; there is nothing to fire.
        accepted = question.event in self.triggers[state] and bool(self.model.trigger(question.event))
        failing = tuple(name for name in self.guards.get(question.event, ()) if not question.guards[name])
        return Answer(
            accepted=accepted,
            state=self.model.state,
            entered=self.entered,
            came_from=self.remembered.get(self.model.state),
            unmet=() if accepted else failing,
        )
