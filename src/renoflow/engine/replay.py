"""A case from its history: the entries that came from outside, decided again in their order."""

from __future__ import annotations

from collections.abc import Iterable

from renoflow.engine.decide import decide, open_case, wake
from renoflow.engine.rules import Rules
from renoflow.errors import HistoryMismatch, RenoflowError
from renoflow.records import Case, Command, HistoryEntry
from renoflow.values import Actor


def replay(rules: Rules, history: Iterable[HistoryEntry]) -> Case:
    """The case that a history leads to; raises `HistoryMismatch` where the rules would write another one."""
    case: Case | None = None
    written: list[HistoryEntry] = []
    for position, entry in enumerate(history):
        if position < len(written):
            if written[position] != entry:
                raise HistoryMismatch(entry, "differs from what the rules write here")
            continue
        if entry.cause is not None:
            raise HistoryMismatch(entry, "does not follow from the entry that it names")
        if case is None:
            made = open_case(rules, entry.case, _command(entry))
        elif _is_mark(entry):
            made = wake(rules, case, entry.at)
        else:
            made = decide(rules, case, _command(entry))
        if made.refused or made.case is None:
            raise HistoryMismatch(entry, "would be refused: " + "; ".join(r.text("en") for r in made.reasons))
        case = made.case
        written.extend(made.entries)
        if position >= len(written) or written[position] != entry:
            raise HistoryMismatch(entry, "differs from what the rules write here")
    if case is None:
        raise RenoflowError("an empty history has no case")
    return case


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
    )
