"""Personal values taken out of a case, of what others heard of it, and of what is still to be handed out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from renoflow.errors import UnknownName, UsageError
from renoflow.records import NO_FACTS, Case, Decision, Effect, HistoryEntry, LinkedCase, Reason
from renoflow.values import Actor, several
from renoflow.workflow.plan import Plan

NOTES = "note.redacted"
"""The line of a history that says that all notes up to it were removed."""

NO_NAMES: frozenset[str] = frozenset()

GONE = "[redacted]"
"""Stands where a personal value was somebody's name or address."""


def line_for(fact: str) -> str:
    """The line of a history that says that the values of a fact up to it were removed."""
    return f"fact.{fact}.redacted"


def is_redaction(event: str) -> bool:
    return event == NOTES or (event.startswith("fact.") and event.endswith(".redacted"))


def redact(
    plan: Plan, case: Case, facts: Iterable[str] | None, notes: bool, actor: Actor, at: datetime, reason: str
) -> Decision:
    """The case without these personal facts (all of them, when None), and a line for each. A fact that is
    not personal is a `UsageError`: what the rules go by is not removed."""
    personal = tuple(name for name, fact in plan.facts.items() if fact.personal)
    if isinstance(facts, str):
        facts = (facts,)
    names = personal if facts is None else tuple(dict.fromkeys(several(facts, "facts")))
    for name in names:
        if name not in plan.facts:
            raise UnknownName("fact", name, personal)
        if name not in personal:
            known = ", ".join(personal) or "none"
            raise UsageError(f"the fact {name!r} of {plan.id!r} is not personal; personal are: {known}")
    if not reason.strip():
        raise UsageError("a redaction needs a reason: who asked for it, and on what ground")
    if not names and not notes:
        raise UsageError(
            f"{plan.id!r} has no personal facts; to remove its notes say so (notes=True, --notes)"
        )
    events = [*map(line_for, names), *([NOTES] if notes else ())]
    moment = max(at, case.at)
    entries = tuple(
        HistoryEntry(
            case=case.id,
            number=case.entries + place,
            at=moment,
            event=event,
            actor=actor.id,
            roles=actor.sorted_roles,
            source=case.state,
            target=case.state,
            note=reason,
        )
        for place, event in enumerate(events, start=1)
    )
    left = _without(case.facts, frozenset(names))
    return Decision(replace(case, facts=left, entries=case.entries + len(entries), at=moment), entries)


def names_redacted(entries: Iterable[HistoryEntry]) -> frozenset[str]:
    """The facts that these lines say were removed."""
    lines = (entry.event for entry in entries if entry.event.startswith("fact."))
    return frozenset(line.removeprefix("fact.").removesuffix(".redacted") for line in lines)


def heard_without(case: Case, teller: str, names: frozenset[str]) -> Case:
    """A case without what it knows of these facts of a linked one."""
    children = {
        kind: {name: _linked_without(linked, teller, names) for name, linked in cases.items()}
        for kind, cases in case.children.items()
    }
    links = {name: _linked_without(linked, teller, names) for name, linked in case.links.items()}
    if children == case.children and links == case.links:
        return case
    return replace(case, children=children, links=links)


def entry_without(entry: HistoryEntry, case_id: str, names: frozenset[str], notes: bool) -> HistoryEntry:
    """A line of a history without these facts of a case; its own line, or of another that was told them."""
    told = entry.told
    if told is not None and (told.case == case_id or (entry.case == case_id and told.relation != "child")):
        told = replace(told, facts=_without(told.facts, names))
    if entry.case != case_id:
        return replace(entry, told=told)
    facts, derived = _without(entry.facts, names), _without(entry.derived, names)
    return replace(entry, facts=facts, derived=derived, told=told, note="" if notes else entry.note)


def personal_texts(entries: Iterable[HistoryEntry], names: frozenset[str]) -> frozenset[str]:
    """The texts that these facts ever were, by a history that still has them."""
    found = (value for one in entries for facts in (one.facts, one.derived) for value in _of(facts, names))
    return frozenset(value for value in found if isinstance(value, str))


def _of(facts: Mapping[str, Any], names: frozenset[str]) -> Iterable[Any]:
    return (value for name, value in facts.items() if name in names)


def text_without(text: str, values: frozenset[str]) -> str:
    """A sentence that no longer quotes these values."""
    for value in sorted(filter(None, values), key=len, reverse=True):
        text = text.replace(value, GONE)
    return text


def reason_without(reason: Reason, names: frozenset[str], values: frozenset[str]) -> Reason:
    """A refusal that no longer says what was found in these facts, nor quotes what they ever were."""
    details = tuple(reason_without(part, names, values) for part in reason.details)
    quoted = _cleared(reason.values, NO_NAMES, lambda text: text_without(text, values))
    return replace(reason, values=NO_FACTS if reason.subject in names else quoted, details=details)


def effect_without(effect: Effect, names: frozenset[str], values: frozenset[str]) -> Effect:
    """An effect without these facts, and without these values wherever they stand."""

    def cleared(text: str) -> str:
        return GONE if text in values else text

    return replace(effect, to=cleared(effect.to), data=_cleared(effect.data, names, cleared))


def _cleared(value: Any, names: frozenset[str], text: Callable[[str], str]) -> Any:
    if isinstance(value, Mapping):
        return {key: _cleared(inner, names, text) for key, inner in value.items() if key not in names}
    if isinstance(value, (tuple, list)):
        return tuple(_cleared(inner, names, text) for inner in value)
    return text(value) if isinstance(value, str) else value


def _linked_without(linked: LinkedCase, teller: str, names: frozenset[str]) -> LinkedCase:
    return replace(linked, facts=_without(linked.facts, names)) if linked.case == teller else linked


def _without(facts: Mapping[str, Any], names: frozenset[str]) -> Mapping[str, Any]:
    if names.isdisjoint(facts):
        return facts
    return {name: value for name, value in facts.items() if name not in names}
