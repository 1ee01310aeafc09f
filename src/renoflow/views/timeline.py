"""A replay for people: what happened when, what was refused and why, and how the deadlines stand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from renoflow.engine.outlook import Option
from renoflow.engine.workflow import Workflows
from renoflow.records import Case, Deadline, HistoryEntry, Reason
from renoflow.script import Replay, StepResult
from renoflow.values import SYSTEM, Label, Lang
from renoflow.views.text import table
from renoflow.workflow.plan import Plan
from renoflow.workflow.statements import STATUS_LABELS

WORDS = {
    "timeline": Label("经过", "What happened"),
    "refused": Label("拒绝", "refused"),
    "deadlines": Label("时限", "Deadlines"),
    "stands": Label("现状", "How it stands"),
    "system": Label("系统", "system"),
    "overdue": Label("逾期", "overdue"),
    "provisional": Label("暂计", "provisional"),
    "due": Label("到期", "due"),
    "from": Label("可办理自", "open from"),
    "ends": Label("届满", "ends"),
    "refusals": Label("被拒绝的命令与理由", "What was refused, and why"),
    "none": Label("无", "none"),
    "needs": Label("须随附", "bring"),
    "lacks": Label("尚缺", "lacks"),
}


_MARKS = {
    "extend": Label("延长", "extended"),
    "warning": Label("临期提醒", "warning"),
    "escalation": Label("逾期升级", "escalated"),
}


def timeline(workflows: Workflows, replay: Replay, lang: Lang) -> str:
    """Every line of every history and every refusal, in time order."""
    rows: list[tuple[datetime, int, int, tuple[str, ...]]] = []
    for order, case in enumerate(replay.cases()):
        plan = workflows[case.workflow].plan
        for entry in replay.history(case.id):
            cells = (_when(workflows, entry.at), case.id, *_entry(plan, entry, lang))
            rows.append((entry.at, order, entry.number, cells))
    for step in replay.steps:
        if not step.accepted:
            cells = (_when(workflows, step.line.command.at), step.line.case, *_refusal(workflows, step, lang))
            rows.append((step.line.command.at, 10**6, step.line.number, cells))
    rows.sort(key=lambda row: row[:3])
    return table([cells for *_, cells in rows])


def _when(workflows: Workflows, at: datetime) -> str:
    return workflows.calendar.iso(at)[:16].replace("T", " ")


def _entry(plan: Plan, entry: HistoryEntry, lang: Lang) -> tuple[str, str]:
    who = WORDS["system"].text(lang) if entry.actor == SYSTEM else entry.actor
    what = _event(plan, entry.event).text(lang)
    if entry.target != entry.source:
        what += f" → {plan.state_labels[entry.target].text(lang)}"
    return who, what


def _event(plan: Plan, name: str) -> Label:
    if name in plan.events:
        return plan.events[name].label
    if name.startswith("deadline."):
        clock, _, mark = name.removeprefix("deadline.").rpartition(".")
        label = plan.clocks[clock].label
        status = _MARKS.get(mark) or STATUS_LABELS[mark]
        return Label(f"⏰ {label.zh}:{status.zh}", f"⏰ {label.en}: {status.en}")
    kind, _, rest = name.partition(".")
    if kind == "child":
        return Label(f"得知 {rest}", f"heard of {rest}")
    return Label(f"得知 {rest.split('.')[0]} 的变动", f"heard of the {rest.split('.')[0]}")


def _refusal(workflows: Workflows, step: StepResult, lang: Lang) -> tuple[str, str]:
    name = step.line.command.event
    case = step.line.open or _workflow_of(workflows, step)
    label = name
    if case is not None and name in workflows[case].plan.events:
        label = workflows[case].plan.events[name].label.text(lang)
    why = (";" if lang == "zh" else "; ").join(reason.text(lang) for reason in step.reasons)
    return step.line.command.actor.id, f"✗ {WORDS['refused'].text(lang)} {label}: {why}"


def _workflow_of(workflows: Workflows, step: StepResult) -> str | None:
    for name, flow in workflows.items():
        if step.line.command.event in flow.plan.events and step.state in flow.plan.state_labels:
            return name
    return None


def standing(workflows: Workflows, replay: Replay, lang: Lang) -> str:
    """Each case with its state and the deadlines that have started."""
    return "\n".join(line for case in replay.cases() for line in _case(workflows, case, lang))


def _case(workflows: Workflows, case: Case, lang: Lang) -> Iterator[str]:
    plan = workflows[case.workflow].plan
    yield f"{case.id}  {plan.label.text(lang)}: {plan.state_labels[case.state].text(lang)}"
    rows = [
        _deadline(workflows, plan, name, case.deadlines[name], lang)
        for name in plan.clocks
        if name in case.deadlines
    ]
    if rows:
        yield table(rows, indent="    ")


def _deadline(
    workflows: Workflows, plan: Plan, name: str, clock: Deadline, lang: Lang
) -> tuple[str, str, str]:
    rule = plan.clocks[name]
    calendar = workflows.calendar
    word = WORDS[{"limit": "due", "wait": "from", "period": "ends"}[rule.kind]].text(lang)
    at = (
        calendar.iso(clock.due_at)[:16].replace("T", " ")
        if rule.kind == "wait"
        else calendar.text_of(clock.due_at, lang)
    )
    status = STATUS_LABELS[clock.status].text(lang)
    extra = f" ({WORDS['provisional'].text(lang)})" if clock.provisional else ""
    return rule.label.text(lang), status, f"{word} {at}{extra}"


def options(plan: Plan, case: Case, found: tuple[Option, ...], lang: Lang) -> str:
    """What can be done now, and under each of the rest what it lacks."""
    state = plan.state_labels[case.state].text(lang)
    lines = [f"{case.id}  {plan.label.text(lang)}: {state}"]
    for option in sorted(found, key=lambda item: not item.allowed):
        sign = "✓" if option.allowed else "✗"
        lines.append(f"{sign} {option.event}  {option.label.text(lang)}  [{option.roles_label.text(lang)}]")
        lines += [f"    {WORDS['needs'].text(lang)}: {_need(reason, lang)}" for reason in option.needs]
        lines += [f"    {WORDS['lacks'].text(lang)}: {reason.text(lang)}" for reason in option.lacks]
    return "\n".join(lines)


def _need(reason: Reason, lang: Lang) -> str:
    """What the command can bring itself, as a thing to bring rather than as a complaint."""
    label = reason.subject if reason.label is None else reason.label.text(lang)
    if reason.code == "document_missing":
        return f"《{label}》" if lang == "zh" else label
    if reason.code == "fact_missing":
        return label
    return reason.text(lang)
