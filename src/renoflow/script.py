"""Replay scripts: dated commands as JSON Lines, run over a service, and what came of every line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from attrs import field, frozen

from renoflow.engine.workflow import Workflows
from renoflow.errors import RenoflowError, ScriptError, UnknownName, UsageError, did_you_mean
from renoflow.records import (
    NO_FACTS,
    Case,
    Command,
    Document,
    Effect,
    HistoryEntry,
    Payment,
    Reason,
    Signature,
)
from renoflow.service import CaseService
from renoflow.values import Actor, instant

SEND_KEYS = frozenset({"case", "event", "at", "actor", "roles", "facts", "documents", "payments", "note"})
OPEN_KEYS = SEND_KEYS | {"open", "parent", "links"}
LINK_KEYS = frozenset({"case", "link", "to", "at", "actor", "roles"})
LONGEST_LINE = 1_000_000


@frozen(kw_only=True)
class Line:
    """One line of a script. `open` names the workflow where the line begins a case, `links` the cases that
    it is tied to then; `link` is the name under which the line ties the case `to` another."""

    number: int
    case: str
    command: Command
    open: str | None = None
    parent: str | None = None
    links: Mapping[str, str] = NO_FACTS
    link: str | None = None
    to: str = ""


@frozen(kw_only=True)
class StepResult:
    """What came of one line: the state after it, and for a refusal every reason."""

    line: Line
    accepted: bool
    state: str | None
    reasons: tuple[Reason, ...] = ()


@frozen(kw_only=True)
class Replay:
    """A script that has been run: its steps in order, the service that holds the cases, all effects."""

    service: CaseService
    steps: tuple[StepResult, ...]
    effects: tuple[Effect, ...]
    at: datetime | None

    def cases(self) -> tuple[Case, ...]:
        return tuple(self.service.cases())

    def history(self, case_id: str) -> tuple[HistoryEntry, ...]:
        return self.service.history(case_id)


# ------------------------------------------------------------------ reading


def read_script(text: str | bytes, workflows: Workflows) -> tuple[Line, ...]:
    """Every line of a script; raises `ScriptError` with the line and the reason, and nothing is run.

    Empty lines and lines that begin with `#` are passed over.
    """
    if isinstance(text, bytes):
        try:
            decoded = text.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            number = text.count(b"\n", 0, error.start) + 1
            raise ScriptError(number, "the script is not UTF-8 text") from None
        text = decoded
    lines = []
    for number, raw in enumerate(text.split("\n"), 1):
        stripped = raw.strip()
        if stripped and not stripped.startswith("#"):
            lines.append(_line(number, stripped, workflows))
    return tuple(lines)


def _line(number: int, text: str, workflows: Workflows) -> Line:
    if len(text) > LONGEST_LINE:
        raise ScriptError(number, f"the line has {len(text)} characters; at most {LONGEST_LINE} are read")
    try:
        data = json.loads(text, parse_float=Decimal, parse_constant=_no_constant, object_pairs_hook=_once)
    except RecursionError:
        raise ScriptError(number, "the line is nested too deeply") from None
    except ValueError as error:
        raise ScriptError(number, f"not a JSON object: {error}") from None
    if not isinstance(data, dict):
        raise ScriptError(number, f"expected a JSON object, found {type(data).__name__}")
    return _opening(number, data, workflows) if data.get("open") is not None else _sending(number, data)


def _sending(number: int, data: Mapping[str, Any]) -> Line:
    """A line for a case that is there: an event, or another case that it is tied to."""
    if data.get("link") is None:
        _keys(number, data, SEND_KEYS)
        if "event" not in data:
            raise ScriptError(number, "the line has neither 'event' nor 'open', which begins a case")
        _filled(number, data, ("case", "event", "at", "actor"))
        return Line(number=number, case=data["case"], command=_command(number, data, data["event"]))
    _keys(number, data, LINK_KEYS)
    _filled(number, data, ("link", "case", "to", "at", "actor"))
    command = _command(number, data, f"link.{data['link']}.told")
    return Line(number=number, case=data["case"], command=command, link=data["link"], to=data["to"])


def _opening(number: int, data: Mapping[str, Any], workflows: Workflows) -> Line:
    _keys(number, data, OPEN_KEYS)
    _filled(number, data, ("open", "case", "at", "actor"))
    workflow, case, parent, event = data["open"], data["case"], data.get("parent"), data.get("event")
    if workflow not in workflows:
        raise ScriptError(number, str(UnknownName("workflow", workflow, workflows)))
    # What is found by a key (`ledger/employee/E-7`) belongs to nobody.
    if parent is None and "/" in case and not case.startswith(f"{workflow}/"):
        parent = case.rpartition("/")[0]
    return Line(
        number=number,
        case=case,
        command=_command(number, data, workflows[workflow].opening if event is None else event),
        open=workflow,
        parent=parent,
        links=_links(number, data.get("links", {})),
    )


def _links(number: int, links: object) -> Mapping[str, str]:
    if not isinstance(links, dict) or not all(isinstance(case, str) and case for case in links.values()):
        raise ScriptError(number, f"'links' must be an object of case ids by name, found {links!r}")
    return links


def _keys(number: int, data: Mapping[str, Any], allowed: frozenset[str]) -> None:
    for key in data:
        if key not in allowed:
            raise ScriptError(number, f"unknown key {key!r}{did_you_mean(key, allowed)}")


def _filled(number: int, data: Mapping[str, Any], wanted: tuple[str, ...]) -> None:
    for key in wanted:
        if not isinstance(data.get(key), str) or not data[key]:
            raise ScriptError(number, f"{key!r} must be a text that is not empty, found {data.get(key)!r}")


def _command(number: int, data: Mapping[str, Any], event: object) -> Command:
    try:
        at = instant(data["at"])
    except UsageError as error:
        raise ScriptError(number, str(error)) from None
    roles = _texts(number, "roles", data.get("roles", []))
    facts = data.get("facts", {})
    if not isinstance(facts, dict):
        raise ScriptError(number, f"'facts' must be an object, found {facts!r}")
    if not isinstance(event, str):
        raise ScriptError(number, f"'event' must be a text, found {event!r}")
    note = data.get("note", "")
    if not isinstance(note, str):
        raise ScriptError(number, f"'note' must be a text, found {note!r}")
    return Command(
        event=event,
        actor=Actor(data["actor"], frozenset(roles)),
        at=at,
        facts=facts,
        documents=tuple(_document(number, item) for item in _list(number, "documents", data)),
        payments=tuple(_payment(number, item) for item in _list(number, "payments", data)),
        note=note,
    )


def _document(number: int, item: object) -> Document:
    if isinstance(item, str):
        return Document(item)
    if not isinstance(item, dict) or not isinstance(item.get("id"), str):
        raise ScriptError(number, f"a document is an id or an object with 'id', found {item!r}")
    _only(number, "a document", item, ("id", "signed_by"))
    signers = item.get("signed_by", [])
    if not isinstance(signers, list):
        raise ScriptError(number, f"'signed_by' must be a list, found {signers!r}")
    return Document(item["id"], tuple(_signer(number, signer) for signer in signers))


def _signer(number: int, item: object) -> Signature | str:
    if isinstance(item, str):
        return item
    if not isinstance(item, dict) or not isinstance(item.get("role"), str):
        raise ScriptError(number, f"a signer is a role or an object with 'role', found {item!r}")
    _only(number, "a signer", item, ("role", "actor", "at"))
    actor = item.get("actor")
    if actor is not None and not isinstance(actor, str):
        raise ScriptError(number, f"a signer's 'actor' must be a text, found {actor!r}")
    try:
        return Signature(item["role"], actor, None if item.get("at") is None else instant(item["at"]))
    except UsageError as error:
        raise ScriptError(number, str(error)) from None


def _payment(number: int, item: object) -> Payment:
    if not isinstance(item, dict) or not isinstance(item.get("id"), str) or "amount" not in item:
        raise ScriptError(number, f"a payment is an object with 'id' and 'amount', found {item!r}")
    _only(number, "a payment", item, ("id", "amount"))
    return Payment(item["id"], item["amount"])


def _only(number: int, what: str, item: Mapping[str, Any], keys: tuple[str, ...]) -> None:
    for key in item:
        if key not in keys:
            raise ScriptError(number, f"{what} has an unknown key {key!r}{did_you_mean(key, keys)}")


def _list(number: int, key: str, data: Mapping[str, Any]) -> list[object]:
    value = data.get(key, [])
    if not isinstance(value, list):
        raise ScriptError(number, f"{key!r} must be a list, found {value!r}")
    return value


def _texts(number: int, key: str, value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ScriptError(number, f"{key!r} must be a list of texts, found {value!r}")
    return value


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not a number that can be used")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key!r} stands twice")
        found[key] = value
    return found


# ------------------------------------------------------------------ running


@frozen
class _Run:
    service: CaseService
    steps: list[StepResult] = field(factory=list)
    effects: list[Effect] = field(factory=list)


def run_script(
    lines: Iterable[Line],
    workflows: Workflows,
    *,
    at: datetime | None = None,
    service: CaseService | None = None,
) -> Replay:
    """Run the lines in order. Before each, and at `at`, everything due by that instant happens, in time
    order; a refused line does not stop the rest. Raises `ScriptError` where a line cannot be run, and where
    what was due fails."""
    run = _Run(service or CaseService(workflows))
    last: datetime | None = None
    number = 0
    for line in lines:
        number = line.number
        _sweep(run, line.command.at, number)
        run.steps.append(_run_line(run, line))
        last = line.command.at
    if at is not None and (last is None or at >= last):
        _sweep(run, at, number)
        last = at
    return Replay(service=run.service, steps=tuple(run.steps), effects=tuple(run.effects), at=last)


def _sweep(run: _Run, at: datetime, number: int) -> None:
    """What is due by then; a step of it that fails would be made again in earnest, and ends a replay."""
    outcome = run.service.sweep(at)
    for failed in outcome.postponed:
        raise ScriptError(
            number, f"what was due by {at.isoformat()} in {failed.case} failed: {failed.failure}"
        )
    run.effects.extend(outcome.effects)


def _run_line(run: _Run, line: Line) -> StepResult:
    service = run.service
    try:
        if line.open is not None:
            parent = line.parent if line.parent and service.find(line.parent) else None
            if line.parent and parent is None:
                raise UnknownName("parent", line.parent, (case.id for case in service.cases()))
            outcome = service.open(line.open, line.case, line.command, parent=parent, links=line.links)
        elif line.link is not None:
            command = line.command
            outcome = service.link(line.case, line.link, line.to, actor=command.actor, at=command.at)
        else:
            outcome = service.send(line.case, line.command)
    except UnknownName as error:
        reason = Reason(code=f"unknown_{error.kind}", subject=error.name)
        return StepResult(line=line, accepted=False, state=_state(service, line.case), reasons=(reason,))
    except RenoflowError as error:
        raise ScriptError(line.number, str(error)) from error
    run.effects.extend(outcome.effects)
    return StepResult(
        line=line, accepted=outcome.accepted, state=_state(service, line.case), reasons=outcome.reasons
    )


def _state(service: CaseService, case_id: str) -> str | None:
    case = service.find(case_id)
    return None if case is None else case.state
