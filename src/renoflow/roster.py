"""Whether somebody is always there: a roster held against the opening hours."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from attrs import field, frozen

from renoflow.errors import UsageError
from renoflow.values import Label, Lang, instant


@frozen(kw_only=True)
class Shift:
    """One person's time on the roster, in the role in which he is there; from `starts` up to `ends`."""

    employee: str
    role: str
    starts: datetime = field(converter=instant)
    ends: datetime = field(converter=instant)

    def __attrs_post_init__(self) -> None:
        if self.ends <= self.starts:
            raise UsageError(
                f"the shift of {self.employee!r} ends at {self.ends}, which is not after its start, "
                f"{self.starts}; a shift over midnight ends on the next day"
            )


@frozen(kw_only=True)
class RosterGap:
    """A time within the opening hours at which nobody in the role is there, in the zone of the hours."""

    starts: datetime
    ends: datetime
    role: Label

    def text(self, lang: Lang = "zh") -> str:
        """The gap as a sentence."""
        start = f"{self.starts:%Y-%m-%d %H:%M}"
        end = (
            f"{self.ends:%H:%M}" if self.ends.date() == self.starts.date() else f"{self.ends:%Y-%m-%d %H:%M}"
        )
        if lang == "zh":
            return f"{start} 至 {end} 前台没有{self.role.zh}"
        return f"no {self.role.en} at the front desk from {start} to {end}"


CUSTOMER_MANAGER = Label("客户经理", "customer manager")


def roster_gaps(
    shifts: Iterable[Shift],
    opening_hours: Iterable[tuple[datetime, datetime]],
    *,
    role: str = "customer_manager",
    label: Label = CUSTOMER_MANAGER,
) -> tuple[RosterGap, ...]:
    """Where the opening hours have nobody in `role` on the roster, in time order; empty when all is covered.

    Each pair of opening hours is an opening and a closing instant, both aware. Handbook D06-07: at least one
    customer manager at the front desk, always.
    """
    there = sorted((shift.starts, shift.ends) for shift in shifts if shift.role == role)
    gaps = []
    for opens, closes in sorted(opening_hours, key=lambda hours: instant(hours[0])):
        covered, end = instant(opens), instant(closes)
        for starts, ends in [*there, (end, end)]:
            if covered < min(starts, end):
                first, last = (moment.astimezone(opens.tzinfo) for moment in (covered, min(starts, end)))
                gaps.append(RosterGap(starts=first, ends=last, role=label))
            covered = max(covered, ends)
    return tuple(gaps)
