"""One call's work on cases: read as they stand by now, moved, and handed to the store at the end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from renoflow.engine.cascade import Move, follow, keep_step, meet
from renoflow.engine.decide import Marks
from renoflow.engine.peers import is_tied, objections
from renoflow.engine.workflow import Workflow, Workflows
from renoflow.records import NO_FACTS, Case, Command, Decision, Effect, HistoryEntry, Reason, Told
from renoflow.store.protocol import Change, Session
from renoflow.values import Actor


class Transaction(msgspec.Struct, frozen=True):
    """Reads through to the store's session, or to another transaction that stands whatever becomes of this
    one; nothing is written before `change` is saved."""

    workflows: Workflows
    session: Session
    under: Transaction | None = None
    cases: dict[str, Case] = {}
    entries: list[HistoryEntry] = []
    effects: list[Effect] = []
    refused: list[tuple[str, tuple[Reason, ...]]] = []
    marked: set[str] = set()

    def above(self) -> Transaction:
        """Another one that stands on this."""
        return Transaction(self.workflows, self.session, self)

    def get(self, case_id: str) -> Case | None:
        if case_id in self.cases:
            return self.cases[case_id]
        return self.session.get(case_id) if self.under is None else self.under.get(case_id)

    @property
    def all_refused(self) -> tuple[tuple[str, tuple[Reason, ...]], ...]:
        """Openings that the rules refused, each with the reasons."""
        return (*(() if self.under is None else self.under.all_refused), *self.refused)

    def workflow_of(self, case: Case) -> Workflow:
        return self.workflows[case.workflow]

    def change(self) -> Change:
        """Everything, that of the transaction below first."""
        below = self.under
        if below is None:
            cases, entries, effects = self.cases, self.entries, self.effects
        else:
            cases = {**below.cases, **self.cases}
            entries, effects = below.entries + self.entries, below.effects + self.effects
        return Change(cases=tuple(cases.values()), entries=tuple(entries), effects=tuple(effects))

    # -------------------------------------------------------------- what falls due

    def fire_due(self, case_id: str, until: datetime) -> bool:
        """What falls due in a family of cases by an instant. At each instant the marks of all come first,
        parents before children, then what follows from them in the same order."""
        wakes_at = self.session.wakes_at(case_id)
        if wakes_at is None or wakes_at > until:
            return False
        fired = False
        family = set(self.session.family_of(case_id))
        while (due := self._next_due(family, until)) is not None and due.wakes_at is not None:
            fired = True
            at = due.wakes_at
            marked = []
            while (one := self._next_due(family, at)) is not None:
                marked.append((one.id, self._mark(one, at)))
            for name, marks in marked:
                self._follow(name, marks, at)
            family |= set(self.cases)
        return fired

    def _next_due(self, among: set[str], until: datetime) -> Case | None:
        due = [
            case
            for name in among
            if (case := self.get(name)) is not None and case.wakes_at is not None and case.wakes_at <= until
        ]
        place = self.session.position
        return min(due, key=lambda case: (case.wakes_at, place(case.id), case.id), default=None)

    def _mark(self, case: Case, at: datetime) -> Marks:
        decision, marks = self.workflow_of(case).mark_due(case, at)
        self._take(case, decision)
        if marks:
            self.marked.add(case.id)
        return marks

    def _follow(self, case_id: str, marks: Marks, at: datetime) -> None:
        case = self.get(case_id)
        self.marked.discard(case_id)
        if case is not None and marks:
            self._take(case, self.workflow_of(case).after_marks(case, marks, at))

    # -------------------------------------------------------------- what is sent

    def open(
        self,
        flow: Workflow,
        case_id: str,
        command: Command,
        parent: Case | None,
        peers: Mapping[str, Case] = NO_FACTS,
    ) -> Decision:
        told = None
        if parent is not None:
            told = self.workflow_of(parent).introduce(parent, flow.id)
        standing = [self._standing(other, name) for name, other in peers.items()]
        reasons = [r for name, other in peers.items() for r in self._objections(flow, None, name, other)]
        if reasons:
            return Decision(None, reasons=tuple(reasons))
        decision = flow.open(
            case_id,
            actor=command.actor,
            at=command.at,
            facts=command.facts,
            documents=command.documents,
            payments=command.payments,
            note=command.note,
            event=command.event,
            parent=told,
            links=standing,
        )
        self._take(None, decision, *peers.values())
        return decision

    def tie(self, case: Case, name: str, other: Case, actor: Actor, at: datetime) -> Decision:
        """Both are told of each other before anything follows from it in either."""
        flow = self.workflow_of(case)
        reasons = self._objections(flow, case, name, other)
        if reasons:
            return Decision(case, reasons=tuple(reasons))
        if is_tied(flow.plan, case, name, other.id):
            follow(self, meet(self, case, other.id, at))
            return Decision(case)
        told = self._standing(other, name)
        decision = flow.decide(case, Command(f"link.{name}.told", actor, at, told=told))
        if decision.accepted:
            self._take(case, decision, other)
        return decision

    def redact(
        self, case: Case, facts: Iterable[str] | None, notes: bool, actor: Actor, at: datetime, reason: str
    ) -> Decision:
        """Nothing follows from it in other cases."""
        flow = self.workflow_of(case)
        decision = flow.redact(case, facts=facts, notes=notes, actor=actor, at=at, reason=reason)
        keep_step(self, case, decision)
        return decision

    def _objections(self, flow: Workflow, case: Case | None, name: str, other: Case) -> list[Reason]:
        return objections(flow.plan, case, name, self.workflow_of(other).plan, other)

    def _standing(self, case: Case, name: str) -> Told:
        return self.workflow_of(case).standing(case, name)

    def decide(self, case: Case, command: Command) -> Decision:
        decision = self.workflow_of(case).decide(case, command)
        if decision.accepted:
            self._take(case, decision)
        return decision

    def _take(self, before: Case | None, decision: Decision, *tied: Case) -> None:
        """Keep a step with all that follows from it in linked cases; `tied` become its peers by it."""
        case = decision.case
        if case is None:
            return
        if not decision.entries and not decision.effects:
            self.cases[case.id] = case
            return
        moves = keep_step(self, before, decision)
        for other in tied:
            moves += meet(self, case, other.id, decision.entries[-1].at)
        follow(self, moves)

    # -------------------------------------------------------------- for what follows in linked cases

    def children_of(self, case: Case) -> list[Case]:
        stored = [child.id for child in self.session.children_of(case.id)]
        mine = [*self.cases.values(), *(self.under.cases.values() if self.under else ())]
        fresh = [one.id for one in mine if one.parent == case.id and one.id not in stored]
        return [child for name in (*stored, *fresh) if (child := self.get(name)) is not None]

    def keep(self, move: Move) -> None:
        self.cases[move.after.id] = move.after
        self.entries.extend(move.entries)

    def hand_over(self, effect: Effect) -> None:
        self.effects.append(effect)

    def refuse(self, case_id: str, reasons: tuple[Reason, ...]) -> None:
        self.refused.append((case_id, reasons))
