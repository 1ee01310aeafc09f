"""Statements on a driver's own cursor, and the one write that carries everything a call did."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from renoflow.store import statements as sql
from renoflow.store.protocol import OvertakenError
from renoflow.store.rows import Form, Values

Parts = dict[str, list[Values]]
"""The rows of one write, by the part of it (`statements.PARTS`)."""

UNIQUE_VIOLATION = "23505"
MOST_TERMS = 1000
"""In one statement of PostgreSQL, which takes 65535 values: a case with many long texts has more."""

NOWHERE: Mapping[str, int] = {}

_MOVED_PLACE = sql.place_of("moved", "position")
_FAMILY_PLACE = sql.place_of("families", "position")
_OPENED_ID = sql.place_of("opened", "id")
_IN_TURN = {
    part: (statement, sql.SQLITE_WIDTH[part])
    for part, statement in sql.SQLITE_WRITES.items()
    if part != "opened"
}

translated = lru_cache(maxsize=None)(sql.for_psycopg)
postgres_write = lru_cache(maxsize=256)(sql.postgres_write)


class Runner(msgspec.Struct, frozen=True, kw_only=True):
    """Runs the statements of `statements` on one connection."""

    cursor: Any
    form: Form
    postgres: bool
    driver_error: type[Exception]
    meaning: Callable[[Exception], Exception]
    """A driver's error as ours."""

    def run(self, statement: str, **values: Any) -> Any:
        self.cursor.execute(translated(statement) if self.postgres else statement, values)
        return self.cursor

    def rows(self, statement: str, **values: Any) -> list[Any]:
        return list(self.run(statement, **values).fetchall())

    def first(self, statement: str, **values: Any) -> Any:
        return self.run(statement, **values).fetchone()

    def write(self, parts: Parts) -> Mapping[str, int]:
        """All the rows, or `OvertakenError`; returns where the new cases stand in the order of opening."""
        return self._write_at_once(parts) if self.postgres else self._write_in_turn(parts)

    def _write_at_once(self, parts: Parts) -> Mapping[str, int]:
        if "families" in parts and "moved" in parts:
            moved_rows = {row[_MOVED_PLACE] for row in parts["moved"]}
            families = [row for row in parts["families"] if row[_FAMILY_PLACE] not in moved_rows]
            parts = {**parts, "families": families}
        for part in ("lost_terms", "new_terms"):
            terms = parts.get(part, [])
            if len(terms) > MOST_TERMS:
                for first in range(0, len(terms), MOST_TERMS):
                    self._write_at_once({part: terms[first : first + MOST_TERMS]})
                parts = {**parts, part: []}
        present = [(part, rows) for part in sql.PARTS if (rows := parts.get(part))]
        if not present:
            return NOWHERE
        shape = tuple((part, len(rows)) for part, rows in present)
        values = [value for _, rows in present for row in rows for value in row]
        try:
            self.cursor.execute(postgres_write(shape), values)
        except self.driver_error as error:
            # Somebody else has just opened a case under the same id: the lines of its history stand there.
            if getattr(error, "sqlstate", "") == UNIQUE_VIOLATION:
                raise OvertakenError from error
            raise
        moved, ids, positions = self.cursor.fetchone()
        opened = dict(zip(ids or (), positions or (), strict=True))
        if moved != len(parts.get("moved", ())) or len(opened) != len(parts.get("opened", ())):
            raise OvertakenError
        return opened

    def _write_in_turn(self, parts: Parts) -> Mapping[str, int]:
        cursor = self.cursor
        opened = self._open_in_turn(parts["opened"]) if "opened" in parts else NOWHERE
        for part, (statement, width) in _IN_TURN.items():
            for row in parts.get(part, ()):
                cursor.execute(statement, row[:width])
                if part == "moved" and cursor.rowcount != 1:
                    raise OvertakenError
        return opened

    def _open_in_turn(self, rows: Sequence[Values]) -> Mapping[str, int]:
        opened = {}
        for row in rows:
            self.cursor.execute(sql.SQLITE_WRITES["opened"], row)
            if self.cursor.rowcount != 1:
                raise OvertakenError
            opened[row[_OPENED_ID]] = self.cursor.lastrowid
        return opened
