"""JSON Schemas (2020-12) of the formats, generated from the classes and shapes that the reader uses.

They are for editors, which complete and check with them while a file is written. The reader is
stricter: whatever a schema rejects the reader rejects, but not the other way round.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args, get_origin

from attrs import NOTHING, Attribute, fields, has, resolve_types

from renoflow.definition import model
from renoflow.definition.faults import key_of
from renoflow.definition.shapes import LEAVES, NAME, OPENING, ROW, ROW_NAME, Choice, Shape, shape_of

Schema = dict[str, Any]

_PLAIN: Mapping[Any, str] = {str: "string", int: "integer", bool: "boolean"}
_TEXT: Schema = {"type": "string", "pattern": r"\S"}
"""What people read: a string that is not blank."""


def workflow_schema() -> Schema:
    """Of a workflow file."""
    return _document(model.WorkflowDefinition, "a renoflow workflow")


def shared_schema() -> Schema:
    """Of a file that workflow files name in `uses`."""
    return _document(model.SharedDefinition, "tables that several renoflow workflows share")


def profile_schema() -> Schema:
    """Of a firm's profile."""
    return _document(model.ProfileDefinition, "a renoflow profile")


def _document(cls: Any, title: str) -> Schema:
    walk = _Walk()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **walk.table(cls),
        "title": title,
        "$defs": dict(sorted(walk.defs.items())),
    }


class _Walk:
    """Goes through the types once; every class below the root becomes one entry of `defs`."""

    def __init__(self) -> None:
        self.defs: dict[str, Schema] = {}

    def table(self, cls: Any) -> Schema:
        """The table form of a class: its keys, which of them are required, and its shape."""
        resolve_types(cls)
        shape = shape_of(cls)
        described = {"description": " ".join(cls.__doc__.split())} if cls.__doc__ else {}
        return {
            "title": cls.__name__,
            **described,
            "type": "object",
            "properties": {key_of(one): self._property(one, shape) for one in fields(cls)},
            "required": [key_of(one) for one in fields(cls) if one.default is NOTHING],
            "additionalProperties": False,
            **_rules(shape),
            **({"dependentRequired": {"zh": ["en"], "en": ["zh"]}} if cls in LEAVES.values() else {}),
        }

    def _property(self, attribute: Attribute[Any], shape: Shape) -> Schema:
        key, default = key_of(attribute), attribute.default
        schema = dict(_TEXT) if key in ("zh", "en") else self.of(attribute.type)
        if key == "from":
            schema = {"anyOf": [{"const": OPENING}, schema | {"minItems": 1}]}
        elif key in shape.filled:
            schema["minItems" if schema["type"] == "array" else "minProperties"] = 1
        if key in shape.names:
            schema["pattern"] = f"^({NAME})$"
        if key in shape.name_keys:
            schema["propertyNames"] = {"pattern": f"^({shape.name_keys[key]})$"}
        if key in shape.positive:
            schema["minimum"] = 1
        if key in shape.choices:
            chosen = _choice(shape.choices[key])
            schema = {**schema, "items": chosen} if schema["type"] == "array" else chosen
        if key == "conditions":
            schema["additionalProperties"] = {**schema["additionalProperties"], "required": ["zh", "en"]}
        return schema | ({"default": default} if type(default) in _PLAIN else {})

    def of(self, kind: Any) -> Schema:
        """The schema of a type of the model."""
        if kind in _PLAIN:
            return {"type": _PLAIN[kind]}
        if kind == ROW:
            return self._row()
        if has(kind):
            return self._reference(kind)
        match get_origin(kind):
            case origin if origin is Literal:
                return {"enum": list(get_args(kind))}
            case origin if origin is tuple:
                return {"type": "array", "items": self.of(get_args(kind)[0])}
            case origin if origin is Mapping:
                inner = get_args(kind)[1]
                names = {"propertyNames": {"pattern": f"^({ROW_NAME})$"}} if inner == ROW else {}
                return {"type": "object", "additionalProperties": self.of(inner), **names}
        return self._union([part for part in get_args(kind) if part is not type(None)])

    def _union(self, kinds: list[Any]) -> Schema:
        if set(kinds) >= set(LEAVES.values()):
            return self._condition(by_name=str in kinds)
        if len(kinds) == 1:
            return self.of(kinds[0])
        plain = [_PLAIN[kind] for kind in kinds if kind in _PLAIN]
        schema: Schema = {"type": plain if len(plain) > 1 else plain[0]}
        others = [self.of(kind) for kind in kinds if kind not in _PLAIN]
        return {"anyOf": [schema, *others]} if others else schema

    def _reference(self, cls: Any) -> Schema:
        name = cls.__name__
        if name not in self.defs:
            self.defs[name] = {}  # a class may hold itself: the name is taken before its table is walked
            table = self.table(cls)
            short = shape_of(cls).short
            self.defs[name] = {"anyOf": [{"type": "string"}, table]} if short else table
        return {"$ref": f"#/$defs/{name}"}

    def _condition(self, by_name: bool) -> Schema:
        if "Condition" not in self.defs:
            self.defs["Condition"] = {}
            self.defs["Condition"] = {"anyOf": [self._reference(cls) for cls in LEAVES.values()]}
        table = {"$ref": "#/$defs/Condition"}
        return {"anyOf": [{"type": "string"}, table]} if by_name else table

    def _row(self) -> Schema:
        return {
            "type": "object",
            "properties": {"zh": _TEXT, "en": _TEXT, "cites": self.of(tuple[str, ...])},
            "required": ["zh", "en"],
            "additionalProperties": self.of(model.Scalar),
            "propertyNames": {"pattern": f"^({NAME})$"},
        }


def _rules(shape: Shape) -> Schema:
    """Which keys go together."""
    rules: Schema = {}
    if shape.one_of:
        rules["oneOf"] = [{"required": [key]} for key in shape.one_of]
    if shape.some_of:
        rules["anyOf"] = [{"required": [key]} for key in shape.some_of]
    if shape.not_both:
        rules["allOf"] = [{"not": {"required": list(pair)}} for pair in shape.not_both]
    return rules


def _choice(choice: Choice) -> Schema:
    allowed: Schema = {"enum": list(choice.allowed)}
    if not choice.reference:
        return allowed
    return {"anyOf": [allowed, {"type": "string", "pattern": "^@"}]}
