"""What the command line answers as JSON: plain dicts and lists, in a fixed order, instants in the zone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from renoflow.engine.calendar import Calendar
from renoflow.engine.explain import Explanation
from renoflow.engine.outlook import Option
from renoflow.engine.workflow import Workflows
from renoflow.records import Case, Document, Effect, Reason
from renoflow.script import Replay
from renoflow.values import Label


def plain(value: Any, calendar: Calendar) -> Any:
    """A value as JSON has it: sums and shares as text, instants as ISO 8601 in the firm's zone."""
    if isinstance(value, datetime):
        return calendar.iso(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Label):
        return {"zh": value.zh, "en": value.en}
    if isinstance(value, Document):
        return {
            "id": value.id,
            "signed_by": [
                s if isinstance(s, str) else {"role": s.role, "actor": s.actor} for s in value.signed_by
            ],
        }
    if isinstance(value, Mapping):
        return {str(key): plain(item, calendar) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item, calendar) for item in value]
    return value


def reason_answer(reason: Reason, calendar: Calendar) -> dict[str, Any]:
    found: dict[str, Any] = {
        "code": reason.code,
        "subject": reason.subject,
        "zh": reason.text("zh"),
        "en": reason.text("en"),
    }
    if reason.values:
        found["values"] = plain(reason.values, calendar)
    if reason.details:
        found["details"] = [reason_answer(part, calendar) for part in reason.details]
    return found


def deadline_answers(workflows: Workflows, case: Case) -> list[dict[str, Any]]:
    """Every deadline that the workflow declares, in file order; what has not started is `idle`."""
    plan = workflows[case.workflow].plan
    calendar = workflows.calendar
    found = []
    for name, rule in plan.clocks.items():
        clock = case.deadlines.get(name)
        found.append(
            {
                "name": name,
                "kind": rule.kind,
                "owner": rule.owner,
                "status": "idle" if clock is None else clock.status,
                "term": None if clock is None else clock.term or None,
                "started_at": None if clock is None else calendar.iso(clock.started_at),
                "target_at": _iso(calendar, None if clock is None else clock.target_at),
                "due_at": None if clock is None else calendar.iso(clock.due_at),
                "breached_at": _iso(calendar, None if clock is None else clock.breached_at),
                "met_at": _iso(calendar, None if clock is None else clock.met_at),
                "paused_at": _iso(calendar, None if clock is None else clock.paused_at),
                "provisional": clock is not None and clock.provisional,
                "generation": 0 if clock is None else clock.generation,
            }
        )
    return found


def _iso(calendar: Calendar, at: datetime | None) -> str | None:
    return None if at is None else calendar.iso(at)


def case_answer(workflows: Workflows, case: Case) -> dict[str, Any]:
    calendar = workflows.calendar
    return {
        "case": case.id,
        "workflow": case.workflow,
        "state": case.state,
        "version": case.version,
        "parent": case.parent or None,
        "links": {name: linked.case for name, linked in case.links.items()},
        "at": calendar.iso(case.at),
        "facts": plain(case.facts, calendar),
        "documents": {
            name: {
                "copies": record.copies,
                "signed_by": [
                    {"role": s.role, "actor": s.actor, "at": _iso(calendar, s.at)} for s in record.signatures
                ],
            }
            for name, record in case.documents.items()
        },
        "payments": plain(case.payments, calendar),
        "deadlines": deadline_answers(workflows, case),
    }


def _waited(workflows: Workflows, replay: Replay, case: Case) -> dict[str, int]:
    """Seconds for which the case has waited for each side."""
    now = replay.at or case.at
    spent = workflows[case.workflow].time_by_side(replay.history(case.id), now)
    return {side: int(time.total_seconds()) for side, time in spent.items()}


def effect_answers(effects: Iterable[Effect], calendar: Calendar) -> list[dict[str, Any]]:
    return [
        {
            "kind": effect.kind,
            "to": effect.to,
            "at": calendar.iso(effect.at),
            "case": effect.case,
            "about": effect.about,
            "key": effect.key,
            "data": plain(effect.data, calendar),
        }
        for effect in effects
    ]


def replay_answer(workflows: Workflows, replay: Replay) -> dict[str, Any]:
    """`steps`, `cases` by id, and `effects`."""
    calendar = workflows.calendar
    return {
        "at": _iso(calendar, replay.at),
        "steps": [
            {
                "line": step.line.number,
                "case": step.line.case,
                "event": step.line.command.event,
                "at": calendar.iso(step.line.command.at),
                "accepted": step.accepted,
                "state": step.state,
                "reasons": [reason_answer(reason, calendar) for reason in step.reasons],
            }
            for step in replay.steps
        ],
        "cases": {
            case.id: {**case_answer(workflows, case), "waited_seconds": _waited(workflows, replay, case)}
            for case in replay.cases()
        },
        "effects": effect_answers(replay.effects, calendar),
    }


def option_answers(options: Iterable[Option], calendar: Calendar) -> list[dict[str, Any]]:
    return [
        {
            "event": option.event,
            "label": plain(option.label, calendar),
            "roles": list(option.roles),
            "target": option.target,
            "allowed": option.allowed,
            "needs": [reason_answer(reason, calendar) for reason in option.needs],
            "lacks": [reason_answer(reason, calendar) for reason in option.lacks],
            "may_give": list(option.may_give),
        }
        for option in options
    ]


def explanation_answer(explanation: Explanation, calendar: Calendar) -> dict[str, Any]:
    clock = explanation.deadline
    return {
        "name": explanation.name,
        "label": plain(explanation.label, calendar),
        "status": "idle" if clock is None else clock.status,
        "due_at": None if clock is None else calendar.iso(clock.due_at),
        "target_at": None if clock is None else _iso(calendar, clock.target_at),
        "lines": [plain(line, calendar) for line in explanation.lines],
        "steps": []
        if clock is None
        else [
            {
                "what": step.what,
                "at": calendar.iso(step.at),
                "by": step.by,
                "due_at": _iso(calendar, step.due_at),
                "moved": step.moved,
                "term": step.term,
                "limit": step.limit,
                "reason": step.reason,
                "actor": step.actor,
            }
            for step in clock.steps
        ],
        "cites": list(explanation.cites),
    }


def history_answers(workflows: Workflows, replay: Replay) -> dict[str, list[dict[str, Any]]]:
    """Every case's history by id: who did what, when, with what, and what it followed from."""
    calendar = workflows.calendar
    return {
        case.id: [
            {
                "number": entry.number,
                "at": calendar.iso(entry.at),
                "event": entry.event,
                "actor": entry.actor,
                "roles": list(entry.roles),
                "source": entry.source,
                "target": entry.target,
                "facts": plain(entry.facts, calendar),
                "derived": plain(entry.derived, calendar),
                "documents": plain(entry.documents, calendar),
                "payments": [{"id": p.id, "amount": str(p.amount)} for p in entry.payments],
                "note": entry.note,
                "cause": entry.cause,
            }
            for entry in replay.history(case.id)
        ]
        for case in replay.cases()
    }
