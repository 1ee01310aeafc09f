"""One transaction on a SQL database: cases read with their families held, and written all at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import msgspec
from attrs import evolve

from renoflow.engine.peers import related
from renoflow.errors import StoredDataError
from renoflow.records import NO_FACTS, Case, Effect, HistoryEntry
from renoflow.store import statements as sql
from renoflow.store.chain import START, line_of
from renoflow.store.protocol import Answer, Change, OutboxItem, OvertakenError, Plans, Postponed, back_off
from renoflow.store.reading import answer_from, effect_from, ids_near, read_lines
from renoflow.store.rows import Family, Row, Values, case_values, changed_deadlines, plan_of, row_from
from renoflow.store.runner import Parts, Runner
from renoflow.store.tagged import effect_to_json, reasons_to_json

TRIES = 10
"""How often a case may go over to another family while its row is waited for."""

LAST = 2**62
"""The place of a case that is not kept yet."""


class SqlSession:
    """See `protocol.Session`."""

    def __init__(self, runner: Runner, tenant: str, plans: Plans) -> None:
        self._runner = runner
        self._form = runner.form
        self._tenant = tenant
        self._plans = plans
        self._rows: dict[str, Row] = {}
        self._families: dict[str, Family] = {}
        self._absent: set[str] = set()
        # Families whose own figures, on their root's row, are no longer what is stored.
        self._stale: set[str] = set()

    # -------------------------------------------------------------- holding and reading

    def hold(self, case_ids: Iterable[str]) -> None:
        wanted = [name for name in dict.fromkeys(case_ids) if name not in self._rows]
        if len(wanted) > 1:
            roots = [(self._root(name), name) for name in wanted]
            wanted = [name for root, name in sorted(roots) if root]
        for name in wanted:
            self._hold(name)

    def _root(self, case_id: str) -> str:
        found = self._runner.first(sql.ROOT, tenant=self._tenant, id=case_id)
        return "" if found is None else str(found[0])

    def _hold(self, case_id: str) -> Case | None:
        statement = sql.HOLD_POSTGRES if self._runner.postgres else sql.HOLD_SQLITE
        for _ in range(TRIES):
            found = self._runner.first(statement, tenant=self._tenant, id=case_id)
            if found is not None:
                row = self._rows[case_id] = row_from(self._plans, found)
                if row.root not in self._families:
                    self._families[row.root] = self._family(row.root, *found[9:])
                return row.case
            if not self._root(case_id):
                self._absent.add(case_id)
                return None
        raise OvertakenError

    def _family(self, root: str, position: int, members: int, wakes_at: Any) -> Family:
        return Family(root=root, position=position, members=members, wakes_at=self._form.take(wakes_at))

    def get(self, case_id: str) -> Case | None:
        row = self._rows.get(case_id)
        if row is not None:
            return row.case
        return None if case_id in self._absent else self._hold(case_id)

    def children_of(self, case_id: str) -> Sequence[Case]:
        row = self._rows.get(case_id)
        if row is None or self._families[row.root].members == 1:
            return ()
        return self._take(self._runner.rows(sql.CHILDREN, tenant=self._tenant, root=row.root, id=case_id))

    def family_of(self, case_id: str) -> Sequence[str]:
        root = self._root_held(case_id)
        if len(self._members(root)) < self._families[root].members:
            self._take(self._runner.rows(sql.FAMILY, tenant=self._tenant, root=root))
        self._time_family(root)
        return [one.case.id for one in self._members(root)]

    def _root_held(self, case_id: str) -> str:
        """The root of a family that is held, by one of its cases."""
        row = self._rows.get(case_id)
        return case_id if row is None else row.root

    def _members(self, root: str) -> list[Row]:
        """Those that were read."""
        return [row for row in self._rows.values() if row.root == root]

    def _take(self, found: Iterable[Sequence[Any]]) -> list[Case]:
        """What was read of families that are held; a case that was read before stands as it was written."""
        cases = []
        for values in found:
            name = values[1]
            if name not in self._rows:
                self._rows[name] = row_from(self._plans, values)
            cases.append(self._rows[name].case)
        return cases

    def wakes_at(self, case_id: str) -> datetime | None:
        return self._families[self._root_held(case_id)].wakes_at

    def position(self, case_id: str) -> int:
        row = self._rows.get(case_id)
        return LAST if row is None else row.position

    def ids_near(self, case_id: str) -> Sequence[str]:
        return ids_near(self._runner, self._tenant, case_id)

    def answer(self, case_id: str, key: str) -> Answer | None:
        found = self._runner.first(sql.KEY, tenant=self._tenant, id=case_id, key=key)
        return None if found is None else answer_from(self._form, case_id, key, found)

    def lines(self, case_id: str, first: int, last: int) -> Sequence[HistoryEntry]:
        case = self.get(case_id)
        if case is None:
            return ()
        return read_lines(self._runner, self._tenant, self._plans, case, first, last)

    def effects(self, keys: Sequence[str]) -> Sequence[Effect]:
        found = [(key, self._runner.first(sql.EFFECT, tenant=self._tenant, key=key)) for key in keys]
        return [effect_from(key, row[0]) for key, row in found if row is not None]

    # -------------------------------------------------------------- the sweep

    def claim(self, until: datetime, limit: int) -> Sequence[tuple[str, datetime]]:
        statement = f"{sql.CLAIM} FOR NO KEY UPDATE SKIP LOCKED" if self._runner.postgres else sql.CLAIM
        found = self._runner.rows(statement, tenant=self._tenant, until=self._form.put(until), limit=limit)
        claimed: list[tuple[str, datetime]] = []
        for root, *figures in found:
            family = self._families[root] = self._family(root, *figures)
            claimed.append((root, family.wakes_at or until))
        return claimed

    def postpone(self, root: str, at: datetime, failure: str) -> Postponed:
        position = self._families[root].position
        attempts = self._runner.first(sql.ATTEMPTS, position=position)[0] + 1
        retry_at = at + back_off(attempts)
        self._runner.run(
            sql.POSTPONE,
            position=position,
            attempts=attempts,
            retry_at=self._form.put(retry_at),
            failure=failure,
        )
        return Postponed(case=root, attempts=attempts, retry_at=retry_at, failure=failure)

    # -------------------------------------------------------------- the outbox

    def take_effect(self, at: datetime) -> OutboxItem | None:
        statement = f"{sql.TAKE} FOR UPDATE SKIP LOCKED" if self._runner.postgres else sql.TAKE
        while (
            found := self._runner.first(statement, tenant=self._tenant, at=self._form.put(at))
        ) is not None:
            position, key, text, attempts = found
            attempts += 1
            retry_at = at + back_off(attempts)
            self._runner.run(
                sql.ATTEMPT, position=position, attempts=attempts, retry_at=self._form.put(retry_at)
            )
            try:
                effect = effect_from(key, text)
            except StoredDataError as error:
                self.settle_effect(key, "dead", str(error))
            else:
                return OutboxItem(effect=effect, status="waiting", attempts=attempts, retry_at=retry_at)
        return None

    def settle_effect(self, key: str, status: str, failure: str) -> None:
        self._runner.run(sql.SETTLE, tenant=self._tenant, key=key, status=status, failure=failure)

    def revive_effect(self, key: str, at: datetime) -> bool:
        self._runner.run(sql.REVIVE, tenant=self._tenant, key=key, at=self._form.put(at))
        return bool(self._runner.cursor.rowcount)

    # -------------------------------------------------------------- writing

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        rows, families, stale = dict(self._rows), dict(self._families), set(self._stale)
        self._runner.run("SAVEPOINT renoflow_part")
        try:
            yield
        except BaseException as error:
            self._runner.run("ROLLBACK TO SAVEPOINT renoflow_part")
            self._rows, self._families, self._stale = rows, families, stale
            if isinstance(error, self._runner.driver_error):
                raise self._runner.meaning(error) from error
            raise
        finally:
            self._runner.run("RELEASE SAVEPOINT renoflow_part")

    def save(self, change: Change) -> None:
        before = {case.id: self._rows.get(case.id) for case in change.cases}
        for case in change.cases:
            self._place(case, before[case.id])
        parts: Parts = {"lines": self._lines(change.entries)}
        for root in {self._rows[case.id].root for case in change.cases}:
            self._time_family(root)
        for case in change.cases:
            self._add_case(parts, case, before[case.id])
        for root in sorted(self._stale.difference(before)):
            position = self._families[root].position
            parts.setdefault("families", []).append({"position": position, **self._figures(root)})
        self._stale.clear()
        self._add_effects(parts, change)
        for name, position in self._runner.write(parts).items():
            row = self._rows[name] = evolve(self._rows[name], position=position)
            if row.root == name:
                self._families[name] = evolve(self._families[name], position=position)

    def _place(self, case: Case, before: Row | None) -> None:
        """Note the case as it now stands, in the family of its parent and of those that it is linked to."""
        known = () if before is None else related(before.case)
        # Only what is kept, or is opened in this very change, is family.
        roots = [self._rows[name].root for name in related(case) if name not in known and self.get(name)]
        if before is None:
            root = roots[0] if roots else case.id
            family = self._families.get(root) or Family(root=root, position=0, members=0, wakes_at=None)
            self._families[root] = evolve(family, members=family.members + 1)
            self._stale.add(root)
            self._rows[case.id] = Row(position=LAST, root=root, head=START, case=case)
        else:
            self._rows[case.id] = evolve(before, root=self._rows[case.id].root, case=case)
        for root in roots:
            self._join(self._rows[case.id].root, root)

    def _join(self, one: str, other: str) -> None:
        """Two families become one, that of the case that was opened first."""
        if one == other or other not in self._families:
            return
        keep, gone = sorted((self._families[one], self._families[other]), key=lambda family: family.position)
        self._runner.run(sql.JOIN_FAMILIES, tenant=self._tenant, root=keep.root, other=gone.root)
        for row in self._members(gone.root):
            self._rows[row.case.id] = evolve(row, root=keep.root)
        wakes = [at for at in (keep.wakes_at, gone.wakes_at) if at is not None]
        del self._families[gone.root]
        self._families[keep.root] = evolve(
            keep, members=keep.members + gone.members, wakes_at=min(wakes, default=None)
        )
        self._stale.discard(gone.root)
        self._stale.add(keep.root)

    def _lines(self, entries: Sequence[HistoryEntry]) -> list[Values]:
        """The new lines, each chained to the one before it."""
        found = []
        for entry in entries:
            row = self._rows[entry.case]
            line = line_of(plan_of(self._plans, entry.case, row.case.workflow), entry, row.head)
            self._rows[entry.case] = evolve(row, head=line.hash)
            values = {"tenant": self._tenant, "case_id": entry.case, "number": line.number}
            values |= {"happened_at": self._form.put(entry.at), "event": entry.event}
            found.append(values | {"body": line.body, "personal": line.personal, "hash": line.hash})
        return found

    def _time_family(self, root: str) -> None:
        """When a family wakes next, as far as it was read."""
        family = self._families[root]
        read = self._members(root)
        wakes = [row.case.wakes_at for row in read if row.case.wakes_at is not None]
        if len(read) < family.members and family.wakes_at is not None:
            # None of those that were not read wakes sooner.
            wakes.append(family.wakes_at)
        soonest = min(wakes, default=None)
        if soonest != family.wakes_at:
            self._families[root] = evolve(family, wakes_at=soonest)
            self._stale.add(root)

    def _figures(self, root: str) -> Values:
        """What the row of a case says of its family: nothing, unless it is the root."""
        family = self._families.get(root)
        if family is None:
            return {"members": 0, "family_wakes_at": None}
        return {"members": family.members, "family_wakes_at": self._form.put(family.wakes_at)}

    def _add_case(self, parts: Parts, case: Case, before: Row | None) -> None:
        plan = plan_of(self._plans, case.id, case.workflow)
        row = self._rows[case.id]
        values = case_values(self._form, plan, case, row.head) | self._figures(case.id)
        if before is None:
            values |= {"tenant": self._tenant, "id": case.id, "workflow": case.workflow}
            values |= {"root": row.root, "parent": case.parent, "opened_at": values["moved_at"]}
            parts.setdefault("opened", []).append(values)
        else:
            values |= {"position": before.position, "was": before.case.entries}
            parts.setdefault("moved", []).append(values)
        deadlines = NO_FACTS if before is None else before.case.deadlines
        done, running = changed_deadlines(self._form, plan, self._tenant, deadlines, case)
        parts.setdefault("done", []).extend(done)
        parts.setdefault("running", []).extend(running)

    def _add_effects(self, parts: Parts, change: Change) -> None:
        parts["effects"] = [
            {
                "tenant": self._tenant,
                "key": effect.key,
                "case_id": effect.case,
                "kind": effect.kind,
                "recipient": effect.to,
                "effect": effect_to_json(effect),
                "status": "waiting",
                "retry_at": self._form.put(effect.at),
            }
            for effect in change.effects
        ]
        answer = change.answer
        if answer is None:
            return
        said = {"reasons": reasons_to_json(answer.reasons), "spans": answer.spans, "effects": answer.effects}
        values = {"tenant": self._tenant, "case_id": answer.case, "key": answer.key}
        values |= {"request": answer.request, "answered_at": self._form.put(answer.at)}
        parts["answers"] = [values | {"answer": msgspec.json.encode(said).decode()}]
