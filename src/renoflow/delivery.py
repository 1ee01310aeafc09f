"""Handing effects out of the outbox: at least once each, later again after a failure, dead in the end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from attrs import frozen

from renoflow.records import Effect
from renoflow.store.protocol import OutboxItem, Session, Status

ATTEMPTS = 8
"""An effect that failed so often is dead: it waits for a person."""


@frozen(kw_only=True)
class Delivery:
    """The keys of effects that were delivered, that failed and will be tried again, and that are dead."""

    delivered: tuple[str, ...]
    failed: tuple[str, ...]
    dead: tuple[str, ...]


def deliver(
    write: Callable[[Callable[[Session], Any]], Any],
    handler: Callable[[Effect], object],
    at: datetime,
    limit: int | None,
) -> Delivery:
    """Each effect in two short transactions, with the handler between them and no row held meanwhile. The
    attempt is counted before it is made: one that ends the process comes again, but not for ever."""
    found: dict[Status, list[str]] = {"delivered": [], "waiting": [], "dead": []}
    while limit is None or sum(map(len, found.values())) < limit:
        item: OutboxItem | None = write(lambda session: session.take_effect(at))
        if item is None:
            break
        status, failure = _hand_over(handler, item)
        write(partial(_settle, item.effect, status, failure))
        found[status].append(item.effect.key)
    return Delivery(
        delivered=tuple(found["delivered"]), failed=tuple(found["waiting"]), dead=tuple(found["dead"])
    )


def _settle(effect: Effect, status: Status, failure: str, session: Session) -> None:
    session.settle_effect(effect, status, failure)


def _hand_over(handler: Callable[[Effect], object], item: OutboxItem) -> tuple[Status, str]:
    try:
        handler(item.effect)
    except Exception as error:
        status: Status = "dead" if item.attempts >= ATTEMPTS else "waiting"
        return status, f"{type(error).__name__}: {error}"
    return "delivered", ""
