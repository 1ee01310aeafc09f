"""What a step of one case brings about in linked ones: told, offered, opened, all in the same transaction."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol

import msgspec
from attrs import evolve
from msgspec.structs import replace

from renoflow.engine.linked import concerns, told_to_parent
from renoflow.engine.peers import is_replaced, is_tied, names_told, objections, related, telling
from renoflow.engine.workflow import Workflow, Workflows
from renoflow.errors import RenoflowError
from renoflow.records import Case, Command, Decision, Effect, HistoryEntry, Reason, Told
from renoflow.values import SYSTEM_ACTOR

LONGEST_CASCADE = 10_000


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """One step of one case, whose consequences for linked cases are still to come."""

    before: Case | None
    after: Case
    entries: tuple[HistoryEntry, ...]
    effects: tuple[Effect, ...]


class Cases(Protocol):
    """The cases of one transaction: read as they stand by now, written at its end."""

    @property
    def workflows(self) -> Workflows: ...

    @property
    def marked(self) -> Collection[str]:
        """The cases that have marks of this instant from which nothing has followed yet."""

    def get(self, case_id: str) -> Case | None: ...

    def children_of(self, case: Case) -> Iterable[Case]: ...

    def keep(self, move: Move) -> None: ...

    def hand_over(self, effect: Effect) -> None:
        """An effect that is the host's to carry out."""

    def refuse(self, case_id: str, reasons: tuple[Reason, ...]) -> None:
        """A case that an effect wanted to open, and why it was not."""


def keep_step(cases: Cases, before: Case | None, decision: Decision) -> list[Move]:
    """A step that was decided, kept; nothing when there was none."""
    if decision.case is None or decision.refused:
        return []
    move = Move(before=before, after=decision.case, entries=decision.entries, effects=decision.effects)
    cases.keep(move)
    return [move]


def follow(cases: Cases, moves: Iterable[Move]) -> None:
    """Everything that steps bring about in linked cases, and what that brings about in turn."""
    waiting = deque(moves)
    left = LONGEST_CASCADE
    while waiting:
        left -= 1
        if left < 0:
            raise RenoflowError(f"linked cases answer each other without end, at {waiting[0].after.id}")
        waiting.extend(_consequences(cases, waiting.popleft()))


def meet(cases: Cases, case: Case, other_id: str, at: datetime) -> list[Move]:
    """The other one of two that are being tied is told of the first, where it does not have it yet."""
    other = cases.get(other_id)
    if other is None:
        return []
    plan = cases.workflows[other.workflow].plan
    unknown = [name for name in plan.link_names(case.workflow) if not is_tied(plan, other, name, case.id)]
    return [move for name in unknown for move in _tell_standing(cases, other_id, name, case, tied_at=at)]


def _consequences(cases: Cases, move: Move) -> list[Move]:
    moves = _tell_parent(cases, move)
    moves += _tell_children(cases, move)
    moves += _tell_peers(cases, move)
    for effect in move.effects:
        if effect.kind == "open" and effect.to in cases.workflows:
            moves += _open(cases, move.after, effect)
            continue
        if effect.kind == "tell":
            moves += _open_keyed(cases, effect)
            listener = cases.get(effect.to)
            if listener is not None:
                moves += _deliver(cases, move.after, listener, effect)
                continue
        cases.hand_over(effect)
    return moves


def _offer(cases: Cases, case_id: str, command: Command) -> list[Move]:
    """A command for a linked case; refused, it leaves no trace."""
    case = cases.get(case_id)
    if case is None:
        return []
    if case_id in cases.marked:
        command = evolve(command, ahead=True)
    return keep_step(cases, case, cases.workflows[case.workflow].decide(case, command))


# ------------------------------------------------------------------ how a case stands


def _tell_parent(cases: Cases, move: Move) -> list[Move]:
    child = move.after
    parent = cases.get(child.parent) if child.parent else None
    if parent is None or not child.known_as:
        return []
    above = cases.workflows[parent.workflow].plan
    below = cases.workflows[child.workflow].plan
    moves: list[Move] = []
    before = move.before
    for entry in move.entries:
        seen = _as_of(child, entry)
        told = told_to_parent(above, below, child.known_as, before, seen, entry.event)
        before = seen
        if told is not None:
            name = f"child.{child.known_as}.{entry.event}"
            command = Command(name, SYSTEM_ACTOR, max(entry.at, parent.at), told=told)
            moves += _offer(cases, child.parent, command)
    return moves


def _as_of(case: Case, entry: HistoryEntry) -> Case:
    """The case with the state that this entry left it in; its facts are those after the whole step."""
    if entry.target == case.state:
        return case
    return replace(case, state=entry.target)


def _tell_children(cases: Cases, move: Move) -> list[Move]:
    case = move.after
    moves: list[Move] = []
    for child in cases.children_of(case):
        below = cases.workflows[child.workflow].plan
        if child.state not in below.finals:
            for name in below.link_names(case.workflow):
                if concerns(below, name, move.before, case):
                    moves += _tell_standing(cases, child.id, name, case)
    return moves


def _tell_peers(cases: Cases, move: Move) -> list[Move]:
    case = move.after
    teller = cases.workflows[case.workflow].plan
    moves: list[Move] = []
    for other in related(case):
        peer = cases.get(other)
        if peer is not None and peer.parent != case.id:
            listener = cases.workflows[peer.workflow].plan
            for name in names_told(teller, listener, move.before, case, peer):
                moves += _tell_standing(cases, other, name, case)
    return moves


def _tell_standing(
    cases: Cases, listener: str, name: str, teller: Case, *, tied_at: datetime | None = None
) -> list[Move]:
    """How the teller stands, for a case that links it under `name`; `tied_at` where that begins now."""
    case = cases.get(listener)
    if case is None:
        return []
    told = cases.workflows[teller.workflow].standing(teller, name)
    if tied_at is None:
        told = replace(told, opened=False)
    at = max(tied_at or teller.at, case.at)
    return _offer(cases, listener, Command(f"link.{name}.told", SYSTEM_ACTOR, at, told=told))


# ------------------------------------------------------------------ what a case opens and tells


def _open(cases: Cases, opener: Case, effect: Effect) -> list[Move]:
    """A child, or a peer, of the case that opens it."""
    flow = cases.workflows[effect.to]
    case = cases.get(opener.id) or opener
    above = cases.workflows[case.workflow]
    case_id, name = effect.data["case"], effect.data.get("link")
    if name is None:
        parent = above.introduce(case, flow.id, effect.data["child"])
        return _opened(cases, flow, effect, case_id, effect.data["facts"], parent)
    reasons = objections(above.plan, case, name, flow.plan, None)
    if reasons:
        return _not_opened(cases, effect, case_id, tuple(reasons))
    links = tuple(above.standing(case, back) for back in flow.plan.link_names(case.workflow))
    moves = _opened(cases, flow, effect, case_id, effect.data["facts"], None, links)
    if moves:
        moves += _tell_standing(cases, case.id, name, moves[0].after, tied_at=effect.at)
    return moves


def _open_keyed(cases: Cases, effect: Effect) -> list[Move]:
    """The case that a key finds, where it is told something for the first time."""
    opening = effect.data.get("opening")
    if opening is None or opening["workflow"] not in cases.workflows or cases.get(effect.to) is not None:
        return []
    return _opened(cases, cases.workflows[opening["workflow"]], effect, effect.to, opening["facts"])


def _opened(
    cases: Cases,
    flow: Workflow,
    effect: Effect,
    case_id: str,
    facts: Mapping[str, Any],
    parent: Told | None = None,
    links: tuple[Told, ...] = (),
) -> list[Move]:
    if cases.get(case_id) is not None:
        return _not_opened(cases, effect, case_id, (Reason(code="already_open", subject=case_id),))
    decision = flow.open(case_id, actor=SYSTEM_ACTOR, at=effect.at, facts=facts, parent=parent, links=links)
    if decision.refused:
        return _not_opened(cases, effect, case_id, decision.reasons)
    return keep_step(cases, None, decision)


def _not_opened(cases: Cases, effect: Effect, case_id: str, reasons: tuple[Reason, ...]) -> list[Move]:
    cases.refuse(case_id, reasons)
    if effect.kind == "open":
        cases.hand_over(effect)
    return []


def _deliver(cases: Cases, teller: Case, listener: Case, effect: Effect) -> list[Move]:
    data, at = effect.data, max(effect.at, listener.at)
    plan = cases.workflows[listener.workflow].plan
    if is_replaced(plan, listener, teller):
        return []
    if data.get("event") is None:
        told = telling(teller, listener, plan, data["facts"])
        command = Command(f"{told.relation}.{told.name}.told", SYSTEM_ACTOR, at, told=told)
    else:
        facts, documents = data["facts"], data["documents"]
        command = Command(data["event"], SYSTEM_ACTOR, at, facts=facts, documents=documents)
    return _offer(cases, effect.to, command)
