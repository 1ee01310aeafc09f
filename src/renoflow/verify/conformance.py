"""The plan that `decide` runs, held exhaustively against the plain `transitions` machine of the same file.

Two things together make it tight. The stripped workflow (see `rehearsal`) shows that the real `decide`, on a
plan of these states, events and guards, answers as the machine does: in every state, for every event, every
outcome of its guards and every origin. And the table of the full plan (see `table`) shows that this is the
plan of the workflow: the same rows, behind the same guards, each with the test that is its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attrs import frozen

from renoflow.definition.model import WorkflowDefinition
from renoflow.engine.workflow import Workflow
from renoflow.verify.rehearsal import Answer, Question, Rehearsal
from renoflow.verify.table import Table, machine_table, plan_table
from renoflow.workflow.compile import compile_workflow
from renoflow.workflow.machine import build_machine, transition_table
from renoflow.workflow.plan import Plan


@frozen(kw_only=True)
class Difference:
    """One place where the plan is not as the machine.

    `state` is `@start` before a case is opened. `guards` are the outcomes that were forced, and `others` what
    the guards of other events said; both are empty where rows are compared. There `event` is empty for what
    is said of a state, and `state` for what is said of an event as a whole.
    """

    workflow: str
    event: str
    state: str
    came_from: str | None = None
    guards: tuple[tuple[str, bool], ...] = ()
    others: bool | None = None
    machine: str
    plan: str

    def __str__(self) -> str:
        place = " in ".join(part for part in (self.event, self.state) if part)
        if self.came_from is not None:
            place += f" (come from {self.came_from})"
        outcomes = [f"{name} {'holds' if holds else 'fails'}" for name, holds in self.guards]
        if self.others is not None:
            outcomes.append(f"guards of other events {'hold' if self.others else 'fail'}")
        where = f"{self.workflow}: {place}{' while ' if outcomes else ''}{', '.join(outcomes)}"
        return f"{where}: the machine says: {self.machine}; the plan says: {self.plan}"


@frozen(kw_only=True)
class Conformance:
    """What was found, and how much was looked at: the questions `asked`, how many of them the machine
    `accepted`, and how many of its `rows` were `taken` on the way."""

    workflow: str
    differences: tuple[Difference, ...]
    asked: int
    accepted: int
    rows: int
    taken: int

    @property
    def holds(self) -> bool:
        """No difference, and enough looked at: every transition taken, and some event refused."""
        return not self.differences and 0 < self.rows == self.taken and 0 < self.accepted < self.asked

    def __str__(self) -> str:
        count = len(self.differences)
        found = "no difference" if not count else f"{count} difference{'' if count == 1 else 's'}"
        text = (
            f"{self.workflow}: {found}; {self.asked} questions, {self.accepted} accepted, "
            f"{self.taken} of {self.rows} transitions taken"
        )
        return "\n".join((text, *(f"  {difference}" for difference in self.differences)))


def check_conformance(workflow: Workflow | WorkflowDefinition) -> Conformance:
    """Every difference between a workflow's plan and its plain machine, and the count of what was asked."""
    plan = workflow.plan if isinstance(workflow, Workflow) else compile_workflow(workflow)
    rehearsal = Rehearsal(plan.definition)
    differences = (*table_differences(plan), *answer_differences(rehearsal))
    answers = [pair for event in plan.definition.events for pair in rehearsal.machine_says(event)]
    rows = {
        (event, source, source if target is None else target)
        for event, sources in transition_table(build_machine(plan.definition)).items()
        for source, found in sources.items()
        for target, _ in found
    }
    taken = {
        (question.event, question.state, answer.state) for question, answer in answers if answer.accepted
    }
    return Conformance(
        workflow=plan.id,
        differences=differences,
        asked=len(answers),
        accepted=sum(answer.accepted for _, answer in answers),
        rows=len(rows),
        taken=len(taken & rows),
    )


def answer_differences(
    rehearsal: Rehearsal, plan: Plan | None = None, events: Iterable[str] | None = None
) -> Iterator[Difference]:
    """Where `decide` answers otherwise than the machine: on the stripped workflow's own plan or on another
    in its place, for all events or those that are named."""
    bare = plan or rehearsal.plan
    for event in events or dict.fromkeys((*rehearsal.definition.events, *bare.events)):
        for question, machine, answer in rehearsal.both_say(event, bare):
            if answer != machine:
                yield _difference(bare.id, question, machine, answer)


def table_differences(plan: Plan, machine: Table | None = None) -> Iterator[Difference]:
    """Where a full plan's rows, guards or kinds of states are not those of the machine and of the file;
    the machine's table can be handed in where many plans are held against it."""
    machine, ours = machine or machine_table(plan.definition), plan_table(plan)
    for event, state in dict.fromkeys((*machine, *ours)):
        theirs, own = machine.get((event, state), "nothing"), ours.get((event, state), "nothing")
        if theirs != own:
            yield Difference(workflow=plan.id, event=event, state=state, machine=theirs, plan=own)


def _difference(workflow: str, question: Question, machine: Answer, plan: Answer) -> Difference:
    return Difference(
        workflow=workflow,
        event=question.event,
        state=question.state,
        came_from=question.came_from,
        guards=tuple(question.guards.items()),
        others=question.others,
        machine=str(machine),
        plan=str(plan),
    )
