"""What deciding runs on: a plan, and the firm's calendar."""

from __future__ import annotations

from typing import Any

from renoflow.engine.calendar import Calendar
from renoflow.workflow.plan import Plan

MOST_KEPT = 20_000


class Rules:
    """Shared by all cases and threads of a workflow.

    `known_terms` keeps how a term comes out by its rule and first day: a firm's cases start the same clocks
    on the same days over and over. It only ever holds what would be computed again the same.
    """

    __slots__ = ("calendar", "known_terms", "plan", "strict_calendar")

    def __init__(self, plan: Plan, calendar: Calendar, *, strict_calendar: bool = False) -> None:
        self.plan = plan
        self.calendar = calendar
        self.strict_calendar = strict_calendar
        self.known_terms: dict[Any, Any] = {}

    def keep_term(self, key: Any, value: Any) -> None:
        """Forgets all when there are too many: the days that matter move on."""
        if len(self.known_terms) >= MOST_KEPT:
            self.known_terms.clear()
        self.known_terms[key] = value
