"""Where a table path stands in a TOML text.

The standard library's parser keeps no positions, so a light scan of headers, keys and list items
finds them again. It runs only when there is a fault, never raises, and on a text that is not TOML
it finds what it can.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache

from attrs import Factory, define, frozen

Path = tuple[str | int, ...]
"""Keys and list positions from the root: `("events", "pay_deposit", "guards", 0)`."""

_DEEP = 200
"""No file is nested so. What lies deeper is noted under its ancestor, since a path costs its whole length."""

_PATH_PART = re.compile(r'\[([0-9]{1,9})\]|("(?:\\.|[^"\\])*")|([^.\[\]"]+)')
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_TOKEN = re.compile(
    r"""
      (?P<comment>\#[^\n]*)
    | (?P<newline>\n)
    | (?P<string>\"{3}(?:\\.|[^\\])*?(?:\"{3,5}|\Z) | '{3}.*?(?:'{3,5}|\Z)
        | "(?:\\.|[^"\\\n])*"? | '[^'\n]*'?)
    | (?P<mark>[\[\]{}=,.])
    | (?P<bare>[^\s\[\]{}=,."'\#]+)
    """,
    re.VERBOSE | re.DOTALL,
)


def format_path(path: Path) -> str:
    """`events.pay_deposit.guards[0]`; a key that is not bare is quoted: `labels.project."events.x"`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            key = part if _BARE_KEY.fullmatch(part) else json.dumps(part, ensure_ascii=False)
            text += f".{key}" if text else key
    return text


def parse_path(text: str) -> Path:
    """The parts of a formatted path; what cannot be read is left out."""
    path: list[str | int] = []
    for match in _PATH_PART.finditer(text):
        number, quoted, bare = match.groups()
        path.append(int(number) if number else _unquoted(quoted) if quoted else bare)
    return tuple(path)


def line_of(text: str, path: str | Path) -> int | None:
    """The line, from 1, where `path` is written, or else the nearest thing that holds it.

    A missing key gives the line of its table; None where not even the outermost table is there.
    """
    parts = parse_path(path) if isinstance(path, str) else path
    found = _scan(text).lines
    return next((found[parts[:end]] for end in range(len(parts), 0, -1) if parts[:end] in found), None)


def first_repeat(text: str) -> tuple[str, int, int] | None:
    """The first path that is declared twice, with both lines; for a better word than the parser has."""
    return next(iter(_scan(text).repeats), None)


def first_deeper(text: str, depth: int) -> int | None:
    """The line of the first value that lies more than `depth` (under 200) parts of a path deep."""
    return min((line for path, line in _scan(text).lines.items() if len(path) > depth), default=None)


@frozen
class _Open:
    """A list or an inline table that is not closed yet, and the scanner's state outside it."""

    path: Path
    is_list: bool


@define
class _Scan:
    """The scanner's state; `wants` is what comes next: a key, a header's key, a value, or nothing."""

    lines: dict[Path, int] = Factory(dict)
    repeats: list[tuple[str, int, int]] = Factory(list)
    _declared: dict[Path, int] = Factory(dict)
    _elements: dict[Path, int] = Factory(dict)
    _table: Path = ()
    _open: list[_Open] = Factory(list)
    _positions: list[int] = Factory(list)
    _wants: str = "key"
    _key: list[str] = Factory(list)
    _brackets: int = 0
    _value_at: Path = ()

    def run(self, text: str) -> None:
        line = 1
        for match in _TOKEN.finditer(text):
            kind, token = match.lastgroup, match[0]
            if kind == "newline":
                if not self._open:
                    self._start_statement()
            elif kind == "mark":
                self._mark(token, line)
            elif kind != "comment":
                self._word(token, line)
            line += token.count("\n")

    def _start_statement(self) -> None:
        self._wants, self._key, self._brackets = "key", [], 0

    def _word(self, token: str, line: int) -> None:
        if self._wants in ("key", "header"):
            self._key.append(_unquoted(token))
        elif self._wants == "value":
            self._begin_value(line)

    def _mark(self, mark: str, line: int) -> None:
        if self._wants == "value":
            self._value_mark(mark, line)
        elif mark == "=" and self._wants == "key":
            self._assign(line)
        elif mark == "[" and self._wants in ("key", "header") and not self._open and not self._key:
            self._wants, self._brackets = "header", self._brackets + 1
        elif mark == "]" and self._wants == "header":
            self._header(line)
        elif mark == ",":
            self._next_item()
        elif mark in "]}":
            self._close()

    def _value_mark(self, mark: str, line: int) -> None:
        if mark in "[{":
            self._begin_value(line)
            self._open.append(_Open(self._value_at, mark == "["))
            self._positions.append(0)
            self._wants, self._key = ("value" if mark == "[" else "key"), []
        elif mark == ",":
            self._next_item()
        elif mark in "]}":
            self._close()

    def _begin_value(self, line: int) -> None:
        if self._open and self._open[-1].is_list:
            self._value_at = _below(self._open[-1].path, self._positions[-1])
            self.lines.setdefault(self._value_at, line)
        self._wants = "nothing"

    def _next_item(self) -> None:
        if self._open:
            self._positions[-1] += 1
            self._wants, self._key = ("value" if self._open[-1].is_list else "key"), []

    def _close(self) -> None:
        if self._open:
            self._open.pop()
            self._positions.pop()
        self._wants = "nothing"

    def _assign(self, line: int) -> None:
        base = self._open[-1].path if self._open else self._table
        self._value_at = self._record(base, line)
        self._declare(self._value_at, line)
        self._wants = "value"

    def _header(self, line: int) -> None:
        *parents, last = self._key or [""]
        self._key = parents
        path = (*self._record((), line), last)
        if self._brackets > 1:
            count = self._elements.get(path, 0)
            self._elements[path] = count + 1
            self.lines.setdefault(path, line)
            path = (*path, count)
        else:
            path = self._element(path)
            self._declare(path, line)
        self.lines.setdefault(path, line)
        self._table, self._wants = path, "nothing"

    def _record(self, base: Path, line: int) -> Path:
        """Note where each part of a dotted key first stands; a part that is a list means its last item."""
        path = base
        for part in self._key:
            path = self._element(_below(path, part))
            self.lines.setdefault(path, line)
        return path

    def _element(self, path: Path) -> Path:
        return (*path, self._elements[path] - 1) if path in self._elements else path

    def _declare(self, path: Path, line: int) -> None:
        if len(path) >= _DEEP:
            return
        if path in self._declared:
            self.repeats.append((format_path(path), self._declared[path], line))
        else:
            self._declared[path] = line


def _below(path: Path, part: str | int) -> Path:
    return (*path, part) if len(path) < _DEEP else path


@lru_cache(maxsize=16)
def _scan(text: str) -> _Scan:
    scan = _Scan()
    scan.run(text)
    return scan


def _unquoted(token: str) -> str:
    """A key without its quotes; escapes other than JSON's are left as they stand."""
    if token[:1] == '"':
        try:
            return str(json.loads(token))
        except ValueError:
            return token.strip('"')
    return token.strip("'") if token[:1] == "'" else token
