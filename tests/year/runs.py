"""One running of a deadline and how it ends: in time, late, or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.year.almanac import midnights
from tests.year.plan import END


@dataclass(frozen=True, kw_only=True)
class Run:
    """What is owed by `due`; `done` and `dropped` are the instants at which it was done, or fell away. One
    that begins when its time is over already passes as it begins."""

    due: datetime
    begun: datetime | None = None
    done: datetime | None = None
    dropped: datetime | None = None
    kind: str = "limit"
    stands_still: bool = False

    @property
    def passed(self) -> datetime | None:
        """The instant at which it passed undone, if it did: what is done at the due instant is late."""
        if self.stands_still or self.due > END:
            return None
        stops = [moment for moment in (self.done, self.dropped) if moment is not None]
        passes = self.due if self.begun is None else max(self.due, self.begun)
        return passes if all(passes <= moment for moment in stops) else None

    @property
    def status(self) -> str:
        """How it stands when the year ends."""
        if self.kind == "period":
            other = "met" if self.done else "cancelled" if self.dropped else "running"
            return "expired" if self.passed else other
        if self.done is not None and (self.dropped is None or self.done <= self.dropped):
            return "met_late" if self.passed else "met"
        if self.dropped is not None:
            return "cancelled"
        if self.stands_still:
            return "paused"
        passed = "open" if self.kind == "wait" else "breached"
        return passed if self.passed else "running"


@dataclass(frozen=True)
class Span:
    """From when to when something stood still; without an end it still does."""

    first: datetime
    last: datetime | None = None


def moved(
    due: datetime,
    begun: datetime,
    stops: Iterable[Span] = (),
    longer: Iterable[tuple[datetime, int]] = (),
    done: datetime | None = None,
) -> tuple[datetime, bool]:
    """A due instant with the midnights that it stood still for and the days added to it, as long as it had
    not passed; and whether it stands still."""
    happenings = [(span.first, span, 0) for span in stops] + [(at, None, days) for at, days in longer]
    for at, span, days in sorted(happenings, key=lambda one: one[0]):
        if at < begun or (done is not None and at >= done):
            continue
        if due <= at:
            break
        if span is None:
            due = max(due + timedelta(days=days), at)
        elif span.last is None or (done is not None and span.last >= done):
            return due, True
        else:
            due += timedelta(days=midnights(span.first, span.last))
    return due, False
