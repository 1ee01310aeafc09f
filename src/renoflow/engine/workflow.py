"""What a host holds: a workflow to decide with, and the set of workflows that run beside each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from renoflow.definition.model import ProfileDefinition, WorkflowDefinition
from renoflow.engine import outlook
from renoflow.engine.calendar import Calendar, YearPlan
from renoflow.engine.codec import case_from_json, entry_from_json, to_json
from renoflow.engine.decide import Marks, after_marks, decide, mark_due, open_case, wake
from renoflow.engine.explain import Explanation, explain
from renoflow.engine.linked import introduction
from renoflow.engine.outlook import Option, RouteStep
from renoflow.engine.peers import standing
from renoflow.engine.redaction import redact
from renoflow.engine.replay import replay
from renoflow.engine.rules import Rules
from renoflow.engine.sides import time_by_side
from renoflow.engine.step import Step
from renoflow.engine.tally import Tally, tally
from renoflow.errors import UnknownName, UsageError
from renoflow.records import (
    NO_FACTS,
    Case,
    Command,
    Decision,
    Document,
    HistoryEntry,
    Payment,
    Told,
)
from renoflow.values import Actor, Label, check_actor, check_id, check_text, instant
from renoflow.workflow.catalog import Profile, extended, load_definitions, load_profile
from renoflow.workflow.compile import compile_workflow
from renoflow.workflow.leaves import Predicate
from renoflow.workflow.machine import build_machine
from renoflow.workflow.plan import Plan
from renoflow.workflow.scene import Scene


class Workflow:
    """A compiled workflow, immutable and shared by all its cases and all threads.

    Every method is pure: no clock is read and nothing is stored. Cases and commands must belong to this
    workflow; a case of another one is a `UsageError`.
    """

    def __init__(self, plan: Plan, calendar: Calendar, *, strict_calendar: bool = False) -> None:
        self.plan = plan
        self.calendar = calendar
        self._id = plan.id
        self._rules = Rules(plan, calendar, strict_calendar=strict_calendar)

    def __repr__(self) -> str:
        return f"<Workflow {self.id} v{self.version}>"

    @property
    def id(self) -> str:
        return self.plan.id

    @property
    def version(self) -> int:
        return self.plan.version

    @property
    def label(self) -> Label:
        return self.plan.label

    # -------------------------------------------------------------- deciding

    def open(
        self,
        case_id: str,
        *,
        actor: Actor,
        at: datetime | str,
        facts: Mapping[str, Any] = NO_FACTS,
        documents: Iterable[Document | str] = (),
        payments: Iterable[Payment] = (),
        note: str = "",
        event: str | None = None,
        parent: Told | None = None,
        links: Iterable[Told] = (),
    ) -> Decision:
        """A new case by the opening event (named when there are several), or the reasons why not.

        `parent` introduces the case that it belongs to (see `introduce`), `links` its peers (see `standing`).
        """
        if not case_id or not isinstance(case_id, str):
            raise UsageError(f"a case needs an id that is a text; found {case_id!r}")
        check_id(case_id)
        command = Command(
            event=event or self.opening,
            actor=actor,
            at=instant(at),
            facts=facts,
            documents=documents,
            payments=payments,
            note=note,
            told=parent,
            links=tuple(links),
        )
        return open_case(self._rules, case_id, command)

    def introduce(self, case: Case, workflow: str, known_as: str = "") -> Told:
        """What a new case of `workflow` is told of this one, as the `parent` of its opening."""
        self._own(case)
        return introduction(self.plan, case, workflow, known_as)

    def standing(self, case: Case, name: str) -> Told:
        """What a case that is being tied to this one under `name` is told of it: at its opening, or by a
        command `link.<name>.told`."""
        self._own(case)
        return standing(self.plan, case, name, opened=True)

    @property
    def opening(self) -> str:
        """The opening event, the first one where the file has several."""
        return self.plan.openings[0]

    def decide(self, case: Case, command: Command) -> Decision:
        """The next case with its history entries and effects, or every reason against it. Raises
        `UnknownName` for a fact, document or payment that the workflow does not declare."""
        self._own(case)
        if not isinstance(command, Command):
            raise UsageError(f"{command!r} is not a command; give rf.Command(event, actor, at)")
        return decide(self._rules, case, command)

    def wake(self, case: Case, at: datetime | str) -> Decision:
        """What falls due by `at`: warnings, breaches, escalations, and what they fire."""
        self._own(case)
        return wake(self._rules, case, instant(at))

    def mark_due(self, case: Case, at: datetime) -> tuple[Decision, Marks]:
        """The marks of one instant alone; `after_marks` does what follows from them. For whoever runs linked
        cases, where the marks of all come before what follows in any."""
        return mark_due(self._rules, case, at)

    def after_marks(self, case: Case, marks: Marks, at: datetime) -> Decision:
        return after_marks(self._rules, case, marks, at)

    def redact(
        self,
        case: Case,
        *,
        facts: Iterable[str] | None,
        notes: bool = False,
        actor: Actor,
        at: datetime | str,
        reason: str,
    ) -> Decision:
        """The case without these personal facts (all of them, when None), with a line of the history for
        each. What lies elsewhere is the store's to remove: `CaseService.redact` does both."""
        self._own(case)
        check_actor(actor)
        return redact(self.plan, case, facts, notes, actor, instant(at), check_text(reason))

    def replay(self, history: Iterable[HistoryEntry]) -> Case:
        """The case that a history leads to; raises `HistoryMismatch` where the rules disagree with it."""
        return replay(self._rules, history)

    # -------------------------------------------------------------- keeping

    def to_json(self, value: Case | HistoryEntry) -> bytes:
        """A case or a history line for a host's own table, as UTF-8 JSON."""
        return to_json(value)

    def case_from_json(self, data: bytes | str) -> Case:
        """A case that was kept; raises `UsageError` for anything else."""
        return case_from_json(self.plan, data)

    def entry_from_json(self, data: bytes | str) -> HistoryEntry:
        """A history line that was kept; raises `UsageError` for anything else."""
        return entry_from_json(self.plan, data)

    # -------------------------------------------------------------- asking

    def allowed(self, case: Case, *, at: datetime | str, actor: Actor | None = None) -> tuple[Option, ...]:
        """What can be done now, by whom, and what is missing for the rest: every event of the case's state,
        as the actor sees it; without one, as somebody in the right role does."""
        self._own(case)
        if actor is not None:
            check_actor(actor)
        return outlook.allowed(self._rules, case, actor, instant(at))

    def route(self, case: Case, target: str) -> tuple[RouteStep, ...] | None:
        """The shortest way to a state: who acts, with which documents, by when; None when there is none."""
        self._own(case)
        return outlook.route(self._rules, case, target)

    def explain(self, case: Case, deadline: str) -> Explanation:
        """Why a deadline is due when it is. Raises `UnknownName` for one that the workflow does not
        declare."""
        self._own(case)
        return explain(self._rules, case, deadline)

    def tally(self, case: Case, at: datetime | str) -> tuple[Tally, ...]:
        """What the case's ledger comes to by each accumulation: the lines that count, and what is missing."""
        self._own(case)
        return tally(self._rules, case, instant(at))

    def time_by_side(self, history: Iterable[HistoryEntry], until: datetime | str) -> dict[str, Any]:
        """For how long the case has waited for each side, as timedeltas by side."""
        return time_by_side(self.plan, history, instant(until))

    def broken_invariants(self, case: Case) -> tuple[Label, ...]:
        """The invariants that do not hold for this case; none, for every case that this workflow made."""
        step: Scene = Step(self._rules, case, Actor("?"), case.at)
        return tuple(rule.label for rule in self.plan.invariants.get(case.state, ()) if not rule.test(step))

    def machine(self, model: Any = None) -> Any:
        """A plain `transitions.Machine` with the same states, events and named guards, for hosts on it."""
        return build_machine(self.plan.definition, model)

    def _own(self, case: Case) -> None:
        if not isinstance(case, Case):
            raise UsageError(f"{case!r} is not a case; give what `open` or `decide` has returned")
        if case.workflow != self._id:
            raise UsageError(f"case {case.id} belongs to {case.workflow!r}, not to {self.plan.id!r}")


class Workflows(Mapping[str, Workflow]):
    """Workflows by id, compiled together, so that each knows which others are loaded."""

    def __init__(
        self,
        definitions: Mapping[str, WorkflowDefinition],
        *,
        profile: ProfileDefinition | None = None,
        predicates: Mapping[str, Predicate] | None = None,
    ) -> None:
        self.profile = profile
        self.calendar = _calendar(profile)
        strict = profile is not None and profile.profile.unpublished == "refuse"
        self._workflows = {
            name: Workflow(
                compile_workflow(definition, loaded=definitions, predicates=predicates),
                self.calendar,
                strict_calendar=strict,
            )
            for name, definition in definitions.items()
        }

    def __getitem__(self, name: str) -> Workflow:
        try:
            return self._workflows[name]
        except KeyError:
            raise UnknownName("workflow", name, self._workflows) from None

    def __contains__(self, name: object) -> bool:
        return name in self._workflows

    def __iter__(self) -> Iterator[str]:
        return iter(self._workflows)

    def __len__(self) -> int:
        return len(self._workflows)


def load_workflows(
    *paths: str | Path,
    only: Iterable[str] | None = None,
    profile: str | Path | ProfileDefinition | None = None,
    predicates: Mapping[str, Predicate] | None = None,
) -> Workflows:
    """The bundled workflows (or `only` some), a host's own files, a firm's profile over all of them: a file,
    or a bundled profile by its name.

    `predicates` are the functions behind `registered` conditions, by name. Raises `DefinitionError` with
    every fault of every file, `UnknownName` for a name in `only` or a profile that is not bundled, and
    `OSError` for a file that cannot be read. It takes some 0.3 s: load once, and share among all threads.
    """
    found: Profile | None = None
    if isinstance(profile, (str, Path)):
        found = load_profile(profile)
    elif profile is not None:
        found = Profile(definition=extended(profile))
    definitions = load_definitions(*(Path(path) for path in paths), only=only, profile=found)
    return Workflows(definitions, profile=None if found is None else found.definition, predicates=predicates)


def _calendar(profile: ProfileDefinition | None) -> Calendar:
    if profile is None:
        return Calendar()
    years = {
        int(year): YearPlan(
            rest=frozenset(date.fromisoformat(day) for day in plan.rest),
            work=frozenset(date.fromisoformat(day) for day in plan.work),
        )
        for year, plan in profile.calendar.items()
    }
    return Calendar(profile.profile.zone, years)
