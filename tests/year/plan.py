"""What people do in a firm over a year, as plain data: acts in diaries, one diary for each case."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from typing import Any

ZONE = timezone(timedelta(hours=8))
FIRST = datetime(2026, 1, 1, tzinfo=ZONE)
END = datetime(2027, 1, 1, tzinfo=ZONE)
"""The year that is told; what falls due at its very end still happens."""


DESIGNERS = ("chen", "he", "xu", "luo", "tan")


@dataclass(frozen=True, kw_only=True)
class Act:
    """One thing that a person does, or tries to do: `refused` says that the rules are meant to say no."""

    case: str
    at: datetime
    who: str
    event: str
    facts: Mapping[str, Any]
    papers: tuple[str, ...]
    paid: Mapping[str, str]
    opens: str = ""
    parent: str = ""
    links: Mapping[str, str] = field(default_factory=dict)
    refused: bool = False

    def line(self) -> dict[str, Any]:
        """The act as a line of a replay script."""
        role, _, person = self.who.partition(":")
        found: dict[str, Any] = {"case": self.case, "at": self.at.isoformat(), "event": self.event}
        if self.opens:
            found["open"] = self.opens
        if self.parent:
            found["parent"] = self.parent
        if self.links:
            found["links"] = dict(self.links)
        found |= {"actor": person or role, "roles": [role]}
        if self.facts:
            found["facts"] = dict(self.facts)
        if self.papers:
            found["documents"] = [_paper(text) for text in self.papers]
        if self.paid:
            found["payments"] = [{"id": name, "amount": amount} for name, amount in self.paid.items()]
        return found


def _paper(text: str) -> str | dict[str, Any]:
    name, _, signers = text.rstrip(")").partition("(")
    return {"id": name, "signed_by": signers.split(",")} if signers else name


@dataclass
class Diary:
    """What is done in one case, in the order of time. `known` is what the plan knows besides: figures,
    dates and reasons that the reckoning needs and the acts do not say."""

    case: str
    workflow: str
    acts: list[Act] = field(default_factory=list)
    known: dict[str, Any] = field(default_factory=dict)

    def do(
        self,
        at: datetime,
        who: str,
        event: str,
        *papers: str,
        paid: Mapping[str, str] | None = None,
        refused: bool = False,
        opens: bool = False,
        parent: str = "",
        links: Mapping[str, str] | None = None,
        facts: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> datetime:
        """Writes an act down, if the year has not ended, and gives its instant back. Facts may be given as a
        mapping, by name, or both."""
        if at < END:
            self.acts.append(
                Act(
                    case=self.case,
                    at=at,
                    who=who,
                    event=event,
                    facts={**(facts or {}), **more},
                    papers=papers,
                    paid=paid or {},
                    opens=self.workflow if opens else "",
                    parent=parent,
                    links=links or {},
                    refused=refused,
                )
            )
        return at

    def done(self, *events: str) -> list[Act]:
        """The acts under these names that were accepted, in the order of time."""
        return [act for act in self.acts if act.event in events and not act.refused]

    def first(self, *events: str) -> datetime | None:
        """When the first of these was done."""
        return next((act.at for act in self.done(*events)), None)

    def after(self, moment: datetime, *events: str) -> datetime | None:
        """When one of these was done next, at or after a moment."""
        return next((act.at for act in self.done(*events) if act.at >= moment), None)


@dataclass
class Year:
    """A firm's year in the making: its dice and its diaries."""

    rng: random.Random
    diaries: dict[str, Diary] = field(default_factory=dict)

    def diary(self, case: str, workflow: str, **known: Any) -> Diary:
        """A new diary for a case."""
        self.diaries[case] = found = Diary(case=case, workflow=workflow, known=known)
        return found

    def of(self, workflow: str) -> list[Diary]:
        """All diaries of one workflow."""
        return [diary for diary in self.diaries.values() if diary.workflow == workflow]

    def acts(self) -> list[Act]:
        """Everything that is done, in the order of time."""
        found = [act for diary in self.diaries.values() for act in diary.acts]
        return sorted(found, key=lambda act: act.at)

    # ---------------------------------------------------------------- dice

    def later(self, moment: datetime, fewest: int, most: int) -> datetime:
        """A working hour so many days on; on the same day, later."""
        days = self.rng.randint(fewest, most)
        if days == 0:
            return moment + timedelta(minutes=self.rng.randint(20, 150))
        minute = self.rng.randint(9 * 60, 17 * 60)
        return midnight(moment.date() + timedelta(days=days)) + timedelta(minutes=minute)

    def hours(self, moment: datetime, fewest: float, most: float) -> datetime:
        """So many hours on, to the minute."""
        return moment + timedelta(minutes=self.rng.randint(int(fewest * 60), int(most * 60)))

    def chance(self, share: float) -> bool:
        """True in this share of cases."""
        return self.rng.random() < share


def midnight(day: date) -> datetime:
    """The beginning of a day in the firm's zone."""
    return datetime(day.year, day.month, day.day, tzinfo=ZONE)


def iso(moment: datetime, days: int = 0) -> str:
    """The day of a moment, or some days after it, as it is written."""
    return (moment.date() + timedelta(days=days)).isoformat()
