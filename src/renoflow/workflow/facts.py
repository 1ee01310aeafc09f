"""Facts with types, units and bounds: reading a value that somebody brought, and comparing it."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

from attrs import frozen

from renoflow.definition.model import FactDefinition, Scalar, TableRows, WorkflowDefinition
from renoflow.errors import UsageError
from renoflow.records import FactValue
from renoflow.values import (
    Label,
    instant,
    parse_date,
    parse_decimal,
    parse_duration,
    parse_money,
    parse_percent,
)

Reader = Callable[[Any], FactValue]

_TYPE_LABELS = {
    "decimal": Label("一个数", "a number"),
    "whole": Label("一个整数", "a whole number"),
    "count": Label("一个次数", "a count"),
    "percent": Label("一个百分比", "a percentage"),
    "money": Label("一个以元为单位的金额（最多两位小数）", "a sum in yuan with at most two decimals"),
    "yes_no": Label("是或否（true/false）", "yes or no (true/false)"),
    "text": Label("一段非空文字", "a text that is not empty"),
    "texts": Label("一组非空文字", "a list of texts, at least one"),
    "date": Label("一个日期，如 2026-03-09", "a date, as 2026-03-09"),
    "instant": Label("一个带时区的时刻", "an instant with a time zone"),
    "duration": Label("一段时长，如 2 years", "a duration, as '2 years'"),
    "actor": Label("一个人员编号", "a person's id"),
}


@frozen(kw_only=True)
class FactPlan:
    """A declared fact, ready for use. `read` turns what was brought into the kept value, or raises
    `ValueError`; `keep` does so for what a rule of the file sets, within no bounds but a count's ceiling;
    `wanted` says in words what is accepted."""

    name: str
    label: Label
    type: str
    read: Reader
    keep: Reader
    wanted: Label
    told_by: str | None
    by_engine: bool
    personal: bool
    searchable: bool
    start: FactValue | None
    """What is known before anything was brought: of a count 0."""
    unit: str
    at_most: FactValue | None
    choices: Mapping[str, Label]
    rows: Mapping[str, Mapping[str, Any]]

    def column(self, value: object, column: str) -> Any:
        """A column of the table row that the value names, None where there is none."""
        row = self.rows.get(str(value))
        return None if row is None else row.get(column)


def compile_fact(name: str, fact: FactDefinition, tables: Mapping[str, TableRows]) -> FactPlan:
    rows: Mapping[str, Mapping[str, Any]] = tables.get(fact.of, {}) if fact.of else {}
    choices: Mapping[str, Label] = fact.values or {
        key: Label(str(row.get("zh", key)), str(row.get("en", key))) for key, row in rows.items()
    }
    bare = _reader(fact.type, tuple(choices))
    bounds = {
        sign: bare(bound)
        for sign, bound in (
            ("at_least", fact.at_least), ("at_most", fact.at_most),
            ("above", fact.above), ("below", fact.below),
        )
        if bound is not None
    }  # fmt: skip
    return FactPlan(
        name=name,
        label=Label(fact.zh, fact.en),
        type=fact.type,
        read=_bounded(bare, bounds) if bounds else bare,
        keep=_capped(bounds.get("at_most")) if fact.type == "count" else bare,
        wanted=_wanted(fact, choices, bounds),
        told_by=fact.told_by,
        by_engine=fact.set_by == "engine" or fact.type == "count",
        personal=fact.personal,
        searchable=fact.searchable,
        start=0 if fact.type == "count" else None,
        unit=fact.unit or "",
        at_most=bounds.get("at_most"),
        choices=choices,
        rows=rows,
    )


# ------------------------------------------------------------------ reading


def _whole(value: object) -> int:
    if type(value) is not int:
        raise ValueError(f"{value!r} is not a whole number")
    return value


def _yes_no(value: object) -> bool:
    if type(value) is not bool:
        raise ValueError(f"{value!r} is not true or false")
    return value


def _text(value: object) -> str:
    if type(value) is not str or not value.strip():
        raise ValueError(f"{value!r} is not a text, or is empty")
    if not value.isascii():
        value.encode()  # half a surrogate pair is no text; its error is a ValueError
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or not value:
        raise ValueError(f"{value!r} is not a list of texts, or is empty")
    return tuple(_text(item) for item in value)


def _instant(value: object) -> FactValue:
    try:
        return instant(value)
    except UsageError as error:
        raise ValueError(str(error)) from None


def _duration(value: object) -> str:
    return str(parse_duration(value))


def _enum(choices: tuple[str, ...]) -> Reader:
    known = frozenset(choices)

    def read(value: Any) -> FactValue:
        if type(value) is not str or value not in known:
            raise ValueError(f"{value!r} is not one of {', '.join(choices)}")
        return value

    return read


def _set(choices: tuple[str, ...]) -> Reader:
    known = frozenset(choices)

    def read(value: Any) -> FactValue:
        if not isinstance(value, (list, tuple, set, frozenset)):
            raise ValueError(f"{value!r} is not a list out of {', '.join(choices)}")
        strangers = [item for item in value if not isinstance(item, str) or item not in known]
        if strangers:
            raise ValueError(f"{strangers[0]!r} is not one of {', '.join(choices)}")
        return tuple(choice for choice in choices if choice in value)

    return read


_READERS: Mapping[str, Reader] = {
    "decimal": parse_decimal,
    "whole": _whole,
    "count": _whole,
    "percent": parse_percent,
    "money": parse_money,
    "yes_no": _yes_no,
    "text": _text,
    "texts": _texts,
    "date": parse_date,
    "instant": _instant,
    "duration": _duration,
    "actor": _text,
}


def _reader(type_: str, choices: tuple[str, ...]) -> Reader:
    if type_ == "enum":
        return _enum(choices)
    if type_ == "set":
        return _set(choices)
    return _READERS[type_]


def _capped(ceiling: FactValue | None) -> Reader:
    def keep(value: Any) -> FactValue:
        count = _whole(value)
        return min(count, ceiling) if isinstance(ceiling, int) else count

    return keep


def _bounded(read: Reader, bounds: Mapping[str, FactValue]) -> Reader:
    checks = [(COMPARISONS[sign], comparable(bound), sign) for sign, bound in bounds.items()]

    def read_bounded(value: Any) -> FactValue:
        kept = read(value)
        number = comparable(kept)
        for holds, bound, sign in checks:
            if not holds(number, bound):
                raise ValueError(f"{value!r} is not {sign.replace('_', ' ')} {bound}")
        return kept

    return read_bounded


# ------------------------------------------------------------------ comparing

COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "at_least": operator.ge,
    "at_most": operator.le,
    "above": operator.gt,
    "below": operator.lt,
}
COMPARISON_LABELS: Mapping[str, Label] = {
    "at_least": Label("不少于", "at least"),
    "at_most": Label("不超过", "at most"),
    "above": Label("大于", "more than"),
    "below": Label("小于", "less than"),
}


UNITS: Mapping[str, Label] = {
    "m2": Label("平方米", "m²"),
    "hours": Label("小时", "hours"),
    "days": Label("天", "days"),
}


@lru_cache(maxsize=256)
def _duration_size(text: str) -> float:
    return parse_duration(text).rough_days


def comparable(value: FactValue) -> Any:
    """A value that can be ordered: durations by their length, everything else as it is."""
    return _duration_size(value) if isinstance(value, str) else value


def spoken(plan: FactPlan | None, value: object) -> Label:
    """A fact's value as a person reads it."""
    if value is None:
        return Label("未提供", "not given")
    if isinstance(value, bool):
        return Label("是", "yes") if value else Label("否", "no")
    if isinstance(value, tuple):
        parts = [spoken(plan, item) for item in value]
        return Label("、".join(p.zh for p in parts) or "无", ", ".join(p.en for p in parts) or "none")
    if plan is not None and plan.type == "percent" and isinstance(value, Decimal):
        share = f"{(value * 100).normalize():f}%"
        return Label(share, share)
    if plan is not None and isinstance(value, str):
        if value in plan.choices:
            return plan.choices[value]
        if plan.type == "duration":
            length = parse_duration(value)
            return Label(length.text("zh"), length.text("en"))
    if plan is not None and plan.type == "money":
        return Label(f"{value:.2f} 元", f"{value:.2f} yuan")
    text = value.isoformat() if isinstance(value, date) else str(value)
    if plan is None or not plan.unit:
        return Label(text, text)
    unit = UNITS.get(plan.unit, Label(plan.unit, plan.unit))
    return Label(f"{text} {unit.zh}", f"{text} {unit.en}")


def _wanted(fact: FactDefinition, choices: Mapping[str, Label], bounds: Mapping[str, FactValue]) -> Label:
    if choices and fact.type in ("enum", "set"):
        keys = " / ".join(f"{key}（{label.zh}）" for key, label in choices.items())
        names = " / ".join(f"{key} ({label.en})" for key, label in choices.items())
        if fact.type == "enum":
            return Label(f"其中之一：{keys}", f"one of {names}")
        return Label(f"取自：{keys}", f"a list out of {names}")
    base = _TYPE_LABELS[fact.type]
    zh, en = base.zh, base.en
    for sign, bound in bounds.items():
        zh += f"，{COMPARISON_LABELS[sign].zh} {bound}"
        en += f", {COMPARISON_LABELS[sign].en} {bound}"
    if fact.unit:
        unit = UNITS.get(fact.unit, Label(fact.unit, fact.unit))
        zh, en = f"{zh}（单位：{unit.zh}）", f"{en} (in {unit.en})"
    return Label(zh, en)


def literal(plan: FactPlan, value: Scalar) -> FactValue:
    """A literal of the definition as a value of this fact, without its bounds."""
    return _reader(plan.type, tuple(plan.choices))(value)


def typed_fact(definition: WorkflowDefinition, name: str, value: Any) -> Any:
    """A stored value with its type again, by a definition that need not be compiled."""
    fact = definition.facts.get(name)
    return value if fact is None else compile_fact(name, fact, definition.tables).keep(value)
