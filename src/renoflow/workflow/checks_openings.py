"""Cases that a file opens, as children, as peers, or by a key: whether they can be opened as it says."""

from __future__ import annotations

from collections.abc import Collection

from renoflow.definition.model import EventDefinition, WorkflowDefinition
from renoflow.values import SYSTEM
from renoflow.workflow.between import Between, doings
from renoflow.workflow.checks_doings import START
from renoflow.workflow.checks_knowledge import Knowledge


def check_links(between: Between) -> None:
    """The facts of an opening are the other's, of its kinds, and enough for `system` to open it."""
    for name, link in between.own.links.items():
        other = between.link(name)
        if other is None:
            continue
        path = f"links.{name}"
        between.facts(link.facts, other, f"{path}.facts")
        if link.key:
            check_opening(between, other, link.facts, path, name)
        for place, item in doings(between.own):
            for number, opening in enumerate(item.opens):
                if opening.link == name:
                    at = f"{place}.opens[{number}]"
                    between.facts(opening.facts, other, f"{at}.facts")
                    check_opening(between, other, {*link.facts, *opening.facts}, f"{at}.link", name)


def check_opening(
    between: Between, other: WorkflowDefinition, given: Collection[str], path: str, what: str
) -> None:
    """Whether a case of the other workflow can be opened by `system` with just these facts."""
    openings = {key: event for key, event in other.events.items() if START in event.from_}
    if any(fact not in other.facts for fact in given) or not openings:
        return
    objections = {key: _objection(other, event, frozenset(given)) for key, event in openings.items()}
    if all(objections.values()):
        listed = "; ".join(f"{key}: {why}" for key, why in objections.items())
        between.fault(
            path,
            f"no opening of {other.id!r} accepts {what} ({listed})",
            "give the facts that it needs, or let it be opened with fewer",
        )


def _objection(other: WorkflowDefinition, event: EventDefinition, given: frozenset[str]) -> str:
    """Why an event would refuse what `system` brings; an empty string when it may accept."""
    if SYSTEM not in event.by:
        return f"{SYSTEM!r} is not among its by"
    strange = sorted(given - {*event.gives, *event.may_give})
    if strange:
        return f"it does not take fact {strange[0]!r}"
    absent = sorted(set(event.gives) - given)
    if absent:
        return f"it needs fact {absent[0]!r}"
    knowledge = Knowledge(definition=other, facts=given, roles=frozenset((SYSTEM,)))
    for paper in event.documents:
        if paper.when is None or not knowledge.can_be(paper.when, False):
            return f"it needs document {paper.id!r}"
    if event.payments:
        return f"it needs payment {next(iter(event.payments))!r}"
    for guard in event.guards:
        if not knowledge.can_be(guard, True):
            lacking = knowledge.lacking(guard)
            what = f"its guard {guard!r}" if isinstance(guard, str) else "one of its guards"
            return f"{what} needs {', '.join(lacking)}" if lacking else f"{what} refuses {SYSTEM!r}"
    return ""
