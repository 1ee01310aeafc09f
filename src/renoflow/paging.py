"""Long answers handed out page by page; where a page ended is a text that its asker brings back."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from renoflow.errors import UsageError
from renoflow.store.questions import Page
from renoflow.values import check_id

T = TypeVar("T")

LARGEST = 500
"""Rows of a page at most."""

MANY = 2**31 - 1
"""The largest number of rows that both databases can be asked for."""


def checked_limit(limit: int) -> int:
    if type(limit) is not int or not 1 <= limit <= LARGEST:
        raise UsageError(f"limit={limit!r}: a page has 1 to {LARGEST} rows")
    return limit


def at_most(limit: int) -> int:
    """A limit of what is not handed out by pages, as every database takes it."""
    if not isinstance(limit, int) or limit < 1:
        raise UsageError(f"limit is a whole number, 1 or more; found {limit!r}")
    return min(limit, MANY)


def page_of(kind: str, found: Sequence[T], limit: int, place: Callable[[T], Sequence[Any]]) -> Page[T]:
    """The first `limit` of what was found, and where to go on when there is more."""
    items = tuple(found[:limit])
    return Page(items=items, next=_cursor(kind, place(items[-1])) if len(found) > limit else None)


def place_of(kind: str, after: str | None, types: tuple[type, ...]) -> tuple[Any, ...] | None:
    """Where the page ended whose `next` this is; raises `UsageError` for anything else."""
    if after is None:
        return None
    try:
        said = json.loads(base64.urlsafe_b64decode(after.encode() + b"=" * (-len(after) % 4)))
    except (ValueError, AttributeError, RecursionError):
        said = None
    if not isinstance(said, list) or said[:1] != [kind] or tuple(map(type, said[1:])) != types:
        raise UsageError(f"after={after!r} is not the `next` of a page of this question")
    return tuple(check_id(one) if isinstance(one, str) else one for one in said[1:])


def _cursor(kind: str, place: Sequence[Any]) -> str:
    said = json.dumps([kind, *place], ensure_ascii=False).encode()
    return base64.urlsafe_b64encode(said).decode().rstrip("=")
