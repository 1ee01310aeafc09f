"""Small workflow files for single rules: written short, filled out here, loaded like any other file."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import renoflow as rf

ZONE = timezone(timedelta(hours=8))
LABELLED = ("amounts", "events", "deadlines", "accumulations", "invariants")
NAMED = ("states", "roles", "parameters", "facts", "documents", "payments", "conditions")
ROLES = {
    "worker": {"side": "company"},
    "boss": {"side": "company"},
    "customer": {"side": "customer"},
}


def filled(name: str, text: str) -> str:
    """The whole file that a short text stands for: header, stage, roles and labels are put in where they are
    missing; an event without `by` is the worker's."""
    data: dict[str, Any] = tomllib.loads(text)
    data["workflow"] = {"id": name, "version": 1, "label": _label(name)} | data.get("workflow", {})
    data.setdefault("stages", {"work": _label("work")})
    data["roles"] = {**ROLES, **data.get("roles", {})}
    for state in data["states"].values():
        state.setdefault("stage", "work")
    for event in data["events"].values():
        event.setdefault("by", ["worker"])
    for deadline in data.get("deadlines", {}).values():
        deadline.setdefault("owner", "worker")
        for part in deadline.get("parts", ()):
            part.update(_label(part["name"]))
    for payment in data.get("payments", {}).values():
        payment.setdefault("payer", "customer")
    for section in LABELLED:
        for key, item in data.get(section, {}).items():
            item.setdefault("label", _label(key))
    for section in NAMED:
        for key, item in data.get(section, {}).items():
            item.update(_label(key))
            if isinstance(item.get("values"), list):
                item["values"] = {value: _label(value) for value in item["values"]}
    for rows in data.get("tables", {}).values():
        for key, row in rows.items():
            row.update(_label(key))
    return "\n".join(_lines(data, ()))


def _label(name: str) -> dict[str, str]:
    return {"zh": f"项目{name}", "en": name.replace("_", " ")}


def _lines(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterable[str]:
    plain = {key: value for key, value in table.items() if len(path) == 2 or not isinstance(value, dict)}
    if path and (plain or not table):
        yield f"[{'.'.join(path)}]"
    for key, value in plain.items():
        if key == "reactions":
            continue
        yield f"{key} = {_inline(value)}"
    for key, value in table.items():
        if key not in plain:
            yield from _lines(value, (*path, key))
    for reaction in table.get("reactions", ()) if not path else ():
        yield "[[reactions]]"
        yield from (f"{key} = {_inline(value)}" for key, value in reaction.items())


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f'"{key}" = {_inline(item)}' for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_inline(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def load(
    folder: Path, *, profile: str = "", predicates: Mapping[str, Any] | None = None, **texts: str
) -> rf.Workflows:
    """The workflows that the short texts stand for, by their names, and nothing bundled."""
    paths = []
    for name, text in texts.items():
        path = folder / f"{name}.toml"
        path.write_text(filled(name, text), "utf-8")
        paths.append(path)
    firm: Path | None = None
    if profile:
        firm = folder / "firm.toml"
        header = '[profile]\nid = "firm"\nlabel = { zh = "本公司", en = "The firm" }\n'
        firm.write_text(header + profile, "utf-8")
    return rf.load_workflows(*paths, only=(), profile=firm, predicates=predicates)


def moment(text: str) -> datetime:
    """An instant in the firm's zone from `2026-03-02 10:00`; 24:00 is the end of a day."""
    day, clock = text.split(" ")
    late = clock == "24:00"
    at = datetime.fromisoformat(f"{day}T{'00:00' if late else clock}").replace(tzinfo=ZONE)
    return at + timedelta(days=1) if late else at


def shown(at: datetime | None) -> str | None:
    """The other way round, to the minute; midnight is 24:00 of the day that ends."""
    if at is None:
        return None
    local = at.astimezone(ZONE)
    if (local.hour, local.minute, local.second, local.microsecond) == (0, 0, 0, 0):
        return f"{local - timedelta(days=1):%Y-%m-%d} 24:00"
    return f"{local:%Y-%m-%d %H:%M}"


class Desk:
    """A service whose clock is moved by hand; the case is J-1 of `job` where none is named."""

    def __init__(self, flows: rf.Workflows) -> None:
        self.flows = flows
        self.service = rf.CaseService(flows)
        self.last = rf.Outcome(case=None)

    def open(
        self,
        at: str,
        *,
        workflow: str = "job",
        case: str = "J-1",
        parent: str | None = None,
        links: Mapping[str, str] | None = None,
        **brought: Any,
    ) -> list[str]:
        """Open a case; answers the reasons against it as `code subject`."""
        event = brought.pop("event", self.flows[workflow].opening)
        command = self.command(event, at, **brought)
        return self._took(self.service.open(workflow, case, command, parent=parent, links=links or {}))

    def do(self, event: str, at: str, *, case: str = "J-1", **brought: Any) -> list[str]:
        """Send an event; answers the reasons against it as `code subject`."""
        return self._took(self.service.send(case, self.command(event, at, **brought)))

    def link(self, name: str, to: str, at: str, *, case: str = "J-1", by: str = "boss") -> list[str]:
        """Tie a case to another; answers the reasons against it."""
        actor = rf.Actor(by, frozenset((by,)))
        return self._took(self.service.link(case, name, to, actor=actor, at=moment(at)))

    def extend(self, deadline: str, at: str, length: str, *, role: str = "boss") -> list[str]:
        """Extend a deadline of J-1 by hand; answers the reasons against it."""
        facts = {"by": length, "reason": "rain"}
        actor = rf.Actor(role, frozenset((role,)))
        command = rf.Command(f"deadline.{deadline}.extend", actor, moment(at), facts=facts)
        return self._took(self.service.send("J-1", command))

    def wait(self, at: str) -> None:
        """Everything due by then happens."""
        self.last = self.service.sweep(moment(at))

    def command(
        self,
        event: str,
        at: str,
        *,
        by: str = "worker",
        documents: Iterable[rf.Document | str] = (),
        payments: Mapping[str, str] | None = None,
        version: int | None = None,
        **facts: Any,
    ) -> rf.Command:
        """`by` is a role, or `role:person`."""
        role, _, person = by.partition(":")
        return rf.Command(
            event,
            rf.Actor(person or role, frozenset((role,))),
            moment(at),
            facts=facts,
            documents=tuple(rf.Document(one) if isinstance(one, str) else one for one in documents),
            payments=tuple(rf.Payment(name, amount) for name, amount in (payments or {}).items()),
            version=version,
        )

    def _took(self, outcome: rf.Outcome) -> list[str]:
        self.last = outcome
        return sorted(f"{reason.code} {reason.subject}".strip() for reason in outcome.reasons)

    # -------------------------------------------------------------- looking

    def state(self, case: str = "J-1") -> str:
        return self.service.case(case).state

    def fact(self, name: str, case: str = "J-1") -> Any:
        return self.service.case(case).facts.get(name)

    def clock(self, name: str = "work", case: str = "J-1") -> rf.Deadline:
        return self.service.case(case).deadlines[name]

    def status(self, name: str = "work", case: str = "J-1") -> str:
        clock = self.service.case(case).deadlines.get(name)
        return "idle" if clock is None else clock.status

    def due(self, name: str = "work", case: str = "J-1") -> str | None:
        return shown(self.clock(name, case).due_at)

    def events(self, case: str = "J-1") -> list[str]:
        """The events of the history, in their order."""
        return [entry.event for entry in self.service.history(case)]

    def handed_out(self) -> list[str]:
        """The effects of the last call that are left for the host."""
        return [f"{effect.kind} {effect.to} {effect.about}" for effect in self.last.effects]
