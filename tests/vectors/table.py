"""The vectors as tables: reading the files of this folder, running a vector, holding the answer against it.

How a vector is written stands at the head of `prefixes.toml`.
"""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Any

from attrs import field, frozen

import renoflow as rf
from renoflow.definition.reader import read_profile
from renoflow.views.answer import replay_answer

FOLDER = Path(__file__).parent
ZONE = timezone(timedelta(hours=8))
MONEY_SIGN = "¥"
MAIN = "P-1"


@frozen(kw_only=True)
class Row:
    """One written line: the command, and what is to come of it (a state, or reasons after `no`)."""

    text: str
    case: str
    command: Mapping[str, Any]
    state: str | None = None
    reasons: tuple[str, ...] = ()

    @property
    def event(self) -> str:
        return str(self.command.get("event") or self.command.get("open") or self.command["link"])


@frozen(kw_only=True)
class Vector:
    """One case of the tables, with the rows of its prefix in front of its own."""

    zh: str
    en: str
    rules: tuple[str, ...]
    rows: tuple[Row, ...]
    file: str
    at: datetime | None = None
    expect: Mapping[str, Any] = field(factory=dict)
    effects: tuple[str, ...] = ()
    no_effects: tuple[str, ...] = ()
    settings: str = ""
    fault: str = ""

    @property
    def script(self) -> str:
        """The rows as a replay script."""
        return _script(self.rows)


# ------------------------------------------------------------------ reading


def vectors() -> list[Vector]:
    """Every vector of every file, in the order of names and lines."""
    prefixes = _load("prefixes.toml")["prefix"]
    return [
        _vector(path.name, one, prefixes)
        for path in sorted(FOLDER.glob("*.toml"))
        for one in _load(path.name).get("vector", ())
    ]


def beginning(prefix: str, day0: str) -> str:
    """The lines of a prefix, and of those that it builds on, as a replay script."""
    prefixes = _load("prefixes.toml")["prefix"]
    rows = _prefix_rows(prefix, prefixes, date.fromisoformat(day0))
    return _script(rows)


def _prefix_rows(name: str | None, prefixes: Mapping[str, Any], day0: date | None) -> list[Row]:
    rows: list[Row] = []
    case = MAIN
    for one in _chain(name, prefixes):
        case = prefixes[one].get("case", case)
        rows.extend(read_row(line, case, day0) for line in prefixes[one]["lines"])
    return rows


def _script(rows: Iterable[Row]) -> str:
    return "".join(json.dumps(row.command, ensure_ascii=False) + "\n" for row in rows)


def _load(name: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / name).read_text("utf-8"))


KEYS = {
    "zh", "en", "rules", "after", "day0", "case", "instead", "lines", "at", "expect", "effects", "no_effects",
    "parameters", "calendar", "unpublished", "fault",
}  # fmt: skip


def _vector(file: str, data: Mapping[str, Any], prefixes: Mapping[str, Any]) -> Vector:
    strangers = sorted(data.keys() - KEYS)
    assert not strangers, f"{file}: {data.get('en')!r} has unknown keys {strangers}"
    day0 = date.fromisoformat(data["day0"]) if "day0" in data else None
    after = data.get("after")
    rows = _prefix_rows(after, prefixes, day0)
    case = data.get("case") or (prefixes[after].get("case", MAIN) if after else MAIN)
    for row in (read_row(line, case, day0) for line in data.get("instead", ())):
        rows[_place(rows, row)] = row
    rows.extend(read_row(line, case, day0) for line in data.get("lines", ()))
    return Vector(
        zh=data["zh"],
        en=data["en"],
        rules=tuple(data["rules"]),
        rows=tuple(rows),
        file=file,
        at=None if "at" not in data else _moment(data["at"], day0),
        expect=data.get("expect", {}),
        effects=tuple(data.get("effects", ())),
        no_effects=tuple(data.get("no_effects", ())),
        settings=_settings(data),
        fault=data.get("fault", ""),
    )


def _chain(name: str | None, prefixes: Mapping[str, Any]) -> list[str]:
    """The prefixes that a prefix builds on, the first one first."""
    found: list[str] = []
    while name is not None:
        found.insert(0, name)
        name = prefixes[name].get("after")
    return found


def _place(rows: list[Row], new: Row) -> int:
    """Where the prefix has the event that a row is written for instead."""
    places = [n for n, row in enumerate(rows) if (row.case, row.event) == (new.case, new.event)]
    assert len(places) == 1, f"{new.text!r} replaces {len(places)} rows of the prefix"
    return places[0]


def _settings(data: Mapping[str, Any]) -> str:
    """A firm's profile in TOML with what the vector sets; empty when it sets nothing."""
    if not data.keys() & {"parameters", "calendar", "unpublished"}:
        return ""
    lines = ["[profile]", 'id = "firm"', 'label = { zh = "本公司", en = "The firm" }']
    if "unpublished" in data:
        lines.append(f'unpublished = "{data["unpublished"]}"')
    for workflow, values in data.get("parameters", {}).items():
        lines += [f"[parameters.{workflow}]", *(f"{k} = {json.dumps(v)}" for k, v in values.items())]
    for year, plan in data.get("calendar", {}).items():
        lines += [f"[calendar.{year}]", *(f"{k} = {json.dumps(v)}" for k, v in plan.items())]
    return "\n".join(lines) + "\n"


def read_row(text: str, case: str, day0: date | None) -> Row:
    """One line of the compact form; a line that begins with a brace is a line of a script as it stands."""
    written, _, outcome = text.partition(" => ")
    command = json.loads(written) if text.startswith("{") else _command(written, case, day0)
    outcome = outcome.strip()
    refused = outcome.startswith("no ")
    return Row(
        text=text,
        case=command["case"],
        command=command,
        state=outcome if outcome and not refused else None,
        reasons=tuple(part.strip() for part in outcome[3:].split(";")) if refused else (),
    )


def _command(text: str, case: str, day0: date | None) -> dict[str, Any]:
    day, clock, who, event, *rest = shlex.split(text)
    role, _, actor = who.partition(":")
    found: dict[str, Any] = {"case": case, "at": _instant(day, clock, day0).isoformat()}
    if event.startswith("open:"):
        found["open"] = event.removeprefix("open:")
    else:
        found["event"] = event
    found |= {"actor": actor or role, "roles": [role], "facts": {}, "documents": [], "payments": []}
    for token in rest:
        if token.startswith("@"):
            found["case"] = token[1:] if token[1:].startswith(("P-", "C-")) else f"P-1/{token[1:]}"
        elif token.startswith("+"):
            found["documents"].append(_document(token[1:]))
        elif token.startswith(MONEY_SIGN):
            name, amount = token[1:].split("=")
            found["payments"].append({"id": name, "amount": amount})
        else:
            name, value = token.split("=", 1)
            found["facts"][name] = _value(value, day0)
    return found


def _document(text: str) -> dict[str, Any]:
    name, _, signers = text.rstrip(")").partition("(")
    return {"id": name, "signed_by": signers.split(",") if signers else []}


def _value(text: str, day0: date | None) -> Any:
    if text in ("true", "false"):
        return text == "true"
    if re.fullmatch(r"-?\d+", text):
        return int(text)
    if text.startswith("[") and text.endswith("]"):
        return [item for item in text[1:-1].split(",") if item]
    if text.startswith("day+"):
        return _day(text, day0).isoformat()
    return text


def _day(text: str, day0: date | None) -> date:
    if text.startswith("day+"):
        assert day0 is not None, f"{text!r} needs a day0"
        return day0 + timedelta(days=int(text[4:]))
    return date.fromisoformat(text)


def _moment(text: str, day0: date | None) -> datetime:
    day, clock = text.split()
    return _instant(day, clock, day0)


def _instant(day: str, clock: str, day0: date | None) -> datetime:
    """An instant in the firm's zone; 24:00 is the end of a day, as people read it."""
    late = clock == "24:00"
    moment = datetime.fromisoformat(f"{_day(day, day0)}T{'00:00' if late else clock}").replace(tzinfo=ZONE)
    return moment + timedelta(days=1) if late else moment


# ------------------------------------------------------------------ running


@cache
def workflows(settings: str) -> rf.Workflows:
    """The bundled workflows, under a firm's profile where a vector sets something."""
    return rf.load_workflows(profile=read_profile(settings, file="settings") if settings else None)


def run(vector: Vector) -> rf.Replay:
    flows = workflows(vector.settings)
    return rf.run_script(rf.read_script(vector.script, flows), flows, at=vector.at)


def answer(vector: Vector) -> dict[str, Any]:
    """What `renoflow replay --json` answers."""
    return replay_answer(workflows(vector.settings), run(vector))


# ------------------------------------------------------------------ holding against


def differences(vector: Vector, found: Mapping[str, Any]) -> list[str]:
    """Everything in which an answer is not as the vector wants it."""
    return [
        *_wrong_steps(vector, found["steps"]),
        *_wrong_values(vector, found["cases"]),
        *_wrong_effects(vector, found["effects"]),
    ]


def _wrong_steps(vector: Vector, steps: list[Mapping[str, Any]]) -> Iterator[str]:
    for row, step in zip(vector.rows, steps, strict=True):
        reasons = tuple(sorted(f"{one['code']} {one['subject']}".strip() for one in step["reasons"]))
        wanted = tuple(sorted(row.reasons))
        if reasons != wanted:
            found = ", ".join(reasons) or "accepted"
            yield f"{row.text}\n    is {found}; wanted {', '.join(wanted) or 'accepted'}"
        elif row.state is not None and step["state"] != row.state:
            yield f"{row.text}\n    leads to {step['state']}"


def _wrong_values(vector: Vector, cases: Mapping[str, Any]) -> Iterator[str]:
    for case, wanted in vector.expect.items():
        if case not in cases:
            yield f"there is no case {case}, only {', '.join(cases)}"
            continue
        for path, value in _leaves(wanted, ()):
            found = _at(cases[case], path)
            if found != _as_answered(value):
                yield f"{case} {'.'.join(path)}: found {found!r}, wanted {_as_answered(value)!r}"


def _wrong_effects(vector: Vector, effects: list[Mapping[str, Any]]) -> Iterator[str]:
    there = [" ".join(effect[key] for key in ("at", "case", "kind", "to", "about")) for effect in effects]
    for text in vector.effects:
        day, clock, rest = text.split(" ", 2)
        wanted = f"{_instant(day, clock, None).isoformat()} {rest}"
        if there.count(wanted) != 1:
            near = [one for one in there if one.endswith(rest.split(" ")[-1])]
            yield f"effect {wanted!r} comes {there.count(wanted)} times; near it: {near}"
    for text in vector.no_effects:
        for one in there:
            if one.split(" ", 1)[1].startswith(text):
                yield f"unwanted effect {one!r}"


def _leaves(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, (*path, key))
    else:
        yield path, value


def _at(case: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    """What stands at a path of a case's answer; a deadline is found by its name, dots and all."""
    if path[0] == "deadlines":
        name = ".".join(path[1:-1])
        rows = [row for row in case["deadlines"] if row["name"] == name]
        assert rows, f"there is no deadline {name!r}"
        return rows[0][path[-1]]
    found: Any = case
    for key in path:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found


def _as_answered(value: Any) -> Any:
    if value == "none":
        return None
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?", value):
        return _moment(value, None).isoformat()
    return value
