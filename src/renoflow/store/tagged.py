"""Values of any kind as JSON and back with their types: what effects carry and what refusals say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec
from msgspec.structs import replace

from renoflow.records import Document, Effect, Reason, Signature
from renoflow.values import Label

TAG = "$"
"""An object with this key is a value that JSON has no form for."""

_READ: dict[str, Callable[[Any], Any]] = {
    "decimal": Decimal,
    "date": date.fromisoformat,
    "instant": datetime.fromisoformat,
    "label": lambda pair: Label(*pair),
    "document": lambda one: msgspec.convert(one, Document),
    "signature": lambda one: msgspec.convert(one, Signature),
    "object": lambda one: {key: _plain(value) for key, value in one.items()},
}


def tagged(value: Any) -> Any:
    """What `msgspec.json` can write, from which `plain` makes the same value again."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, (tuple, list)):
        return [tagged(item) for item in value]
    if isinstance(value, Mapping):
        fields = {str(key): tagged(item) for key, item in value.items()}
        return {TAG: "object", "is": fields} if TAG in fields else fields
    if isinstance(value, Decimal):
        return {TAG: "decimal", "is": str(value)}
    if isinstance(value, datetime):
        return {TAG: "instant", "is": value.isoformat()}
    if isinstance(value, date):
        return {TAG: "date", "is": value.isoformat()}
    if isinstance(value, Label):
        return {TAG: "label", "is": [value.zh, value.en]}
    if isinstance(value, Document):
        return {TAG: "document", "is": msgspec.to_builtins(value)}
    if isinstance(value, Signature):
        return {TAG: "signature", "is": msgspec.to_builtins(value)}
    if isinstance(value, Reason):
        return {TAG: "reason", "is": _reason_fields(value)}
    # A value without a form of its own is kept as a person would read it.
    return str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_plain(item) for item in value)
    if isinstance(value, dict):
        if TAG in value:
            return _READ[value[TAG]](value["is"])
        return {key: _plain(item) for key, item in value.items()}
    return value


def _reason_fields(reason: Reason) -> dict[str, Any]:
    return {
        "code": reason.code,
        "subject": reason.subject,
        "label": tagged(reason.label),
        "values": tagged(reason.values),
        "details": tagged(reason.details),
    }


def _reason(fields: Mapping[str, Any]) -> Reason:
    return Reason(**{name: _plain(value) for name, value in fields.items()})


_READ["reason"] = _reason


def reasons_to_json(reasons: tuple[Reason, ...]) -> list[Any]:
    return [_reason_fields(reason) for reason in reasons]


def reasons_from_json(items: list[Any]) -> tuple[Reason, ...]:
    return tuple(_reason(item) for item in items)


def effect_to_json(effect: Effect) -> str:
    data = tagged(effect.data) if effect.data else effect.data
    return msgspec.json.encode(replace(effect, data=data), order="deterministic").decode()


def effect_from_json(text: str) -> Effect:
    """Raises `msgspec.MsgspecError`, `KeyError`, `TypeError` or `ValueError` for anything else."""
    effect = msgspec.json.decode(text, type=Effect)
    return replace(effect, data=_plain(effect.data))
