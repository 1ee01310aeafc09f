"""One transaction on a SQL database: cases read with their families held, and written all at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from renoflow.engine.peers import related
from renoflow.errors import StoredDataError
from renoflow.records import NO_FACTS, Case, Effect, HistoryEntry
from renoflow.store import statements as sql
from renoflow.store.chain import START, line_of
from renoflow.store.protocol import (
    Answer,
    Change,
    OutboxItem,
    OvertakenError,
    Plans,
    Postponed,
    Status,
    back_off,
)
from renoflow.store.reading import answer_from, answer_to_json, effect_from, ids_near, read_lines
from renoflow.store.redacting import redact
from renoflow.store.reindexing import give_up, reindex, term_rows
from renoflow.store.rows import Family, Row, Values, case_values, changed_deadlines, plan_of, row_from
from renoflow.store.runner import Parts, Runner
from renoflow.store.tagged import effect_to_json
from renoflow.store.terms import Term, changed_terms, terms_of

TRIES = 10
"""How often a case may go over to another family while its row is waited for."""

LAST = 2**62
"""The place of a case that is not kept yet."""


_HOLD_SQLITE = (sql.HOLD_ROOT, sql.HOLD_SQLITE)
_HOLD_POSTGRES = (sql.HOLD_ROOT_POSTGRES, sql.HOLD_POSTGRES)


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
        self._answered: dict[tuple[str, str], Sequence[Any]] = {}
        # Families whose own figures, on their root's row, are no longer what is stored.
        self._stale: set[str] = set()
        self._looked_through: set[str] = set()

    # -------------------------------------------------------------- holding and reading

    def hold(self, case_ids: Iterable[str]) -> None:
        wanted = [name for name in dict.fromkeys(case_ids) if name not in self._rows]
        roots = {name: self._root(name) for name in wanted}
        self._absent.update(name for name, root in roots.items() if not root)
        for _, name in sorted((root, name) for name, root in roots.items() if root):
            self._hold(name)

    def _root(self, case_id: str) -> str:
        found = self._runner.first(sql.ROOT, tenant=self._tenant, id=case_id)
        return "" if found is None else str(found[0])

    def _hold(self, case_id: str, key: str = "") -> Case | None:
        """Hold a case's family and read the case. What was answered to a key is read beside it; an answer
        that somebody else has just given is missed, and then stands in the way of giving another."""
        statements = _HOLD_POSTGRES if self._runner.postgres else _HOLD_SQLITE
        for _ in range(TRIES):
            for statement in statements:
                found = self._runner.first(statement, tenant=self._tenant, id=case_id, key=key)
                if found is not None:
                    return self._held(case_id, key, found)
            if not self._root(case_id):
                self._absent.add(case_id)
                return None
        raise OvertakenError

    def _held(self, case_id: str, key: str, found: Sequence[Any]) -> Case:
        row = self._rows[case_id] = row_from(self._plans, found)
        if row.root not in self._families:
            self._families[row.root] = self._family(row.root, *found[7:10])
        self._answered[case_id, key] = found[10:]
        return row.case

    def _family(self, root: str, position: int, members: int, wakes_at: Any) -> Family:
        return Family(root=root, position=position, members=members, wakes_at=self._form.take(wakes_at))

    def get(self, case_id: str, key: str = "") -> Case | None:
        row = self._rows.get(case_id)
        if row is not None:
            return row.case
        return None if case_id in self._absent else self._hold(case_id, key)

    def children_of(self, case_id: str) -> Sequence[Case]:
        row = self._rows.get(case_id)
        if row is None or self._families[row.root].members == 1:
            return ()
        return self._take(self._runner.rows(sql.CHILDREN, tenant=self._tenant, root=row.root, id=case_id))

    def family_of(self, case_id: str) -> Sequence[str]:
        root = self._root_held(case_id)
        if len(self._members(root)) < self._families[root].members:
            self._take(self._runner.rows(sql.FAMILY, tenant=self._tenant, root=root))
        self._looked_through.add(root)
        self._look_through(root)
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
        found = self._answered.get((case_id, key))
        if found is None:
            found = self._runner.first(sql.KEY, tenant=self._tenant, id=case_id, key=key)
        return answer_from(self._form, case_id, key, found) if found and found[0] is not None else None

    def lines(self, case_id: str, first: int, last: int) -> Sequence[HistoryEntry]:
        case = self.get(case_id)
        if case is None:
            return ()
        return read_lines(self._runner, self._tenant, self._plans, case, first, last)

    def effects(self, keys: Sequence[tuple[str, str]]) -> Sequence[Effect]:
        found = []
        for case_id, key in keys:
            row = self._runner.first(sql.EFFECT, tenant=self._tenant, id=case_id, key=key)
            if row is not None:
                found.append(effect_from(case_id, key, row[0]))
        return found

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

    def redact(self, case_id: str, names: frozenset[str], notes: bool) -> None:
        family = [self._rows[name] for name in self.family_of(case_id)]
        redact(self._runner, self._tenant, family, case_id, names, notes)
        # A fact may have been searched for before its file called it personal.
        reindex(self._runner, self._tenant, self._rows[case_id])

    def reindex(self, case_id: str, layout: Term) -> str:
        try:
            if self.get(case_id) is not None:
                reindex(self._runner, self._tenant, self._rows[case_id])
        except StoredDataError as error:
            give_up(self._runner, self._tenant, case_id, layout)
            return str(error)
        return ""

    # -------------------------------------------------------------- the outbox

    def take_effect(self, at: datetime) -> OutboxItem | None:
        statement = f"{sql.TAKE} FOR UPDATE SKIP LOCKED" if self._runner.postgres else sql.TAKE
        while (
            found := self._runner.first(statement, tenant=self._tenant, at=self._form.put(at))
        ) is not None:
            position, case_id, key, text, attempts = found
            attempts += 1
            retry_at = at + back_off(attempts)
            self._runner.run(
                sql.ATTEMPT, position=position, attempts=attempts, retry_at=self._form.put(retry_at)
            )
            try:
                effect = effect_from(case_id, key, text)
            except StoredDataError as error:
                self._settle(case_id, key, "dead", str(error))
            else:
                return OutboxItem(effect=effect, status="waiting", attempts=attempts, retry_at=retry_at)
        return None

    def settle_effect(self, effect: Effect, status: Status, failure: str) -> None:
        self._settle(effect.case, effect.key, status, failure)

    def _settle(self, case_id: str, key: str, status: Status, failure: str) -> None:
        self._runner.run(sql.SETTLE, tenant=self._tenant, id=case_id, key=key, status=status, failure=failure)

    def revive_effect(self, key: str, at: datetime) -> bool:
        self._runner.run(sql.REVIVE, tenant=self._tenant, key=key, at=self._form.put(at))
        return bool(self._runner.cursor.rowcount)

    def purge(self, before: datetime, limit: int) -> int:
        gone = 0
        for statement in (sql.PURGE_ANSWERS, sql.PURGE_EFFECTS):
            self._runner.run(statement, tenant=self._tenant, before=self._form.put(before), limit=limit)
            gone += self._runner.cursor.rowcount
        return gone

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

    def save(self, change: Change, answer: Answer | None = None) -> None:
        before = {case.id: self._rows.get(case.id) for case in change.cases}
        for case in change.cases:
            self._place(case, before[case.id])
        parts: Parts = {"lines": [self._line(entry) for entry in change.entries]}
        for case in change.cases:
            self._wake_by(case)
        # One that fell due long ago may have opened cases that have moved since.
        opened_at = {entry.case: entry.at for entry in change.entries if entry.number == 1}
        for case in change.cases:
            self._add_case(parts, case, before[case.id], opened_at.get(case.id))
        if self._stale:
            # A root that is opened just now has its figures already.
            roots = sorted(name for name in self._stale if name not in before or before[name])
            parts["families"] = [(*self._figures(root), self._families[root].position) for root in roots]
            self._stale.clear()
        self._add_effects(parts, change, answer)
        opened = self._runner.write(parts)
        terms: list[Values] = []
        for name, position in opened.items():
            row = self._rows[name] = replace(self._rows[name], position=position)
            if row.root == name:
                self._families[name] = replace(self._families[name], position=position)
            terms += term_rows(self._tenant, position, terms_of(row.plan, row.case))
        if terms:
            self._runner.write({"new_terms": terms})

    def _place(self, case: Case, before: Row | None) -> None:
        """Note the case as it now stands, in the family of its parent and of those that it is linked to."""
        roots: list[str] = []
        if (
            before is None
            or before.case.links is not case.links
            or before.case.followers is not case.followers
        ):
            known = () if before is None else related(before.case)
            # Only what is kept, or is opened in this very change, is family.
            new = [name for name in related(case) if name not in known and self.get(name) is not None]
            roots = [self._rows[name].root for name in new]
        if before is None:
            root = roots[0] if roots else case.id
            family = self._families.get(root) or Family(root=root, position=0, members=0, wakes_at=None)
            self._families[root] = replace(family, members=family.members + 1)
            self._stale.add(root)
            plan = plan_of(self._plans, case.id, case.workflow)
            self._rows[case.id] = Row(position=LAST, root=root, head=START, case=case, plan=plan)
        else:
            self._rows[case.id] = replace(self._rows[case.id], case=case)
        for root in roots:
            self._join(self._rows[case.id].root, root)

    def _join(self, one: str, other: str) -> None:
        """Two families become one, that of the case that was opened first."""
        if one == other or other not in self._families:
            return
        keep, gone = sorted((self._families[one], self._families[other]), key=lambda family: family.position)
        self._runner.run(sql.JOIN_FAMILIES, tenant=self._tenant, root=keep.root, other=gone.root)
        for row in self._members(gone.root):
            self._rows[row.case.id] = replace(row, root=keep.root)
        wakes = [at for at in (keep.wakes_at, gone.wakes_at) if at is not None]
        del self._families[gone.root]
        self._families[keep.root] = replace(
            keep, members=keep.members + gone.members, wakes_at=min(wakes, default=None)
        )
        self._stale.discard(gone.root)
        self._stale.add(keep.root)

    def _line(self, entry: HistoryEntry) -> Values:
        """A new line, chained to the one before it."""
        row = self._rows[entry.case]
        line = line_of(row.plan, entry, row.head)
        self._rows[entry.case] = replace(row, head=line.hash)
        at = self._form.put(entry.at)
        return self._tenant, entry.case, line.number, at, entry.event, line.body, line.personal, line.hash

    def _wake_by(self, case: Case) -> None:
        """Let the family wake no later than this case. Nor is it told to wake later: that would touch the
        index of what is due at almost every step, and is found out when the family is looked at."""
        root = self._rows[case.id].root
        if root in self._looked_through:
            self._look_through(root)
            return
        family, at = self._families[root], case.wakes_at
        if at is not None and (family.wakes_at is None or at < family.wakes_at):
            self._families[root] = replace(family, wakes_at=at)
            self._stale.add(root)

    def _look_through(self, root: str) -> None:
        """When a family that was read whole wakes next."""
        family = self._families[root]
        wakes = [row.case.wakes_at for row in self._members(root) if row.case.wakes_at is not None]
        soonest = min(wakes, default=None)
        if soonest != family.wakes_at:
            self._families[root] = replace(family, wakes_at=soonest)
            self._stale.add(root)

    def _figures(self, root: str) -> Values:
        """What the row of a case says of its family: nothing, unless it is the root."""
        family = self._families.get(root)
        return (0, None) if family is None else (family.members, self._form.put(family.wakes_at))

    def _add_case(self, parts: Parts, case: Case, before: Row | None, opened_at: datetime | None) -> None:
        row = self._rows[case.id]
        values = case_values(self._form, row.plan, case, row.head)
        if before is None:
            at = self._form.put(opened_at)
            place = self._tenant, case.id, case.workflow, row.root, case.parent, at
            opened = *place, *values, *self._figures(case.id)
            parts.setdefault("opened", []).append(opened)
        else:
            moved = *values, row.position, before.case.entries, *self._figures(case.id)
            parts.setdefault("moved", []).append(moved)
            lost, new = changed_terms(row.plan, before.case, case)
            parts.setdefault("lost_terms", []).extend((row.position, *term) for term in lost)
            parts.setdefault("new_terms", []).extend(term_rows(self._tenant, row.position, new))
        old = NO_FACTS if before is None else before.case.deadlines
        if old is not case.deadlines:
            done, running = changed_deadlines(self._form, row.plan, self._tenant, old, case)
            parts.setdefault("done", []).extend(done)
            parts.setdefault("running", []).extend(running)

    def _add_effects(self, parts: Parts, change: Change, answer: Answer | None) -> None:
        tenant, put = self._tenant, self._form.put
        parts["effects"] = [
            (tenant, one.key, one.case, one.kind, one.to, effect_to_json(one), "waiting", put(one.at))
            for one in change.effects
        ]
        if answer is not None:
            said = answer.request, answer_to_json(answer), put(answer.at)
            parts["answers"] = [(tenant, answer.case, answer.key, *said)]
