"""The working copy on which one decision is made: a case being moved, and what conditions look at.

Nothing here is ever changed in place that a `Case` holds: a mapping is copied when it is first touched.
What a step reads and writes all the time are attributes of its own; the rest is read through to the case
until it changes (`changes`), because most steps leave it alone and a step is made for every command.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from renoflow.records import (
    NO_FACTS,
    Case,
    Command,
    Effect,
    FactValue,
    HistoryEntry,
    LedgerLine,
    LinkedCase,
    Told,
)
from renoflow.values import SYSTEM, SYSTEM_ACTOR, Actor
from renoflow.workflow.machine import START
from renoflow.workflow.plan import Plan

if TYPE_CHECKING:
    from renoflow.engine.rules import Rules


class Step:
    """A case on its way from one version to the next; it satisfies `workflow.scene.Scene`."""

    __slots__ = (
        "_day", "_day_at", "actor", "at", "before", "calendar", "changes", "clocks_changed", "counted",
        "deadlines", "documents", "effects", "entered_at", "entries", "facts", "number", "opened", "payments",
        "plan", "rules", "state", "told", "wakes_at",
    )  # fmt: skip

    def __init__(self, rules: Rules, case: Case, actor: Actor, at: datetime) -> None:
        self.rules = rules
        self.plan: Plan = rules.plan
        self.calendar = rules.calendar
        self.before = case
        self.actor = actor
        self.at = at
        self.state = case.state
        self.number = case.entries
        self.facts = case.facts
        self.documents = case.documents
        self.payments = case.payments
        self.deadlines = case.deadlines
        self.opened = case.opened
        self.entered_at = case.entered_at
        self.wakes_at = case.wakes_at
        self.clocks_changed = False
        self.told: Told | None = None
        self.counted: tuple[LedgerLine, ...] = ()
        self.changes: dict[str, Any] = {}
        self.entries: list[HistoryEntry] = []
        self.effects: list[Effect] = []
        self._day_at: datetime | None = None
        self._day = 0

    # -------------------------------------------------------------- read through to the case

    @property
    def case_id(self) -> str:
        return self.before.id

    @property
    def children(self) -> Mapping[str, Mapping[str, LinkedCase]]:
        found: Mapping[str, Mapping[str, LinkedCase]]
        found = self._now("children") if self.changes else self.before.children
        return found

    @property
    def links(self) -> Mapping[str, LinkedCase]:
        found: Mapping[str, LinkedCase] = self._now("links")
        return found

    @property
    def followers(self) -> tuple[str, ...]:
        found: tuple[str, ...] = self._now("followers")
        return found

    @property
    def happened(self) -> Mapping[str, tuple[datetime, ...]]:
        found: Mapping[str, tuple[datetime, ...]] = self._now("happened")
        return found

    @property
    def actors(self) -> Mapping[str, tuple[str, ...]]:
        found: Mapping[str, tuple[str, ...]] = self._now("actors")
        return found

    @property
    def remembered(self) -> Mapping[str, str]:
        found: Mapping[str, str] = self._now("remembered")
        return found

    @property
    def ledger(self) -> tuple[LedgerLine, ...]:
        found: tuple[LedgerLine, ...] = self._now("ledger")
        return found

    @property
    def today(self) -> int:
        """The local day of the step's instant."""
        at = self.at
        if self._day_at is not at:
            self._day = self.calendar.day_of(at)
            self._day_at = at
        return self._day

    def _now(self, name: str) -> Any:
        changes = self.changes
        return changes[name] if name in changes else getattr(self.before, name)

    # -------------------------------------------------------------- writing

    def put(self, name: str, key: str, value: object) -> None:
        """One more entry in one of the case's mappings that are read through."""
        self.changes[name] = {**self._now(name), key: value}

    def case(self, at: datetime) -> Case:
        """The case as it now stands."""
        if self.clocks_changed:
            self.refresh_wake()
        moved = replace(
            self.before,
            state=self.state,
            entries=self.number,
            at=at,
            facts=self.facts,
            documents=self.documents,
            payments=self.payments,
            deadlines=self.deadlines,
            opened=self.opened,
            entered_at=self.entered_at,
            wakes_at=self.wakes_at,
        )
        # Apart, since unpacking costs more than all of the above.
        return replace(moved, **self.changes) if self.changes else moved

    def refresh_wake(self) -> None:
        """Find the next instant at which one of the clocks has something to say."""
        soonest = None
        for clock in self.deadlines.values():
            wake = clock.wake_at
            if wake is not None and (soonest is None or wake < soonest):
                soonest = wake
        self.wakes_at = soonest
        self.clocks_changed = False

    def record(
        self,
        event: str,
        source: str,
        facts: Mapping[str, FactValue] = NO_FACTS,
        derived: Mapping[str, FactValue] = NO_FACTS,
        command: Command | None = None,
        cause: int | None = None,
        note: str = "",
    ) -> int:
        """Write a line of the history and return its number; what a command brought stands in it."""
        number = self.number = self.number + 1
        actor = self.actor
        if command is None:
            entry = HistoryEntry(
                case=self.before.id,
                number=number,
                at=self.at,
                event=event,
                actor=actor.id,
                roles=actor.sorted_roles,
                source=source,
                target=self.state,
                facts=facts,
                derived=derived,
                note=note,
                cause=cause,
            )
        else:
            entry = HistoryEntry(
                case=self.before.id,
                number=number,
                at=self.at,
                event=event,
                actor=actor.id,
                roles=actor.sorted_roles,
                source=source,
                target=self.state,
                facts=facts,
                derived=derived,
                documents=command.documents,
                payments=command.payments,
                note=command.note,
                told=command.told,
                cause=cause,
            )
            if command.links or command.ahead:
                entry = replace(entry, links=command.links, ahead=command.ahead)
        self.entries.append(entry)
        return number

    def effect(self, kind: Any, to: str, about: str, data: Mapping[str, Any] = NO_FACTS) -> None:
        """Hand something out. The key is the same whenever this doing is repeated; it holds what it is about,
        since the marks of an instant and what follows from them are two steps at one line of the history."""
        effects = self.effects
        case = self.before.id
        key = f"{case}:{self.number}:{about}:{len(effects) + 1}"
        effects.append(Effect(kind=kind, to=to, at=self.at, case=case, about=about, key=key, data=data))

    def as_system(self, at: datetime) -> None:
        """From here on the company's own doings speak, at that instant."""
        self.actor = SYSTEM_ACTOR
        self.at = at

    def remember_doing(self, event: str, keep: int, with_actor: bool) -> None:
        """Keep the latest `keep` instants of an event, and who did it, where some condition asks."""
        if keep:
            self.put("happened", event, (*self.happened.get(event, ()), self.at)[-keep:])
        if with_actor and self.actor.id != SYSTEM:
            people = self.actors.get(event, ())
            if self.actor.id not in people:
                self.put("actors", event, (*people, self.actor.id))

    # -------------------------------------------------------------- going back

    def mark(self) -> tuple[Any, ...]:
        """Everything that `back_to` needs to undo what follows."""
        return (
            self.state, self.number, self.facts, self.documents, self.payments, self.deadlines,
            self.opened, self.entered_at, self.wakes_at,
            dict(self.changes), self.clocks_changed, len(self.entries), len(self.effects),
        )  # fmt: skip

    def back_to(self, mark: tuple[Any, ...]) -> None:
        (
            self.state, self.number, self.facts, self.documents, self.payments, self.deadlines,
            self.opened, self.entered_at, self.wakes_at,
            self.changes, self.clocks_changed, entries, effects,
        ) = mark  # fmt: skip
        del self.entries[entries:]
        del self.effects[effects:]


def unopened(plan: Plan, case_id: str, at: datetime, parent: Told | None, peers: tuple[Told, ...]) -> Case:
    """The case before its opening event, with its links to the parent that it belongs to and to its peers."""
    blank = Case(
        id=case_id,
        workflow=plan.id,
        workflow_version=plan.version,
        state=START,
        entries=0,
        at=at,
    )
    if parent is None and not peers:
        return blank
    links = {told.name: as_linked(told) for told in peers if told.name in plan.links}
    followers = tuple(told.case for told in peers if told.name not in plan.links)
    if parent is not None:
        links = {**dict.fromkeys(plan.link_names(parent.workflow), as_linked(parent)), **links}
        blank = replace(blank, parent=parent.case, known_as=parent.name)
    return replace(blank, links=links, followers=followers)


def as_linked(told: Told, facts: Mapping[str, Any] = NO_FACTS) -> LinkedCase:
    """What is kept of a linked case that tells how it stands."""
    return LinkedCase(told.case, told.workflow, told.state, told.ended, facts)
