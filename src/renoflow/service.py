"""The only orchestrator: sends commands to cases, opens children, carries what is told, fires what is due."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from threading import RLock
from typing import Any

from attrs import field, frozen
from msgspec.structs import replace

from renoflow.engine.adjustments import PUBLISHED
from renoflow.engine.decide import Marks
from renoflow.engine.linked import told_to_child, told_to_parent
from renoflow.engine.workflow import Workflow, Workflows
from renoflow.errors import RenoflowError, UnknownName
from renoflow.records import (
    Case,
    Command,
    Decision,
    Effect,
    HistoryEntry,
    Reason,
    Told,
)
from renoflow.store.memory import Change, MemoryStore
from renoflow.values import SYSTEM_ACTOR, instant

LONGEST_CASCADE = 10_000


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

    def open(self, workflow: str, case_id: str, command: Command, *, parent: str | None = None) -> Outcome:
        """A new case by its opening event; with a parent, the parent is told. Raises `UnknownName` for an
        unknown workflow or parent."""
        flow = self.workflows[workflow]
        with self._lock:
            transaction = _Transaction(self)
            if transaction.get(case_id) is not None:
                return Outcome(case=None, reasons=(Reason(code="already_open", subject=case_id),))
            above = None if parent is None else self.case(parent)
            if above is not None:
                self._fire_family(transaction, above, command.at)
                above = transaction.get(above.id)
            decision = transaction.open(flow, case_id, command, above)
            return transaction.finish(case_id, decision)

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
        root = case
        while root.parent and (above := self.store.get(root.parent)) is not None:
            root = above
        found: set[str] = set()
        waiting = [root.id]
        while waiting:
            name = waiting.pop()
            found.add(name)
            waiting.extend(child.id for child in self.store.children_of(name))
        return found


@frozen(kw_only=True)
class _Move:
    """One step of one case, whose consequences for linked cases are still to come."""

    before: Case | None
    after: Case
    entries: tuple[HistoryEntry, ...]
    effects: tuple[Effect, ...]


@frozen
class _Transaction:
    """Reads through to the store, or to another transaction that will be kept first; writes at the end."""

    service: CaseService
    under: _Transaction | None = None
    cases: dict[str, Case] = field(factory=dict)
    entries: list[HistoryEntry] = field(factory=list)
    effects: list[Effect] = field(factory=list)
    refused: list[tuple[str, tuple[Reason, ...]]] = field(factory=list)

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

    def open(self, flow: Workflow, case_id: str, command: Command, parent: Case | None) -> Decision:
        told = None
        if parent is not None:
            told = self.service.workflow_of(parent).introduce(parent, flow.id)
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
        )
        self._take(None, decision)
        return decision

    def decide(self, case: Case, command: Command) -> Decision:
        decision = self.service.workflow_of(case).decide(case, command)
        if decision.accepted:
            self._take(case, decision)
        return decision

    def mark(self, case: Case, at: datetime) -> Marks:
        decision, marks = self.service.workflow_of(case).mark_due(case, at)
        self._take(case, decision)
        return marks

    def follow(self, case_id: str, marks: Marks, at: datetime) -> None:
        case = self.get(case_id)
        if case is not None and marks:
            self._take(case, self.service.workflow_of(case).after_marks(case, marks, at))

    def _take(self, before: Case | None, decision: Decision) -> None:
        if decision.case is None or (not decision.entries and not decision.effects and before is not None):
            if decision.case is not None:
                self.cases[decision.case.id] = decision.case
            return
        move = _Move(before=before, after=decision.case, entries=decision.entries, effects=decision.effects)
        waiting = deque([self._write(move)])
        left = LONGEST_CASCADE
        while waiting:
            left -= 1
            if left < 0:
                raise RenoflowError(f"linked cases answer each other without end, from {move.after.id}")
            waiting.extend(self._consequences(waiting.popleft()))

    def _write(self, move: _Move) -> _Move:
        self.cases[move.after.id] = move.after
        self.entries.extend(move.entries)
        return move

    # -------------------------------------------------------------- what follows in linked cases

    def _consequences(self, move: _Move) -> list[_Move]:
        moves = self._tell_parent(move)
        moves += self._tell_children(move)
        for effect in move.effects:
            if effect.kind == "open" and effect.to in self.service.workflows:
                moves += self._open_child(move.after, effect)
            elif effect.kind == "tell" and self.get(effect.to) is not None:
                moves += self._deliver(move.after, effect)
            else:
                self.effects.append(effect)
        return moves

    def _offer(self, case: Case | None, command: Command) -> list[_Move]:
        if case is None:
            return []
        decision = self.service.workflow_of(case).decide(case, command)
        if decision.refused or decision.case is None:
            # Refused, it leaves no trace.
            return []
        return [
            self._write(
                _Move(before=case, after=decision.case, entries=decision.entries, effects=decision.effects)
            )
        ]

    def _tell_parent(self, move: _Move) -> list[_Move]:
        child = move.after
        parent = self.get(child.parent) if child.parent else None
        if parent is None or not child.known_as:
            return []
        above = self.service.workflow_of(parent).plan
        below = self.service.workflow_of(child).plan
        moves: list[_Move] = []
        before = move.before
        for entry in move.entries:
            seen = _as_of(child, entry)
            told = told_to_parent(above, below, child.known_as, before, seen, entry.event)
            before = seen
            if told is not None:
                name = f"child.{child.known_as}.{entry.event}"
                command = Command(name, SYSTEM_ACTOR, max(entry.at, parent.at), told=told)
                moves += self._offer(self.get(child.parent), command)
        return moves

    def _tell_children(self, move: _Move) -> list[_Move]:
        case = move.after
        above = self.service.workflow_of(case).plan
        moves: list[_Move] = []
        for child in self._children_of(case):
            below = self.service.workflow_of(child).plan
            if child.state not in below.finals and told_to_child(above, below, move.before, case):
                for name in below.link_names(case.workflow):
                    moves += self._offer(self.get(child.id), _link_command(self, name, case, child, {}))
        return moves

    def _children_of(self, case: Case) -> list[Case]:
        stored = [child.id for child in self.service.store.children_of(case.id)]
        mine = [*self.cases.values(), *(self.under.cases.values() if self.under else ())]
        fresh = [one.id for one in mine if one.parent == case.id and one.id not in stored]
        return [child for name in (*stored, *fresh) if (child := self.get(name)) is not None]

    def _open_child(self, parent: Case, effect: Effect) -> list[_Move]:
        flow = self.service.workflows[effect.to]
        current = self.get(parent.id) or parent
        above = self.service.workflow_of(current)
        decision = flow.open(
            effect.data["case"],
            actor=SYSTEM_ACTOR,
            at=effect.at,
            facts=effect.data["facts"],
            parent=above.introduce(current, flow.id, effect.data["child"]),
        )
        if decision.case is None:
            self.refused.append((effect.data["case"], decision.reasons))
            self.effects.append(effect)
            return []
        return [
            self._write(
                _Move(before=None, after=decision.case, entries=decision.entries, effects=decision.effects)
            )
        ]

    def _deliver(self, teller: Case, effect: Effect) -> list[_Move]:
        listener = self.get(effect.to)
        if listener is None:
            return []
        data = effect.data
        if data.get("event") is None:
            flow = self.service.workflow_of(listener)
            moves: list[_Move] = []
            for name in flow.plan.link_names(teller.workflow):
                current = self.get(teller.id) or teller
                moves += self._offer(
                    self.get(effect.to), _link_command(self, name, current, listener, data["facts"])
                )
            return moves
        command = Command(
            data["event"],
            SYSTEM_ACTOR,
            max(effect.at, listener.at),
            facts=data["facts"],
            documents=data["documents"],
        )
        return self._offer(listener, command)

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


def _as_of(case: Case, entry: HistoryEntry) -> Case:
    """The case with the state that this entry left it in; its facts are those after the whole step."""
    if entry.target == case.state:
        return case
    return replace(case, state=entry.target)


def _link_command(
    transaction: _Transaction, name: str, teller: Case, listener: Case, facts: Mapping[str, Any]
) -> Command:
    plan = transaction.service.workflow_of(teller).plan
    told = Told(
        relation="link",
        name=name,
        case=teller.id,
        workflow=teller.workflow,
        event="",
        state=teller.state,
        ended=teller.state in plan.finals,
        facts=facts,
    )
    return Command(f"link.{name}.told", SYSTEM_ACTOR, max(teller.at, listener.at), told=told)
