"""The demonstration's report: the timeline, deadlines kept and missed, what was refused and why."""

from __future__ import annotations

from renoflow.engine.workflow import Workflows
from renoflow.records import Case, Deadline
from renoflow.script import Replay
from renoflow.values import Label, Lang
from renoflow.views.text import table
from renoflow.views.timeline import due, event_label, status, timeline, when, who
from renoflow.workflow.plan import ClockPlan
from renoflow.workflow.statements import STATUS_LABELS

TITLES = {
    "happened": Label("一、经过", "1. What happened"),
    "kept": Label("二、按时完成的时限", "2. Deadlines kept"),
    "missed": Label("三、逾期的时限", "3. Deadlines missed"),
    "running": Label("四、仍在计时的时限", "4. Deadlines still running"),
    "refused": Label("五、被拒绝的命令与理由", "5. What was refused, and why"),
    "why": Label("六、一个日期是怎么来的", "6. How one date came about"),
}


def report(workflows: Workflows, replay: Replay, lang: Lang) -> str:
    """All sections, in one text."""
    sections = (
        ("happened", timeline(workflows, replay, lang)),
        ("kept", _kept(workflows, replay, lang)),
        ("missed", _missed(workflows, replay, lang)),
        ("running", _running(workflows, replay, lang)),
        ("refused", _refusals(workflows, replay, lang)),
        ("why", _why(workflows, replay, lang)),
    )
    return "\n".join(f"\n{TITLES[name].text(lang)}\n\n{text}" for name, text in sections)


def _clocks(workflows: Workflows, replay: Replay) -> list[tuple[Case, ClockPlan, Deadline]]:
    return [
        (case, rule, case.deadlines[name])
        for case in replay.cases()
        for name, rule in workflows[case.workflow].plan.clocks.items()
        if name in case.deadlines
    ]


def _kept(workflows: Workflows, replay: Replay, lang: Lang) -> str:
    rows = [
        (case.id, rule.label.text(lang), due(workflows, rule, clock, lang), _met(workflows, clock, lang))
        for case, rule, clock in _clocks(workflows, replay)
        if clock.status == "met"
    ]
    return table(rows, indent="  ")


def _met(workflows: Workflows, clock: Deadline, lang: Lang) -> str:
    if clock.met_at is None:
        return ""
    return f"{STATUS_LABELS[clock.status].text(lang)} {when(workflows, clock.met_at)}"


def _missed(workflows: Workflows, replay: Replay, lang: Lang) -> str:
    """From the histories, since a clock that begins anew forgets its earlier rounds."""
    rows = []
    for case in replay.cases():
        clocks = workflows[case.workflow].plan.clocks
        for entry in replay.history(case.id):
            name, _, mark = entry.event.removeprefix("deadline.").rpartition(".")
            if mark == "breached" and name in clocks:
                at = workflows.calendar.text_of(entry.at, lang)
                clock = case.deadlines[name]
                late = _met(workflows, clock, lang) if clock.breached_at == entry.at else ""
                rows.append((case.id, clocks[name].label.text(lang), at, late))
    return table(rows, indent="  ")


def _running(workflows: Workflows, replay: Replay, lang: Lang) -> str:
    rows = [
        (case.id, rule.label.text(lang), due(workflows, rule, clock, lang), status(rule, clock, lang))
        for case, rule, clock in _clocks(workflows, replay)
        if clock.status in ("running", "paused")
    ]
    return table(rows, indent="  ")


def _refusals(workflows: Workflows, replay: Replay, lang: Lang) -> str:
    lines = []
    for step in replay.steps:
        if step.accepted:
            continue
        plan, label = event_label(workflows, step)
        command = step.line.command
        actor = who(plan, command.actor.id, command.actor.sorted_roles, lang)
        lines.append(f"  {when(workflows, command.at)}  {step.line.case}  {label.text(lang)}  {actor}")
        lines += [f"      - {reason.text(lang)}" for reason in step.reasons]
    return "\n".join(lines)


def _why(workflows: Workflows, replay: Replay, lang: Lang) -> str:
    """The date with the longest story."""
    found = max(_clocks(workflows, replay), key=lambda item: (len(item[2].steps), item[1].name), default=None)
    if found is None:
        return ""
    case, rule, _ = found
    text = workflows[case.workflow].explain(case, rule.name).text(lang)
    return f"  {case.id}\n" + "\n".join(f"  {line}" for line in text.splitlines())
