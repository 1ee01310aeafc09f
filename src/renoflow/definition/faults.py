"""One fault of a table before it has a file and a line, and the words for the common kinds."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time
from typing import Any

from attrs import evolve, fields, frozen

from renoflow.definition.lines import Path
from renoflow.errors import did_you_mean

STRING = "a string"
WHOLE = "a whole number"
YES_NO = "true or false"
LIST = "a list, [...]"
TABLE = "a table, { ... }"
SCALAR = "a string, a whole number, or true or false"


@frozen
class Fault:
    """What is wrong at `at`, a path relative to whatever is being read."""

    message: str
    suggestion: str = ""
    at: Path = ()

    def under(self, *path: str | int) -> Fault:
        return evolve(self, at=(*path, *self.at))


def key_of(attribute: Any) -> str:
    """The TOML key of an attrs field."""
    return str(attribute.metadata.get("key", attribute.name))


def keys_of(cls: Any) -> tuple[str, ...]:
    """The TOML keys that the table of `cls` may hold, in order."""
    return tuple(key_of(attribute) for attribute in fields(cls))


def described(value: object) -> str:
    """A value as a person would name it, never longer than a line."""
    match value:
        case bool():
            return str(value).lower()
        case int():
            return f"the whole number {value}" if abs(value) < 10**20 else "a very large number"
        case str():
            return f'the string "{value if len(value) <= 40 else value[:39] + "…"}"'
        case float():
            return f"the number {value!r}"
        case datetime() | date() | time():
            return f"the unquoted date or time {value.isoformat()}"
        case list():
            return "a list" if value else "an empty list"
        case _:
            return "a table" if value else "an empty table"


def wrong(value: object, wanted: str) -> Fault:
    """`value` is not what may stand here; `wanted` says what may."""
    return Fault(f"found {described(value)}; expected {wanted}", _remedy(value, wanted))


def _remedy(value: object, wanted: str) -> str:
    takes_string = STRING in wanted
    if isinstance(value, float | date | time) and takes_string:
        return f'write it as a string: "{value if isinstance(value, float) else value.isoformat()}"'
    if isinstance(value, float) and wanted == WHOLE and value.is_integer() and abs(value) < 10**15:
        return f"write {int(value)}"
    if isinstance(value, int) and takes_string and abs(value) < 10**20:
        return f'write "{str(value).lower()}" in quotes'
    if isinstance(value, str):
        if wanted == LIST and len(value) <= 40:
            return f'write ["{value}"]'
        if wanted == YES_NO and value in ("true", "false"):
            return f"write {value} without quotes"
        if wanted == WHOLE and value.isascii() and value.isdigit() and len(value) < 20:
            return f"write {value} without quotes"
    return ""


def missing(key: str, example: str) -> Fault:
    return Fault(f"{key!r} is missing", f"add {example}", (key,))


def unknown_key(key: str, known: Iterable[str], what: str = "") -> Fault:
    """`what` says which table it is where its keys need no list, as for a shared file."""
    known = tuple(known)
    message = f"{key!r} does not belong in {what}" if what else f"unknown key {key!r}"
    return Fault(message, near(key, known) or f"it takes {', '.join(known)}", (key,))


def not_allowed(value: str, allowed: Iterable[str], also: str = "") -> Fault:
    """A word outside a closed list; `also` is what may stand besides."""
    allowed = tuple(allowed)
    message = f"found {described(value)}; allowed are {', '.join(allowed)}{also}"
    return Fault(message, near(value, allowed))


def bad_name(name: str, digits: bool = False) -> Fault:
    """`digits` where a name may consist of digits too."""
    rule = "small letters, digits and _, beginning with a letter" + (", or digits alone" if digits else "")
    return Fault(f"{name!r} is not a good name; a name has {rule}", near_name(name))


def near(word: str, known: Iterable[str]) -> str:
    """`did you mean 'x'?`, or nothing."""
    # difflib is slow on long words, and no known word is long.
    found = did_you_mean(word, known) if len(word) <= 60 else ""
    return found.removeprefix("; ") if "did you mean" in found else ""


def near_name(name: str) -> str:
    """The good name that a bad one nearly is: `Pay-Deposit` gives `pay_deposit`."""
    words = "".join(c if c.isascii() and c.isalnum() else "_" for c in name.lower())
    better = "_".join(part for part in words.split("_") if part)
    return f"write {better!r}" if better[:1].isalpha() and len(better) <= 60 else ""
