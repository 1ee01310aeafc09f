"""The demonstration's report: the timeline, which deadlines were kept and missed, what was refused and why."""

from __future__ import annotations

from renoflow.engine.workflow import Workflows
from renoflow.records import Case, Deadline
from renoflow.script import Replay
from renoflow.values import Label, Lang
from renoflow.views.text import table
from renoflow.views.timeline import timeline
from renoflow.workflow.plan import ClockPlan
from renoflow.workflow.statements import STATUS_LABELS

TITLES = {
    "happened": Label("一、经过", "1. What happened"),
    "kept": Label("二、按时完成的时限", "2. Deadlines kept"),
    "missed": Label("三、逾期的时限", "3. Deadlines missed"),
    "running": Label("四、仍在计算的时限", "4. Clocks still running"),
    "refused": Label("五、被拒绝的命令与理由", "5. What was refused, and why"),
    "why": Label("六、一个日期是怎么来的", "6. How one date came about"),
}
_SHOWN = (("kept", ("met",)), ("missed", ("breached", "met_late")), ("running", ("running", "paused")))


def report(workflows: Workflows, replay: Replay, lang: Lang) -> str:
    """All sections, in one text."""
    parts = [_title("happened", lang), timeline(workflows, replay, lang)]
    for name, statuses in _SHOWN:
        parts += [_title(name, lang), _deadlines(workflows, replay, statuses, lang)]
    parts += [_title("refused", lang), _refusals(workflows, replay, lang)]
    parts += [_title("why", lang), _why(workflows, replay, lang)]
    return "\n".join(parts)


def _title(name: str, lang: Lang) -> str:
    text = TITLES[name].text(lang)
    return f"\n{text}\n"


def _deadlines(workflows: Workflows, replay: Replay, statuses: tuple[str, ...], lang: Lang) -> str:
    rows = [
        (case.id, rule.label.text(lang), _dates(workflows, rule, clock, lang))
        for case, rule, clock in _clocks(workflows, replay)
        if clock.status in statuses
    ]
    return table(rows, indent="  ")


def _clocks(workflows: Workflows, replay: Replay) -> list[tuple[Case, ClockPlan, Deadline]]:
    return [
        (case, rule, case.deadlines[name])
        for case in replay.cases()
        for name, rule in workflows[case.workflow].plan.clocks.items()
        if name in case.deadlines
    ]


def _dates(workflows: Workflows, rule: ClockPlan, clock: Deadline, lang: Lang) -> str:
    calendar = workflows.calendar
    due = calendar.text_of(clock.due_at, lang)
    status = STATUS_LABELS[clock.status].text(lang)
    if clock.met_at is None:
        return f"{due}  {status}"
    done = calendar.text_of(clock.met_at, lang)
    return f"{due}  {status} {done}"


def _refusals(workflows: Workflows, replay: Replay, lang: Lang) -> str:
    lines = []
    for step in replay.steps:
        if step.accepted:
            continue
        command = step.line.command
        at = workflows.calendar.iso(command.at)[:16].replace("T", " ")
        lines.append(f"  {at}  {step.line.case}  {command.event}  ({command.actor.id})")
        lines += [f"      - {reason.text(lang)}" for reason in step.reasons]
    return "\n".join(lines)


def _why(workflows: Workflows, replay: Replay, lang: Lang) -> str:
    """The date with the longest story."""
    found = max(
        _clocks(workflows, replay), key=lambda item: (len(item[2].steps), item[1].name), default=None
    )
    if found is None:
        return ""
    case, rule, _ = found
    text = workflows[case.workflow].explain(case, rule.name).text(lang)
    return f"  {case.id}\n" + "\n".join(f"  {line}" for line in text.splitlines())
