"""Cases, history lines and deadlines as rows and back; each driver has its own form of an instant."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec
from attrs import frozen

from renoflow.engine.codec import case_from_json, to_json
from renoflow.errors import StoredDataError, UsageError
from renoflow.records import Case, Deadline
from renoflow.store.protocol import Plans
from renoflow.workflow.plan import Plan

Values = tuple[Any, ...]
"""A row of a write, in the order of `statements.PARTS`."""

OWED = frozenset(("running", "paused", "breached"))
"""A deadline in one of these is still open, and has a row."""


@lru_cache(maxsize=256)
def instant_as_text(at: datetime | None) -> str | None:
    """As SQLite keeps it: of a fixed width, so that text sorts as time does."""
    # Of UTC, whose offset is its last six signs.
    return None if at is None else f"{at.isoformat(timespec='microseconds')[:-6]}Z"


def instant_from_text(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)


def instant_as_it_is(at: datetime | None) -> datetime | None:
    return at


def instant_in_utc(at: datetime | None) -> datetime | None:
    """PostgreSQL answers in the session's zone."""
    return None if at is None else at.astimezone(UTC)


@frozen(kw_only=True)
class Form:
    """How one driver takes and gives instants."""

    put: Callable[[datetime | None], Any]
    take: Callable[[Any], datetime | None]

    def known(self, value: Any) -> datetime:
        """Of a column that is never empty."""
        at = self.take(value)
        if at is None:
            raise ValueError("an instant is missing")
        return at


TEXT = Form(put=instant_as_text, take=instant_from_text)
NATIVE = Form(put=instant_as_it_is, take=instant_in_utc)


class Family(msgspec.Struct, frozen=True, kw_only=True):
    """Cases that belong together, by their root's row, which is locked; `wakes_at` is no later than any
    clock of theirs."""

    root: str
    position: int
    members: int
    wakes_at: datetime | None


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A case as it was read or last written."""

    position: int
    root: str
    head: str
    case: Case
    plan: Plan


def row_from(plans: Plans, values: Sequence[Any]) -> Row:
    """From the columns of `statements.ROW`."""
    position, case_id, root, _, workflow, version, _, head, snapshot = values[:9]
    plan = plan_of(plans, case_id, workflow)
    return Row(
        position=position, root=root, head=head, case=_case(plan, case_id, version, snapshot), plan=plan
    )


def _case(plan: Plan, case_id: str, version: int, snapshot: str) -> Case:
    if version > plan.version:
        raise StoredDataError(
            "renoflow_cases",
            case_id,
            f"it was kept under {plan.id} v{version}, and v{plan.version} is loaded: load the newer file",
        )
    try:
        case = case_from_json(plan, snapshot)
    except UsageError as error:
        older = f" (kept under v{version})" if version != plan.version else ""
        raise StoredDataError(
            "renoflow_cases", case_id, f"its snapshot does not fit {plan.id} v{plan.version}{older}: {error}"
        ) from None
    if case.id != case_id:
        strange = f"it says {case.id!r}"
    elif case.state not in plan.state_labels:
        strange = f"{plan.id} v{plan.version} does not know the state {case.state!r}"
    elif not case.deadlines.keys() <= plan.clocks.keys():
        name = next(name for name in case.deadlines if name not in plan.clocks)
        strange = f"{plan.id} v{plan.version} does not know the deadline {name!r}"
    else:
        return case
    raise StoredDataError("renoflow_cases", case_id, f"its snapshot of v{version} does not fit: {strange}")


def plan_of(plans: Plans, case_id: str, workflow: str) -> Plan:
    plan = plans(workflow)
    if plan is None:
        raise StoredDataError(
            "renoflow_cases", case_id, f"its workflow {workflow!r} is not loaded: load its file too"
        )
    return plan


# ------------------------------------------------------------------ writing


def stage_of(plan: Plan, state: str) -> str:
    """The stage of a state; none where the case has not begun."""
    found = plan.definition.states.get(state)
    return "" if found is None else found.stage


def case_values(form: Form, plan: Plan, case: Case, head: str) -> Values:
    """`statements.STANDING_COLUMNS`: what is written of a case whenever it moves."""
    return (
        case.workflow_version,
        case.state,
        stage_of(plan, case.state),
        to_json(case).decode(),
        case.entries,
        head,
        form.put(case.at),
        form.put(case.wakes_at),
    )


def changed_deadlines(
    form: Form, plan: Plan, tenant: str, before: Mapping[str, Deadline], case: Case
) -> tuple[list[Values], list[Values]]:
    """The rows of deadlines that are over, and of those that run on or anew."""
    done: list[Values] = []
    running: list[Values] = []
    put = form.put
    for name, clock in case.deadlines.items():
        old = before.get(name)
        if clock is old or clock == old:
            continue
        if clock.status in OWED:
            times = put(clock.due_at), put(clock.target_at), put(clock.wake_at), put(clock.breached_at)
            row = tenant, case.id, name, clock.generation, clock.status, plan.clocks[name].owner, *times
            running.append((*row, case.workflow, clock.provisional))
        elif old is not None and old.status in OWED:
            done.append((tenant, case.id, name))
    return done, running
