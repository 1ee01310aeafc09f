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

# Most cases are the root of their family: one row to lock and to read.
HOLD_ROOT = f"""
SELECT {_C_ROW}, c.position, c.members, c.family_wakes_at, k.request, k.answer, k.answered_at
FROM renoflow_cases c
LEFT JOIN renoflow_keys k ON k.tenant = c.tenant AND k.case_id = c.id AND k.key = :key
WHERE c.tenant = :tenant AND c.id = :id AND c.root = :id
"""
HOLD_ROOT_POSTGRES = f"{HOLD_ROOT}FOR NO KEY UPDATE OF c"

HOLD_SQLITE = f"""
SELECT {_C_ROW}, r.position, r.members, r.family_wakes_at, k.request, k.answer, k.answered_at
FROM renoflow_cases c JOIN renoflow_cases r ON r.tenant = c.tenant AND r.id = c.root
LEFT JOIN renoflow_keys k ON k.tenant = c.tenant AND k.case_id = c.id AND k.key = :key
WHERE c.tenant = :tenant AND c.id = :id
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

# ------------------------------------------------------------------ found anew

FORGET_TERMS = "DELETE FROM renoflow_terms WHERE position = :position"

FORGET_DEADLINES = "DELETE FROM renoflow_deadlines WHERE tenant = :tenant AND case_id = :id"

SET_STAGE = "UPDATE renoflow_cases SET stage = :stage WHERE position = :position"

SKIP_LAYOUT = """
UPDATE renoflow_terms SET value = :value
WHERE name = :name AND position = (SELECT position FROM renoflow_cases WHERE tenant = :tenant AND id = :id)
"""

UNINDEXED = """
SELECT EXISTS (SELECT 1 FROM renoflow_terms
WHERE name IN (SELECT DISTINCT 'layout ' || workflow FROM renoflow_cases) AND value = '')
"""

NEXT_TENANT = "SELECT min(tenant) FROM renoflow_cases WHERE tenant > :tenant"

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

# ------------------------------------------------------------------ what is no longer asked for

PURGE_ANSWERS = """
DELETE FROM renoflow_keys WHERE (tenant, case_id, key) IN (
  SELECT tenant, case_id, key FROM renoflow_keys
  WHERE tenant = :tenant AND answered_at < :before LIMIT :limit)
"""

PURGE_EFFECTS = """
DELETE FROM renoflow_outbox WHERE position IN (
  SELECT position FROM renoflow_outbox
  WHERE tenant = :tenant AND status = 'delivered' AND retry_at < :before LIMIT :limit)
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

FAILURES = (
    "SELECT position, failure FROM renoflow_cases WHERE tenant = :tenant AND root = :root AND failure <> ''"
)

SET_FAILURE = "UPDATE renoflow_cases SET failure = :failure WHERE position = :position"

CASE_EFFECTS = "SELECT key, effect, failure FROM renoflow_outbox WHERE tenant = :tenant AND case_id = :id"

SET_EFFECT = """
UPDATE renoflow_outbox SET effect = :effect, recipient = :recipient, failure = :failure
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
"""Columns with their PostgreSQL types; a row of a write has its values in this order."""

STANDING_COLUMNS: Columns = {
    "workflow_version": "integer", "state": "text", "stage": "text", "snapshot": "text", "version": "integer",
    "head": "text", "moved_at": "timestamptz", "wakes_at": "timestamptz",
}  # fmt: skip
FIGURES: Columns = {"members": "integer", "family_wakes_at": "timestamptz"}
"""What the row of a root says of its family."""

MOVED: Columns = {**STANDING_COLUMNS, "position": "bigint", "was": "integer", **FIGURES}
FAMILIES: Columns = {**FIGURES, "position": "bigint"}
OPENED: Columns = {
    "tenant": "text", "id": "text", "workflow": "text", "root": "text", "parent": "text",
    "opened_at": "timestamptz", **STANDING_COLUMNS, **FIGURES,
}  # fmt: skip
LINES: Columns = {
    "tenant": "text", "case_id": "text", "number": "integer", "happened_at": "timestamptz", "event": "text",
    "body": "text", "personal": "text", "hash": "text",
}  # fmt: skip
DONE: Columns = {"tenant": "text", "case_id": "text", "name": "text"}
RUNNING: Columns = {
    "tenant": "text", "case_id": "text", "name": "text", "generation": "integer", "status": "text",
    "owner": "text", "due_at": "timestamptz", "target_at": "timestamptz", "wake_at": "timestamptz",
    "breached_at": "timestamptz", "workflow": "text", "provisional": "boolean",
}  # fmt: skip
LOST_TERMS: Columns = {"position": "bigint", "name": "text", "value": "text"}
NEW_TERMS: Columns = {**LOST_TERMS, "tenant": "text"}
EFFECTS: Columns = {
    "tenant": "text", "key": "text", "case_id": "text", "kind": "text", "recipient": "text",
    "effect": "text", "status": "text", "retry_at": "timestamptz",
}  # fmt: skip
ANSWERS: Columns = {
    "tenant": "text", "case_id": "text", "key": "text", "request": "text", "answer": "text",
    "answered_at": "timestamptz",
}  # fmt: skip

PARTS: Mapping[str, Columns] = {
    "opened": OPENED, "moved": MOVED, "families": FAMILIES, "lines": LINES, "done": DONE, "running": RUNNING,
    "lost_terms": LOST_TERMS, "new_terms": NEW_TERMS, "effects": EFFECTS, "answers": ANSWERS,
}  # fmt: skip
"""What one write is made of, in this order."""


def place_of(part: str, column: str) -> int:
    """Where a row of a write has the value of a column."""
    return list(PARTS[part]).index(column)


SQLITE_WIDTH = {part: len(columns) for part, columns in PARTS.items()} | {
    "moved": place_of("moved", "members")
}
"""How many values of a row SQLite's statement takes."""


def _sets(columns: Columns, source: str = "") -> str:
    """Each column from a parameter, or from a row of the `source`."""
    return ", ".join(f"{name} = {f'{source}.{name}' if source else '?'}" for name in columns)


_ANEW = "attempts = 0, retry_at = NULL, failure = ''"
_STARTS = f"""
ON CONFLICT (tenant, case_id, name) DO UPDATE
SET {_sets(dict(list(RUNNING.items())[len(DONE) :]), "excluded")}
"""


_KNOWN = "ON CONFLICT (position, name, value) DO NOTHING"
"""Two texts of a case may have the same word."""


def _insert(table: str, columns: Columns) -> str:
    marks = ", ".join("?" * len(columns))
    return f"INSERT INTO renoflow_{table} ({', '.join(columns)}) VALUES ({marks})"


_TABLES = {
    "opened": "cases", "lines": "history", "running": "deadlines", "new_terms": "terms", "effects": "outbox",
    "answers": "keys",
}  # fmt: skip

# SQLite writes an index anew for every column that is set, changed or not; so the figures of a family are set
# apart, and only when they are new. PostgreSQL compares them, and may not set one row twice.
SQLITE_WRITES: Mapping[str, str] = {
    "opened": f"{_insert('cases', OPENED)} ON CONFLICT (tenant, id) DO NOTHING",
    "moved": (
        f"UPDATE renoflow_cases SET {_sets(STANDING_COLUMNS)}, {_ANEW} WHERE position = ? AND version = ?"
    ),
    "families": f"UPDATE renoflow_cases SET {_sets(FIGURES)}, {_ANEW} WHERE position = ?",
    "lines": _insert("history", LINES),
    "done": "DELETE FROM renoflow_deadlines WHERE tenant = ? AND case_id = ? AND name = ?",
    "running": f"{_insert('deadlines', RUNNING)} {_STARTS}",
    "lost_terms": "DELETE FROM renoflow_terms WHERE position = ? AND name = ? AND value = ?",
    "new_terms": f"{_insert('terms', NEW_TERMS)} {_KNOWN}",
    "effects": _insert("outbox", EFFECTS),
    "answers": _insert("keys", ANSWERS),
}


_CONFLICTS = {"running": _STARTS, "new_terms": _KNOWN}

Shape = Sequence[tuple[str, int]]
"""The parts of a write, each with the number of its rows."""


def _rows(part: str, count: int) -> str:
    """The rows of a part of a write: each value is a parameter, which driver and server take in faster than
    arrays or JSON."""
    columns = PARTS[part]
    row = ", ".join(f"%s::{kind}" for kind in columns.values())
    return f"(VALUES {', '.join([f'({row})'] * count)}) AS n ({', '.join(columns)})"


def postgres_write(shape: Shape) -> str:
    """One statement that writes these parts; it answers how many cases moved, and which were opened where."""
    with_parts = ",\n".join(f"{part} AS ({_postgres_part(part, count)})" for part, count in shape)
    parts = {part for part, _ in shape}
    moved = "(SELECT count(*) FROM moved)" if "moved" in parts else "0"
    opened = "opened" in parts
    ids = "(SELECT array_agg(id ORDER BY position) FROM opened)" if opened else "NULL"
    positions = "(SELECT array_agg(position ORDER BY position) FROM opened)" if opened else "NULL"
    return f"WITH {with_parts}\nSELECT {moved}, {ids}, {positions}"


def _postgres_part(part: str, count: int) -> str:
    rows = _rows(part, count)
    if part == "moved":
        sets = _sets({**STANDING_COLUMNS, **FIGURES}, "n")
        return (
            f"UPDATE renoflow_cases c SET {sets}, {_ANEW} FROM {rows} "
            "WHERE c.position = n.position AND c.version = n.was RETURNING 1"
        )
    if part == "families":
        sets = _sets(FIGURES, "n")
        return f"UPDATE renoflow_cases c SET {sets}, {_ANEW} FROM {rows} WHERE c.position = n.position"
    if part == "done":
        same = "d.tenant = n.tenant AND d.case_id = n.case_id AND d.name = n.name"
        return f"DELETE FROM renoflow_deadlines d USING {rows} WHERE {same}"
    if part == "lost_terms":
        same = "t.position = n.position AND t.name = n.name AND t.value = n.value"
        return f"DELETE FROM renoflow_terms t USING {rows} WHERE {same}"
    names = ", ".join(PARTS[part])
    insert = f"INSERT INTO renoflow_{_TABLES[part]} ({names}) SELECT {names} FROM {rows}"
    if part == "opened":
        return f"{insert} ON CONFLICT (tenant, id) DO NOTHING RETURNING id, position"
    return f"{insert} {_CONFLICTS.get(part, '')}"


# ------------------------------------------------------------------ for one driver

_NAME = re.compile(r"(?<!:):(\w+)")


def for_psycopg(statement: str) -> str:
    """With the placeholders that psycopg reads; sqlite3 takes the statements as they are."""
    return _NAME.sub(r"%(\1)s", statement)
