"""The pure core inside a host's own objects: renoflow decides, the host keeps everything and acts.

The host has its own class, tables and transactions (SQLite here). Of each project it keeps the case as JSON,
the history for its audit screen, and an outbox of what has to be done: all in its own transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

import renoflow as rf

PROJECT = rf.load_workflows()["project"]
WANG = rf.Actor("wang", roles={"customer_manager"})
CHEN = rf.Actor("chen", roles={"designer"})
TABLES = """
create table renovation (id text primary key, address text, revision integer, wakes_at text, snapshot text);
create table history (renovation text, number integer, entry text, primary key (renovation, number));
create table outbox (key text primary key, kind text, addressee text, about text);
"""


@dataclass
class Renovation:
    """The host's own object, as a mapper would fill it; only `case` is renoflow's."""

    id: str
    address: str
    revision: int
    case: rf.Case


def begin(db: sqlite3.Connection, name: str, address: str) -> None:
    """The host's row and the case begin together, or neither does."""
    decision = PROJECT.open(
        name,
        actor=WANG,
        at="2026-03-01T10:00:00+08:00",
        facts={"home_area": "128", "home_kind": "flat"},
        documents=["registration_form"],
    )
    with db:
        db.execute("insert into renovation (id, address, revision) values (?, ?, 0)", (name, address))
        keep(db, name, 0, decision)


def handle(db: sqlite3.Connection, name: str, command: rf.Command) -> rf.Decision:
    """One request: load, decide, and keep all of it or nothing."""
    renovation = load(db, name)
    decision = PROJECT.decide(renovation.case, command)
    if decision.accepted:
        with db:
            keep(db, name, renovation.revision, decision)
    return decision


def every_night(db: sqlite3.Connection, at: str) -> None:
    """The host's own scheduler: what has fallen due becomes warnings, breaches and notices."""
    due = "select id from renovation where datetime(wakes_at) <= datetime(?)"
    for (name,) in db.execute(due, (at,)).fetchall():
        renovation = load(db, name)
        with db:
            keep(db, name, renovation.revision, PROJECT.wake(renovation.case, at))


def load(db: sqlite3.Connection, name: str) -> Renovation:
    query = "select id, address, revision, snapshot from renovation where id = ?"
    key, address, revision, snapshot = db.execute(query, (name,)).fetchone()
    return Renovation(key, address, revision, PROJECT.case_from_json(snapshot))


def keep(db: sqlite3.Connection, name: str, revision: int, decision: rf.Decision) -> None:
    """Inside the host's transaction; a colleague's step in between rolls it back."""
    case = decision.unwrap()
    wakes_at = case.wakes_at and case.wakes_at.isoformat()
    snapshot = PROJECT.to_json(case).decode()
    change = "update renovation set revision = ?, wakes_at = ?, snapshot = ? where id = ? and revision = ?"
    if db.execute(change, (revision + 1, wakes_at, snapshot, name, revision)).rowcount != 1:
        raise RuntimeError(f"{name} has moved on; load it and ask again")
    rows = [(name, entry.number, PROJECT.to_json(entry).decode()) for entry in decision.entries]
    db.executemany("insert into history values (?, ?, ?)", rows)
    todo = [(effect.key, effect.kind, effect.to, effect.about) for effect in decision.effects]
    db.executemany("insert into outbox values (?, ?, ?, ?)", todo)


def first_consultations() -> Iterator[rf.Command]:
    """What the host's web page sends: first without the customer's signature, then with it."""
    for signers in ((), ("customer",)):
        papers = [rf.Document("customer_file"), rf.Document("consultation_record", signers)]
        yield rf.Command("start_consultation", CHEN, "2026-03-02T14:00:00+08:00", documents=papers)


def main() -> None:
    db = sqlite3.connect(":memory:")
    db.executescript(TABLES)
    begin(db, "P-1", "12 Garden Road")
    for command in first_consultations():
        decision = handle(db, "P-1", command)
        print(decision.accepted, *(reason.text("en") for reason in decision.reasons))
    every_night(db, "2026-03-10T02:00:00+08:00")
    for row in db.execute("select address, json_extract(snapshot, '$.state') from renovation"):
        print("report:", *row)
    for row in db.execute("select kind, addressee, about from outbox"):
        print("to do:", *row)
    history = [row[0] for row in db.execute("select entry from history order by number")]
    same = PROJECT.replay(PROJECT.entry_from_json(entry) for entry in history)
    print("the history gives the same case again:", same == load(db, "P-1").case)
    db.close()


if __name__ == "__main__":
    main()
