"""What a table that cites a rule has, as far as it can be read off the table and its file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from attrs import asdict, frozen

from renoflow.definition.model import (
    DeadlineDefinition,
    EventDefinition,
    HappenedLeaf,
    WorkflowDefinition,
    walk_condition,
)

Workflows = Mapping[str, WorkflowDefinition]


@frozen(kw_only=True)
class Citing:
    """One table that cites a rule: the section and name it has in its file, and the files around it.

    `roles` are those that the rule speaks of.
    """

    rule: str
    workflow: str
    section: str
    name: str
    item: Any
    files: Workflows
    roles: frozenset[str] = frozenset()

    @property
    def file(self) -> WorkflowDefinition:
        return self.files[self.workflow]


def _moves(one: Citing) -> bool:
    return bool(one.item.to != "@same")


def _opens_case(one: Citing) -> bool:
    return bool(one.item.from_ == ("@start",))


def _passes_on(one: Citing) -> bool:
    return bool(one.item.opens or one.item.tells or one.item.asks)


def _guarded(one: Citing) -> bool:
    return bool(one.item.guards)


def _papers(one: Citing) -> Iterator[Any]:
    for paper in one.item.documents:
        yield one.file.documents[paper.id]


def _asks_paper(one: Citing) -> bool:
    return any(True for _ in _papers(one))


def _asks_signature(one: Citing) -> bool:
    return any(paper.signers for paper in _papers(one))


def _asks_repeated_paper(one: Citing) -> bool:
    return any(paper.repeats for paper in _papers(one))


def _takes_facts(one: Citing) -> bool:
    return bool(one.item.gives or one.item.may_give)


def _takes_money(one: Citing) -> bool:
    return bool(one.item.payments)


def _signed(one: Citing) -> bool:
    return bool(one.item.signers)


def _repeats(one: Citing) -> bool:
    return bool(one.item.repeats)


def _asked_for(one: Citing) -> bool:
    """By an event or, kept when it comes along, by a condition."""
    asked = {paper.id for event in one.file.events.values() for paper in event.documents}
    return one.name in asked or any(
        getattr(leaf, "document", None) == one.name
        for condition in one.file.conditions.values()
        for leaf in walk_condition(condition)
    )


def _tells_people(one: Citing) -> bool:
    if isinstance(one.item, DeadlineDefinition):
        return bool(one.item.warnings or one.item.escalations)
    return bool(one.item.notifies)


def _measures(one: Citing) -> bool:
    """A deadline that cites the same rule has this parameter as one of its lengths, or chooses by it."""
    own = f"${one.name}"
    for name, rule in _clocks(one):
        terms: tuple[Any, ...] = (*rule.terms, *rule.parts)
        for term in terms if name == one.workflow else ():
            lengths = (getattr(term, "target", None), term.limit, term.at_least)
            if own in lengths or own in _read_by(one.file, term.when):
                return True
    return False


def _read_by(file: WorkflowDefinition, condition: str | None) -> Iterator[object]:
    """The operands of a condition."""
    if condition is not None and condition in file.conditions:
        for leaf in walk_condition(file.conditions[condition]):
            yield from () if isinstance(leaf, str) else asdict(leaf, recurse=False).values()


def _chooses(one: Citing) -> bool:
    """The deadline has different terms for different cases."""
    return any(term.when for term in (*one.item.terms, *one.item.parts))


def _clocked(one: Citing) -> bool:
    """The event starts, stops or chooses anew a deadline that cites the same rule, in its own file or in one
    that hears of it."""
    heard = f"child.{one.workflow}.{one.name}"
    for name, rule in _clocks(one):
        starts = (*rule.starts, *rule.restarts)
        moved = (*starts, *rule.stops, *rule.cancels, *rule.rechosen_by)
        if (one.name if name == one.workflow else heard) in moved:
            return True
        if name == one.workflow and f"state.{one.item.to}.entered" in starts:
            return True
    return False


def _clocks(one: Citing) -> Iterator[tuple[str, DeadlineDefinition]]:
    """The deadlines that cite the same rule."""
    for name, file in one.files.items():
        for rule in file.deadlines.values():
            if one.rule in rule.cites:
                yield name, rule


def _counted(one: Citing) -> bool:
    """A condition asks whether the event happened."""
    return any(
        isinstance(leaf, HappenedLeaf) and one.name in leaf.happened
        for condition in one.file.conditions.values()
        for leaf in walk_condition(condition)
    )


def _names_role(one: Citing) -> bool:
    return bool(one.roles & set(_roles_of(one)))


def _roles_of(one: Citing) -> Iterator[str]:
    item = one.item
    if isinstance(item, Mapping):
        yield from (str(value) for value in item.values())
        return
    if isinstance(item, EventDefinition):
        yield from item.by
    if isinstance(item, DeadlineDefinition):
        yield item.owner
        yield from (role for notice in item.warnings for role in notice.notify)
        yield from (role for notice in item.escalations for role in notice.notify)
    yield from (notice.role for notice in getattr(item, "notifies", ()))
    yield from getattr(item, "signers", ())
    for value in (getattr(item, "prepared_by", None), getattr(item, "value", None)):
        if isinstance(value, str):
            parameter = one.file.parameters.get(value.removeprefix("$"))
            yield value if parameter is None else str(parameter.value)


PROPERTIES: Mapping[str, Callable[[Citing], bool]] = {
    "moves": _moves,
    "opens_case": _opens_case,
    "passes_on": _passes_on,
    "guarded": _guarded,
    "asks_paper": _asks_paper,
    "asks_signature": _asks_signature,
    "asks_repeated_paper": _asks_repeated_paper,
    "takes_facts": _takes_facts,
    "takes_money": _takes_money,
    "signed": _signed,
    "repeats": _repeats,
    "asked_for": _asked_for,
    "tells_people": _tells_people,
    "measures": _measures,
    "chooses": _chooses,
    "clocked": _clocked,
    "counted": _counted,
    "names_role": _names_role,
}
