"""The pure core inside a host's own objects: renoflow decides, the host keeps everything and acts.

The host has its own class, tables and transactions (SQLite here). Of each project it keeps what came in,
as lines of a replay script, from which the case follows again; the history for its audit screen; a
snapshot for its reports; and an outbox of what has to be done, filled in the same transaction.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

import renoflow as rf

FLOWS = rf.load_workflows()
PROJECT = FLOWS["project"]
TABLES = """
create table project (id text primary key, revision integer, state text, wakes_at text, snapshot text);
create table incoming (project text, line text);
create table history (project text, number integer, entry text, primary key (project, number));
create table outbox (key text primary key, kind text, addressee text, about text);
"""
WAKE = "wake "


@dataclass(frozen=True)
class Renovation:
    """The host's own object, as a mapper would fill it; only `case` is renoflow's."""

    case: rf.Case
    revision: int


def decided(renovation: Renovation | None, text: str) -> rf.Decision:
    """What the rules say of a line that came in. Nothing is stored yet."""
    if renovation is not None and text.startswith(WAKE):
        return PROJECT.wake(renovation.case, text.removeprefix(WAKE))
    (line,) = rf.read_script(text, FLOWS)
    do = line.command
    if renovation is not None:
        return PROJECT.decide(renovation.case, do)
    return PROJECT.open(line.case, actor=do.actor, at=do.at, facts=do.facts, documents=do.documents)


def handle(db: sqlite3.Connection, project: str, text: str) -> rf.Decision:
    """One request: load, decide, and keep all of it or nothing."""
    renovation = load(db, project)
    decision = decided(renovation, text)
    if decision.accepted:
        keep(db, decision, text, renovation.revision if renovation else 0)
    return decision


def keep(db: sqlite3.Connection, decision: rf.Decision, text: str, revision: int) -> None:
    """In the host's own transaction; a colleague's step in between rolls it back."""
    case = decision.unwrap()
    with db:
        db.execute("insert or ignore into project (id, revision) values (?, 0)", (case.id,))
        wakes_at = case.wakes_at and case.wakes_at.isoformat()
        row = (revision + 1, case.state, wakes_at, msgspec.json.encode(case).decode(), case.id, revision)
        change = "update project set revision=?, state=?, wakes_at=?, snapshot=? where id=? and revision=?"
        if db.execute(change, row).rowcount != 1:
            raise RuntimeError(f"{case.id} has moved on; load it and ask again")
        db.execute("insert into incoming values (?, ?)", (case.id, text))
        rows = [(case.id, one.number, msgspec.json.encode(one).decode()) for one in decision.entries]
        db.executemany("insert into history values (?, ?, ?)", rows)
        todo = [(effect.key, effect.kind, effect.to, effect.about) for effect in decision.effects]
        db.executemany("insert into outbox values (?, ?, ?, ?)", todo)


def load(db: sqlite3.Connection, project: str) -> Renovation | None:
    """The host's object again: the case follows from what came in, by the same rules."""
    renovation: Renovation | None = None
    lines = db.execute("select line from incoming where project=? order by rowid", (project,))
    for revision, (text,) in enumerate(lines, 1):
        renovation = Renovation(decided(renovation, text).unwrap(), revision)
    return renovation


def every_night(db: sqlite3.Connection, at: str) -> None:
    """The host's own scheduler: what has fallen due becomes warnings, breaches and notices."""
    due = "select id from project where datetime(wakes_at) <= datetime(?)"
    for (project,) in db.execute(due, (at,)).fetchall():
        handle(db, project, WAKE + at)


def requests() -> Iterator[str]:
    """What the host's web pages send."""
    wang = {"case": "P-1", "actor": "wang", "roles": ["customer_manager"]}
    chen = {"case": "P-1", "actor": "chen", "roles": ["designer"]}
    enquiry = {"facts": {"home_area": "128", "home_kind": "flat"}, "documents": ["registration_form"]}
    yield json.dumps({**wang, "open": "project", "at": "2026-03-01T10:00:00+08:00", **enquiry})
    for signers in ([], [{"role": "customer", "actor": "li"}]):
        papers = {"documents": ["customer_file", {"id": "consultation_record", "signed_by": signers}]}
        yield json.dumps({**chen, "event": "start_consultation", "at": "2026-03-02T14:00:00+08:00", **papers})


def main() -> None:
    db = sqlite3.connect(":memory:")
    db.executescript(TABLES)
    for text in requests():
        decision = handle(db, "P-1", text)
        print(decision.case and decision.case.state, *(reason.text("en") for reason in decision.reasons))
    every_night(db, "2026-03-10T02:00:00+08:00")
    for row in db.execute("select state, json_extract(snapshot, '$.facts.home_area') from project"):
        print("report:", *row)
    for row in db.execute("select kind, addressee, about from outbox"):
        print("to do:", *row)
    if (loaded := load(db, "P-1")) is not None:
        print("loaded again: the proposal is", loaded.case.deadlines["proposal"].status)
    db.close()


if __name__ == "__main__":
    main()
