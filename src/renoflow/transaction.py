"""One call's work on cases: read as they stand by now, moved, and handed to the store at the end."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import field, frozen
from msgspec.structs import replace

from renoflow.engine.decide import Marks
from renoflow.engine.linked import told_to_child, told_to_parent
from renoflow.engine.workflow import Workflow, Workflows
from renoflow.errors import RenoflowError
from renoflow.records import Case, Command, Decision, Effect, HistoryEntry, Reason, Told
from renoflow.store.protocol import Answer, Change, Session
from renoflow.values import SYSTEM_ACTOR

LONGEST_CASCADE = 10_000


@frozen(kw_only=True)
class _Move:
    """One step of one case, whose consequences for linked cases are still to come."""

    before: Case | None
    after: Case
    entries: tuple[HistoryEntry, ...]
    effects: tuple[Effect, ...]


@frozen
class Transaction:
    """Reads through to the store's session, or to another transaction that stands whatever becomes of this
    one; nothing is written before `change` is saved."""

    workflows: Workflows
    session: Session
    under: Transaction | None = None
    cases: dict[str, Case] = field(factory=dict)
    entries: list[HistoryEntry] = field(factory=list)
    effects: list[Effect] = field(factory=list)
    refused: list[tuple[str, tuple[Reason, ...]]] = field(factory=list)

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

    def change(self, answer: Answer | None = None) -> Change:
        """Everything, that of the transaction below first."""
        below = self.under
        if below is None:
            cases, entries, effects = self.cases, self.entries, self.effects
        else:
            cases = {**below.cases, **self.cases}
            entries, effects = below.entries + self.entries, below.effects + self.effects
        return Change(
            cases=tuple(cases.values()), entries=tuple(entries), effects=tuple(effects), answer=answer
        )

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
        return marks

    def _follow(self, case_id: str, marks: Marks, at: datetime) -> None:
        case = self.get(case_id)
        if case is not None and marks:
            self._take(case, self.workflow_of(case).after_marks(case, marks, at))

    # -------------------------------------------------------------- what is sent

    def open(self, flow: Workflow, case_id: str, command: Command, parent: Case | None) -> Decision:
        told = None
        if parent is not None:
            told = self.workflow_of(parent).introduce(parent, flow.id)
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
        decision = self.workflow_of(case).decide(case, command)
        if decision.accepted:
            self._take(case, decision)
        return decision

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
            if effect.kind == "open" and effect.to in self.workflows:
                moves += self._open_child(move.after, effect)
            elif effect.kind == "tell" and self.get(effect.to) is not None:
                moves += self._deliver(move.after, effect)
            else:
                self.effects.append(effect)
        return moves

    def _offer(self, case: Case | None, command: Command) -> list[_Move]:
        if case is None:
            return []
        decision = self.workflow_of(case).decide(case, command)
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
        above = self.workflow_of(parent).plan
        below = self.workflow_of(child).plan
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
        above = self.workflow_of(case).plan
        moves: list[_Move] = []
        for child in self._children_of(case):
            below = self.workflow_of(child).plan
            if child.state not in below.finals and told_to_child(above, below, move.before, case):
                for name in below.link_names(case.workflow):
                    moves += self._offer(self.get(child.id), _link_command(self, name, case, child, {}))
        return moves

    def _children_of(self, case: Case) -> list[Case]:
        stored = [child.id for child in self.session.children_of(case.id)]
        mine = [*self.cases.values(), *(self.under.cases.values() if self.under else ())]
        fresh = [one.id for one in mine if one.parent == case.id and one.id not in stored]
        return [child for name in (*stored, *fresh) if (child := self.get(name)) is not None]

    def _open_child(self, parent: Case, effect: Effect) -> list[_Move]:
        flow = self.workflows[effect.to]
        current = self.get(parent.id) or parent
        above = self.workflow_of(current)
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
            flow = self.workflow_of(listener)
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


def _as_of(case: Case, entry: HistoryEntry) -> Case:
    """The case with the state that this entry left it in; its facts are those after the whole step."""
    if entry.target == case.state:
        return case
    return replace(case, state=entry.target)


def _link_command(
    transaction: Transaction, name: str, teller: Case, listener: Case, facts: Mapping[str, Any]
) -> Command:
    plan = transaction.workflow_of(teller).plan
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
