"""Why a deadline is due when it is, in words: every step of how the date came about."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from renoflow.engine.calendar import Calendar
from renoflow.engine.deadlines import unit_of
from renoflow.engine.rules import Rules
from renoflow.errors import UnknownName
from renoflow.records import Case, ClockStep, Deadline
from renoflow.values import Label, Lang, parse_duration
from renoflow.workflow.plan import ClockPlan, Plan
from renoflow.workflow.statements import STATUS_LABELS


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """How one deadline stands and how its date came about; `text` gives the sentences."""

    name: str
    label: Label
    owner: Label
    deadline: Deadline | None
    lines: tuple[Label, ...]
    cites: tuple[str, ...] = ()

    def text(self, lang: Lang = "zh") -> str:
        return "\n".join(line.text(lang) for line in self.lines)


def explain(rules: Rules, case: Case, name: str) -> Explanation:
    """Raises `UnknownName` for a deadline that the workflow does not have."""
    plan: Plan = rules.plan
    clock_plan = plan.clocks.get(name)
    if clock_plan is None:
        raise UnknownName("deadline", name, plan.clocks)
    clock = case.deadlines.get(name)
    return Explanation(
        name=name,
        label=clock_plan.label,
        owner=plan.role_labels.get(clock_plan.owner, Label(clock_plan.owner, clock_plan.owner)),
        deadline=clock,
        lines=tuple(_lines(plan, rules.calendar, clock_plan, clock)),
        cites=plan.definition.deadlines[clock_plan.rule].cites,
    )


def _lines(plan: Plan, calendar: Calendar, rule: ClockPlan, clock: Deadline | None) -> Iterator[Label]:
    owner = plan.role_labels.get(rule.owner, Label(rule.owner, rule.owner))
    yield Label(f"{rule.label.zh},由{owner.zh}负责。", f"{rule.label.en}, owed by: {owner.en}.")
    if clock is None:
        yield Label("尚未起算。", "It has not started.")
        return
    paused: ClockStep | None = None
    for step in clock.steps:
        if step.what == "paused":
            paused = step
        yield _line(plan, calendar, rule, clock, step, paused)
    if clock.target_at is not None and clock.status in ("running", "paused", "breached"):
        zh, en = calendar.text_of(clock.target_at, "zh"), calendar.text_of(clock.target_at, "en")
        yield Label(f"内部目标:{zh}。", f"Internal target: {en}.")
    yield _verdict(calendar, rule, clock)
    if clock.provisional:
        yield Label(
            "所涉年份的工作日历尚未公布,按周一至周五暂计,公布后重算。",
            "The calendar of that year is not published: Monday to Friday assumed, to be counted again.",
        )


def _line(
    plan: Plan, calendar: Calendar, rule: ClockPlan, clock: Deadline, step: ClockStep, paused: ClockStep | None
) -> Label:
    at = Label(calendar.text_of(step.at, "zh"), calendar.text_of(step.at, "en"))
    by = _named(plan, step.by)
    until = _until(calendar, rule, step)
    if step.what == "started":
        start = _started(calendar, rule, clock, step, by)
        term = _term(rule, step)
        return Label(f"{start.zh}{term.zh}{until.zh}", f"{start.en} {term.en} {until.en}")
    if step.what == "chosen":
        term = _term(rule, step)
        return Label(
            f"{at.zh} 因「{by.zh}」重新选定,仍从原起算日计:{term.zh}{until.zh}",
            f"{at.en}, by '{by.en}': chosen again, counted from the same start. {term.en} {until.en}",
        )
    if step.what == "paused":
        return Label(f"{at.zh} 进入「{by.zh}」,暂停。", f"{at.en}: paused on entering '{by.en}'.")
    if step.what == "resumed":
        moved = _moved(calendar, clock, paused, step)
        return Label(
            f"{at.zh} 进入「{by.zh}」,恢复,{moved.zh}。{until.zh}",
            f"{at.en}: resumed on entering '{by.en}', {moved.en}. {until.en}",
        )
    if step.what == "extended":
        return _extension(step, at, by, until)
    return Label(f"{at.zh} 工作日历公布,重算。{until.zh}", f"{at.en}: counted again by the published calendar. {until.en}")


def _started(calendar: Calendar, rule: ClockPlan, clock: Deadline, step: ClockStep, by: Label) -> Label:
    start = Label(calendar.text_of(clock.started_at, "zh"), calendar.text_of(clock.started_at, "en"))
    if rule.counts_from is not None and clock.started_at != step.at:
        day = calendar.iso(clock.started_at)[:10]
        start = Label(day, day)
    elapsed = _is_elapsed(step.limit)
    if elapsed:
        return Label(f"{start.zh} 因「{by.zh}」起算,按实际经过时间计。", f"Started {start.en} by '{by.en}', counted as time elapsed.")
    if rule.kind == "wait":
        return Label(f"{start.zh} 因「{by.zh}」开始等待,当日不计入。", f"The wait began {start.en} by '{by.en}'; that day is not counted.")
    return Label(
        f"{start.zh} 因「{by.zh}」起算,当日不计入。", f"Started {start.en} by '{by.en}'; that day is not counted."
    )


def _is_elapsed(limit: str) -> bool:
    return limit.partition(" ")[2].rstrip("s") in ("hour", "minute")


def _term(rule: ClockPlan, step: ClockStep) -> Label:
    named = next((term for term in rule.terms if term.name == step.term), None)
    name = Label(f"(条款 {step.term})", f" (term '{step.term}')") if step.term and len(rule.terms) > 1 else Label("", "")
    if step.limit[4:5] == "-":
        return Label(f"约定日期 {step.limit}{name.zh}。", f"Agreed date {step.limit}{name.en}.")
    length = parse_duration(step.limit)
    target = named.target if named is not None else None
    if target is not None:
        return Label(
            f"目标{target.text('zh')},期限{length.text('zh')}{name.zh}。",
            f"Target {target.text('en')}, limit {length.text('en')}{name.en}.",
        )
    return Label(f"期限{length.text('zh')}{name.zh}。", f"Limit {length.text('en')}{name.en}.")


def _until(calendar: Calendar, rule: ClockPlan, step: ClockStep) -> Label:
    if step.due_at is None:
        return Label("", "")
    zh, en = calendar.text_of(step.due_at, "zh"), calendar.text_of(step.due_at, "en")
    rolled = (
        Label("末日逢休息日,顺延至下一工作日,", "The last day is a rest day and moves to the next working day: ")
        if step.rolled
        else Label("", "")
    )
    word = {"limit": Label("到期", "due"), "wait": Label("可办理之时", "open from"), "period": Label("届满", "ends")}[rule.kind]
    if rule.kind == "wait":
        iso = calendar.iso(step.due_at)[:16].replace("T", " ")
        return Label(f"{word.zh}:{iso} 起。", f"Open from {iso}.")
    return Label(f"{rolled.zh}{word.zh}:{zh}。", f"{rolled.en}{word.en[:1].upper()}{word.en[1:]} {en}.")


def _moved(calendar: Calendar, clock: Deadline, paused: ClockStep | None, step: ClockStep) -> Label:
    if paused is None:
        return Label("余期照计", "the rest of the term runs on")
    unit = unit_of(clock)
    if unit in ("hour", "minute"):
        minutes = int((step.at - paused.at).total_seconds() // 60)
        return Label(f"顺延 {minutes} 分钟", f"moved by {minutes} minutes")
    nights = calendar.day_of(step.at) - calendar.day_of(paused.at)
    if unit == "working day":
        return Label(f"暂停跨过 {nights} 个零点,余下的工作日不变", f"after {nights} midnights; the working days left are kept")
    return Label(f"暂停跨过 {nights} 个零点,顺延 {nights} 天", f"moved by the {nights} midnights of the pause")


def _extension(step: ClockStep, at: Label, by: Label, until: Label) -> Label:
    earlier = step.moved.startswith("-")
    length = parse_duration(step.moved.lstrip("-"))
    word = Label("缩短", "shortened") if earlier else Label("延长", "extended")
    why = Label(f",理由:{step.reason}", f", reason: {step.reason}") if step.reason else Label("", "")
    return Label(
        f"{at.zh} 由 {step.actor} 因「{by.zh}」{word.zh}{length.text('zh')}{why.zh}。{until.zh}",
        f"{at.en}: {word.en} by {length.text('en')} ('{by.en}', {step.actor}{why.en}). {until.en}",
    )


def _verdict(calendar: Calendar, rule: ClockPlan, clock: Deadline) -> Label:
    status = STATUS_LABELS[clock.status]
    moment = clock.met_at or clock.breached_at or clock.paused_at
    when = Label("", "")
    if moment is not None:
        when = Label(f"({calendar.text_of(moment, 'zh')})", f" ({calendar.text_of(moment, 'en')})")
    return Label(f"现状:{status.zh}{when.zh}。", f"Now: {status.en}{when.en}.")


def _named(plan: Plan, name: str) -> Label:
    """An event, a state or a happening, as people call it."""
    if name in plan.events:
        return plan.events[name].label
    if name in plan.state_labels:
        return plan.state_labels[name]
    if name.startswith("deadline.") and name.endswith(".extend"):
        return Label("延期", "extension")
    return Label(name, name)
