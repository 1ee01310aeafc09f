"""What fell due, family by family in the order of time; one that fails stops no other."""

from __future__ import annotations

import heapq
from datetime import datetime

from attrs import frozen

from renoflow.engine.workflow import Workflows
from renoflow.errors import StoreBusy, StoreFull, StoreReadOnly, StoreUnreachable
from renoflow.outcome import Outcome
from renoflow.store.protocol import OvertakenError, Session
from renoflow.transaction import Transaction

OF_THE_WORLD = (OvertakenError, StoreBusy, StoreUnreachable, StoreFull, StoreReadOnly)
"""What says nothing about a case: the whole batch is given up."""


@frozen(kw_only=True)
class Batch:
    """How many families a batch held, and what came of each step."""

    claimed: int
    outcomes: tuple[Outcome, ...]


def sweep(workflows: Workflows, until: datetime, limit: int, session: Session) -> Batch:
    """Hold the families that wake first and do what is due in them, up to where the last of them wakes, so
    that what the next batch holds does not come too late."""
    claimed = session.claim(until, limit)
    horizon = until if len(claimed) < limit else claimed[-1][1]
    waiting = [(at, place, root) for place, (root, at) in enumerate(claimed)]
    outcomes = []
    while waiting:
        at, place, root = heapq.heappop(waiting)
        try:
            with session.savepoint():
                transaction = Transaction(workflows, session)
                transaction.fire_due(root, at)
                change = transaction.change()
                session.save(change)
        except OF_THE_WORLD:
            raise
        except Exception as error:
            failure = f"{type(error).__name__}: {error}"
            outcomes.append(Outcome(case=None, postponed=(session.postpone(root, until, failure),)))
            continue
        if change.entries or change.effects:
            outcomes.append(
                Outcome(
                    case=None,
                    entries=change.entries,
                    effects=change.effects,
                    refused_openings=transaction.all_refused,
                )
            )
        wakes_at = session.wakes_at(root)
        if wakes_at is not None and wakes_at <= horizon:
            heapq.heappush(waiting, (wakes_at, place, root))
    return Batch(claimed=len(claimed), outcomes=tuple(outcomes))
