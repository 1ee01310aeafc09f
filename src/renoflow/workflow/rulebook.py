"""The rules of the handbooks and the facts of the field that workflow files cite.

They are data, `workflows/rulebook/*.csv`, to be read and extended without Python. What implements a rule
stands nowhere: it is what cites it.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal

from attrs import frozen

from renoflow.values import Label
from renoflow.workflow.bundled import bundled_folder

RuleKind = Literal[
    "state", "transition", "guard", "role", "permission", "document", "deadline",
    "recurrence", "notification", "escalation", "accumulation", "other",
]  # fmt: skip
Strength = Literal["S", "V", "T"]
"""S: the source states it. V: stated, but vague. T: only a heading of a table of contents."""

_LIKE_OURS = re.compile(r"D\d+-\d+|F\d+")


@frozen(kw_only=True)
class Citation:
    """A table that cites a rule: `project.toml`, `events.pay_deposit`, with what people call it. A workflow's
    file goes by the workflow's id, a bundled profile's by its place, `profiles/d15.toml`."""

    file: str
    path: str
    label: Label | None = None

    def __str__(self) -> str:
        return f"{self.file} {self.path}"


@frozen(kw_only=True)
class Justification:
    """Why nothing, or not everything, implements a rule, and what a firm does `instead`."""

    id: str
    label: Label
    instead: Label
    may_be_cited: bool


@frozen(kw_only=True)
class Rule:
    """A rule of the handbooks. `statement` is ours, `quote` stands literally in `line` of the source.

    `area` is the part of the work it belongs to (W1 to W7, X1 to X3), `cited_by` what implements it.
    """

    id: str
    statement: Label
    quote: str
    document: str
    title: Label
    line: int
    kind: RuleKind
    area: str
    strength: Strength
    justification: Justification | None = None
    cited_by: tuple[Citation, ...] = ()


@frozen(kw_only=True)
class FieldFact:
    """What the law or the trade adds to the handbooks, with its source and how certain we are of it."""

    id: str
    statement: Label
    source: str
    certainty: Literal["high", "medium", "low"]
    cited_by: tuple[Citation, ...] = ()


@frozen(kw_only=True)
class Rulebook:
    """All rules and facts by id, in the order of the sources."""

    rules: Mapping[str, Rule]
    facts: Mapping[str, FieldFact]

    def knows(self, name: str) -> bool:
        """Whether an id may be cited: one of ours, or one that does not look like ours and is a host's."""
        return name in self.rules or name in self.facts or _LIKE_OURS.fullmatch(name) is None

    def alike(self, name: str) -> tuple[str, ...]:
        """The ids that a wrong one may have meant: those of the same handbook, or else all."""
        known = (*self.rules, *self.facts)
        prefix = name.partition("-")[0]
        return tuple(one for one in known if one.startswith(f"{prefix}-")) or known


@lru_cache(maxsize=1)
def rulebook() -> Rulebook:
    """The rulebook that comes with the package; nothing in it is cited yet."""
    titles = {row["id"]: _label(row) for row in _rows("documents")}
    justifications = {row["id"]: _justification(row) for row in _rows("justifications")}
    return Rulebook(
        rules={row["id"]: _rule(row, titles, justifications) for row in _rows("rules")},
        facts={row["id"]: _fact(row) for row in _rows("facts")},
    )


def _rule(
    row: Mapping[str, Any], titles: Mapping[str, Label], justifications: Mapping[str, Justification]
) -> Rule:
    document = row["id"].partition("-")[0]
    return Rule(
        id=row["id"],
        statement=_label(row),
        quote=row["quote"],
        document=document,
        title=titles[document],
        line=int(row["line"]),
        kind=row["kind"],
        area=row["area"],
        strength=row["strength"],
        justification=justifications[row["justification"]] if row["justification"] else None,
    )


def _fact(row: Mapping[str, Any]) -> FieldFact:
    return FieldFact(id=row["id"], statement=_label(row), source=row["source"], certainty=row["certainty"])


def _justification(row: Mapping[str, Any]) -> Justification:
    return Justification(
        id=row["id"],
        label=_label(row),
        instead=Label(row["instead_zh"], row["instead_en"]),
        may_be_cited=row["may_be_cited"] == "yes",
    )


def _label(row: Mapping[str, Any]) -> Label:
    return Label(row["zh"], row["en"])


def _rows(name: str) -> list[dict[str, Any]]:
    text = (bundled_folder() / "rulebook" / f"{name}.csv").read_text("utf-8-sig")
    return list(csv.DictReader(text.splitlines()))
