"""What sort of value stands somewhere in a definition, and whether another one fits there.

For the checks at load only. A literal is read by the same code that reads it when a case runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import get_args

from attrs import frozen

from renoflow.definition.model import FactDefinition, FactType, Scalar, TableRows
from renoflow.values import Label, parse_duration, parse_money, parse_percent
from renoflow.workflow.facts import Reader, compile_fact

ORDERED = frozenset(("decimal", "whole", "count", "percent", "money", "date", "instant", "duration"))
NUMBERS = frozenset(("decimal", "whole", "count", "percent", "money"))
_WHOLE = frozenset(("whole", "count"))
# What may be put into a fact of the first type besides its own kind.
_TAKES: Mapping[str, frozenset[str]] = {
    "whole": _WHOLE,
    "count": _WHOLE,
    "decimal": _WHOLE,
    "percent": frozenset(("decimal",)),
    "text": frozenset(("enum",)),
}
ROW_TEXTS = ("zh", "en", "cites")
"""The columns that every row of a table may have and no reference reads."""


@frozen
class Kind:
    """A fact's type, with the keys of an enum or a set."""

    type: str
    keys: tuple[str, ...] = ()

    def __str__(self) -> str:
        if not self.keys:
            return f"of type {self.type}"
        shown = ", ".join(self.keys[:8]) + (", …" if len(self.keys) > 8 else "")
        return f"one of {shown}" if self.type == "enum" else f"a list out of {shown}"


MONEY, WHOLE, DATE, ACTOR, TEXT = Kind("money"), Kind("whole"), Kind("date"), Kind("actor"), Kind("text")
DURATION, PERCENT, YES_NO = Kind("duration"), Kind("percent"), Kind("yes_no")
AMOUNT_KINDS: Mapping[str, Kind] = {"money": MONEY, "count": WHOLE, "percent": PERCENT}


def kind_of_fact(fact: FactDefinition, tables: Mapping[str, TableRows]) -> Kind:
    """The kind of a declared fact; an enum's keys may be the rows of a table."""
    if fact.type not in ("enum", "set"):
        return Kind(fact.type)
    keys = fact.values if fact.values is not None else tables.get(fact.of or "", {})
    return Kind(fact.type, tuple(keys))


def kind_of_column(rows: TableRows, column: str) -> Kind | None:
    """What a column holds, None where no row has it or its rows do not agree."""
    values = [row[column] for row in rows.values() if column in row]
    if not values:
        return None
    looks = {"set" if isinstance(value, tuple) else look_of(value) for value in values}
    if looks == {"set"}:
        return Kind("set", _keys(item for value in values if isinstance(value, tuple) for item in value))
    if looks == {"name"}:
        return Kind("enum", _keys(str(value) for value in values))
    return Kind(looks.pop()) if len(looks) == 1 else None


def _keys(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


def look_of(value: Scalar) -> str:
    """The kind of a literal by its look: yes_no, whole, duration, percent, money, or else a name."""
    if isinstance(value, bool):
        return "yes_no"
    if isinstance(value, int):
        return "whole"
    for look, parse in (("duration", parse_duration), ("money", parse_money), ("percent", parse_percent)):
        try:
            parse(value)
        except ValueError:
            continue
        # A bare "0.005" is no money, and no name either.
        return look
    return "name"


def misfit(kind: Kind, value: Scalar) -> str:
    """Why a literal cannot stand where `kind` does; an empty string when it can."""
    if isinstance(value, str) and value.startswith(("paid.", "children.")) and kind.type in NUMBERS:
        return f"{value!r} is read in the terms of an amount only"
    if kind.type in ("enum", "set") and not kind.keys:
        return ""  # its keys are not declared: a fault of its own, told at the fact
    try:
        _reader(kind)(value)
    except ValueError as error:
        return str(error)
    return ""


@lru_cache(maxsize=512)
def _reader(kind: Kind) -> Reader:
    type_: FactType = next(name for name in get_args(FactType) if name == kind.type)
    values = {key: Label(key, key) for key in kind.keys} if kind.keys else None
    return compile_fact("", FactDefinition(zh="", en="", type=type_, values=values), {}).read


def takes(target: Kind, source: Kind) -> bool:
    """Whether a value of `source` may be put where `target` is."""
    if target.type == source.type:
        return set(source.keys) <= set(target.keys) if target.keys else True
    return source.type in _TAKES.get(target.type, ())


def compares(left: Kind, right: Kind) -> bool:
    """Whether two kinds can be held against each other."""
    if left.type == right.type and left.keys and right.keys:
        return not set(left.keys).isdisjoint(right.keys)
    return takes(left, right) or takes(right, left)
