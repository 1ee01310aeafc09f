"""From plain TOML values to the classes of the model, strictly: cattrs walks, nothing is coerced.

Every hook below raises `_FaultyError` with all that is wrong under it, so that the faults of a
whole file come out together, each with its path; no wording of cattrs does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from attrs import Attribute, fields, has, resolve_types
from cattrs import Converter
from cattrs.errors import ClassValidationError, ForbiddenExtraKeysError
from cattrs.gen import make_dict_structure_fn, override

from renoflow.definition import faults as words
from renoflow.definition import model
from renoflow.definition.faults import Fault, key_of, keys_of, wrong
from renoflow.definition.shapes import LEAVES, NAME, OPENING, ROW, ROW_NAME, shape_faults, shape_of
from renoflow.values import Label

T = TypeVar("T")
Hook = Callable[[Any, Any], Any]


def structure(data: object, cls: type[T]) -> tuple[T | None, tuple[Fault, ...]]:
    """`data` as a `cls`, or None and every fault of it with its path from the root of `data`.

    `data` holds what tomllib gives. Raises only `RecursionError`, on data nested very deep.
    """
    try:
        return _converter().structure(data, cls), ()
    except _FaultyError as error:
        return None, error.faults


class _FaultyError(Exception):
    """What is wrong with one value, with paths relative to it."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__(*faults)
        self.faults = faults


@cache
def _converter() -> Converter:
    converter = Converter(detailed_validation=True, forbid_extra_keys=True)
    converter.register_structure_hook(str, _string)
    converter.register_structure_hook(int, _whole)
    converter.register_structure_hook(bool, _yes_no)
    factories: tuple[tuple[Callable[[Any], bool], Callable[[Any, Converter], Hook]], ...] = (
        (has, _class_hook),
        (_origin(Literal), _literal_hook),
        (_origin(tuple), _list_hook),
        (_origin(Mapping), _mapping_hook),
        (_origin(Union, UnionType), _union_hook),
        # cattrs asks the last one first: a row is a mapping too.
        (lambda cls: cls == ROW, _row_hook),
    )
    for predicate, factory in factories:
        converter.register_structure_hook_factory(predicate, factory)
    return converter


def _origin(*origins: Any) -> Callable[[Any], bool]:
    return lambda cls: get_origin(cls) in origins


# ------------------------------------------------------------------ scalars


def _string(value: Any, _: Any) -> str:
    if not isinstance(value, str):
        raise _FaultyError(wrong(value, words.STRING))
    if "\0" in value:
        raise _FaultyError(Fault("the string holds a NUL character", "take it out"))
    return value


def _whole(value: Any, _: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _FaultyError(wrong(value, words.WHOLE))
    if not -(2**63) <= value < 2**63:
        raise _FaultyError(Fault("the whole number is too large", "TOML numbers have 64 bits"))
    return value


def _yes_no(value: Any, _: Any) -> bool:
    if not isinstance(value, bool):
        raise _FaultyError(wrong(value, words.YES_NO))
    return value


def _scalar(value: Any, _: Any) -> model.Scalar:
    match value:
        case str():
            return _string(value, str)
        case bool():
            return value
        case int():
            return _whole(value, int)
    raise _FaultyError(wrong(value, words.SCALAR))


def _literal_hook(cls: Any, _: Converter) -> Hook:
    allowed = get_args(cls)

    def hook(value: Any, _: Any) -> Any:
        if not isinstance(value, str):
            raise _FaultyError(wrong(value, f"a string, one of {', '.join(allowed)}"))
        if value not in allowed:
            raise _FaultyError(words.not_allowed(value, allowed))
        return value

    return hook


# ------------------------------------------------------------------ lists and tables


def _list_hook(cls: Any, converter: Converter) -> Hook:
    item_type = get_args(cls)[0]

    def hook(value: Any, _: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise _FaultyError(wrong(value, words.LIST))
        items = enumerate(value)
        return tuple(_each(items, lambda item, _: converter.structure(item, item_type)).values())

    return hook


def _mapping_hook(cls: Any, converter: Converter) -> Hook:
    value_type = get_args(cls)[1]
    pattern = ROW_NAME if value_type == ROW else ""

    def hook(value: Any, _: Any) -> Any:
        if not isinstance(value, dict):
            raise _FaultyError(wrong(value, words.TABLE))
        return _each(
            value.items(),
            lambda item, _: converter.structure(item, value_type),
            [words.bad_name(key, digits=True).under(key) for key in value if _is_bad(key, pattern)],
        )

    return hook


def _row_hook(_: Any, converter: Converter) -> Hook:
    """A row has a label and columns of its own; only `cites` is a list."""

    def cell(value: Any, column: Any) -> Any:
        kind: Any = str if column in ("zh", "en") else tuple[str, ...] if column == "cites" else model.Scalar
        return converter.structure(value, kind)

    def hook(value: Any, _: Any) -> Any:
        if not isinstance(value, dict):
            raise _FaultyError(wrong(value, words.TABLE))
        bad = [words.bad_name(key).under(key) for key in value if _is_bad(key, NAME)]
        bad += [words.missing(key, f'the label {key} = "…"') for key in ("zh", "en") if key not in value]
        return _each(value.items(), cell, [*bad, *shape_faults(Label, value)])

    return hook


def _is_bad(name: str, pattern: str) -> bool:
    return bool(pattern) and re.fullmatch(pattern, name) is None


def _each(items: Iterable[tuple[Any, Any]], read: Hook, bad: Iterable[Fault] = ()) -> dict[Any, Any]:
    """Every item read, under its key; raises what is `bad` already together with all their faults."""
    done: dict[Any, Any] = {}
    faults = list(bad)
    for key, item in items:
        try:
            done[key] = read(item, key)
        except _FaultyError as error:
            faults.extend(fault.under(key) for fault in error.faults)
    if faults:
        raise _FaultyError(*faults)
    return done


# ------------------------------------------------------------------ unions


def _union_hook(cls: Any, converter: Converter) -> Hook:
    """TOML has no null, so `X | None` is X; of what is left only these forms exist in the model."""
    kinds = [kind for kind in get_args(cls) if kind is not type(None)]
    if set(kinds) >= set(LEAVES.values()):
        return _condition_hook(by_name=str in kinds, converter=converter)
    lists = [kind for kind in kinds if get_origin(kind) is tuple]
    rest = [kind for kind in kinds if kind not in lists]

    def hook(value: Any, _: Any) -> Any:
        if lists and isinstance(value, list):
            return converter.structure(value, lists[0])
        if lists and not isinstance(value, str):
            raise _FaultyError(wrong(value, "a string or a list of strings"))
        return converter.structure(value, rest[0]) if len(rest) == 1 else _scalar(value, cls)

    return hook


def _condition_hook(by_name: bool, converter: Converter) -> Hook:
    """A table is told apart by its leaf key; under [conditions] (not `by_name`) it needs a label."""

    def hook(value: Any, _: Any) -> Any:
        if by_name and isinstance(value, str):
            return _string(value, str)
        if not isinstance(value, dict):
            wanted = "a condition: its name, a string, or a table"
            raise _FaultyError(wrong(value, wanted if by_name else words.TABLE))
        missing = () if by_name or "zh" in value or "en" in value else ("zh", "en")
        faults = [words.missing(key, f'the label {key} = "…"') for key in missing]
        try:
            condition = converter.structure(value, _kind(value))
        except _FaultyError as error:
            faults.extend(error.faults)
        if faults:
            raise _FaultyError(*faults)
        return condition

    return hook


def _kind(table: Mapping[str, Any]) -> Any:
    """The class of a condition's table; a key that is another leaf's operand does not count."""
    given = [key for key in LEAVES if key in table]
    operands = {key for leaf in given for key in keys_of(LEAVES[leaf]) if key != leaf}
    found = [key for key in given if key not in operands]
    if len(found) == 1:
        return LEAVES[found[0]]
    if found:
        message = f"it holds {' and '.join(found)}; a condition says one thing"
        raise _FaultyError(Fault(message, "join them: all = [ { … }, { … } ], or any"))
    near = [words.near(key, LEAVES) for key in table if key not in ("zh", "en")]
    message = f"it says nothing yet: it needs one of {', '.join(LEAVES)}"
    raise _FaultyError(Fault(message, next(filter(None, near), "")))


# ------------------------------------------------------------------ classes


def _class_hook(cls: Any, converter: Converter) -> Hook:
    resolve_types(cls)
    overrides: dict[str, Any] = {
        one.name: override(rename=key_of(one), struct_hook=_from if key_of(one) == "from" else None)
        for one in fields(cls)
    }
    read = make_dict_structure_fn(cls, converter, **overrides)
    short = shape_of(cls).short

    def hook(value: Any, _: Any) -> Any:
        if short is not None and isinstance(value, str):
            return cls(**{short: _string(value, str)})
        if not isinstance(value, dict):
            raise _FaultyError(wrong(value, _wanted(cls, short)))
        if cls is Label and value and all(isinstance(item, dict) for item in value.values()):
            message = f"found a table of {', '.join(value)}; a label has zh and en"
            raise _FaultyError(Fault(message, "if the key is a path, quote the whole path"))
        faults = list(shape_faults(cls, value))
        try:
            done = read(value, cls)
        except ClassValidationError as error:
            faults.extend(_told(error, value))
        if faults:
            raise _FaultyError(*faults)
        return done

    return hook


def _wanted(cls: Any, short: str | None) -> str:
    if cls is Label:
        return 'a label in both languages, { zh = "…", en = "…" }'
    return f"{words.STRING} ({short}) or a table" if short else words.TABLE


def _from(value: Any, _: Any) -> tuple[str, ...]:
    """A list of states, or `"@start"` alone."""
    if value == OPENING:
        return (OPENING,)
    if not isinstance(value, list):
        raise _FaultyError(wrong(value, words.LIST))
    return tuple(_each(enumerate(value), lambda item, _: _string(item, str)).values())


def _told(error: ClassValidationError, table: Mapping[str, Any]) -> Iterator[Fault]:
    """What cattrs found in a table, in our words; an error that is no fault of the file goes on."""
    located, others = error.group_exceptions()
    for inner, note in located:
        # An error that came from further down carries a note of every level that it passed.
        if not isinstance(inner, _FaultyError | KeyError):
            raise inner
        attribute = getattr(fields(error.cl), note.name)
        key = key_of(attribute)
        if isinstance(inner, _FaultyError):
            yield from (fault.under(key) for fault in inner.faults)
        elif key not in table:
            yield words.missing(key, _example(attribute))
        else:
            raise inner
    for inner in others:
        if not isinstance(inner, ForbiddenExtraKeysError):
            raise inner
        yield from (_extra(error.cl, key) for key in sorted(inner.extra_fields))


def _extra(cls: Any, key: str) -> Fault:
    if cls is model.SharedDefinition:
        return words.unknown_key(key, keys_of(cls), "a shared file")
    leaf = next((leaf for leaf, kind in LEAVES.items() if kind is cls), None)
    return words.unknown_key(key, keys_of(cls), f"a {leaf!r} condition" if leaf else "")


def _example(attribute: Attribute[Any]) -> str:
    """How to write what is missing."""
    key, kind = key_of(attribute), attribute.type
    if kind is Label:
        return f'{key} = {{ zh = "…", en = "…" }}'
    if get_origin(kind) is tuple:
        return f"{key} = [ … ]"
    if kind in (model.HeaderDefinition, model.ProfileHeader) or get_origin(kind) is Mapping:
        return f"[{key}]"
    if kind is int:
        return f"{key} = 1"
    return f'{key} = "…"'
