"""What is asked of the kept cases of a firm, and the rows that answer it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Generic, TypeVar

from attrs import frozen

from renoflow.records import Status
from renoflow.store.terms import Term
from renoflow.values import Label
from renoflow.workflow.plan import ClockPlan, Plan

LAST = 2**62
"""No case stands there in the order of opening."""

T = TypeVar("T")

UNDER_WAY = ("running", "breached")
"""Deadlines that somebody has something to do for; a paused one waits for somebody else."""


# ------------------------------------------------------------------ the answers


@frozen(kw_only=True)
class Page(Generic[T]):
    """A part of an answer; `next` is handed back as `after=` for what follows, None at the end."""

    items: tuple[T, ...]
    next: str | None = None

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


@frozen(kw_only=True)
class WorkItem:
    """A limit that runs or has passed, in a case: what it is, whose, and when it is due. `overdue` is as seen
    from the instant that was asked about, whether a sweep has come by or not. `provisional` dates may still
    move when their year's calendar is published."""

    case: str
    workflow: str
    state: str
    stage: str
    parent: str
    root: str
    deadline: str
    label: Label
    owner: str
    due_at: datetime
    target_at: datetime | None
    status: Status
    provisional: bool
    overdue: bool


@frozen(kw_only=True)
class CaseSummary:
    """A case as a list shows it: `label` is its state's, `root` the eldest case of its family."""

    id: str
    workflow: str
    state: str
    stage: str
    label: Label
    parent: str
    root: str
    opened_at: datetime
    moved_at: datetime


@frozen(kw_only=True)
class BreachCount:
    """How often a deadline was missed in a month (`2026-03`) of the firm's zone, and in how many cases;
    `cites` are the rules of the handbooks that it comes from."""

    month: str
    workflow: str
    deadline: str
    label: Label
    cites: tuple[str, ...]
    breaches: int
    cases: int


# ------------------------------------------------------------------ the questions


def limits_of(plan: Plan, roles: frozenset[str] | None) -> Mapping[str, ClockPlan]:
    """The limits of a workflow that these roles owe; of all roles, when None."""
    return {
        name: clock
        for name, clock in plan.clocks.items()
        if clock.kind == "limit" and (roles is None or clock.owner in roles)
    }


@frozen(kw_only=True)
class WorkQuestion:
    """What is due by `until`, soonest first, after that deadline of that case; `limits` by workflow."""

    limits: Mapping[str, Mapping[str, ClockPlan]]
    plans: Mapping[str, Plan]
    at: datetime
    until: datetime | None
    after: tuple[datetime, str, str] | None
    limit: int


@frozen(kw_only=True)
class Kind:
    """Cases of one workflow: in these states (in any, when None), with all these terms."""

    plan: Plan
    states: tuple[str, ...] | None
    terms: tuple[Term, ...]


@frozen(kw_only=True)
class CaseQuestion:
    """Cases of any of these kinds, the newest first, opened before that position; `words` are the beginning
    of a text in them."""

    kinds: tuple[Kind, ...]
    words: str
    parent: str
    before: int
    limit: int


@frozen(kw_only=True)
class BreachQuestion:
    """Which limits passed after `since` and not after `until`; `limits` by workflow."""

    limits: Mapping[str, Mapping[str, ClockPlan]]
    since: datetime
    until: datetime


PlacedCase = tuple[int, CaseSummary]
"""A case with its place in the order of opening."""

Breaches = Mapping[tuple[str, str], tuple[int, int]]
"""By workflow and deadline: how often, and in how many cases."""
