"""A replay for people: what happened when, what was refused and why, and how the deadlines stand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from renoflow.engine.explain import named
from renoflow.engine.outlook import Option
from renoflow.engine.workflow import Workflows
from renoflow.records import Case, Deadline, HistoryEntry, Reason
from renoflow.script import Replay, StepResult
from renoflow.values import SYSTEM, Label, Lang, listed
from renoflow.views.text import COLON, SEMICOLON, bracketed, distance, length, table
from renoflow.workflow.plan import ClockPlan, Plan
from renoflow.workflow.statements import STATUS_LABELS

WORDS = {
    "refused": Label("被拒", "refused"),
    "system": Label("系统", "system"),
    "provisional": Label("暂计", "provisional"),
    "due": Label("到期", "due"),
    "from": Label("等到", "until"),
    "ends": Label("届满", "ends"),
    "in_force": Label("有效期内", "in force"),
    "waited": Label("等待时间", "waited for"),
    "needs": Label("还须", "needs"),
    "lacks": Label("尚缺", "lacks"),
    "told": Label("已通知", "told:"),
    "warning": Label("临期提醒", "warning"),
    "escalation": Label("逾期升级", "escalated"),
}


SIDES = {
    "company": Label("公司", "the company"),
    "customer": Label("客户", "the customer"),
    "third": Label("第三方", "a third party"),
    "supplier": Label("供应商", "the supplier"),
    "employee": Label("员工", "the employee"),
}


def timeline(workflows: Workflows, replay: Replay, lang: Lang) -> str:
    """Every event, clock and refusal in time order. What linked cases were told is left to the histories:
    it is the same happening, seen from the other side."""
    rows: list[tuple[datetime, int, int, tuple[str, ...]]] = []
    told = _told(replay)
    for order, case in enumerate(replay.cases()):
        plan = workflows[case.workflow].plan
        for entry in replay.history(case.id):
            if entry.told is None or entry.event in plan.events:
                cells = (when(workflows, entry.at), case.id, *_entry(plan, entry, told, lang))
                rows.append((entry.at, order, entry.number, cells))
    for step in replay.steps:
        if not step.accepted:
            cells = (when(workflows, step.line.command.at), step.line.case, *_refusal(workflows, step, lang))
            rows.append((step.line.command.at, 10**6, step.line.number, cells))
    rows.sort(key=lambda row: row[:3])
    return table([cells for *_, cells in rows])


def when(workflows: Workflows, at: datetime) -> str:
    """An instant to the minute, in the firm's zone."""
    return workflows.calendar.iso(at)[:16].replace("T", " ")


def who(plan: Plan | None, actor: str, roles: tuple[str, ...], lang: Lang) -> str:
    """A person with his roles, or the system."""
    if actor == SYSTEM:
        return WORDS["system"].text(lang)
    labels = {} if plan is None else plan.role_labels
    shown = listed((labels[role].text(lang) if role in labels else role for role in roles), lang)
    return f"{actor}{bracketed(shown, lang)}"


def _told(replay: Replay) -> dict[tuple[str, str, datetime], list[str]]:
    """The roles that were notified, by case, cause and instant."""
    found: dict[tuple[str, str, datetime], list[str]] = {}
    for effect in replay.effects:
        if effect.kind == "notify":
            found.setdefault((effect.case, effect.about, effect.at), []).append(effect.to)
    return found


def _entry(
    plan: Plan, entry: HistoryEntry, told: dict[tuple[str, str, datetime], list[str]], lang: Lang
) -> tuple[str, str]:
    label = _happening(plan, entry.event).text(lang)
    what = label
    if entry.target != entry.source and plan.state_labels[entry.target].text(lang) != label:
        what += f" → {plan.state_labels[entry.target].text(lang)}"
    roles = told.get((entry.case, entry.event, entry.at), [])
    if roles:
        names = listed((plan.role_labels[r].text(lang) for r in roles if r in plan.role_labels), lang)
        what += f" · {WORDS['told'].text(lang)}{'' if lang == 'zh' else ' '}{names}"
    if entry.note and entry.event.startswith("accumulation."):
        what += bracketed(entry.note, lang)
    return who(plan, entry.actor, entry.roles, lang), what


def _happening(plan: Plan, name: str) -> Label:
    if name.endswith(".redacted"):
        return _redaction(plan, name)
    if not name.startswith("deadline."):
        return named(plan, name)
    clock, _, mark = name.removeprefix("deadline.").rpartition(".")
    if mark in ("warning", "escalation"):
        rule, word = plan.clocks[clock].label, WORDS[mark]
        return Label(f"⏰ {rule.zh}：{word.zh}", f"⏰ {rule.en}: {word.en}")
    if mark == "extend":
        return named(plan, name)
    rule, word = plan.clocks[clock].label, STATUS_LABELS[mark]
    return Label(f"⏰ {rule.zh}：{word.zh}", f"⏰ {rule.en}: {word.en}")


def _redaction(plan: Plan, name: str) -> Label:
    fact = name.removeprefix("fact.").removesuffix(".redacted")
    what = plan.facts[fact].label if fact in plan.facts else Label("备注", "notes")
    return Label(f"删除个人信息：{what.zh}", f"personal data removed: {what.en}")


def event_label(workflows: Workflows, step: StepResult) -> tuple[Plan | None, Label]:
    """What a line of the script wanted to do, and the plan that knows it."""
    name = step.line.command.event
    for workflow, flow in workflows.items():
        known = step.line.open == workflow or step.state in flow.plan.state_labels
        if known and name in flow.plan.events:
            return flow.plan, flow.plan.events[name].label
    return None, Label(name, name)


def _refusal(workflows: Workflows, step: StepResult, lang: Lang) -> tuple[str, str]:
    plan, label = event_label(workflows, step)
    command = step.line.command
    why = SEMICOLON[lang].join(reason.text(lang) for reason in step.reasons)
    actor = who(plan, command.actor.id, command.actor.sorted_roles, lang)
    return actor, f"✗ {WORDS['refused'].text(lang)} {label.text(lang)}{COLON[lang]}{why}"


# ------------------------------------------------------------------ how it stands


def standing(workflows: Workflows, replay: Replay, lang: Lang) -> str:
    """Each case with its state, the deadlines that have started, and what its ledger comes to."""
    return "\n".join(line for case in replay.cases() for line in _case(workflows, replay, case, lang))


def _case(workflows: Workflows, replay: Replay, case: Case, lang: Lang) -> Iterator[str]:
    flow = workflows[case.workflow]
    plan, now = flow.plan, replay.at or case.at
    yield f"{case.id}  {plan.label.text(lang)}{COLON[lang]}{plan.state_labels[case.state].text(lang)}"
    spent = flow.time_by_side(replay.history(case.id), now)
    if spent:
        sides = [f"{SIDES[side].text(lang)} {length(time, lang)}" for side, time in spent.items()]
        yield f"    {WORDS['waited'].text(lang)}{COLON[lang]}{listed(sides, lang)}"
    rows = [
        (rule.label.text(lang), status(rule, clock, lang), due(workflows, rule, clock, lang, now))
        for name, rule in plan.clocks.items()
        if (clock := case.deadlines.get(name)) is not None
    ]
    if rows:
        yield table(rows, indent="    ")
    yield from (f"    {one.text(lang)}" for one in flow.tally(case, now) if one.found)


def status(rule: ClockPlan, clock: Deadline, lang: Lang) -> str:
    """A deadline's status in a word; a cover that runs is in force."""
    if rule.kind == "period" and clock.status == "running":
        return WORDS["in_force"].text(lang)
    return STATUS_LABELS[clock.status].text(lang)


def due(
    workflows: Workflows, rule: ClockPlan, clock: Deadline, lang: Lang, now: datetime | None = None
) -> str:
    """When it is due, and how far that is from `now` while it still matters."""
    word = WORDS[{"limit": "due", "wait": "from", "period": "ends"}[rule.kind]].text(lang)
    calendar = workflows.calendar
    at = when(workflows, clock.due_at) if rule.kind == "wait" else calendar.text_of(clock.due_at, lang)
    notes = [WORDS["provisional"].text(lang)] if clock.provisional else []
    if now is not None and clock.status in ("running", "breached"):
        notes.append(distance(clock.due_at, now, lang))
    return f"{word} {at}" + bracketed(listed(notes, lang), lang)


# ------------------------------------------------------------------ what can be done


def options(plan: Plan, case: Case, found: tuple[Option, ...], lang: Lang) -> str:
    """What can be done now, and under each of the rest what it lacks."""
    state = plan.state_labels[case.state].text(lang)
    lines = [f"{case.id}  {plan.label.text(lang)}{COLON[lang]}{state}"]
    for option in sorted(found, key=lambda item: not item.allowed):
        sign = "✓" if option.allowed else "✗"
        lines.append(f"{sign} {option.event}  {option.label.text(lang)}  [{option.roles_label.text(lang)}]")
        lines += [
            f"    {WORDS['needs'].text(lang)}{COLON[lang]}{_need(reason, lang)}" for reason in option.needs
        ]
        lines += [
            f"    {WORDS['lacks'].text(lang)}{COLON[lang]}{reason.text(lang)}" for reason in option.lacks
        ]
    return "\n".join(lines)


def _need(reason: Reason, lang: Lang) -> str:
    """What the command can bring itself, as a thing to bring rather than as a complaint."""
    label = reason.subject if reason.label is None else reason.label.text(lang)
    if reason.code in ("document_missing", "payment_missing"):
        return f"《{label}》" if lang == "zh" and reason.code == "document_missing" else label
    if reason.code == "fact_missing":
        return f"「{label}」" if lang == "zh" else label
    return label if reason.code == "guard_unmet" else reason.text(lang)
