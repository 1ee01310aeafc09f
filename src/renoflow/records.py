"""What happens, as frozen values: commands in, decisions out, and the case that lies between.

These travel through `decide` by the dozen and are stored as JSON, so they are `msgspec.Struct`s
(see `docs/performance.md`). Mappings inside them are plain dicts that nobody changes in place.
All instants are UTC datetimes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

import attrs
import msgspec

from renoflow.errors import Refused, UsageError
from renoflow.values import Actor, Label, Lang, check_actor, check_text, instant, several
from renoflow.wording import sentence

FactValue = bool | int | str | Decimal | date | datetime | tuple[str, ...]
"""A fact as kept: durations as text (`"2 years"`), sets and texts as tuples, money and shares exact."""

Status = Literal["idle", "running", "paused", "met", "breached", "met_late", "expired", "open", "cancelled"]
NO_FACTS: Mapping[str, Any] = {}


# ------------------------------------------------------------------ what a command brings


class Signature(msgspec.Struct, frozen=True):
    """Who signed, in which role, and when; `actor` is None when only the role is known. `at` is an aware
    datetime or an ISO 8601 string with offset; without one it is the command's."""

    role: str
    actor: str | None = None
    at: datetime | None = None

    if TYPE_CHECKING:

        def __init__(self, role: str, actor: str | None = None, at: datetime | str | None = None) -> None: ...

    def __post_init__(self) -> None:
        check_text(self.role)
        if self.actor is not None:
            check_text(self.actor)
        if self.at is not None and (not isinstance(self.at, datetime) or self.at.tzinfo is not UTC):
            msgspec.structs.force_setattr(self, "at", instant(self.at))


class Document(msgspec.Struct, frozen=True):
    """A document that comes with a command: `Document("contract", signed_by=["customer", "company"])`.

    A signer is a role, signed by the command's actor if he has it and else by somebody unnamed, or a
    `Signature`; one alone needs no list.
    """

    id: str
    signed_by: tuple[Signature | str, ...] = ()

    if TYPE_CHECKING:

        def __init__(
            self,
            id: str,  # noqa: A002 - as the field is called
            signed_by: Iterable[Signature | str] | Signature = (),
        ) -> None: ...

    def __post_init__(self) -> None:
        check_text(self.id)
        signers: Any = self.signed_by
        if not isinstance(signers, tuple):
            alone = isinstance(signers, (str, Signature))
            signers = (signers,) if alone else tuple(several(signers, "signers"))
            msgspec.structs.force_setattr(self, "signed_by", signers)
        for signer in signers:
            if not isinstance(signer, (str, Signature)):
                raise UsageError(f"{signer!r} is not a signer; give a role, or rf.Signature(role, actor)")


class Payment(msgspec.Struct, frozen=True):
    """Money received, in yuan: `Payment("deposit", "5000.00")`. The amount is text, a whole number or a
    Decimal, above 0 with at most two decimals; anything else, a float too, is refused
    (`payment_invalid`)."""

    id: str
    amount: Any

    if TYPE_CHECKING:

        def __init__(
            self,
            id: str,  # noqa: A002 - as the field is called
            amount: str | int | Decimal,
        ) -> None: ...

    def __post_init__(self) -> None:
        check_text(self.id)


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What a linked case tells: its state after the step, and the facts that the listener reads.

    `relation` is what the teller is to the listener: a `child` or a `link`, known there by `name`; or, at the
    opening of a case, the `parent` that it belongs to, which knows it by `name`. `opened` is set where the
    two meet: a child was opened, or a link is tied. Where facts of the listener's own are told, `facts` are
    these, and `state` is empty: nothing is said of how the teller stands.
    """

    relation: Literal["child", "link", "parent"]
    name: str
    case: str
    workflow: str
    event: str
    state: str
    ended: bool
    opened: bool = False
    facts: Mapping[str, Any] = NO_FACTS


def documents_from(items: Iterable[Document | str]) -> tuple[Document, ...]:
    """Documents from values or bare ids; one alone needs no list."""
    if isinstance(items, (str, Document)):
        items = (items,)
    found = tuple(Document(item) if isinstance(item, str) else item for item in several(items, "documents"))
    for document in found:
        if not isinstance(document, Document):
            raise UsageError(f"{document!r} is not a document; give rf.Document(...) or its id")
    return found


def _payments(items: Iterable[Payment]) -> tuple[Payment, ...]:
    if isinstance(items, Payment):
        items = (items,)
    found = tuple(several(items, "payments"))
    for item in found:
        if not isinstance(item, Payment):
            raise UsageError(f"{item!r} is not a payment; give rf.Payment(id, amount)")
    return found


@attrs.frozen
class Command:
    """An event offered to a case by somebody, at an instant, with what it brings.

    `at` is an aware datetime or an ISO 8601 string with offset. `facts` are values by name, as the workflow
    declares them: numbers and sums are text, whole numbers or Decimals, never floats. `documents` are
    `Document`s or their ids, `payments` are `Payment`s; `note` is kept in the history. `version` refuses the
    command if the case has moved on since (`stale_version`). Raises `UsageError` for what is none of these;
    what the workflow does not know or allow, `decide` and `send` will tell. `told` is the engine's,
    and so are `links`, the peers that an opening is introduced to, and `ahead`: it comes from a linked case
    at an instant whose marks this one has, ahead of what follows from them here.
    """

    event: str
    actor: Actor
    at: datetime = attrs.field(converter=instant)
    facts: Mapping[str, Any] = NO_FACTS
    documents: tuple[Document, ...] = attrs.field(default=(), converter=documents_from)
    payments: tuple[Payment, ...] = attrs.field(default=(), converter=_payments)
    note: str = attrs.field(default="", converter=check_text)
    version: int | None = None
    told: Told | None = None
    links: tuple[Told, ...] = ()
    ahead: bool = False

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.event, str):
            raise UsageError(f"{self.event!r} is not an event; give its name, as 'start_consultation'")
        check_actor(self.actor)
        if not isinstance(self.facts, (dict, Mapping)):
            raise UsageError(f"{self.facts!r} are no facts; give values by name, as {{'home_area': '128'}}")


# ------------------------------------------------------------------ the case


class DocumentRecord(msgspec.Struct, frozen=True):
    """A document in a case: how many copies came, how many of them fully signed, whether the last one is,
    and by whom."""

    copies: int
    signed_copies: int
    signed: bool
    at: datetime
    signatures: tuple[Signature, ...] = ()


class ClockStep(msgspec.Struct, frozen=True):
    """One step of how a due date came about; `moved` is the shift in the term's own unit, `asked` the length
    that a contract had and the law raised."""

    what: Literal["started", "chosen", "paused", "resumed", "extended", "counted_again"]
    at: datetime
    by: str = ""
    due_at: datetime | None = None
    moved: str = ""
    term: str = ""
    limit: str = ""
    reason: str = ""
    actor: str = ""
    rolled: bool = False
    asked: str = ""


class Deadline(msgspec.Struct, frozen=True, kw_only=True):
    """A deadline of one case, in its current generation: 1 at the first start, one more at each new one.

    `due_at` of "the end of 03-09" is 03-10 00:00 in the firm's zone; while paused it is the instant as it
    stood when the pause began. `target_at` is the firm's own aim before it. All are UTC. `term` and `limit`
    say which term was taken and its length (`"7 days"`), `provisional` that a year's calendar was assumed;
    `wake_at` is when it has something to say next. `steps` are how it came about, which `Workflow.explain`
    puts into words.
    """

    status: Status
    generation: int
    started_at: datetime
    due_at: datetime
    target_at: datetime | None = None
    term: str = ""
    limit: str = ""
    provisional: bool = False
    breached_at: datetime | None = None
    met_at: datetime | None = None
    paused_at: datetime | None = None
    wake_at: datetime | None = None
    wakes_done: int = 0
    steps: tuple[ClockStep, ...] = ()


class LinkedCase(msgspec.Struct, frozen=True):
    """What a case knows of a linked one, from what it was told."""

    case: str
    workflow: str
    state: str
    ended: bool
    facts: Mapping[str, Any] = NO_FACTS


class LedgerLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a ledger: what was entered, for which day, by which rule and from where; and the
    accumulations that have counted it."""

    kind: str
    day: date
    rule: str = ""
    source: str = ""
    used_by: tuple[str, ...] = ()


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A case as it stands: a small snapshot without its history. All instants are UTC.

    `facts`, `documents`, `payments` (sums in yuan so far) and `deadlines` are by the names of its file; a
    deadline that never started is not among them. `entries` counts the lines of its history and serves as
    its `version`; `at` is the last entry's instant, `parent` is the case that it belongs to and `known_as`
    the name that the parent has for its kind, `links` are the cases that it knows by the names of its file
    and `followers` those that know it without its file having a name for them, or after another took their
    place; `wakes_at` is the next instant at which a clock of its own has something to say. `ledger` holds
    the lines that some accumulation may still count, in the order of entering.
    """

    id: str
    workflow: str
    workflow_version: int
    state: str
    entries: int
    at: datetime
    parent: str = ""
    known_as: str = ""
    facts: Mapping[str, Any] = NO_FACTS
    documents: Mapping[str, DocumentRecord] = NO_FACTS
    payments: Mapping[str, Decimal] = NO_FACTS
    deadlines: Mapping[str, Deadline] = NO_FACTS
    children: Mapping[str, Mapping[str, LinkedCase]] = NO_FACTS
    links: Mapping[str, LinkedCase] = NO_FACTS
    followers: tuple[str, ...] = ()
    happened: Mapping[str, tuple[datetime, ...]] = NO_FACTS
    actors: Mapping[str, tuple[str, ...]] = NO_FACTS
    remembered: Mapping[str, str] = NO_FACTS
    opened: Mapping[str, int] = NO_FACTS
    ledger: tuple[LedgerLine, ...] = ()
    entered_at: datetime | None = None
    wakes_at: datetime | None = None

    @property
    def version(self) -> int:
        """Rises with everything that happens to the case."""
        return self.entries


# ------------------------------------------------------------------ the decision


class HistoryEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the audit trail: what `event` the `actor`, in these roles, brought about at `at` (UTC),
    and that it led from the state `source` to `target`. `number` counts from 1. `cause` is the number of
    the entry that this one follows from, None for what came from outside; `facts`, `documents` and
    `payments` came with the command, `derived` are the facts that the event's own rules counted or set.
    `told`, `links` and `ahead` are as in the command."""

    case: str
    number: int
    at: datetime
    event: str
    actor: str
    roles: tuple[str, ...]
    source: str
    target: str
    facts: Mapping[str, Any] = NO_FACTS
    derived: Mapping[str, Any] = NO_FACTS
    documents: tuple[Document, ...] = ()
    payments: tuple[Payment, ...] = ()
    note: str = ""
    cause: int | None = None
    told: Told | None = None
    links: tuple[Told, ...] = ()
    ahead: bool = False


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """Something for the host or a linked case to do: returned, never run here.

    kinds: `notify` (to a role), `open` (a child or a peer), `tell` (an event or facts for a linked case),
    `ask` (a named request to the host). `at` is the instant at which it came about, `about` the event that
    it follows from. `key` is the same whenever the same doing is repeated, and unique among the effects of
    one tenant: a handler that serves several tenants remembers tenant and key.
    """

    kind: Literal["notify", "open", "tell", "ask"]
    to: str
    at: datetime
    case: str
    about: str
    key: str
    data: Mapping[str, Any] = NO_FACTS


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why a command is refused: a stable code, what it is about, and the figures; text on demand.

    Codes: `wrong_state`, `unknown_event`, `role_not_allowed`, `guard_unmet`, `document_missing`,
    `signature_missing`, `payment_missing`, `fact_missing`, `fact_invalid`, `fact_not_allowed`,
    `payment_invalid`, `line_missing`, `unknown_role`, `unknown_signer`, `unknown_case`, `unknown_parent`,
    `already_open`, `unknown_link`, `link_taken`, `link_unfit`, `nothing_told`, `not_yet_due`, `not_running`,
    `not_extendable`, `time_runs_backwards`, `case_closed`, `stale_version`, `calendar_unpublished`,
    `date_out_of_range`; inside `details`: `leaf`,
    the part of a guard that failed.
    """

    code: str
    subject: str = ""
    label: Label | None = None
    values: Mapping[str, Any] = NO_FACTS
    details: tuple[Reason, ...] = ()

    def text(self, lang: Lang = "zh") -> str:
        """One sentence, in Chinese or in English."""
        return sentence(self, lang)


class Decision(msgspec.Struct, frozen=True):
    """Accepted: the next case, its new history entries and the effects. Refused: the case as it was (None
    where it would have been a new one), and all `reasons` at once."""

    case: Case | None
    entries: tuple[HistoryEntry, ...] = ()
    effects: tuple[Effect, ...] = ()
    reasons: tuple[Reason, ...] = ()

    @property
    def accepted(self) -> bool:
        return not self.reasons

    @property
    def refused(self) -> bool:
        return bool(self.reasons)

    def unwrap(self) -> Case:
        """The next case; raises `Refused` when there is none."""
        if self.reasons or self.case is None:
            raise Refused(self.reasons)
        return self.case
