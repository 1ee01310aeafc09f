"""What a table must obey beyond the types of its keys, as data: one `Shape` per class.

The reader checks files by it and the JSON Schema is generated from it, so the two agree.
Keys are TOML keys. Whether the names in a file fit together is not said here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, get_args, get_origin
from zoneinfo import available_timezones

from attrs import NOTHING, Factory, fields, frozen, resolve_types

from renoflow.definition import model
from renoflow.definition.faults import Fault, bad_name, described, key_of, near, not_allowed
from renoflow.values import parse_date

Table = Mapping[str, Any]

NAME = r"[a-z][a-z0-9_]*"
ROW_NAME = rf"{NAME}|[0-9]+"
"""Rows of a table and values of an enum may be called by a number."""

OPENING = "@start"
"""What the `from` of an opening event may be besides a list."""

ROW = get_args(model.TableRows)[1]
STATUSES = ("idle", "running", "paused", "met", "breached", "met_late", "expired", "open", "cancelled")


@frozen(kw_only=True)
class Choice:
    """A string out of `allowed`, or, where `reference`, one that begins with `@`."""

    allowed: tuple[str, ...]
    reference: bool = False


@frozen(kw_only=True)
class Shape:
    """`one_of` are keys of which exactly one must be given, `some_of` at least one, `not_both` at most
    one of each pair; `short` is the key that a bare string stands for."""

    one_of: tuple[str, ...] = ()
    some_of: tuple[str, ...] = ()
    not_both: tuple[tuple[str, str], ...] = ()
    filled: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    name_keys: Mapping[str, str] = Factory(dict)
    choices: Mapping[str, Choice] = Factory(dict)
    positive: tuple[str, ...] = ()
    short: str | None = None
    check: Callable[[Table], Iterator[Fault]] | None = None


def _file_names(cls: Any) -> dict[str, str]:
    """Every table of a file declares names by its keys."""
    return {key_of(one): NAME for one in fields(cls) if get_origin(one.type) is Mapping}


for _cls in (model.WorkflowDefinition, model.SharedDefinition):
    resolve_types(_cls)


# ------------------------------------------------------------------ profiles


def _year_faults(table: Table) -> Iterator[Fault]:
    """Every day of a year's calendar lies in that year, and is not both off and worked."""
    calendar = table.get("calendar")
    for year, days in calendar.items() if isinstance(calendar, dict) else ():
        if not re.fullmatch(r"[1-9][0-9]{3}", year):
            suggestion = "write a year of four digits, as [calendar.2027]"
            yield Fault(f"{year!r} is not a year", suggestion, ("calendar", year))
            continue
        for key, position, day in _days(days):
            if not day.startswith(f"{year}-"):
                message = f"found {described(day)} in the calendar of {year}"
                yield Fault(message, "move it to its own year", ("calendar", year, key, position))


def _day_faults(table: Table) -> Iterator[Fault]:
    seen: dict[str, str] = {}
    for key, position, day in _days(table):
        try:
            parse_date(day)
        except ValueError:
            yield Fault(f'found {described(day)}; expected a date as "2027-01-01"', at=(key, position))
        if day in seen:
            yield Fault(f"{day} is given twice, in {seen[day]} and in {key}", "keep one", (key, position))
        seen[day] = key


def _days(table: object) -> Iterator[tuple[str, int, str]]:
    for key in ("rest", "work"):
        days = table.get(key) if isinstance(table, dict) else None
        for position, day in enumerate(days if isinstance(days, list) else ()):
            if isinstance(day, str):
                yield key, position, day


def _zone_faults(table: Table) -> Iterator[Fault]:
    zone = table.get("zone")
    if isinstance(zone, str) and zone not in (zones := available_timezones()):
        suggestion = near(zone, zones) or 'write an IANA name, as "Asia/Shanghai"'
        yield Fault(f"found {described(zone)}; expected the name of a time zone", suggestion, ("zone",))


# ------------------------------------------------------------------ tellings


def _telling_faults(table: Table) -> Iterator[Fault]:
    """A telling says something: an event, or facts."""
    if "event" in table:
        return
    if not table.get("facts"):
        yield Fault("it tells nothing yet", 'add event = "…", or facts = { … }')
    elif "documents" in table:
        yield Fault("documents go with an event", 'add event = "…", or leave them out', ("documents",))


# ------------------------------------------------------------------ the table of shapes

_FACT_SIGNS = (
    "equals", "not_equals", "in", "known", "at_least", "at_most", "above", "below", "includes",
    "days_from_now_at_least",
)  # fmt: skip

SHAPES: Mapping[Any, Shape] = {
    model.WorkflowDefinition: Shape(name_keys=_file_names(model.WorkflowDefinition)),
    model.SharedDefinition: Shape(name_keys=_file_names(model.SharedDefinition)),
    model.HeaderDefinition: Shape(names=("id",), positive=("version",)),
    model.StateDefinition: Shape(choices={"waits_for": Choice(allowed=get_args(model.Side), reference=True)}),
    model.FactDefinition: Shape(
        not_both=(("values", "of"),), filled=("values",), name_keys={"values": ROW_NAME}
    ),
    model.AmountDefinition: Shape(filled=("terms",)),
    model.AmountTerm: Shape(one_of=("value", "of")),
    model.FactLeaf: Shape(one_of=_FACT_SIGNS, filled=("in", "includes")),
    model.DocumentLeaf: Shape(one_of=("present", "signed")),
    model.DeadlineLeaf: Shape(
        one_of=("status", "passed_more_than"),
        filled=("status",),
        choices={"status": Choice(allowed=STATUSES)},
    ),
    model.ChildrenLeaf: Shape(filled=("state",)),
    model.HappenedLeaf: Shape(
        filled=("happened",),
        positive=("at_least",),
        not_both=(("passed_more_than", "since"), ("passed_more_than", "at_least")),
    ),
    model.ActorNotLeaf: Shape(filled=("actor_not",)),
    model.ActorSameLeaf: Shape(filled=("actor_same",)),
    model.ActorRoleLeaf: Shape(filled=("actor_role",)),
    model.ParameterLeaf: Shape(some_of=("equals", "at_least", "at_most")),
    model.LinkedLeaf: Shape(some_of=("exists", "state", "state_not"), filled=("state", "state_not")),
    model.StateLeaf: Shape(filled=("state",)),
    model.AllOf: Shape(filled=("all",)),
    model.AnyOf: Shape(filled=("any",)),
    model.DocumentRequirement: Shape(short="id"),
    model.Notice: Shape(short="role"),
    model.Opening: Shape(one_of=("child", "link"), short="child"),
    model.Telling: Shape(one_of=("link", "child"), check=_telling_faults),
    model.LinkDefinition: Shape(filled=("key",)),
    model.EventDefinition: Shape(filled=("from", "by")),
    model.ReactionDefinition: Shape(filled=("on",)),
    model.LedgerDefinition: Shape(filled=("enters", "strikes")),
    model.AccumulationDefinition: Shape(
        one_of=("within", "running"),
        not_both=(("running", "at_least"), ("running", "none_of"), ("running", "at"), ("running", "after")),
        filled=("counts", "none_of", "except_rules"),
        positive=("at_least",),
    ),
    model.PauseClause: Shape(filled=("in",)),
    model.TermDefinition: Shape(
        some_of=("limit", "until", "every"),
        names=("name",),
        not_both=tuple(("every", other) for other in ("limit", "until", "target", "at_least")),
    ),
    model.PartDefinition: Shape(some_of=("limit", "until"), names=("name",)),
    model.WarningDefinition: Shape(filled=("notify",)),
    model.EscalationDefinition: Shape(filled=("notify",)),
    model.DeadlineDefinition: Shape(one_of=("terms", "parts"), filled=("terms", "parts")),
    model.NextInOrder: Shape(filled=("states",)),
    model.ChildDefinition: Shape(name_keys={"reasons": NAME}),
    model.ProfileHeader: Shape(check=_zone_faults),
    model.CalendarYear: Shape(check=_day_faults),
    model.ProfileDefinition: Shape(
        name_keys=dict.fromkeys(("parameters", "labels", "tables", "accumulations"), NAME),
        check=_year_faults,
    ),
}

LEAVES: Mapping[str, Any] = {
    next(key_of(one) for one in fields(cls) if one.default is NOTHING): cls
    for cls in get_args(model.ConditionDefinition)
}
"""The classes of condition by the key that tells them apart."""


def shape_of(cls: Any) -> Shape:
    return SHAPES.get(cls, Shape())


def shape_faults(cls: Any, table: Table) -> Iterator[Fault]:
    """What `table` breaks of the shape of `cls`; values of a wrong type are left to the types."""
    shape = shape_of(cls)
    yield from _count_faults(cls, shape, table)
    yield from _text_faults(cls, table)
    for key in shape.filled:
        if key in table and table[key] in ([], {}):
            yield Fault(f"{key!r} is empty", "name at least one, or leave the key out", (key,))
    for key in shape.names:
        if isinstance(table.get(key), str) and not re.fullmatch(NAME, table[key]):
            yield bad_name(table[key]).under(key)
    for key, pattern in shape.name_keys.items():
        for name in table[key] if isinstance(table.get(key), dict) else ():
            if not re.fullmatch(pattern, name):
                yield bad_name(name, digits=pattern == ROW_NAME).under(key, name)
    for key, choice in shape.choices.items():
        yield from _choice_faults(key, choice, table.get(key))
    for key in shape.positive:
        if isinstance(table.get(key), int) and table[key] < 1:
            yield Fault(f"found {described(table[key])}; expected 1 or more", at=(key,))
    if shape.check is not None:
        yield from shape.check(table)


def _count_faults(cls: Any, shape: Shape, table: Table) -> Iterator[Fault]:
    given = [key for key in (*shape.one_of, *shape.some_of) if key in table]
    if (shape.one_of or shape.some_of) and not given:
        wanted = "exactly one of" if shape.one_of else "at least one of"
        yield Fault(f"it says nothing yet: it needs {wanted} {', '.join(shape.one_of or shape.some_of)}")
    elif shape.one_of and len(given) > 1:
        suggestion = "write one for each, joined: all = [ … ]" if cls in LEAVES.values() else "keep one"
        yield Fault(f"it holds {' and '.join(given)}; only one of them may stand here", suggestion)
    for one, other in shape.not_both:
        if one in table and other in table:
            yield Fault(f"{one!r} and {other!r} exclude each other", f"drop {other!r}", (other,))


def _text_faults(cls: Any, table: Table) -> Iterator[Fault]:
    """What people read is there, in both languages."""
    for key, other in (("zh", "en"), ("en", "zh")):
        if isinstance(table.get(key), str) and not table[key].strip():
            yield Fault(f"the label {key!r} is empty", "write what people shall read", (key,))
        if key in table and other not in table and cls in LEAVES.values():
            yield Fault(f"{key!r} without {other!r}", f"add the label {other!r}", (other,))


def _choice_faults(key: str, choice: Choice, found: object) -> Iterator[Fault]:
    for position, word in enumerate(found if isinstance(found, list) else [found]):
        if not isinstance(word, str) or word in choice.allowed or (choice.reference and word.startswith("@")):
            continue
        also = ', or "@" and the name of a fact' if choice.reference else ""
        place = (key, position) if isinstance(found, list) else (key,)
        yield not_allowed(word, choice.allowed, also).under(*place)
