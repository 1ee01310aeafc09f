"""Many cases for people: what is due, which cases there are, how often limits were missed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from attrs import AttrsInstance, asdict

from renoflow.engine.calendar import Calendar
from renoflow.engine.localdays import TICK
from renoflow.engine.workflow import Workflows
from renoflow.store.questions import BreachCount, CaseSummary, WorkItem
from renoflow.values import Label, Lang
from renoflow.views.answer import plain
from renoflow.views.text import table
from renoflow.views.timeline import when

WORK = (
    Label("到期", "Due"),
    Label("离到期", "How far off"),
    Label("责任人", "Owed by"),
    Label("事项", "What"),
    Label("案卷", "Case"),
    Label("状态", "State"),
)
CASES = (
    Label("案卷", "Case"),
    Label("流程", "Workflow"),
    Label("状态", "State"),
    Label("开立", "Opened"),
    Label("最近变动", "Last moved"),
)
BREACHES = (
    Label("月份", "Month"),
    Label("流程", "Workflow"),
    Label("逾期的时限", "Limit missed"),
    Label("次数", "Times"),
    Label("案卷数", "Cases"),
    Label("依据", "Rules"),
)
PROVISIONAL = Label("（暂计）", " (provisional)")


def worklist(workflows: Workflows, items: Iterable[WorkItem], at: datetime, lang: Lang) -> str:
    """One line an item: when, how far off as seen from `at`, who owes what, in which case."""
    return _table(WORK, (_work(workflows, item, at, lang) for item in items), lang)


def cases(workflows: Workflows, found: Iterable[CaseSummary], lang: Lang) -> str:
    """One line a case: what it is, where it stands, since when."""
    rows = (
        (
            case.id,
            workflows[case.workflow].plan.label.text(lang),
            case.label.text(lang),
            when(workflows, case.opened_at),
            when(workflows, case.moved_at),
        )
        for case in found
    )
    return _table(CASES, rows, lang)


def breaches(workflows: Workflows, counts: Iterable[BreachCount], lang: Lang) -> str:
    """One line for each limit that was missed in a month."""
    rows = (
        (
            count.month,
            workflows[count.workflow].plan.label.text(lang),
            count.label.text(lang),
            str(count.breaches),
            str(count.cases),
            " ".join(count.cites),
        )
        for count in counts
    )
    return _table(BREACHES, rows, lang)


def row_answers(rows: Iterable[AttrsInstance], calendar: Calendar) -> list[Any]:
    """The rows of a page as JSON has them."""
    return [plain(asdict(row, recurse=False), calendar) for row in rows]


def days_off(calendar: Calendar, due: datetime, at: datetime, lang: Lang) -> str:
    """How far a due instant is from `at`, in whole days of the calendar: `逾期2天`, `2 days overdue`."""
    days = calendar.day_of(due - TICK) - calendar.day_of(at)
    number, plural = abs(days), "" if abs(days) == 1 else "s"
    if days < 0:
        found = Label(f"逾期{number}天", f"{number} day{plural} overdue")
    elif due <= at:
        found = Label("今天已逾期", "overdue today")
    elif days:
        found = Label(f"还有{number}天", f"in {number} day{plural}")
    else:
        found = Label("今天到期", "today")
    return found.text(lang)


def _work(workflows: Workflows, item: WorkItem, at: datetime, lang: Lang) -> Sequence[str]:
    plan, calendar = workflows[item.workflow].plan, workflows.calendar
    owner = plan.role_labels.get(item.owner, Label(item.owner, item.owner))
    state = plan.state_labels.get(item.state, Label(item.state, item.state))
    return (
        calendar.text_of(item.due_at, lang),
        days_off(calendar, item.due_at, at, lang) + (PROVISIONAL.text(lang) if item.provisional else ""),
        owner.text(lang),
        item.label.text(lang),
        item.case,
        f"{plan.label.text(lang)} · {state.text(lang)}",
    )


def _table(heads: Sequence[Label], rows: Iterable[Sequence[str]], lang: Lang) -> str:
    return table([tuple(head.text(lang) for head in heads), *rows])
