"""The only orchestrator: sends commands to cases, opens children, carries what is told, fires what is due."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from threading import RLock

from attrs import field, frozen

from renoflow.engine.adjustments import PUBLISHED
from renoflow.engine.cascade import Move, follow, keep_step, meet
from renoflow.engine.decide import Marks
from renoflow.engine.peers import is_tied, objections, related
from renoflow.engine.workflow import Workflow, Workflows
from renoflow.errors import UnknownName
from renoflow.records import (
    NO_FACTS,
    Case,
    Command,
    Decision,
    Effect,
    HistoryEntry,
    Reason,
    Told,
)
from renoflow.store.memory import Change, MemoryStore
from renoflow.values import SYSTEM_ACTOR, Actor, instant


@frozen(kw_only=True)
class Outcome:
    """What came of a call: the case, why it was refused, every history line written in any case, and the
    effects that are left for the host (linked cases have had theirs)."""

    case: Case | None
    reasons: tuple[Reason, ...] = ()
    entries: tuple[HistoryEntry, ...] = ()
    effects: tuple[Effect, ...] = ()
    refused_openings: tuple[tuple[str, tuple[Reason, ...]], ...] = ()

    @property
    def accepted(self) -> bool:
        return not self.reasons

    @property
    def refused(self) -> bool:
        return bool(self.reasons)


def _together(outcomes: Sequence[Outcome], last: Outcome | None) -> Outcome:
    """Several outcomes as one; the case and the reasons are those of the last."""
    return Outcome(
        case=None if last is None else last.case,
        reasons=() if last is None else last.reasons,
        entries=tuple(entry for one in outcomes for entry in one.entries),
        effects=tuple(effect for one in outcomes for effect in one.effects),
        refused_openings=tuple(item for one in outcomes for item in one.refused_openings),
    )


class CaseService:
    """Runs cases of several workflows over a store. One call is one transaction.

    What has fallen due in a case's family happens before a command to any of its cases.
    """

    def __init__(self, workflows: Workflows, store: MemoryStore | None = None) -> None:
        self.workflows = workflows
        self.store = store if store is not None else MemoryStore()
        self._lock = RLock()

    # -------------------------------------------------------------- reading

    def case(self, case_id: str) -> Case:
        """Raises `UnknownName` when there is none."""
        case = self.store.get(case_id)
        if case is None:
            raise UnknownName("case", case_id, (one.id for one in self.store.cases()))
        return case

    def workflow_of(self, case: Case) -> Workflow:
        return self.workflows[case.workflow]

    def history(self, case_id: str) -> tuple[HistoryEntry, ...]:
        return self.store.history(self.case(case_id).id)

    # -------------------------------------------------------------- writing

    def open(
        self,
        workflow: str,
        case_id: str,
        command: Command,
        *,
        parent: str | None = None,
        links: Mapping[str, str] = NO_FACTS,
    ) -> Outcome:
        """A new case by its opening event; with a parent, the parent is told. `links` are the cases that it
        is tied to, by the names of its file. Raises `UnknownName` for an unknown workflow, link or case."""
        flow = self.workflows[workflow]
        with self._lock:
            transaction = _Transaction(self)
            if transaction.get(case_id) is not None:
                return Outcome(case=None, reasons=(Reason(code="already_open", subject=case_id),))
            above = None if parent is None else self.case(parent)
            if above is not None:
                self._fire_family(transaction, above, command.at)
                above = transaction.get(above.id)
            for name, other in links.items():
                self._fire_family(transaction, self._peer(flow, name, other), command.at)
            peers = {name: transaction.get(other) or self.case(other) for name, other in links.items()}
            decision = transaction.open(flow, case_id, command, above, peers)
            return transaction.finish(case_id, decision)

    def link(self, case_id: str, name: str, other_id: str, *, actor: Actor, at: datetime | str) -> Outcome:
        """Tie two cases to each other, the second under `name` in the first and under whatever names its own
        file has for the first. From then on each is told what concerns it of the other. A pair that is tied
        already stays as it is. Raises `UnknownName` for a link that the first file does not have."""
        now = instant(at)
        with self._lock:
            transaction = _Transaction(self)
            case, other = transaction.get(case_id), transaction.get(other_id)
            if case is None or other is None:
                missing = case_id if case is None else other_id
                return Outcome(case=None, reasons=(Reason(code="unknown_case", subject=missing),))
            self._peer(self.workflow_of(case), name, other_id)
            due = [self._fire_family(transaction, one, now) for one in (case, other)]
            then = _Transaction(self, transaction)
            case, other = then.get(case_id) or case, then.get(other_id) or other
            decision = then.tie(case, name, other, actor, now)
            before = transaction.commit(case_id)
            outcome = then.finish(case_id, decision)
            return _together([before, outcome], outcome) if any(due) else outcome

    def _peer(self, flow: Workflow, name: str, other: str) -> Case:
        if name not in flow.plan.links:
            raise UnknownName("link", name, flow.plan.links)
        return self.case(other)

    def send(self, case_id: str, command: Command) -> Outcome:
        """A command for one case, and everything that follows from it in linked cases, or nothing."""
        with self._lock:
            transaction = _Transaction(self)
            case = transaction.get(case_id)
            if case is None:
                return Outcome(case=None, reasons=(Reason(code="unknown_case", subject=case_id),))
            # What fell due stands whatever becomes of the command, and is kept once that is known.
            due = self._fire_family(transaction, case, command.at)
            then = _Transaction(self, transaction)
            decision = then.decide(then.get(case_id) or case, command)
            before = transaction.commit(case_id)
            outcome = then.finish(case_id, decision)
            return _together([before, outcome], outcome) if due else outcome

    def sweep(self, at: datetime | str | None = None) -> Outcome:
        """Everything that has fallen due in any case by `at` (now, when not given) happens, in time order."""
        until = datetime.now(UTC) if at is None else instant(at)
        with self._lock:
            outcomes: list[Outcome] = []
            while (case := self.store.next_due(until)) is not None and case.wakes_at is not None:
                transaction = _Transaction(self)
                self._fire_family(transaction, case, case.wakes_at)
                outcomes.append(transaction.commit(case.id))
            return _together(outcomes, None)

    def recount(self, at: datetime | str | None = None) -> Outcome:
        """Provisional dates of all cases counted again, after a year's calendar was published."""
        now = datetime.now(UTC) if at is None else instant(at)
        outcomes = [
            self.send(case.id, Command(PUBLISHED, SYSTEM_ACTOR, max(now, case.at)))
            for case in self.store.cases()
            if any(clock.provisional for clock in case.deadlines.values())
        ]
        return _together(outcomes, None)

    def _fire_family(self, transaction: _Transaction, case: Case, until: datetime) -> bool:
        """What falls due in a family of cases by an instant. At each instant the marks of all come first,
        parents before children, then what follows from them in the same order."""
        fired = False
        family = self._family(case)
        while (due := transaction.next_due(family, until)) is not None and due.wakes_at is not None:
            fired = True
            at = due.wakes_at
            marked = []
            while (one := transaction.next_due(family, at)) is not None:
                marked.append((one.id, transaction.mark(one, at)))
            for case_id, marks in marked:
                transaction.follow(case_id, marks, at)
            family = self._family(case) | transaction.touched
        return fired

    def _family(self, case: Case) -> set[str]:
        """The cases that are tied to each other in any way: parents, children, peers."""
        found: set[str] = set()
        waiting = [case.id]
        while waiting:
            one = self.store.get(waiting.pop())
            if one is not None and one.id not in found:
                found.add(one.id)
                waiting.extend(related(one))
                waiting.extend(child.id for child in self.store.children_of(one.id))
        return found


@frozen
class _Transaction:
    """Reads through to the store, or to another transaction that will be kept first; writes at the end."""

    service: CaseService
    under: _Transaction | None = None
    cases: dict[str, Case] = field(factory=dict)
    entries: list[HistoryEntry] = field(factory=list)
    effects: list[Effect] = field(factory=list)
    refused: list[tuple[str, tuple[Reason, ...]]] = field(factory=list)
    marked: set[str] = field(factory=set)

    @property
    def touched(self) -> set[str]:
        return set(self.cases)

    def get(self, case_id: str) -> Case | None:
        if case_id in self.cases:
            return self.cases[case_id]
        return self.service.store.get(case_id) if self.under is None else self.under.get(case_id)

    def next_due(self, among: set[str], until: datetime) -> Case | None:
        due = [
            case
            for name in among
            if (case := self.get(name)) is not None and case.wakes_at is not None and case.wakes_at <= until
        ]
        place = self.service.store.position
        return min(due, key=lambda case: (case.wakes_at, place(case.id), case.id), default=None)

    # -------------------------------------------------------------- the three kinds of step

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
            told = self.service.workflow_of(parent).introduce(parent, flow.id)
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
        flow = self.service.workflow_of(case)
        reasons = self._objections(flow, case, name, other)
        if reasons:
            return Decision(case, reasons=tuple(reasons))
        if is_tied(case, name, other.id):
            follow(self, meet(self, case, other.id, at))
            return Decision(case)
        decision = flow.decide(
            case, Command(f"link.{name}.told", actor, at, told=self._standing(other, name))
        )
        if decision.accepted:
            self._take(case, decision, other)
        return decision

    def _objections(self, flow: Workflow, case: Case | None, name: str, other: Case) -> list[Reason]:
        return objections(flow.plan, case, name, self.service.workflow_of(other).plan, other)

    def _standing(self, case: Case, name: str) -> Told:
        return self.service.workflow_of(case).standing(case, name)

    def decide(self, case: Case, command: Command) -> Decision:
        decision = self.service.workflow_of(case).decide(case, command)
        if decision.accepted:
            self._take(case, decision)
        return decision

    def mark(self, case: Case, at: datetime) -> Marks:
        decision, marks = self.service.workflow_of(case).mark_due(case, at)
        self._take(case, decision)
        if marks:
            self.marked.add(case.id)
        return marks

    def follow(self, case_id: str, marks: Marks, at: datetime) -> None:
        case = self.get(case_id)
        self.marked.discard(case_id)
        if case is not None and marks:
            self._take(case, self.service.workflow_of(case).after_marks(case, marks, at))

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

    @property
    def workflows(self) -> Workflows:
        return self.service.workflows

    def children_of(self, case: Case) -> list[Case]:
        stored = [child.id for child in self.service.store.children_of(case.id)]
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

    # -------------------------------------------------------------- the end

    def commit(self, case_id: str) -> Outcome:
        self.service.store.save(Change(cases=tuple(self.cases.values()), entries=tuple(self.entries)))
        return Outcome(
            case=self.get(case_id),
            entries=tuple(self.entries),
            effects=tuple(self.effects),
            refused_openings=tuple(self.refused),
        )

    def finish(self, case_id: str, decision: Decision) -> Outcome:
        if decision.refused:
            return Outcome(case=self.service.store.get(case_id), reasons=decision.reasons)
        return self.commit(case_id)
