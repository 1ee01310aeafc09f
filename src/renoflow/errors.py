"""Every error that renoflow raises.

    RenoflowError
    ├── DefinitionError          the author's fault: a workflow file or a profile is wrong
    │                            (.problems: every fault at once, each with its place)
    ├── UsageError               the caller's fault: the library was called wrongly
    │   ├── OutOfRange           a date outside the years 1 to 9999
    │   ├── UnknownName          no such workflow, event, fact, document, payment, deadline or state
    │   ├── NaiveInstant         an instant without a time zone
    │   └── KeyReused            one idempotency key for two different requests (.key, .case)
    ├── ScriptError              a replay script is malformed (.line, .reason)
    ├── HistoryMismatch          a history does not follow from the rules (.entry)
    ├── Refused                  the rules said no, and the caller asked for an exception
    │                            (.reasons); `decide` itself never raises it
    ├── StoreError               the world's fault: the database; the case is as it was
    │   ├── StoreBusy            others hold it, or moved first: run the whole transaction again
    │   ├── StoreUnreachable     no connection, or it was cut
    │   ├── StoreFull            no space is left
    │   ├── StoreReadOnly        the database or the file may not be written
    │   ├── SchemaMismatch       the tables are missing, older or newer; names the command (.found, .wanted)
    │   └── StoredDataError      a stored row cannot be read (.table, .case)
    └── MissingExtra             an optional dependency is not installed; names the command

A business "no" is a value, `Decision.refused` with its reasons, not an error.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from renoflow.records import HistoryEntry, Reason


class RenoflowError(Exception):
    """The root of all errors here."""


@frozen(kw_only=True)
class Problem:
    """One fault of a definition: what is wrong, where, and what to do about it.

    `file` is a name or path as it was given, `line` counts from 1 and is None where it cannot be
    had, `path` is the table path (`events.pay_deposit.guards[0]`).
    """

    message: str
    path: str = ""
    file: str = ""
    line: int | None = None
    suggestion: str = ""

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line) if part not in ("", None))
        head = " ".join(part for part in (place, f"[{self.path}]" if self.path else "") if part)
        text = f"{head}: {self.message}" if head else self.message
        return f"{text} ({self.suggestion})" if self.suggestion else text


class DefinitionError(RenoflowError):
    """A workflow file or a profile does not hold together; `problems` lists every fault found."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        count = len(self.problems)
        lines = "\n".join(f"  {problem}" for problem in self.problems)
        super().__init__(f"{count} problem{'s' if count != 1 else ''} in the definition:\n{lines}")


class UsageError(RenoflowError):
    """The library was called wrongly; the message says what was found and what was allowed."""


class OutOfRange(UsageError):
    """A date outside the years 1 to 9999."""


class UnknownName(UsageError):
    """A name that the workflow does not declare; the message lists near ones."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind = kind
        self.name = name
        self.known: tuple[str, ...] = tuple(known)
        super().__init__(f"unknown {kind} {name!r}{did_you_mean(name, self.known)}")


class NaiveInstant(UsageError):
    """An instant without a time zone; an instant is never guessed."""


class KeyReused(UsageError):
    """One idempotency key came with two different requests."""

    def __init__(self, case: str, key: str) -> None:
        self.case = case
        self.key = key
        super().__init__(
            f"the key {key!r} of case {case} was used for another request; a key names one request and its "
            "retries: send the same request again, or use a new key"
        )


class ScriptError(RenoflowError):
    """A replay script cannot be read, and nothing of it was run; or it cannot be run beyond this line."""

    def __init__(self, line: int, reason: str) -> None:
        self.line = line
        self.reason = reason
        super().__init__(f"line {line}: {reason}")


class Refused(RenoflowError):
    """The rules refused a command; `reasons` says everything that was missing."""

    def __init__(self, reasons: Sequence[Reason]) -> None:
        self.reasons: tuple[Reason, ...] = tuple(reasons)
        super().__init__("; ".join(reason.text("en") for reason in self.reasons))


class HistoryMismatch(RenoflowError):
    """A history does not follow from the rules: `entry` is the first line that differs."""

    def __init__(self, entry: HistoryEntry, why: str) -> None:
        self.entry = entry
        super().__init__(f"entry {entry.number} ({entry.event}) of {entry.case} {why}")


class StoreError(RenoflowError):
    """The database failed; nothing of the call was kept."""


class StoreBusy(StoreError):
    """Others hold what is needed, or moved first: the same call may succeed when it is made again."""


class StoreUnreachable(StoreError):
    """There is no connection to the database, or it was cut."""


class StoreFull(StoreError):
    """No space is left for the database."""


class StoreReadOnly(StoreError):
    """The database, or its file, may not be written."""


class SchemaMismatch(StoreError):
    """The tables are not those of this version of renoflow: none (`found` is None), older, or newer."""

    def __init__(self, message: str, *, found: str | None, wanted: str) -> None:
        self.found = found
        self.wanted = wanted
        super().__init__(message)


class StoredDataError(StoreError):
    """A row cannot be read; `table` and `case` say which."""

    def __init__(self, table: str, case: str, why: str) -> None:
        self.table = table
        self.case = case
        super().__init__(
            f"{table}, case {case}: {why}; no other case is concerned. Restore the row from a backup, or ask "
            f"`renoflow verify-history --case {case}` what is left of it"
        )


class MissingExtra(RenoflowError):
    """An optional dependency is missing."""

    def __init__(self, what: str, extra: str) -> None:
        self.extra = extra
        super().__init__(f"{what} is not installed; run: pip install 'renoflow[{extra}]'")


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that looks most like it, empty when none does."""
    near = difflib.get_close_matches(str(name), sorted(set(known)), n=1, cutoff=0.6)
    return near[0] if near else ""


def did_you_mean(name: str, known: Iterable[str], limit: int = 12) -> str:
    """`; did you mean 'x'?`, or the known names when none is near and they are few."""
    names = sorted(set(known))
    near = nearest(name, names)
    if near:
        return f"; did you mean {near!r}?"
    if not names:
        return "; there is none"
    shown = ", ".join(names[:limit])
    return f"; known are {shown}{', …' if len(names) > limit else ''}"
