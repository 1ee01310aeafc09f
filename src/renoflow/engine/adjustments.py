"""Clocks moved from outside: extended by hand with a reason, counted again by a published calendar."""

from __future__ import annotations

from renoflow.engine.deadlines import LIVE, counted_again, extended, put
from renoflow.engine.requirements import short
from renoflow.engine.step import Step
from renoflow.records import Command, Deadline, Reason
from renoflow.values import Duration, Label, check_text, parse_duration
from renoflow.workflow.plan import ClockPlan
from renoflow.workflow.statements import STATUS_LABELS

PUBLISHED = "calendar.published"
"""The system's event that counts provisional dates again."""

EXTENSION = Label("延期", "extension")
BY = Label("延长多久", "by how much")
REASON = Label("延长理由", "the reason")
A_DURATION = Label("一段时长，如 3 days", "a duration, as '3 days'")


def count_again(step: Step) -> None:
    """Provisional dates, now that their year's calendar is published."""
    again = {
        name: counted_again(step, step.plan.clocks[name], clock)
        for name, clock in step.deadlines.items()
        if clock.provisional
    }
    changed = {name: clock for name, clock in again.items() if clock is not step.deadlines[name]}
    step.record(PUBLISHED, step.state)
    for name, clock in changed.items():
        put(step, name, clock)


def extend_by_hand(step: Step, command: Command) -> list[Reason]:
    """`deadline.<name>.extend` with `by` (a duration) and `reason`: for the roles that the rule names."""
    name = command.event.removeprefix("deadline.").removesuffix(".extend")
    plan = step.plan.clocks.get(name)
    if plan is None:
        return [Reason(code="unknown_event", subject=command.event)]
    clock = step.deadlines.get(name)
    reasons = _not_now(plan, clock) + _not_by_him(step, plan, command)
    length: Duration | None = None
    try:
        length = parse_duration(command.facts.get("by"))
    except ValueError:
        values = {"found": short(command.facts.get("by")), "wanted": A_DURATION}
        reasons.append(Reason(code="fact_invalid", subject="by", label=BY, values=values))
    why = command.facts.get("reason")
    if not isinstance(why, str) or not why.strip():
        reasons.append(Reason(code="fact_missing", subject="reason", label=REASON))
    else:
        check_text(why)
    for extra in sorted(command.facts.keys() - {"by", "reason"}):
        known = step.plan.facts.get(extra)
        values = {"event": EXTENSION}
        reasons.append(
            Reason(
                code="fact_not_allowed",
                subject=extra,
                label=None if known is None else known.label,
                values=values,
            )
        )
    if reasons or clock is None or length is None:
        return reasons
    facts = {"by": str(length), "reason": str(why)}
    step.record(command.event, step.state, facts=facts, command=command)
    put(step, name, extended(step, plan, clock, length, 1, command.event, str(why)))
    return []


def _not_now(plan: ClockPlan, clock: Deadline | None) -> list[Reason]:
    status = "idle" if clock is None else clock.status
    if status in LIVE:
        return []
    values = {"status": STATUS_LABELS[status]}
    return [Reason(code="not_running", subject=plan.name, label=plan.label, values=values)]


def _not_by_him(step: Step, plan: ClockPlan, command: Command) -> list[Reason]:
    if not plan.extended_by:
        return [Reason(code="not_extendable", subject=plan.name, label=plan.label)]
    if not plan.extended_by.isdisjoint(command.actor.roles):
        return []
    allowed = tuple(step.plan.role_labels[role] for role in sorted(plan.extended_by))
    label = Label(f"延长：{plan.label.zh}", f"extend: {plan.label.en}")
    values = {"allowed": allowed}
    return [Reason(code="role_not_allowed", subject=command.event, label=label, values=values)]
