"""Reads workflow files and profiles: text in, a frozen definition or every fault at once out."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Generic, TypeVar

from attrs import evolve, fields, frozen

from renoflow.definition.faults import Fault, near
from renoflow.definition.lines import Path, first_deeper, first_repeat, format_path, line_of
from renoflow.definition.model import ProfileDefinition, SharedDefinition, WorkflowDefinition
from renoflow.definition.structure import structure
from renoflow.errors import DefinitionError, Problem

T = TypeVar("T")

MAX_BYTES = 2_000_000
MAX_DEPTH = 40
"""Keys and list positions from the root. The bundled files need 12; what walks a definition relies on it."""

_SECTIONS = tuple(one.name for one in fields(SharedDefinition))
_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")
_TOO_MANY_DIGITS = re.compile(r"[0-9][0-9_]{4000}")
_TOO_DEEP = Problem(
    message="lists and tables are nested too deep to be read",
    suggestion="give the inner parts names of their own, as conditions",
)


def read_workflow(text: str | bytes, *, file: str = "", shared: Mapping[str, str] = {}) -> WorkflowDefinition:
    """A workflow file with its shared files merged in.

    `file` is what problems call it; `shared` maps the names that `uses` may hold to TOML texts.
    Raises `DefinitionError` with every fault of the file and of the shared files that it uses. Of a
    text that is not TOML only the first fault can be told.
    """
    try:
        return _workflow(text, file, shared)
    except RecursionError:
        raise DefinitionError([evolve(_TOO_DEEP, file=file)]) from None


def read_profile(text: str | bytes, *, file: str = "") -> ProfileDefinition:
    """A firm's profile; no name in it is looked up. Raises `DefinitionError` with every fault."""
    try:
        reading = _read(text, file, ProfileDefinition)
    except RecursionError:
        raise DefinitionError([evolve(_TOO_DEEP, file=file)]) from None
    return _one([reading], reading)


@frozen
class _Reading(Generic[T]):
    """One text as far as it could be read: `data` is empty where it is not TOML, `done` None on faults."""

    text: str
    file: str
    data: Mapping[str, Any]
    done: T | None
    problems: tuple[Problem, ...]

    def problem(self, fault: Fault) -> Problem:
        return _problem(self.text, self.file, fault)


def _one(readings: Iterable[_Reading[Any]], main: _Reading[T], more: Iterable[Problem] = ()) -> T:
    problems = [problem for reading in readings for problem in reading.problems]
    problems.extend(more)
    if problems or main.done is None:
        # File by file as they were read, and down each file; what has no line stands first.
        order = list(dict.fromkeys(problem.file for problem in problems))
        raise DefinitionError(sorted(problems, key=lambda one: (order.index(one.file), one.line or 0)))
    return main.done


def _problem(text: str, file: str, fault: Fault) -> Problem:
    return Problem(
        message=fault.message,
        path=format_path(fault.at),
        file=file,
        line=line_of(text, fault.at),
        suggestion=fault.suggestion,
    )


# ------------------------------------------------------------------ shared files


def _workflow(text: str | bytes, file: str, shared: Mapping[str, str]) -> WorkflowDefinition:
    main = _read(text, file, WorkflowDefinition)
    parts: dict[str, _Reading[SharedDefinition]] = {}
    problems: list[Problem] = []
    for position, name in enumerate(_used(main.data)):
        at: Path = ("workflow", "uses", position)
        if name in parts:
            problems.append(main.problem(Fault(f"{name!r} is named twice", "name it once", at)))
        elif name in shared:
            parts[name] = _read(shared[name], name, SharedDefinition)
        else:
            suggestion = near(name, shared) or (f"known are {', '.join(sorted(shared))}" if shared else "")
            problems.append(main.problem(Fault(f"there is no shared file {name!r}", suggestion, at)))
    problems.extend(_declared_twice(main, parts))
    definition = _one([main, *parts.values()], main, problems)
    merged: dict[str, Any] = {section: {} for section in _SECTIONS}
    for part in (*(reading.done for reading in parts.values()), definition):
        for section in _SECTIONS:
            merged[section].update(getattr(part, section))
    return evolve(definition, **merged)


def _used(data: Mapping[str, Any]) -> Iterator[str]:
    """The names in `uses`, from a file that may be faulty; what is no string is reported elsewhere."""
    header = data.get("workflow")
    names = header.get("uses") if isinstance(header, dict) else None
    for name in names if isinstance(names, list) else ():
        yield name if isinstance(name, str) else ""


def _declared_twice(
    main: _Reading[WorkflowDefinition], parts: Mapping[str, _Reading[SharedDefinition]]
) -> Iterator[Problem]:
    """Read off the raw tables, so that it is told together with whatever else is wrong."""
    owner: dict[Path, str] = {}
    readings: list[tuple[str, _Reading[Any]]] = [*parts.items(), ("", main)]
    for own_name, reading in readings:
        for section in _SECTIONS:
            table = reading.data.get(section)
            for name in table if isinstance(table, dict) else ():
                path: Path = (section, name)
                if path in owner:
                    message = f"{name!r} is declared in the shared file {owner[path]!r} too"
                    yield reading.problem(Fault(message, "declare it once, or rename one", path))
                else:
                    owner[path] = own_name


# ------------------------------------------------------------------ one text


def _read(text: str | bytes, file: str, cls: type[T]) -> _Reading[T]:
    """Never raises but for `RecursionError`, where the caller's own stack is nearly full."""
    decoded, problem = _decoded(text)
    data: dict[str, Any] = {}
    if problem is None:
        data, problem = _parsed(decoded)
    if problem is None and (deep := _too_deep(data)) is not None:
        problem = _place(_TOO_DEEP, deep, decoded)
    if problem is not None:
        return _Reading(decoded, file, {}, None, (evolve(problem, file=file),))
    done, faults = structure(data, cls)
    return _Reading(decoded, file, data, done, tuple(_problem(decoded, file, fault) for fault in faults))


def _decoded(text: str | bytes) -> tuple[str, Problem | None]:
    """The text without a byte order mark, or what keeps it from being one."""
    if len(text) > MAX_BYTES:
        message = f"the file is too large: over {MAX_BYTES // 1_000_000} MB"
        return "", Problem(message=message, suggestion="is it a workflow file at all?")
    try:
        raw = text if isinstance(text, bytes) else text.encode("utf-8")
        decoded = raw.decode("utf-8")
    except UnicodeError as error:
        # Only str and bytes errors carry a start; a text is cut where it stops being one.
        start = getattr(error, "start", 0)
        line = 1 + (text.count(b"\n", 0, start) if isinstance(text, bytes) else text.count("\n", 0, start))
        return "", Problem(message="the file is not UTF-8", line=line, suggestion="save it as UTF-8")
    if len(raw) > MAX_BYTES:
        return _decoded(raw)
    if "\0" in decoded:
        line = 1 + decoded.count("\n", 0, decoded.index("\0"))
        return "", Problem(message="the file holds a NUL character", line=line, suggestion="save it as UTF-8")
    return decoded.removeprefix("\ufeff"), None


def _parsed(text: str) -> tuple[dict[str, Any], Problem | None]:
    """The TOML document, or the one fault that the parser stops at."""
    # The parser needs quadratic time for a key of thousands of parts, so those never reach it.
    if any(line.count(".") > 1000 for line in text.split("\n")) and first_deeper(text, 100) is not None:
        return {}, evolve(_TOO_DEEP, line=first_deeper(text, 100))
    try:
        return tomllib.loads(text), None
    except tomllib.TOMLDecodeError as error:
        return {}, _syntax_problem(text, str(error))
    except ValueError:  # Python refuses to turn thousands of digits into a number
        found = _TOO_MANY_DIGITS.search(text)
        line = 1 + text.count("\n", 0, found.start()) if found else None
        suggestion = "write it as a string"
        return {}, Problem(message="a number has too many digits", line=line, suggestion=suggestion)
    except RecursionError:
        return {}, evolve(_TOO_DEEP, line=first_deeper(text, MAX_DEPTH))


def _syntax_problem(text: str, message: str) -> Problem:
    place = _PLACE.search(message)
    said = message[: place.start()] if place else message
    line = int(place[1]) if place and place[1] else 1 + text.rstrip("\n").count("\n")
    repeat = first_repeat(text) if said.startswith(("Cannot", "Duplicate")) else None
    if repeat is not None and repeat[2] <= line:
        path, first, again = repeat
        return Problem(
            message=f"{path} is given twice, first in line {first}",
            path=path,
            line=again,
            suggestion="keep one of them",
        )
    return Problem(
        message=f"this is not TOML: {said[:1].lower()}{said[1:]}",
        line=line,
        suggestion="look at this line and the one above it; other faults are told when it is mended",
    )


def _too_deep(data: Mapping[str, Any]) -> Path | None:
    """The first path of more than `MAX_DEPTH` parts; a loop, since what it looks for breaks recursion."""
    waiting: list[tuple[Path, Any]] = [((), data)]
    while waiting:
        path, value = waiting.pop()
        if len(path) > MAX_DEPTH:
            return path
        if isinstance(value, dict):
            waiting.extend(((*path, key), item) for key, item in value.items())
        elif isinstance(value, list):
            waiting.extend(((*path, position), item) for position, item in enumerate(value))
    return None


def _place(problem: Problem, path: Path, text: str) -> Problem:
    return evolve(problem, path=format_path(path[:3]), line=line_of(text, path))
