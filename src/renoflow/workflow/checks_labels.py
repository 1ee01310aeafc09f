"""Labels: whatever people read is there in Chinese and in English, each in its own script."""

from __future__ import annotations

import re
from collections.abc import Iterator

from renoflow.definition.model import ConditionNode, WorkflowDefinition, walk_condition
from renoflow.workflow.inspection import Inspection

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]")
_LATIN = re.compile(r"[A-Za-z]")


def check_labels(inspection: Inspection) -> None:
    """Every label of a file. An English text under `zh` is a translation that was forgotten."""
    for path, zh, en in _labels(inspection.definition):
        for fault in label_faults(zh, en):
            inspection.fault(path, fault, "both are read by people")


def label_faults(zh: object, en: object) -> list[str]:
    """What is wrong with a pair of texts."""
    found = []
    for lang, text in (("zh", zh), ("en", en)):
        if not isinstance(text, str) or not text.strip():
            found.append(f"the label {lang!r} is missing or empty")
        elif lang == "zh" and not _HAN.search(text) and _LATIN.search(text):
            found.append(f"the Chinese label {text!r} has no Chinese in it")
        elif lang == "en" and _HAN.search(text):
            found.append(f"the English label {text!r} has Chinese in it")
    return found


def _labels(definition: WorkflowDefinition) -> Iterator[tuple[str, object, object]]:
    header = definition.workflow.label
    yield "workflow.label", header.zh, header.en
    for section in ("stages", "states", "roles", "parameters", "facts", "documents", "payments"):
        for name, item in getattr(definition, section).items():
            yield f"{section}.{name}", item.zh, item.en
    for name, fact in definition.facts.items():
        for key, label in (fact.values or {}).items():
            yield f"facts.{name}.values.{key}", label.zh, label.en
    for name, rows in definition.tables.items():
        for key, row in rows.items():
            yield f"tables.{name}.{key}", row.get("zh"), row.get("en")
    for section in ("amounts", "events", "deadlines", "accumulations", "invariants"):
        for name, item in getattr(definition, section).items():
            yield f"{section}.{name}.label", item.label.zh, item.label.en
    for name, deadline in definition.deadlines.items():
        for number, part in enumerate(deadline.parts):
            yield f"deadlines.{name}.parts[{number}]", part.zh, part.en
    for name, condition in definition.conditions.items():
        yield f"conditions.{name}", condition.zh, condition.en
    yield from _labels_in_line(definition)


def _labels_in_line(definition: WorkflowDefinition) -> Iterator[tuple[str, object, object]]:
    """Conditions that stand inside something else may have a label; then it is a whole one."""
    roots: list[tuple[str, ConditionNode]] = []
    for name, event in definition.events.items():
        roots += [(f"events.{name}.guards[{number}]", guard) for number, guard in enumerate(event.guards)]
    for name, invariant in definition.invariants.items():
        roots.append((f"invariants.{name}.always.implies", invariant.always.implies))
    for name, condition in definition.conditions.items():
        roots += [(f"conditions.{name}", part) for part in list(walk_condition(condition))[1:]]
    for path, root in roots:
        for node in walk_condition(root):
            if not isinstance(node, str) and (node.zh is not None or node.en is not None):
                yield path, node.zh, node.en
