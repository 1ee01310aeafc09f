"""How a ledger stands: which lines count for which rule, and what is missing until it is met."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from attrs import frozen

from renoflow.engine import ledger
from renoflow.engine.rules import Rules
from renoflow.engine.step import Step
from renoflow.records import Case, LedgerLine
from renoflow.values import SYSTEM_ACTOR, Label, Lang, listed
from renoflow.workflow.plan import AccumulationPlan, LedgerPlan

_UNITS = {"day": Label("天", "days"), "month": Label("个月", "months"), "year": Label("年", "years")}


@frozen(kw_only=True)
class Tally:
    """One accumulation over one period (`2026-05`, `2026`), or over the latest unbroken run (`period` is then
    empty). `lines` are those not used up, `against` those of which there may be none; `unit` is empty for
    lines that are counted one by one."""

    accumulation: str
    label: Label
    period: str
    lines: tuple[LedgerLine, ...]
    found: int
    wanted: int
    unit: str
    against: tuple[LedgerLine, ...]
    at_period_end: bool
    kinds: dict[str, Label]
    cites: tuple[str, ...]

    @property
    def missing(self) -> int:
        return max(self.wanted - self.found, 0)

    def text(self, lang: Lang = "zh") -> str:
        """One sentence."""
        label, unit = self.label.text(lang), _UNITS.get(self.unit, Label("笔", "lines")).text(lang)
        days = listed((self._line(line, lang) for line in self.lines), lang)
        when = f" {self.period}" if self.period else ""
        if lang == "zh":
            text = f"{label}{when}：{self.found}/{self.wanted} {unit}"
            text += f"（{days}）" if days else ""
            text += f"，还差 {self.missing} {unit}" if self.missing else ""
            text += "，期末核定" if self.at_period_end else ""
            stops = listed((self._line(line, lang) for line in self.against), lang)
            return text + (f"；因{stops}不予计入" if stops else "") + "。"
        text = f"{label}{when}: {self.found} of {self.wanted} {unit}"
        text += f" ({days})" if days else ""
        text += f", {self.missing} missing" if self.missing else ""
        text += ", settled when the period ends" if self.at_period_end else ""
        stops = listed((self._line(line, lang) for line in self.against), lang)
        return text + (f"; it cannot be met because of {stops}" if stops else "") + "."

    def _line(self, line: LedgerLine, lang: Lang) -> str:
        kind = self.kinds.get(line.kind, Label(line.kind, line.kind)).text(lang)
        return f"{line.day} {kind}"


def tally(rules: Rules, case: Case, at: datetime) -> tuple[Tally, ...]:
    """Every accumulation that may apply to this case, in the order of the file; periods in their order."""
    plan = rules.plan.ledger
    if plan is None:
        return ()
    step = Step(rules, case, SYSTEM_ACTOR, at)
    return tuple(
        one
        for rule in plan.accumulations
        if rule.when is None or rule.when(step)
        for one in _of_rule(step, plan, rule)
    )


def _of_rule(step: Step, plan: LedgerPlan, rule: AccumulationPlan) -> Iterator[Tally]:
    lines = step.ledger
    if rule.running is not None:
        found = list(ledger.runs(lines, rule, step.calendar))
        latest = found[-1] if found else ()
        yield _tally(step, plan, rule, "", latest)
        return
    periods = ledger.periods(lines, rule)
    now = ledger.period_of(rule, date.fromordinal(step.today))
    for period in sorted({*periods, now}):
        if ledger.follows_another(lines, rule, period):
            yield _tally(step, plan, rule, period, periods.get(period, ()))


def _tally(
    step: Step, plan: LedgerPlan, rule: AccumulationPlan, period: str, numbers: tuple[int, ...]
) -> Tally:
    lines = step.ledger
    counted = tuple(lines[number] for number in numbers)
    running = rule.running
    return Tally(
        accumulation=rule.name,
        label=rule.label,
        period=period,
        lines=counted,
        found=len(counted) if running is None else ledger.length(lines, rule, numbers),
        wanted=rule.at_least if running is None else running.count,
        unit="" if running is None else running.unit,
        against=tuple(ledger.objections(lines, rule, period)) if period else (),
        at_period_end=rule.at_period_end,
        kinds=dict(step.plan.facts[plan.entry].choices),
        cites=step.plan.definition.accumulations[rule.name].cites,
    )
