"""A case's history as a chain: each line's hash covers the line and the hash before it.

What is personal in a line lies apart from its body, which holds a keyed digest in its place. The key lies
beside the value and goes with it, so that a removed value cannot be guessed from what is left, and the
chain still holds.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from typing import Any

import msgspec

from renoflow.engine.codec import entry_from_json
from renoflow.records import HistoryEntry, Told
from renoflow.values import Label
from renoflow.workflow.plan import Plan

START = ""
"""What stands for the hash before the first line."""

DIGESTS = "digests"
"""Where a body keeps the digests of what lies apart."""

_encode = msgspec.json.Encoder(order="deterministic").encode


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the history as it is stored; `personal` maps where a value stood to its key and the value."""

    number: int
    body: str
    personal: str | None
    hash: str


def chained(before: str, body: str) -> str:
    """The hash of a line."""
    return sha256(before.encode() + body.encode()).hexdigest()


def digest(key: str, value: Any) -> str:
    return hmac.new(key.encode(), _encode(value), sha256).hexdigest()


# ------------------------------------------------------------------ writing


def line_of(plan: Plan, entry: HistoryEntry, before: str) -> Line:
    """A history entry as it is stored after the line with the hash `before`."""
    apart = _personal_values(plan, entry)
    if not apart:
        body = _encode(entry).decode()
        return Line(number=entry.number, body=body, personal=None, hash=chained(before, body))
    fields = msgspec.to_builtins(entry)
    kept = {}
    digests = {}
    for place in apart:
        value = _take(fields, place)
        key = secrets.token_hex(16)
        kept[place] = [key, value]
        digests[place] = digest(key, value)
    fields[DIGESTS] = digests
    body = _encode(fields).decode()
    return Line(number=entry.number, body=body, personal=_encode(kept).decode(), hash=chained(before, body))


def _personal_values(plan: Plan, entry: HistoryEntry) -> list[str]:
    """Where in an entry something personal stands: `facts.phone`, `told.facts.phone`, `note`."""
    facts = plan.facts
    found = [f"facts.{name}" for name in entry.facts if name in facts and facts[name].personal]
    found += [f"derived.{name}" for name in entry.derived if name in facts and facts[name].personal]
    if entry.told is not None and entry.told.facts:
        found += [
            f"told.facts.{name}" for name in entry.told.facts if told_personally(plan, entry.told, name)
        ]
    if entry.note:
        found.append("note")
    return found


def told_personally(plan: Plan, told: Told, name: str) -> bool:
    """Whether a fact that a linked case told is personal, by our file or by that case's."""
    if told.relation != "child" and name in plan.facts:
        return plan.facts[name].personal
    other = plan.relatives.get(told.workflow)
    fact = None if other is None else other.facts.get(name)
    return fact is not None and fact.personal


def _take(fields: dict[str, Any], place: str) -> Any:
    *path, name = place.split(".")
    for part in path:
        fields = fields[part]
    return fields.pop(name)


# ------------------------------------------------------------------ reading


def entry_of(plan: Plan, body: str, personal: str | None) -> HistoryEntry:
    """The history entry of a stored line; what was redacted is not in it. Raises `UsageError`."""
    if personal is None and f'"{DIGESTS}"' not in body:
        return entry_from_json(plan, body)
    fields = msgspec.json.decode(body)
    fields.pop(DIGESTS, None)
    for place, (_, value) in (msgspec.json.decode(personal) if personal else {}).items():
        *path, name = place.split(".")
        inner = fields
        for part in path:
            inner = inner[part]
        inner[name] = value
    return entry_from_json(plan, _encode(fields))


# ------------------------------------------------------------------ removing and verifying


def without(personal: str | None, wanted: Callable[[str], bool]) -> str | None:
    """What lies apart of a line, without the places that are wanted gone."""
    if personal is None:
        return None
    left = {place: value for place, value in msgspec.json.decode(personal).items() if not wanted(place)}
    return _encode(left).decode() if left else None


Gone = Callable[[Mapping[str, Any], str], bool]
"""Whether a redaction says that the value at a place of a line, given by its body, was removed."""


def faults(lines: Iterable[Line], *, entries: int, head: str, gone: Gone) -> list[Label]:
    """Everything that is wrong with the chain of one case, which should have so many entries and end in
    `head`."""
    found: list[Label] = []
    before = START
    number = 0
    for line in lines:
        number += 1
        if line.number != number:
            found.append(_gap(number, line.number))
            number = line.number
        if chained(before, line.body) != line.hash:
            found.append(
                Label(
                    f"第{number}条或它之前的记录被改动",
                    f"entry {number} was changed, or what stood before it was",
                )
            )
        found += _apart_faults(line, gone)
        before = line.hash
    if number != entries:
        found.append(
            Label(
                f"历史止于第{number}条，案卷应有{entries}条",
                f"the history ends at entry {number}; the case has {entries}",
            )
        )
    elif before != head:
        found.append(
            Label(
                f"第{number}条不是案卷最后留下的那一条",
                f"entry {number} is not the one that the case was left with",
            )
        )
    return found


def _gap(wanted: int, found: int) -> Label:
    if found < wanted:
        return Label(f"第{wanted}条的位置上是第{found}条", f"entry {found} stands where {wanted} belongs")
    if found == wanted + 1:
        return Label(f"缺第{wanted}条", f"entry {wanted} is missing")
    return Label(f"缺第{wanted}至{found - 1}条", f"entries {wanted} to {found - 1} are missing")


def _apart_faults(line: Line, gone: Gone) -> list[Label]:
    number = line.number
    try:
        body = msgspec.json.decode(line.body)
        kept = msgspec.json.decode(line.personal) if line.personal else {}
        digests = body.get(DIGESTS, {})
        found = [
            Label(f"第{number}条：{place} 的值被改动", f"entry {number}: the value at {place} was changed")
            for place, (key, value) in kept.items()
            if digest(key, value) != digests.get(place)
        ]
    except (msgspec.MsgspecError, AttributeError, TypeError, ValueError):
        return [Label(f"第{number}条无法读取", f"entry {number} cannot be read")]
    found += [
        Label(
            f"第{number}条：{place} 的值不见了，也没有删除记录",
            f"entry {number}: the value at {place} is gone, and no redaction says so",
        )
        for place in digests
        if place not in kept and not gone(body, place)
    ]
    return found
