"""Every statement of the SQL store, written once and run on the driver's own cursor.

A step is so short that building and compiling its statements would cost more than running them (see
`docs/performance.md`). SQLite takes several short ones; on PostgreSQL one SELECT reads and locks, and one
statement writes everything.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

ROW = "position, id, root, parent, workflow, workflow_version, version, head, snapshot"
"""What is read of a case."""

_C_ROW = ", ".join(f"c.{name}" for name in ROW.split(", "))

BEGIN = "BEGIN IMMEDIATE"

NOTHING = "DELETE FROM renoflow_keys WHERE 0"
"""Takes SQLite's write lock in a transaction that somebody else began."""

# ------------------------------------------------------------------ reading and holding

HOLD_SQLITE = f"""
SELECT {_C_ROW}, r.position, r.members, r.family_wakes_at, k.request, k.answer, k.answered_at
FROM renoflow_cases c JOIN renoflow_cases r ON r.tenant = c.tenant AND r.id = c.root
LEFT JOIN renoflow_keys k ON k.tenant = c.tenant AND k.case_id = c.id AND k.key = :key
WHERE c.tenant = :tenant AND c.id = :id
"""

# Most cases are the root of their family: one row to lock and to read.
HOLD_ROOT_POSTGRES = f"""
SELECT {_C_ROW}, c.position, c.members, c.family_wakes_at, k.request, k.answer, k.answered_at
FROM renoflow_cases c
LEFT JOIN renoflow_keys k ON k.tenant = c.tenant AND k.case_id = c.id AND k.key = :key
WHERE c.tenant = :tenant AND c.id = :id AND c.root = :id
FOR NO KEY UPDATE OF c
"""

# The family's row is locked before the case is read, and the case again as it then is. Nothing comes back
# where the case has gone over to another family meanwhile.
HOLD_POSTGRES = f"""
WITH family AS MATERIALIZED (
  SELECT id, position, members, family_wakes_at FROM renoflow_cases
  WHERE tenant = :tenant AND id = (SELECT root FROM renoflow_cases WHERE tenant = :tenant AND id = :id)
  FOR NO KEY UPDATE
)
SELECT {_C_ROW}, family.position, family.members, family.family_wakes_at, k.request, k.answer, k.answered_at
FROM family JOIN renoflow_cases c ON c.root = family.id
LEFT JOIN renoflow_keys k ON k.tenant = c.tenant AND k.case_id = c.id AND k.key = :key
WHERE c.tenant = :tenant AND c.id = :id AND c.root = family.id
FOR NO KEY UPDATE OF c
"""

ROOT = "SELECT root FROM renoflow_cases WHERE tenant = :tenant AND id = :id"

CASE = f"SELECT {ROW} FROM renoflow_cases WHERE tenant = :tenant AND id = :id"

FAMILY = f"SELECT {ROW} FROM renoflow_cases WHERE tenant = :tenant AND root = :root ORDER BY position"

CHILDREN = f"""
SELECT {ROW} FROM renoflow_cases WHERE tenant = :tenant AND root = :root AND parent = :id ORDER BY position
"""

PAGE = f"""
SELECT {ROW} FROM renoflow_cases WHERE tenant = :tenant AND position > :after ORDER BY position LIMIT :limit
"""

CLAIM = """
SELECT id, position, members, family_wakes_at FROM renoflow_cases
WHERE tenant = :tenant AND family_wakes_at <= :until AND (retry_at IS NULL OR retry_at <= :until)
ORDER BY family_wakes_at, position LIMIT :limit
"""

IDS_FROM = "SELECT id FROM renoflow_cases WHERE tenant = :tenant AND id >= :id ORDER BY id LIMIT 20"

IDS_BEFORE = "SELECT id FROM renoflow_cases WHERE tenant = :tenant AND id < :id ORDER BY id DESC LIMIT 20"

NEXT_WAKE = """
SELECT min(family_wakes_at) FROM renoflow_cases
WHERE tenant = :tenant AND family_wakes_at <= :until AND (retry_at IS NULL OR retry_at <= :until)
"""

COUNT_DUE = """
SELECT count(*) FROM renoflow_cases
WHERE tenant = :tenant AND family_wakes_at <= :until AND (retry_at IS NULL OR retry_at <= :until)
"""

POSTPONED = """
SELECT id, attempts, retry_at, failure FROM renoflow_cases
WHERE tenant = :tenant AND family_wakes_at IS NOT NULL AND attempts > 0 ORDER BY position
"""

HISTORY = """
SELECT number, body, personal, hash FROM renoflow_history
WHERE tenant = :tenant AND case_id = :id AND number BETWEEN :first AND :last ORDER BY number
"""

KEY = """
SELECT request, answer, answered_at FROM renoflow_keys
WHERE tenant = :tenant AND case_id = :id AND key = :key
"""

# ------------------------------------------------------------------ families

JOIN_FAMILIES = """
UPDATE renoflow_cases SET root = :root, members = 0, family_wakes_at = NULL
WHERE tenant = :tenant AND root = :other
"""

POSTPONE = """
UPDATE renoflow_cases SET attempts = :attempts, retry_at = :retry_at, failure = :failure
WHERE position = :position
"""

ATTEMPTS = "SELECT attempts FROM renoflow_cases WHERE position = :position"

# ------------------------------------------------------------------ the outbox

EFFECT = """
SELECT effect FROM renoflow_outbox WHERE tenant = :tenant AND case_id = :id AND key = :key
"""

OUTBOX = """
SELECT case_id, key, effect, status, attempts, retry_at, failure FROM renoflow_outbox
WHERE tenant = :tenant AND status = :status ORDER BY position LIMIT :limit
"""

TAKE = """
SELECT position, case_id, key, effect, attempts FROM renoflow_outbox
WHERE tenant = :tenant AND status = 'waiting' AND retry_at <= :at ORDER BY retry_at, position LIMIT 1
"""

ATTEMPT = """
UPDATE renoflow_outbox SET attempts = :attempts, retry_at = :retry_at WHERE position = :position
"""

SETTLE = """
UPDATE renoflow_outbox SET status = :status, failure = :failure
WHERE tenant = :tenant AND case_id = :id AND key = :key
"""

REVIVE = """
UPDATE renoflow_outbox SET status = 'waiting', attempts = 0, retry_at = :at
WHERE tenant = :tenant AND key = :key AND status = 'dead'
"""

# ------------------------------------------------------------------ verification

IDS = """
SELECT position, id FROM renoflow_cases
WHERE tenant = :tenant AND position > :after ORDER BY position LIMIT :limit
"""

STANDING = "SELECT version, head, snapshot FROM renoflow_cases WHERE tenant = :tenant AND id = :id"

ORPHANS = """
SELECT DISTINCT h.case_id FROM renoflow_history h
LEFT JOIN renoflow_cases c ON c.tenant = h.tenant AND c.id = h.case_id
WHERE h.tenant = :tenant AND c.id IS NULL ORDER BY h.case_id
"""

REDACTIONS = """
SELECT event, max(number) FROM renoflow_history
WHERE tenant = :tenant AND case_id = :id AND substr(event, length(event) - 8) = :last_part GROUP BY event
"""

# ------------------------------------------------------------------ redaction

PERSONAL = """
SELECT h.case_id, h.number, h.event, h.body, h.personal
FROM renoflow_history h JOIN renoflow_cases c ON c.tenant = h.tenant AND c.id = h.case_id
WHERE c.tenant = :tenant AND c.root = :root AND h.personal IS NOT NULL
"""

SET_PERSONAL = """
UPDATE renoflow_history SET personal = :personal
WHERE tenant = :tenant AND case_id = :id AND number = :number
"""

SET_SNAPSHOT = "UPDATE renoflow_cases SET snapshot = :snapshot WHERE position = :position"

CASE_EFFECTS = "SELECT key, effect FROM renoflow_outbox WHERE tenant = :tenant AND case_id = :id"

SET_EFFECT = """
UPDATE renoflow_outbox SET effect = :effect, recipient = :recipient
WHERE tenant = :tenant AND case_id = :id AND key = :key
"""

CASE_KEYS = """
SELECT key, request, answer, answered_at FROM renoflow_keys WHERE tenant = :tenant AND case_id = :id
"""

SET_ANSWER = """
UPDATE renoflow_keys SET request = '', answer = :answer
WHERE tenant = :tenant AND case_id = :id AND key = :key
"""

# ------------------------------------------------------------------ writing

Columns = Mapping[str, str]
"""Columns with their PostgreSQL types."""

MOVED: Columns = {
    "position": "bigint", "was": "integer", "workflow_version": "integer", "state": "text", "stage": "text",
    "snapshot": "text", "version": "integer", "head": "text", "moved_at": "timestamptz",
    "wakes_at": "timestamptz", "members": "integer", "family_wakes_at": "timestamptz",
}  # fmt: skip
FAMILIES: Columns = {"position": "bigint", "members": "integer", "family_wakes_at": "timestamptz"}
OPENED: Columns = {
    "tenant": "text", "id": "text", "workflow": "text", "workflow_version": "integer", "root": "text",
    "parent": "text", "state": "text", "stage": "text", "snapshot": "text", "version": "integer",
    "head": "text", "opened_at": "timestamptz", "moved_at": "timestamptz", "wakes_at": "timestamptz",
    "members": "integer", "family_wakes_at": "timestamptz", "layout": "text",
}  # fmt: skip
LINES: Columns = {
    "tenant": "text", "case_id": "text", "number": "integer", "happened_at": "timestamptz", "event": "text",
    "body": "text", "personal": "text", "hash": "text",
}  # fmt: skip
RUNNING: Columns = {
    "tenant": "text", "case_id": "text", "name": "text", "generation": "integer", "status": "text",
    "owner": "text", "due_at": "timestamptz", "target_at": "timestamptz", "wake_at": "timestamptz",
    "breached_at": "timestamptz", "workflow": "text", "kind": "text", "provisional": "boolean",
}  # fmt: skip
DONE: Columns = {"tenant": "text", "case_id": "text", "name": "text"}
EFFECTS: Columns = {
    "tenant": "text", "key": "text", "case_id": "text", "kind": "text", "recipient": "text",
    "effect": "text", "status": "text", "retry_at": "timestamptz",
}  # fmt: skip
OPENED_TERMS: Columns = {"case_id": "text", "tenant": "text", "names": "text", "terms": "text"}
TERMS: Columns = {"position": "bigint", "tenant": "text", "names": "text", "terms": "text"}
ANSWERS: Columns = {
    "tenant": "text", "case_id": "text", "key": "text", "request": "text", "answer": "text",
    "answered_at": "timestamptz",
}  # fmt: skip

PARTS: Mapping[str, Columns] = {
    "opened": OPENED, "moved": MOVED, "families": FAMILIES, "lines": LINES, "done": DONE, "running": RUNNING,
    "opened_terms": OPENED_TERMS, "lost_terms": TERMS, "new_terms": TERMS,
    "effects": EFFECTS, "answers": ANSWERS,
}  # fmt: skip
"""What one write is made of, in this order."""

_MOVES = (
    "SET workflow_version = {0}workflow_version, state = {0}state, stage = {0}stage, snapshot = {0}snapshot, "
    "version = {0}version, head = {0}head, moved_at = {0}moved_at, wakes_at = {0}wakes_at, "
    "attempts = 0, retry_at = NULL, failure = ''"
)
_FIGURES = "members = {0}members, family_wakes_at = {0}family_wakes_at"
_BEATS = f"SET {_FIGURES}, attempts = 0, retry_at = NULL, failure = ''"
_STARTS = (
    "ON CONFLICT (tenant, case_id, name) DO UPDATE SET generation = excluded.generation, "
    "status = excluded.status, owner = excluded.owner, due_at = excluded.due_at, "
    "target_at = excluded.target_at, wake_at = excluded.wake_at, breached_at = excluded.breached_at, "
    "workflow = excluded.workflow, kind = excluded.kind, provisional = excluded.provisional"
)
_NEW_TERM = """
INSERT INTO renoflow_terms (position, tenant, name, value) VALUES (:position, :tenant, :name, :value)
ON CONFLICT (position, name, value) DO NOTHING
"""


def _insert(table: str, columns: Columns) -> str:
    values = ", ".join(f":{name}" for name in columns)
    return f"INSERT INTO renoflow_{table} ({', '.join(columns)}) VALUES ({values})"


_TABLES = {
    "opened": "cases", "lines": "history", "running": "deadlines", "effects": "outbox", "answers": "keys",
}  # fmt: skip

# SQLite writes an index anew for every column that is set, changed or not; so the figures of a family are set
# apart, and only when they are new. PostgreSQL compares them, and may not set one row twice.
SQLITE_WRITES: Mapping[str, str] = {
    "opened": f"{_insert('cases', OPENED)} ON CONFLICT (tenant, id) DO NOTHING",
    "moved": f"UPDATE renoflow_cases {_MOVES.format(':')} WHERE position = :position AND version = :was",
    "families": f"UPDATE renoflow_cases {_BEATS.format(':')} WHERE position = :position",
    "lines": _insert("history", LINES),
    "done": "DELETE FROM renoflow_deadlines WHERE tenant = :tenant AND case_id = :case_id AND name = :name",
    "running": f"{_insert('deadlines', RUNNING)} {_STARTS}",
    "opened_terms": _NEW_TERM,
    "lost_terms": "DELETE FROM renoflow_terms WHERE position = :position AND name = :name AND value = :value",
    "new_terms": _NEW_TERM,
    "effects": _insert("outbox", EFFECTS),
    "answers": _insert("keys", ANSWERS),
}


Shape = Sequence[tuple[str, int]]
"""The parts of a write, each with the number of its rows."""


def _rows(part: str, count: int) -> str:
    """The rows of a part of a write: each value is a parameter, which driver and server take in faster than
    arrays or JSON."""
    columns = PARTS[part]
    rows = ", ".join(
        f"({', '.join(f':{part}_{row}_{name}::{kind}' for name, kind in columns.items())})"
        for row in range(count)
    )
    return f"(VALUES {rows}) AS n ({', '.join(columns)})"


def _insert_rows(table: str, part: str, count: int) -> str:
    names = ", ".join(PARTS[part])
    return f"INSERT INTO renoflow_{table} ({names}) SELECT {names} FROM {_rows(part, count)}"


def postgres_write(shape: Shape) -> str:
    """One statement that writes these parts; it answers how many cases moved, and which were opened where."""
    with_parts = ",\n".join(f"{part} AS ({_postgres_part(part, count)})" for part, count in shape)
    parts = {part for part, _ in shape}
    moved = "(SELECT count(*) FROM moved)" if "moved" in parts else "0"
    opened = "opened" in parts
    ids = "(SELECT array_agg(id ORDER BY position) FROM opened)" if opened else "NULL"
    positions = "(SELECT array_agg(position ORDER BY position) FROM opened)" if opened else "NULL"
    return for_psycopg(f"WITH {with_parts}\nSELECT {moved}, {ids}, {positions}")


def _postgres_part(part: str, count: int) -> str:
    rows = _rows(part, count)
    if part == "moved":
        moves = f"{_MOVES.format('n.')}, {_FIGURES.format('n.')}"
        return (
            f"UPDATE renoflow_cases c {moves} FROM {rows} "
            "WHERE c.position = n.position AND c.version = n.was RETURNING 1"
        )
    if part == "families":
        return f"UPDATE renoflow_cases c {_BEATS.format('n.')} FROM {rows} WHERE c.position = n.position"
    if part == "done":
        same = "d.tenant = n.tenant AND d.case_id = n.case_id AND d.name = n.name"
        return f"DELETE FROM renoflow_deadlines d USING {rows} WHERE {same}"
    if part in ("opened_terms", "lost_terms", "new_terms"):
        return _postgres_terms(part, rows)
    insert = _insert_rows(_TABLES[part], part, count)
    if part == "opened":
        return f"{insert} ON CONFLICT (tenant, id) DO NOTHING RETURNING id, position"
    return f"{insert} {_STARTS}" if part == "running" else insert


def _postgres_terms(part: str, rows: str) -> str:
    """All terms of a case are two parameters, so that their number does not make another statement."""
    names, terms = (f"string_to_array(n.{column}, chr(31))" for column in ("names", "terms"))
    each = f"{rows}, unnest({names}, {terms}) t (name, value)"
    if part == "lost_terms":
        same = "x.position = n.position AND x.name = t.name AND x.value = t.value"
        return f"DELETE FROM renoflow_terms x USING {each} WHERE {same}"
    place, of_case = "n.position", ""
    if part == "opened_terms":
        place, of_case = "o.position", ", opened o WHERE o.id = n.case_id"
    return (
        "INSERT INTO renoflow_terms (position, tenant, name, value) "
        f"SELECT {place}, n.tenant, t.name, t.value FROM {each}{of_case} "
        "ON CONFLICT (position, name, value) DO NOTHING"
    )


# ------------------------------------------------------------------ for one driver

_NAME = re.compile(r"(?<!:):(\w+)")


def for_psycopg(statement: str) -> str:
    """With the placeholders that psycopg reads; sqlite3 takes the statements as they are."""
    return _NAME.sub(r"%(\1)s", statement)
