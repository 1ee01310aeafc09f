"""Deadline rules made ready: their terms and alerts, and what each happening does to which clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from renoflow.definition.model import (
    DeadlineDefinition,
    PartDefinition,
    TermDefinition,
    WorkflowDefinition,
)
from renoflow.values import Duration, Label, parse_duration
from renoflow.workflow.conditions import ConditionCompiler
from renoflow.workflow.operands import Operands
from renoflow.workflow.plan import AlertPlan, ClockOp, ClockPlan, PausePlan, TermPlan
from renoflow.workflow.scene import Scene


def compile_clocks(
    definition: WorkflowDefinition, operands: Operands, conditions: ConditionCompiler
) -> Mapping[str, ClockPlan]:
    """One clock per deadline, or per part of one (`warranty.general`), in file order."""
    found: dict[str, ClockPlan] = {}
    for name, rule in definition.deadlines.items():
        if rule.parts:
            for part in rule.parts:
                label = Label(f"{rule.label.zh}（{part.zh}）", f"{rule.label.en}: {part.en}")
                terms: tuple[TermPlan, ...] = (_term(_as_term(part), operands, conditions),)
                full = f"{name}.{part.name}"
                found[full] = _clock(full, name, label, rule, terms, definition, operands, conditions)
        else:
            terms = tuple(_term(term, operands, conditions) for term in rule.terms)
            found[name] = _clock(name, name, rule.label, rule, terms, definition, operands, conditions)
    return found


def _as_term(part: PartDefinition) -> TermDefinition:
    return TermDefinition(
        name=part.name, when=part.when, limit=part.limit, until=part.until, at_least=part.at_least
    )


def _clock(
    name: str,
    rule_name: str,
    label: Label,
    rule: DeadlineDefinition,
    terms: tuple[TermPlan, ...],
    definition: WorkflowDefinition,
    operands: Operands,
    conditions: ConditionCompiler,
) -> ClockPlan:
    warnings = [(_length(w.before, operands), w.notify) for w in rule.warnings]
    escalations = [(_length(e.after, operands), e.notify) for e in rule.escalations]
    role = definition.roles.get(rule.owner)
    return ClockPlan(
        name=name,
        rule=rule_name,
        label=label,
        owner=rule.owner,
        side=role.side if role is not None else "company",
        kind=rule.kind,
        statutory=rule.statutory,
        terms=terms,
        only_term=_only(terms),
        counts_from=None if rule.counts_from is None else operands.getter(rule.counts_from),
        pauses=tuple(
            PausePlan(
                states=frozenset(clause.in_),
                unless=None if clause.unless is None else conditions.compile(clause.unless).test,
            )
            for clause in rule.pauses
        ),
        stops_when=None if rule.stops_when is None else conditions.compile(rule.stops_when).test,
        warnings=tuple(
            AlertPlan(length=length, sign=-1, notify=notify)
            for length, notify in sorted(warnings, key=lambda item: -item[0].rough_days)
        ),
        escalations=tuple(
            AlertPlan(length=length, sign=1, notify=notify)
            for length, notify in sorted(escalations, key=lambda item: item[0].rough_days)
        ),
        extended_by=frozenset(rule.extended_by),
    )


def _only(terms: tuple[TermPlan, ...]) -> TermPlan | None:
    """The term that every start takes: the first, where it has no condition and always the same length."""
    first = terms[0] if terms else None
    return first if first is not None and first.test is None and first.length is not None else None


def _length(text: str, operands: Operands) -> Duration:
    return parse_duration(operands.resolved(text))


def _term(term: TermDefinition, operands: Operands, conditions: ConditionCompiler) -> TermPlan:
    when = None if term.when is None else conditions.compile(term.when)
    return TermPlan(
        name=term.name or "",
        label=None if when is None else when.label,
        test=None if when is None else when.test,
        target=None if term.target is None else _length(term.target, operands),
        length=_fixed(term, operands),
        limit=_limit(term.limit, operands),
        until=None if term.until is None else operands.getter(term.until),
        every=term.every,
        floor=None if term.at_least is None else _length(term.at_least, operands),
    )


def _fixed(term: TermDefinition, operands: Operands) -> Duration | None:
    """The length of a term that asks for no fact and no date."""
    if term.until is not None or term.limit is None or operands.is_reference(term.limit):
        return None
    return _length(term.limit, operands)


def _limit(text: str | None, operands: Operands) -> Callable[[Scene], Duration | None]:
    if text is None:
        return lambda scene: None
    resolved = operands.resolved(text)
    if isinstance(resolved, str) and resolved.startswith("@"):
        get = operands.getter(resolved)
        return lambda scene: as_length(get(scene))
    constant = parse_duration(resolved)
    return lambda scene: constant


def as_length(value: Any) -> Duration | None:
    """A fact as a length of time: a duration as it is, a whole number as days."""
    if value is None:
        return None
    return Duration(value, "day") if isinstance(value, int) else parse_duration(value)


def ops_of(
    definition: WorkflowDefinition, clocks: Mapping[str, ClockPlan], happenings: tuple[str, ...]
) -> tuple[ClockOp, ...]:
    """What these happenings, taken as one, do to each clock; the others are left out."""
    found = []
    for clock in clocks.values():
        rule = definition.deadlines[clock.rule]
        op = ClockOp(
            clock=clock,
            cancel=_any(rule.cancels, happenings),
            stop=_any(rule.stops, happenings),
            rechoose=_any(rule.rechosen_by, happenings),
            start=_any(rule.starts, happenings),
            restart=_any(rule.restarts, happenings),
        )
        if op.cancel or op.stop or op.rechoose or op.start or op.restart:
            found.append(op)
    return tuple(found)


def _any(listed: tuple[str, ...], happenings: tuple[str, ...]) -> bool:
    return any(happening in listed for happening in happenings)
