"""Why a deadline is due when it is, in words: every step of how the date came about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

import msgspec

from renoflow.engine.calendar import Calendar
from renoflow.engine.deadlines import unit_of
from renoflow.engine.periods import EVERY
from renoflow.engine.rules import Rules
from renoflow.errors import UnknownName
from renoflow.records import Case, ClockStep, Deadline
from renoflow.values import SYSTEM, Label, Lang, listed, parse_duration
from renoflow.workflow.plan import ClockPlan, Plan
from renoflow.workflow.statements import STATUS_LABELS, joined

PERIODS: Mapping[str, Label] = {
    "day": Label("自然日", "calendar day"),
    "week": Label("自然周（周一至周日）", "calendar week (Monday to Sunday)"),
    "month": Label("自然月", "calendar month"),
    "quarter": Label("自然季度", "calendar quarter"),
    "year": Label("自然年", "calendar year"),
}
MOST_NAMED = 10
"""Rest days that a sentence names one by one."""


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
    plan = rules.plan
    rule = plan.clocks.get(name)
    if rule is None:
        raise UnknownName("deadline", name, plan.clocks)
    clock = case.deadlines.get(name)
    owner = plan.role_labels.get(rule.owner, Label(rule.owner, rule.owner))
    return Explanation(
        name=name,
        label=rule.label,
        owner=owner,
        deadline=clock,
        lines=tuple(_Story(plan, rules.calendar, rule, owner).lines(clock)),
        cites=plan.definition.deadlines[rule.rule].cites,
    )


class _Story:
    """One deadline told from its start."""

    def __init__(self, plan: Plan, calendar: Calendar, rule: ClockPlan, owner: Label) -> None:
        self.plan = plan
        self.calendar = calendar
        self.rule = rule
        self.owner = owner

    def lines(self, clock: Deadline | None) -> Iterator[Label]:
        yield Label(
            f"{self.rule.label.zh}，由{self.owner.zh}负责。",
            f"{self.rule.label.en}, owed by: {self.owner.en}.",
        )
        if clock is None:
            yield Label("尚未起算。", "It has not started.")
            return
        paused: ClockStep | None = None
        for step in clock.steps:
            paused = step if step.what == "paused" else paused
            yield self._step(clock, step, paused)
        if clock.limit.endswith(("working day", "working days")):
            yield from self._rest_days(clock)
        if clock.target_at is not None and clock.status in ("running", "paused", "breached"):
            zh, en = (
                self.calendar.text_of(clock.target_at, "zh"),
                self.calendar.text_of(clock.target_at, "en"),
            )
            yield Label(f"内部目标：{zh}。", f"Internal target: {en}.")
        yield self._verdict(clock)
        if clock.provisional:
            yield Label(
                "所涉年份的工作日历尚未公布，按周一至周五暂计，公布后重算。",
                "The calendar of that year is not published: Monday to Friday assumed, to be counted again.",
            )

    def _step(self, clock: Deadline, step: ClockStep, paused: ClockStep | None) -> Label:
        at = Label(self.calendar.text_of(step.at, "zh"), self.calendar.text_of(step.at, "en"))
        by, until, term = self._named(step.by), self._until(step), self._term(step)
        if step.what == "started":
            start = self._started(clock, step, by)
            return Label(f"{start.zh}{term.zh}{until.zh}", f"{start.en} {term.en} {until.en}")
        if step.what == "chosen":
            return Label(
                f"{at.zh} 因「{by.zh}」重新选定期限，仍自原起算日计。{term.zh}{until.zh}",
                f"{at.en}, by '{by.en}': chosen again, counted from the same start. {term.en} {until.en}",
            )
        if step.what == "paused":
            return Label(f"{at.zh} 进入「{by.zh}」，暂停。", f"{at.en}: paused on entering '{by.en}'.")
        if step.what == "resumed":
            moved = self._moved(clock, paused, step)
            return Label(
                f"{at.zh} 进入「{by.zh}」，恢复计时，{moved.zh}。{until.zh}",
                f"{at.en}: resumed on entering '{by.en}', {moved.en}. {until.en}",
            )
        if step.what == "extended":
            return self._extension(step, at, by, until)
        return Label(
            f"{at.zh} 工作日历公布后重新计算。{until.zh}",
            f"{at.en}: counted again by the published calendar. {until.en}",
        )

    # -------------------------------------------------------------- parts of a sentence

    def _started(self, clock: Deadline, step: ClockStep, by: Label) -> Label:
        start = Label(
            self.calendar.text_of(clock.started_at, "zh"), self.calendar.text_of(clock.started_at, "en")
        )
        if self.rule.counts_from is not None and clock.started_at != step.at:
            day = self.calendar.iso(clock.started_at)[:10]
            start = Label(day, day)
        if step.limit.startswith(EVERY):
            return self._period(clock, step, by)
        if step.limit.endswith(("hour", "hours", "minute", "minutes")):
            return Label(
                f"{start.zh} 因「{by.zh}」起算，按实际经过的时间计。",
                f"Started {start.en} by '{by.en}', counted as time elapsed.",
            )
        word = "开始等待" if self.rule.kind == "wait" else "起算"
        return Label(
            f"{start.zh} 因「{by.zh}」{word}，当日不计入。",
            f"Started {start.en} by '{by.en}'; that day is not counted.",
        )

    def _period(self, clock: Deadline, step: ClockStep, by: Label) -> Label:
        """Where periods count: since when, and which one is owed."""
        at = Label(self.calendar.text_of(step.at, "zh"), self.calendar.text_of(step.at, "en"))
        day = date.fromordinal(self.calendar.day_of(clock.started_at)).isoformat()
        return Label(
            f"{at.zh} 因「{by.zh}」起算，本期为 {day} 所在的一期。",
            f"Started {at.en} by '{by.en}', for the period of {day}.",
        )

    def _term(self, step: ClockStep) -> Label:
        if step.limit.startswith(EVERY):
            period, which = PERIODS[step.limit.removeprefix(EVERY)], self._which(step.term)
            return Label(f"按{period.zh}计{which.zh}。", f"Counted by the {period.en}{which.en}.")
        if not step.limit:
            return Label("", "")
        which = self._which(step.term)
        if step.limit[4:5] == "-":
            return Label(f"按约定日期 {step.limit} 计。", f"An agreed date, {step.limit}.")
        length = parse_duration(step.limit)
        if self.rule.kind == "wait":
            return Label(f"须满{length.text('zh')}{which.zh}。", f"A wait of {length.text('en')}{which.en}.")
        if step.asked:
            asked = parse_duration(step.asked)
            return Label(
                f"约定{asked.text('zh')}，低于最低期限，按{length.text('zh')}计。",
                f"{asked.text('en')} was agreed, which is under the minimum; {length.text('en')} count.",
            )
        named = next((term for term in self.rule.terms if term.name == step.term), None)
        if named is not None and named.target is not None:
            return Label(
                f"目标{named.target.text('zh')}，期限{length.text('zh')}{which.zh}。",
                f"Target {named.target.text('en')}, limit {length.text('en')}{which.en}.",
            )
        return Label(f"期限{length.text('zh')}{which.zh}。", f"Limit {length.text('en')}{which.en}.")

    def _which(self, name: str) -> Label:
        """Which of several terms, by the condition under which it was taken."""
        if len(self.rule.terms) < 2:
            return Label("", "")
        term = next((one for one in self.rule.terms if one.name == name), None)
        if term is None or term.label is None:
            return Label("（一般情形）", " (the general case)")
        return Label(f"（{term.label.zh}）", f" ({term.label.en})")

    def _until(self, step: ClockStep) -> Label:
        if step.due_at is None:
            return Label("", "")
        zh, en = self.calendar.text_of(step.due_at, "zh"), self.calendar.text_of(step.due_at, "en")
        if self.rule.kind == "wait":
            opens = self.calendar.iso(step.due_at)[:16].replace("T", " ")
            return Label(f"{opens} 起可以办理。", f"Open from {opens}.")
        rolled = Label("", "")
        if step.rolled:
            rolled = Label(
                "末日为休息日，顺延至下一工作日。",
                "The last day is a rest day and moves to the next working day. ",
            )
        word = Label("到期", "Due") if self.rule.kind == "limit" else Label("届满", "Ends")
        return Label(f"{rolled.zh}{word.zh}：{zh}。", f"{rolled.en}{word.en} {en}.")

    def _rest_days(self, clock: Deadline) -> Iterator[Label]:
        """The holidays that were passed over, and the weekend days that are worked."""
        calendar = self.calendar
        first, last = calendar.day_of(clock.started_at) + 1, calendar.day_of(clock.due_at)
        off, worked = [], []
        for day in range(first, min(last, first + 400)):
            weekend = date.fromordinal(day).weekday() >= 5
            if calendar.is_working_day(day) and weekend:
                worked.append(date.fromordinal(day).isoformat())
            elif not calendar.is_working_day(day) and not weekend:
                off.append(date.fromordinal(day).isoformat())
        for days, zh, en in (
            (off, "法定休息日不计", "Holidays not counted"),
            (worked, "调休上班日计入", "Make-up workdays counted"),
        ):
            if days:
                shown, more = days[:MOST_NAMED], len(days) > MOST_NAMED
                yield Label(
                    f"{zh}：{listed(shown, 'zh')}{'等' if more else ''}。",
                    f"{en}: {listed(shown, 'en')}{' …' if more else ''}.",
                )

    def _moved(self, clock: Deadline, paused: ClockStep | None, step: ClockStep) -> Label:
        if paused is None:
            return Label("剩余期限照计", "the rest of the term runs on")
        if clock.limit.startswith(EVERY):
            if paused.due_at == step.due_at:
                return Label("期末不变", "the end of the period stands")
            return Label(
                "暂停中期末已过，按恢复时所在的一期计", "its end passed in the pause; the present one counts"
            )
        unit = unit_of(clock)
        if unit in ("hour", "minute"):
            minutes = int((step.at - paused.at).total_seconds() // 60)
            return Label(f"顺延{minutes}分钟", f"moved by {minutes} minutes")
        nights = self.calendar.day_of(step.at) - self.calendar.day_of(paused.at)
        if unit == "working day":
            return Label(
                f"暂停期间跨过{nights}个零点，余下的工作日数不变",
                f"after {nights} midnights; the working days left are kept",
            )
        return Label(
            f"暂停期间跨过{nights}个零点，顺延{nights}天", f"moved by the {nights} midnights of the pause"
        )

    def _extension(self, step: ClockStep, at: Label, by: Label, until: Label) -> Label:
        earlier = step.moved.startswith("-")
        length = parse_duration(step.moved.lstrip("-"))
        word = Label("缩短", "shortened") if earlier else Label("延长", "extended")
        why = Label("", "")
        if step.reason:
            why = Label(f"，理由：{step.reason}", f", reason: {step.reason}")
        who = Label("", "") if step.actor == SYSTEM else Label(f"由 {step.actor} ", f" by {step.actor}")
        return Label(
            f"{at.zh} {who.zh}因「{by.zh}」{word.zh}{length.text('zh')}{why.zh}。{until.zh}",
            f"{at.en}: {word.en}{who.en} by {length.text('en')} ('{by.en}'{why.en}). {until.en}",
        )

    def _verdict(self, clock: Deadline) -> Label:
        status = STATUS_LABELS[clock.status]
        moment = clock.met_at or clock.breached_at or clock.paused_at
        when = Label("", "")
        if moment is not None:
            zh, en = self.calendar.text_of(moment, "zh"), self.calendar.text_of(moment, "en")
            when = Label(f"（{zh}）", f" ({en})")
        return Label(f"现状：{status.zh}{when.zh}。", f"Now: {status.en}{when.en}.")

    def _named(self, name: str) -> Label:
        return named(self.plan, name)


def named(plan: Plan, name: str) -> Label:
    """An event, a state or any other happening, as people call it."""
    if name in plan.events:
        return plan.events[name].label
    if name in plan.state_labels:
        return plan.state_labels[name]
    kind, _, rest = name.partition(".")
    if kind == "deadline":
        clock, _, mark = rest.rpartition(".")
        if clock in plan.clocks:
            label = plan.clocks[clock].label
            word = {"extend": Label("延期", "extension")}.get(mark) or STATUS_LABELS.get(mark)
            return label if word is None else joined([label, word], "", ": ")
    if kind == "accumulation" and rest in plan.definition.accumulations:
        label = plan.definition.accumulations[rest].label
        return Label(f"累计：{label.zh}", f"accumulated: {label.en}")
    if kind in ("child", "link"):
        return _of_linked(plan, kind, rest) or Label(name, name)
    if kind == "state" and rest.removesuffix(".entered") in plan.state_labels:
        return plan.state_labels[rest.removesuffix(".entered")]
    return Label(name, name)


LINKED: Mapping[str, Label] = {
    "opened": Label("开立", "opened"),
    "ended": Label("终了", "ended"),
    "reopened": Label("恢复办理", "taken up again"),
    "moved": Label("状态变动", "moved"),
    "told": Label("告知", "told"),
}


def _of_linked(plan: Plan, kind: str, rest: str) -> Label | None:
    """What a linked case did: its workflow, and its event or what is said of it."""
    name, _, what = rest.partition(".")
    workflow = plan.links.get(name, name)
    if kind == "child" and name in plan.children:
        workflow = plan.children[name].workflow
    other = plan.relatives.get(workflow)
    if other is None:
        return None
    said = other.events[what].label if what in other.events else LINKED.get(what)
    return None if said is None else joined([other.workflow.label, said], "：", ": ")
