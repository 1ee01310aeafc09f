"""The only orchestrator: sends commands to cases, sweeps what is due, hands effects out. One call is one
transaction, of the store's own or of the host's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from renoflow.asking import layouts_of, plans_of
from renoflow.delivery import Delivery, deliver
from renoflow.engine.adjustments import PUBLISHED
from renoflow.engine.redaction import names_redacted
from renoflow.engine.workflow import Workflow
from renoflow.errors import UnknownName, UsageError
from renoflow.outcome import Outcome, again, remembered, request_of, together
from renoflow.paging import at_most
from renoflow.queries import CaseReader
from renoflow.records import NO_FACTS, Case, Command, Effect, Reason
from renoflow.store.protocol import Session
from renoflow.store.terms import Term
from renoflow.sweeping import sweep
from renoflow.transaction import Transaction
from renoflow.values import SYSTEM_ACTOR, Actor, check_actor, check_id, instant

T = TypeVar("T")

BATCH = 50
"""Families that one transaction of a sweep takes on."""

PURGED_AT_ONCE = 2000
"""Answers, and effects, that one transaction removes, so that nobody waits long for it."""


class CaseService(CaseReader):
    """Runs cases of several workflows over a store, for one tenant. One call is one transaction.

    What has fallen due in a case's family happens before a command to any of its cases. `connection` is the
    host's SQLAlchemy connection or session: the call becomes part of its transaction, which is never
    committed, rolled back or closed here. With a `key`, a call that is made again has the first answer.

    A business "no" is in the outcome. Exceptions: `UsageError` for a wrong call (`UnknownName` for names
    that no file declares, `KeyReused` for a key of another request), `StoreError` for the database.
    Whichever comes, nothing of the call was kept. A service holds no state of its own and may be shared by
    threads.
    """

    # -------------------------------------------------------------- writing

    def open(
        self,
        workflow: str,
        case_id: str,
        command: Command,
        *,
        parent: str | None = None,
        links: Mapping[str, str] = NO_FACTS,
        key: str | None = None,
        connection: Any = None,
    ) -> Outcome:
        """A new case by its opening event; with a parent, the parent is told. `links` are the cases that it
        is tied to, by the names of its file. Raises `UnknownName` for an unknown workflow, link or case."""
        flow = self.workflows[workflow]
        if not isinstance(links, Mapping):
            raise UsageError(f"{links!r} are no links; give case ids by name, as {{'lead': 'L-1'}}")
        others = [check_id(one) for one in (*([parent] if parent else ()), *links.values())]
        request = request_of(key, "open", case_id, command, workflow=workflow, parent=parent, links=links)

        def work(session: Session) -> Outcome:
            session.hold([case_id, *others])
            if session.get(case_id) is not None:
                found = again(session, case_id, key, request)
                return found or Outcome(case=None, reasons=(Reason(code="already_open", subject=case_id),))
            transaction = Transaction(self.workflows, session)
            for name in links:
                _check_link(flow, name)
            for other in others:
                _known(transaction, other)
                transaction.fire_due(other, command.at)
            above = transaction.get(parent) if parent else None
            peers = {name: _known(transaction, other) for name, other in links.items()}
            decision = transaction.open(flow, case_id, command, above, peers)
            if decision.refused:
                return Outcome(case=None, reasons=decision.reasons)
            return self._keep(transaction, case_id, command.at, key, request)

        return self._write(work, connection)

    def link(
        self,
        case_id: str,
        name: str,
        other_id: str,
        *,
        actor: Actor,
        at: datetime | str,
        connection: Any = None,
    ) -> Outcome:
        """Tie two cases to each other, the second under `name` in the first and under whatever names its own
        file has for the first. From then on each is told what concerns it of the other. A pair that is tied
        already stays as it is. Raises `UnknownName` for a link that the first file does not have."""
        now = instant(at)
        check_actor(actor)
        check_id(case_id)
        check_id(other_id)

        def work(session: Session) -> Outcome:
            session.hold([case_id, other_id])
            for one in (case_id, other_id):
                if session.get(one) is None:
                    return Outcome(case=None, reasons=(Reason(code="unknown_case", subject=one),))
            due = Transaction(self.workflows, session)
            flow = due.workflow_of(_known(due, case_id))
            _check_link(flow, name)
            for one in (case_id, other_id):
                due.fire_due(one, now)
            then = due.above()
            decision = then.tie(_known(then, case_id), name, _known(then, other_id), actor, now)
            if decision.refused:
                return self._keep(due, case_id, now, None, "", decision.reasons)
            return self._keep(then, case_id, now, None, "")

        return self._write(work, connection)

    def send(
        self, case_id: str, command: Command, *, key: str | None = None, connection: Any = None
    ) -> Outcome:
        """A command for one case, and everything that follows from it in linked cases, or nothing. A case
        that is not there is refused (`unknown_case`)."""
        request = request_of(key, "send", case_id, command)

        def work(session: Session) -> Outcome:
            case = session.get(case_id, key or "")
            if case is None:
                return Outcome(case=None, reasons=(Reason(code="unknown_case", subject=case_id),))
            if (found := again(session, case_id, key, request)) is not None:
                return found
            # What fell due stands whatever becomes of the command.
            due = Transaction(self.workflows, session)
            then = due.above() if due.fire_due(case_id, command.at) else due
            decision = then.decide(then.get(case_id) or case, command)
            if decision.refused:
                return self._keep(due, case_id, command.at, key, request, decision.reasons)
            return self._keep(then, case_id, command.at, key, request)

        return self._write(work, connection)

    def _keep(
        self,
        transaction: Transaction,
        case_id: str,
        at: datetime,
        key: str | None,
        request: str,
        reasons: tuple[Reason, ...] = (),
    ) -> Outcome:
        """Save what was done; what a command with a key was answered is remembered with it."""
        change = transaction.change()
        outcome = Outcome(
            case=transaction.get(case_id),
            reasons=reasons,
            entries=change.entries,
            effects=change.effects,
            refused_openings=transaction.all_refused,
        )
        answer = None if key is None else remembered(case_id, key, request, at, outcome)
        transaction.session.save(change, answer)
        return outcome

    def recount(self, at: datetime | str | None = None, *, connection: Any = None) -> Outcome:
        """Provisional dates of all cases counted again, after a year's calendar was published."""
        now = datetime.now(UTC) if at is None else instant(at)
        provisional = [
            case
            for case in self.cases(connection=connection)
            if any(clock.provisional for clock in case.deadlines.values())
        ]
        return together(
            self.send(case.id, Command(PUBLISHED, SYSTEM_ACTOR, max(now, case.at)), connection=connection)
            for case in provisional
        )

    def redact(
        self,
        case_id: str,
        facts: Iterable[str] | None = None,
        *,
        notes: bool = False,
        actor: Actor,
        at: datetime | str,
        reason: str,
        connection: Any = None,
    ) -> Outcome:
        """Remove personal facts of a case (all of them, when none is named) for good: from the case, its
        history, what linked cases heard of them, remembered answers and the outbox. A line of the history
        says so, and the chain of hashes still holds. `notes` removes the free text of notes too."""
        now = instant(at)
        check_id(case_id)

        def work(session: Session) -> Outcome:
            due = Transaction(self.workflows, session)
            _known(due, case_id)
            due.fire_due(case_id, now)
            then = due.above()
            decision = then.redact(_known(then, case_id), facts, notes, actor, now, reason)
            outcome = self._keep(then, case_id, now, None, "")
            session.redact(case_id, names_redacted(decision.entries), notes)
            return outcome

        return self._write(work, connection)

    # -------------------------------------------------------------- what falls due

    def sweep(
        self, at: datetime | str | None = None, *, limit: int | None = None, connection: Any = None
    ) -> Outcome:
        """Everything that has fallen due in any case by `at` (now, when not given) happens, in time order; at
        most `limit` steps of families. What fails is postponed and stops nothing else."""
        until = datetime.now(UTC) if at is None else instant(at)
        outcomes: list[Outcome] = []
        left = None if limit is None else at_most(limit)
        while left is None or left > 0:
            size = BATCH if left is None else min(BATCH, left)
            found = self._write(partial(sweep, self.workflows, until, size), connection)
            outcomes += found.outcomes
            if not found.claimed:
                break
            left = None if left is None else left - found.claimed
        return together(outcomes)

    # -------------------------------------------------------------- effects

    def deliver(
        self,
        handler: Callable[[Effect], object],
        *,
        at: datetime | str | None = None,
        limit: int | None = None,
    ) -> Delivery:
        """Hand every waiting effect that may be tried by `at` (now, when not given) to `handler`, at least
        once each; at most `limit`. One that raises is tried again later, and is dead
        after eight attempts. No transaction is open while the handler runs."""
        now = datetime.now(UTC) if at is None else instant(at)
        if not callable(handler):
            raise UsageError(f"{handler!r} cannot be called; give a function of one effect")
        most = None if limit is None else at_most(limit)
        return deliver(lambda work: self._write(work, None), handler, now, most)

    def revive(self, effect_key: str, at: datetime | str | None = None) -> bool:
        """A dead effect waits again, with no attempts counted; False when no dead one has this key."""
        now = datetime.now(UTC) if at is None else instant(at)
        return self._write(lambda session: session.revive_effect(effect_key, now), None)

    # -------------------------------------------------------------- what is no longer asked for

    def purge(self, before: datetime | str) -> int:
        """Remove the answers under keys that were given before an instant, and the effects that were
        delivered by then; returns how many went. Cases and histories stay. A command that comes again under
        a key that is gone happens again, so keep keys longer than any caller goes on trying."""
        then = instant(before)
        gone = 0
        while found := self._write(lambda session: session.purge(then, PURGED_AT_ONCE), None):
            gone += found
        return gone

    # -------------------------------------------------------------- finding anew

    def reindex(self, *, limit: int | None = None) -> tuple[int, Mapping[str, str]]:
        """Let cases be found by the facts that their files now call searchable: after the tables were brought
        up to date, and after a file has changed there; at most `limit` of them. Returns how many cases were
        read again, and why those that could not be read could not, by id. Others may work meanwhile; what
        runs with older files should not."""
        layouts = layouts_of(plans_of(self.workflows))
        count, failures = 0, dict[str, str]()
        while limit is None or count < limit:
            with self._read(None) as reader:
                found = reader.outdated(layouts, BATCH if limit is None else min(BATCH, limit - count))
            if not found:
                break
            for case, layout in found:
                failure = self._write(partial(_reindexed, case, layout), None)
                if failure:
                    failures[case] = failure
            count += len(found)
        return count, failures

    # -------------------------------------------------------------- the store

    def _write(self, work: Callable[[Session], T], connection: Any) -> T:
        return self.store.write(self.tenant, self._plan, connection, work)


def _known(cases: Transaction, case_id: str) -> Case:
    case = cases.get(case_id)
    if case is None:
        raise UnknownName("case", case_id, cases.session.ids_near(case_id))
    return case


def _reindexed(case_id: str, layout: Term, session: Session) -> str:
    return session.reindex(case_id, layout)


def _check_link(flow: Workflow, name: str) -> None:
    if name not in flow.plan.links:
        raise UnknownName("link", name, flow.plan.links)
