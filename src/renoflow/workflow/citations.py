"""Who cites what: read off the definitions, so that it stays true by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import fields

from renoflow.definition.faults import key_of
from renoflow.definition.lines import Path
from renoflow.definition.model import ProfileDefinition, WorkflowDefinition
from renoflow.values import Label


def cited(definition: WorkflowDefinition | ProfileDefinition) -> Iterator[tuple[Path, Any]]:
    """Every table that cites something, in the order of the grammar: a value with `cites`, or a row."""
    for one in fields(type(definition)):
        yield from _below(getattr(definition, one.name), (key_of(one),))


def cites_of(item: Any) -> tuple[str, ...] | None:
    """What a table cites; None for one that cannot cite anything."""
    cites = item.get("cites", ()) if _is_row(item) else getattr(item, "cites", None)
    return cites if isinstance(cites, tuple) else None


def label_of(item: Any) -> Label | None:
    """What people call a table; a reaction has no name."""
    if _is_row(item):
        return Label(item["zh"], item["en"])
    if hasattr(item, "zh"):
        return Label(item.zh, item.en)
    return getattr(item, "label", None)


def _below(item: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if cites_of(item) is not None:
        if cites_of(item):
            yield path, item
    elif isinstance(item, Mapping):
        for key, inner in item.items():
            yield from _below(inner, (*path, key))
    elif isinstance(item, tuple):
        for position, inner in enumerate(item):
            yield from _below(inner, (*path, position))


def _is_row(item: Any) -> bool:
    return isinstance(item, Mapping) and isinstance(item.get("zh"), str)
