"""Calendar periods: the day, the week from Monday to Sunday, the month, the quarter, the year.

A duty of every period is owed once in each, whenever in it it is fulfilled: what comes early counts for the
period that goes on, and what comes twice in one period counts once.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date

from renoflow.definition.model import Period
from renoflow.engine.localdays import date_of

EVERY = "every "
"""How the limit of such a term begins in a case: `every week`."""

_MONTHS = {"month": 1, "quarter": 3, "year": 12}


def last_day_of(day: int, every: Period) -> int:
    """The last day of the period that a day lies in."""
    on = date_of(day)
    if every == "day":
        return day
    if every == "week":
        return day + 6 - on.weekday()
    months = _MONTHS[every]
    last = -(-on.month // months) * months
    return date(on.year, last, monthrange(on.year, last)[1]).toordinal()


def day_owed(day: int, covered: int | None, every: Period) -> int:
    """A day of the period that is owed from a day on. `covered` is a day of the period that was owed until
    then, and has been fulfilled before its end; None when none was."""
    if covered is None:
        return day
    return max(day, min(last_day_of(covered, every), last_day_of(day, every)) + 1)
