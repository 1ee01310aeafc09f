"""The working copy on which one decision is made: a case being moved, and what conditions look at.

Nothing here is ever changed in place that a `Case` holds: a mapping is copied when it is first touched.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from renoflow.engine.calendar import Calendar
from renoflow.records import (
    NO_FACTS,
    Case,
    Deadline,
    Document,
    DocumentRecord,
    Effect,
    FactValue,
    HistoryEntry,
    LinkedCase,
    Payment,
    Told,
)
from renoflow.values import SYSTEM, SYSTEM_ACTOR, Actor
from renoflow.workflow.machine import START
from renoflow.workflow.plan import Plan


class Step:
    """A case on its way from one version to the next; it satisfies `workflow.scene.Scene`."""

    __slots__ = (
        "actor", "actors", "at", "calendar", "case_id", "children", "clocks_changed", "deadlines",
        "documents", "effects", "entered_at", "entries", "facts", "happened", "known_as", "links",
        "number", "opened", "parent", "payments", "plan", "remembered", "state", "strict_calendar", "told", "version",
        "wakes_at",
    )  # fmt: skip

    def __init__(
        self, plan: Plan, calendar: Calendar, case: Case, actor: Actor, at: datetime, strict_calendar: bool
    ) -> None:
        self.plan = plan
        self.calendar = calendar
        self.strict_calendar = strict_calendar
        self.actor = actor
        self.at = at
        self.told: Told | None = None
        self.case_id = case.id
        self.parent = case.parent
        self.known_as = case.known_as
        self.state = case.state
        self.version = case.version
        self.number = case.entries
        self.facts: Mapping[str, FactValue] = case.facts
        self.documents: Mapping[str, DocumentRecord] = case.documents
        self.payments: Mapping[str, Decimal] = case.payments
        self.deadlines: Mapping[str, Deadline] = case.deadlines
        self.children: Mapping[str, Mapping[str, LinkedCase]] = case.children
        self.links: Mapping[str, LinkedCase] = case.links
        self.happened: Mapping[str, tuple[datetime, ...]] = case.happened
        self.actors: Mapping[str, tuple[str, ...]] = case.actors
        self.remembered: Mapping[str, str] = case.remembered
        self.opened: Mapping[str, int] = case.opened
        self.entered_at = case.entered_at
        self.wakes_at = case.wakes_at
        self.clocks_changed = False
        self.entries: list[HistoryEntry] = []
        self.effects: list[Effect] = []

    def case(self, at: datetime) -> Case:
        """The case as it now stands."""
        if self.clocks_changed:
            self.refresh_wake()
        return Case(
            id=self.case_id,
            workflow=self.plan.id,
            workflow_version=self.plan.version,
            state=self.state,
            version=self.version + 1,
            entries=self.number,
            at=at,
            parent=self.parent,
            known_as=self.known_as,
            facts=self.facts,
            documents=self.documents,
            payments=self.payments,
            deadlines=self.deadlines,
            children=self.children,
            links=self.links,
            happened=self.happened,
            actors=self.actors,
            remembered=self.remembered,
            opened=self.opened,
            entered_at=self.entered_at,
            wakes_at=self.wakes_at,
        )

    def refresh_wake(self) -> None:
        """Find the next instant at which one of the clocks has something to say."""
        soonest: datetime | None = None
        for clock in self.deadlines.values():
            wake = clock.wake_at
            if wake is not None and (soonest is None or wake < soonest):
                soonest = wake
        self.wakes_at = soonest
        self.clocks_changed = False

    # -------------------------------------------------------------- recording

    def record(
        self,
        event: str,
        source: str,
        *,
        facts: Mapping[str, FactValue] = NO_FACTS,
        derived: Mapping[str, FactValue] = NO_FACTS,
        documents: tuple[Document, ...] = (),
        payments: tuple[Payment, ...] = (),
        note: str = "",
        cause: int | None = None,
        told: Told | None = None,
    ) -> int:
        """Write a line of the history and return its number."""
        number = self.number = self.number + 1
        actor = self.actor
        self.entries.append(
            HistoryEntry(
                case=self.case_id,
                number=number,
                at=self.at,
                event=event,
                actor=actor.id,
                roles=tuple(sorted(actor.roles)) if len(actor.roles) > 1 else tuple(actor.roles),
                source=source,
                target=self.state,
                facts=facts,
                derived=derived,
                documents=documents,
                payments=payments,
                note=note,
                cause=cause,
                told=told,
            )
        )
        return number

    def effect(self, kind: Any, to: str, about: str, data: Mapping[str, Any] = NO_FACTS) -> None:
        """Hand something out; the key is the same whenever this doing of this case is repeated."""
        self.effects.append(
            Effect(
                kind=kind,
                to=to,
                at=self.at,
                case=self.case_id,
                about=about,
                key=f"{self.case_id}:{self.number}:{len(self.effects) + 1}",
                data=data,
            )
        )

    def as_system(self, at: datetime) -> None:
        """From here on the company's own doings speak, at that instant."""
        self.actor = SYSTEM_ACTOR
        self.at = at

    # -------------------------------------------------------------- keeping what was done

    def remember_doing(self, event: str, keep: int, with_actor: bool) -> None:
        """Keep the latest `keep` instants of an event, and who did it, where some condition asks."""
        if keep:
            instants = (*self.happened.get(event, ()), self.at)[-keep:]
            self.happened = {**self.happened, event: instants}
        if with_actor and self.actor.id != SYSTEM:
            people = self.actors.get(event, ())
            if self.actor.id not in people:
                self.actors = {**self.actors, event: (*people, self.actor.id)}

    # -------------------------------------------------------------- going back

    def mark(self) -> tuple[Any, ...]:
        """Everything that `back_to` needs to undo what follows."""
        return (
            self.state, self.number, self.facts, self.documents, self.payments, self.deadlines,
            self.children, self.links, self.happened, self.actors, self.remembered, self.opened,
            self.entered_at, self.clocks_changed, len(self.entries), len(self.effects),
        )  # fmt: skip

    def back_to(self, mark: tuple[Any, ...]) -> None:
        (
            self.state, self.number, self.facts, self.documents, self.payments, self.deadlines,
            self.children, self.links, self.happened, self.actors, self.remembered, self.opened,
            self.entered_at, self.clocks_changed, entries, effects,
        ) = mark  # fmt: skip
        del self.entries[entries:]
        del self.effects[effects:]


def unopened(
    plan: Plan, case_id: str, at: datetime, links: Mapping[str, LinkedCase], parent: str, known_as: str
) -> Case:
    """The case before its opening event."""
    return Case(
        id=case_id,
        links=links,
        parent=parent,
        known_as=known_as,
        workflow=plan.id,
        workflow_version=plan.version,
        state=START,
        version=0,
        entries=0,
        at=at,
    )
