"""Compiles the ledger of a definition: what makes a line, and what is counted on it."""

from __future__ import annotations

from collections.abc import Callable

from renoflow.definition.model import AccumulationDefinition, EffectsDefinition, WorkflowDefinition
from renoflow.values import Duration, parse_duration
from renoflow.workflow.operands import Operands, Test
from renoflow.workflow.plan import AccumulationPlan, EffectsPlan, LedgerPlan


def compile_ledger(
    definition: WorkflowDefinition,
    operands: Operands,
    test: Callable[[str | None], Test | None],
    effects: Callable[[EffectsDefinition], EffectsPlan],
) -> LedgerPlan | None:
    """The ledger's plan, None for a workflow that keeps none."""
    ledger = definition.ledger
    if ledger is None:
        return None
    return LedgerPlan(
        entry=ledger.entry,
        dated_by=ledger.dated_by,
        rule=ledger.rule,
        source=ledger.source,
        enters=frozenset(ledger.enters),
        strikes=frozenset(ledger.strikes),
        keeps=_length(operands, ledger.keeps).count,
        accumulations=tuple(
            _accumulation(name, item, operands, test, effects)
            for name, item in definition.accumulations.items()
        ),
    )


def _accumulation(
    name: str,
    item: AccumulationDefinition,
    operands: Operands,
    test: Callable[[str | None], Test | None],
    effects: Callable[[EffectsDefinition], EffectsPlan],
) -> AccumulationPlan:
    plan = effects(item)
    at_least = 1 if item.at_least is None else operands.resolved(item.at_least)
    return AccumulationPlan(
        name=name,
        label=item.label,
        when=test(item.when),
        counts=frozenset(item.counts),
        none_of=frozenset(item.none_of),
        except_rules=frozenset(item.except_rules),
        after=item.after,
        period="run" if item.within is None else "month" if item.within == "calendar month" else "year",
        at_least=int(at_least),
        running=None if item.running is None else _length(operands, item.running),
        at_period_end=item.at == "period end",
        effects=plan,
        decides=plan.inward or bool(plan.opens or plan.tells or plan.asks or plan.extends),
    )


def _length(operands: Operands, text: str) -> Duration:
    return parse_duration(operands.resolved(text))
