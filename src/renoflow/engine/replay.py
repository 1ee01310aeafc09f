"""A case from its history: the entries that came from outside, decided again in their order."""

from __future__ import annotations

from collections.abc import Iterable

from renoflow.engine.decide import Marks, after_marks, decide, mark_due, open_case
from renoflow.engine.redaction import is_redaction
from renoflow.engine.rules import Rules
from renoflow.errors import HistoryMismatch, RenoflowError
from renoflow.records import Case, Command, Decision, HistoryEntry
from renoflow.values import Actor


def replay(rules: Rules, history: Iterable[HistoryEntry]) -> Case:
    """The case that a history leads to; raises `HistoryMismatch` where the rules would write another one."""
    lines = tuple(history)
    for entry in lines:
        if is_redaction(entry.event):
            raise HistoryMismatch(entry, "removed what was decided on: this history cannot be decided again")
    told = _Retold(rules)
    for position, entry in enumerate(lines):
        told.take(position, entry)
    return told.end()


class _Retold:
    """A history on its way: the case so far, the lines that the rules write, and the marks of the present
    instant from which nothing has followed yet."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.case: Case | None = None
        self.written: list[HistoryEntry] = []
        self.marks: Marks = ()

    def take(self, position: int, entry: HistoryEntry) -> None:
        if position >= len(self.written) and not entry.ahead:
            self._follow()
        if position >= len(self.written):
            if entry.cause is not None:
                raise HistoryMismatch(entry, "does not follow from the entry that it names")
            self._keep(entry, self._again(entry))
        if position >= len(self.written) or self.written[position] != entry:
            raise HistoryMismatch(entry, "differs from what the rules write here")

    def end(self) -> Case:
        if self.case is None:
            raise RenoflowError("an empty history has no case")
        self._follow()
        return self.case

    def _again(self, entry: HistoryEntry) -> Decision:
        """What came from outside, decided again."""
        if self.case is None:
            return open_case(self.rules, entry.case, _command(entry))
        if _is_mark(entry):
            made, self.marks = mark_due(self.rules, self.case, entry.at)
            return made
        return decide(self.rules, self.case, _command(entry))

    def _follow(self) -> None:
        if self.marks and self.case is not None:
            made = after_marks(self.rules, self.case, self.marks, self.case.at)
            self.marks = ()
            self.case = made.case
            self.written.extend(made.entries)

    def _keep(self, entry: HistoryEntry, made: Decision) -> None:
        if made.refused or made.case is None:
            raise HistoryMismatch(entry, "would be refused: " + "; ".join(r.text("en") for r in made.reasons))
        self.case = made.case
        self.written.extend(made.entries)


def _is_mark(entry: HistoryEntry) -> bool:
    return entry.event.startswith("deadline.") and not entry.event.endswith(".extend")


def _command(entry: HistoryEntry) -> Command:
    return Command(
        event=entry.event,
        actor=Actor(entry.actor, frozenset(entry.roles)),
        at=entry.at,
        facts=entry.facts,
        documents=entry.documents,
        payments=entry.payments,
        note=entry.note,
        told=entry.told,
        links=entry.links,
        ahead=entry.ahead,
    )
