"""Statements on a driver's own cursor, and the one write that carries everything a call did."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from attrs import frozen

from renoflow.store import statements as sql
from renoflow.store.protocol import OvertakenError
from renoflow.store.rows import Form, Values
from renoflow.store.terms import SEPARATOR

Parts = dict[str, list[Values]]
"""The rows of one write, by the part of it (`statements.PARTS`)."""

TERMS = ("opened_terms", "lost_terms", "new_terms")

UNIQUE_VIOLATION = "23505"

translated = lru_cache(maxsize=None)(sql.for_psycopg)
postgres_write = lru_cache(maxsize=256)(sql.postgres_write)


@frozen
class Runner:
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
        present = tuple(part for part in sql.PARTS if parts.get(part))
        if not present:
            return {}
        return self._write_at_once(present, parts) if self.postgres else self._write_in_turn(present, parts)

    def _write_at_once(self, present: tuple[str, ...], parts: Parts) -> Mapping[str, int]:
        if "families" in present:
            moved_rows = {row["position"] for row in parts.get("moved", ())}
            parts = {**parts, "families": [r for r in parts["families"] if r["position"] not in moved_rows]}
        shape = tuple((part, len(parts[part])) for part in present if parts[part])
        values = {
            f"{part}_{number}_{name}": row[name]
            for part, _ in shape
            for number, row in enumerate(parts[part])
            for name in sql.PARTS[part]
        }
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

    def _write_in_turn(self, present: Sequence[str], parts: Parts) -> Mapping[str, int]:
        opened: dict[str, int] = {}
        cursor = self.cursor
        for part in present:
            statement, rows = sql.SQLITE_WRITES[part], parts[part]
            if part == "opened":
                for row in rows:
                    cursor.execute(statement, row)
                    if cursor.rowcount != 1:
                        raise OvertakenError
                    opened[row["id"]] = cursor.lastrowid
                continue
            if part in TERMS:
                rows = list(_each_term(rows, opened))
            if len(rows) == 1:
                cursor.execute(statement, rows[0])
            else:
                cursor.executemany(statement, rows)
            if part == "moved" and cursor.rowcount != len(rows):
                raise OvertakenError
        return opened


def _each_term(rows: Sequence[Values], opened: Mapping[str, int]) -> Iterator[Values]:
    """A row for each term; PostgreSQL takes them apart itself."""
    for row in rows:
        position = opened[row["case_id"]] if "case_id" in row else row["position"]
        pairs = zip(row["names"].split(SEPARATOR), row["terms"].split(SEPARATOR), strict=True)
        for name, value in pairs:
            yield {"position": position, "tenant": row["tenant"], "name": name, "value": value}
