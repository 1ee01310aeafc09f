"""What every layer shares: labels in two languages, people, durations, sums of money, instants."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache
from typing import Literal, TypeVar

import msgspec
from attrs import field, frozen

from renoflow.errors import NaiveInstant, UsageError

Lang = Literal["zh", "en"]
T = TypeVar("T")

SYSTEM = "system"
"""The actor that stands for the company's own doings: openings, clocks, what follows by itself."""

CENT = Decimal("0.01")
ZERO = Decimal(0)


@frozen
class Label:
    """What a person reads, in Chinese and in English."""

    zh: str
    en: str

    def text(self, lang: Lang = "zh") -> str:
        return self.zh if lang == "zh" else self.en


def check_text(text: str) -> str:
    """A text that can be written as UTF-8; raises `UsageError` for half a surrogate pair, and for no text."""
    if not isinstance(text, str):
        raise UsageError(f"{text!r} is not a text")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise UsageError(f"{text!r} holds half a surrogate pair, which is no text") from None
    return text


def check_id(text: str) -> str:
    """An id or a key, which every database has to find again; raises `UsageError` for one that cannot be."""
    if "\0" in check_text(text):
        raise UsageError(f"{text!r} holds a NUL, which no id and no key may have")
    return text


def several(items: Iterable[T], what: str) -> Iterable[T]:
    """What was given for several things; raises `UsageError` where it is not even one."""
    if not isinstance(items, Iterable):
        raise UsageError(f"{items!r} cannot stand for {what}; give a list of them")
    return items


def _roles(roles: Iterable[str]) -> frozenset[str]:
    if isinstance(roles, str):
        return frozenset((roles,))
    found: frozenset[object] = frozenset(several(roles, "roles"))
    for role in found:
        if not isinstance(role, str):
            raise UsageError(f"{role!r} is not a role; give its name, as 'designer'")
    return found  # type: ignore[return-value]


@frozen
class Actor:
    """Who acts, and in which roles.

    `Actor("wang", roles={"customer_manager"})`; a single role may be given as a string. The host vouches for
    the roles. `id` is the host's own for this person, and stays in histories for good, also after a
    redaction: let it be one that says nothing by itself, a number rather than a name or a telephone.
    """

    id: str
    roles: frozenset[str] = field(default=frozenset(), converter=_roles)
    # Sorted once, since every line of a history holds the roles in a fixed order.
    sorted_roles: tuple[str, ...] = field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        if not self.id or not isinstance(self.id, str):
            raise UsageError(f"an actor needs an id that is a text; found {self.id!r}")
        check_text(self.id)
        object.__setattr__(self, "sorted_roles", tuple(sorted(self.roles)))


def check_actor(actor: object) -> None:
    """Raises `UsageError` for anything but an actor."""
    if not isinstance(actor, Actor):
        raise UsageError(f"{actor!r} is not an actor; give rf.Actor(id, roles={{...}})")


SYSTEM_ACTOR = Actor(SYSTEM, frozenset((SYSTEM,)))

# ------------------------------------------------------------------ durations

Unit = Literal["minute", "hour", "day", "working day", "week", "month", "year"]
_DURATION = re.compile(r"(\d{1,6}) (minute|hour|day|working day|week|month|year)s?")
_UNIT_ZH = {
    "minute": "分钟", "hour": "小时", "day": "天", "working day": "个工作日",
    "week": "周", "month": "个月", "year": "年",
}  # fmt: skip


class Duration(msgspec.Struct, frozen=True):
    """A length of time in one unit; units are never converted into each other.

    `days` are calendar days, `working days` count the official calendar, `hours` are elapsed.
    """

    count: int
    unit: Unit

    def __str__(self) -> str:
        return f"{self.count} {self.unit}{'' if self.count == 1 else 's'}"

    def text(self, lang: Lang = "zh") -> str:
        return f"{self.count}{_UNIT_ZH[self.unit]}" if lang == "zh" else str(self)

    @property
    def elapsed(self) -> bool:
        """Whether it is counted to the second rather than by whole days."""
        return self.unit in ("minute", "hour")

    @property
    def rough_days(self) -> float:
        """For comparing and for legal bounds only, never for counting a date."""
        per = {"minute": 1 / 1440, "hour": 1 / 24, "day": 1, "working day": 1.4, "week": 7}
        return self.count * per.get(self.unit, 30.4375 if self.unit == "month" else 365.25)


def parse_duration(text: object) -> Duration:
    """`"5 days"`, `"1 working day"`, `"2 hours"`, `"2 years"`; raises `ValueError`."""
    found = _duration(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError(
            f"{text!r} is not a duration; write a whole number and a unit, as '5 days', "
            "'1 working day', '24 hours', '2 weeks', '6 months' or '2 years'"
        )
    return found


@lru_cache(maxsize=1024)
def _duration(text: str) -> Duration | None:
    match = _DURATION.fullmatch(text)
    return None if match is None else Duration(int(match[1]), match[2])  # type: ignore[arg-type]


# ------------------------------------------------------------------ numbers and dates


def parse_decimal(value: object) -> Decimal:
    """An exact decimal from a string or a whole number, never from a float; raises `ValueError`."""
    if isinstance(value, Decimal):
        number = value
    elif isinstance(value, (str, int)) and not isinstance(value, bool):
        try:
            number = Decimal(value)
        except InvalidOperation:
            raise ValueError(f"{value!r} is not a number") from None
    else:
        raise ValueError(f"{value!r} is not an exact number; write it as a string, as '128.50'")
    if not number.is_finite() or number.adjusted() >= 15:
        raise ValueError(f"{value!r} is out of range")
    return number


def parse_money(value: object) -> Decimal:
    """Yuan with at most two decimals; raises `ValueError`."""
    number = parse_decimal(value)
    cents = number.quantize(CENT)
    if cents != number:
        raise ValueError(f"{value!r} has more than two decimals; money is in yuan and cents")
    return cents


def parse_percent(value: object) -> Decimal:
    """`"20%"` or `"0.2"` as the share 0.2; raises `ValueError`."""
    if isinstance(value, str) and value.endswith("%"):
        return parse_decimal(value[:-1]) / 100
    return parse_decimal(value)


def round_money(value: Decimal) -> Decimal:
    """To the cent, half up."""
    return value.quantize(CENT, ROUND_HALF_UP)


def cut_money(value: Decimal) -> Decimal:
    """To the cent, down."""
    return value.quantize(CENT, ROUND_DOWN)


_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def parse_date(value: object) -> date:
    """`"2026-03-09"`; raises `ValueError`."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and _DATE.fullmatch(value):
        return date.fromisoformat(value)
    raise ValueError(f"{value!r} is not a date; write it as '2026-03-09'")


def instant(value: object) -> datetime:
    """An instant as UTC, from an aware datetime (pendulum's too) or an ISO 8601 string with offset.

    Raises `NaiveInstant` where the zone is missing and `UsageError` for anything else.
    """
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise UsageError(
                f"{value!r} is not an instant; write it as '2026-03-01T10:00:00+08:00'"
            ) from None
    elif isinstance(value, datetime):
        moment = value
    else:
        raise UsageError(f"{value!r} is not an instant; give an aware datetime or an ISO string")
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise NaiveInstant(f"{value!r} has no time zone; write it as '2026-03-01T10:00:00+08:00'")
    try:
        utc = moment.astimezone(UTC)
    except OverflowError:
        raise UsageError(f"{value!r} lies outside the years 1 to 9999") from None
    return datetime.combine(utc.date(), utc.time(), UTC)


def listed(items: Iterable[str], lang: Lang) -> str:
    """Joined as a person would: `甲、乙` or `a, b`."""
    return ("、" if lang == "zh" else ", ").join(items)
