"""What comes of a call, and the same answer again when the call is made again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec

from renoflow.errors import KeyReused, UsageError
from renoflow.records import Case, Command, Effect, HistoryEntry, Reason
from renoflow.store.protocol import Answer, Postponed, Session
from renoflow.values import check_id


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a call: the case, why it was refused, every history line written in any case, and the
    effects that are left for the host (linked cases have had theirs, and the outbox has these).

    `case` is None where there is none (a refused opening, an unknown case) and after a sweep.
    `refused_openings` are linked cases that were to be opened and were not, each with the reasons.
    `repeated` says that the call had been made before: the answer is the first one, with the case as it now
    stands. `postponed` are the families whose due step failed in a sweep.
    """

    case: Case | None
    reasons: tuple[Reason, ...] = ()
    entries: tuple[HistoryEntry, ...] = ()
    effects: tuple[Effect, ...] = ()
    refused_openings: tuple[tuple[str, tuple[Reason, ...]], ...] = ()
    repeated: bool = False
    postponed: tuple[Postponed, ...] = ()

    @property
    def accepted(self) -> bool:
        return not self.reasons

    @property
    def refused(self) -> bool:
        return bool(self.reasons)


def together(outcomes: Iterable[Outcome]) -> Outcome:
    """Several outcomes as one, about no case in particular."""
    all_of_them = tuple(outcomes)
    return Outcome(
        case=None,
        entries=tuple(entry for one in all_of_them for entry in one.entries),
        effects=tuple(effect for one in all_of_them for effect in one.effects),
        refused_openings=tuple(item for one in all_of_them for item in one.refused_openings),
        postponed=tuple(item for one in all_of_them for item in one.postponed),
    )


# ------------------------------------------------------------------ commands that come again


def request_of(key: str | None, kind: str, case_id: str, command: Command, **more: Any) -> str:
    """A digest of everything that a request with a key asks for. Its instant is left out: a retry comes
    later."""
    if not isinstance(command, Command):
        raise UsageError(f"{command!r} is not a command; give rf.Command(event, actor, at)")
    check_id(case_id)
    if key is None:
        return ""
    if not key or not isinstance(key, str):
        raise UsageError(f"a key is a text that is not empty, or None for a call without one; found {key!r}")
    check_id(key)
    asked = [
        kind,
        case_id,
        command.event,
        command.actor.id,
        command.actor.sorted_roles,
        command.facts,
        command.documents,
        [(payment.id, str(payment.amount)) for payment in command.payments],
        command.note,
        command.version,
        more,
    ]
    try:
        text = msgspec.json.encode(asked, order="deterministic", enc_hook=str)
    except RecursionError:
        raise UsageError(f"the command {command.event!r} is nested too deeply") from None
    except (ValueError, TypeError, msgspec.MsgspecError):
        # Something that no event takes; what it is answered is remembered all the same.
        text = repr(asked).encode(errors="backslashreplace")
    return sha256(text).hexdigest()


def again(session: Session, case_id: str, key: str | None, request: str) -> Outcome | None:
    """The first answer to a request, None when it has not come before."""
    answer = None if key is None else session.answer(case_id, key)
    if answer is None:
        return None
    # After a redaction nothing is left to compare with.
    if answer.request and answer.request != request:
        raise KeyReused(case_id, answer.key)
    return Outcome(
        case=session.get(case_id),
        reasons=answer.reasons,
        entries=tuple(line for span in answer.spans for line in session.lines(*span)),
        effects=tuple(session.effects(answer.effects)),
        repeated=True,
    )


def remembered(case_id: str, key: str, request: str, at: datetime, outcome: Outcome) -> Answer:
    """The answer to keep: where its lines stand, in the order in which they were written."""
    spans: list[tuple[str, int, int]] = []
    for entry in outcome.entries:
        if spans and spans[-1][0] == entry.case and spans[-1][2] == entry.number - 1:
            spans[-1] = (entry.case, spans[-1][1], entry.number)
        else:
            spans.append((entry.case, entry.number, entry.number))
    return Answer(
        case=case_id,
        key=key,
        request=request,
        at=at,
        reasons=outcome.reasons,
        spans=tuple(spans),
        effects=tuple((effect.case, effect.key) for effect in outcome.effects),
    )
