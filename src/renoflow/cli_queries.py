"""The subcommands that ask about kept cases: worklist, cases, breaches."""

from __future__ import annotations

import re
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from renoflow.asking import plans_of
from renoflow.cli_kept import Adder, Loader, answer, on_cases, say
from renoflow.engine.workflow import Workflows
from renoflow.errors import UsageError
from renoflow.queries import CaseReader
from renoflow.records import FactValue
from renoflow.store.questions import Page
from renoflow.values import Label, instant, listed, parse_date
from renoflow.views import lists
from renoflow.workflow.facts import FactPlan

if TYPE_CHECKING:
    from renoflow.store.sql import SqlStore

WORDS = {
    "nothing": Label("没有符合条件的", "none"),
    "more": Label("还有更多，接着看：原命令加 --after {next}", "there is more; go on with the same command and --after {next}"),
    "no_value": Label("--fact {found}：应写作 名称=值，如 home_kind=flat", "--fact {found}: write NAME=VALUE, as home_kind=flat"),
    "misfit": Label("「{label}」（{workflow}.{name}）：收到 {found}；应为{wanted}", "'{label}' ({workflow}.{name}): found {found}; expected {wanted}"),
    "ambiguous": Label("{name} 在各流程中写法不同（{workflows}）；请用 --workflow 指明", "{name} is written differently in {workflows}; say which with --workflow"),
}  # fmt: skip

_WHOLE = re.compile(r"-?[0-9]{1,18}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_YES_NO = {"true": True, "yes": True, "是": True, "false": False, "no": False, "否": False}


def add_queries(command: Adder, with_profile: Callable[[ArgumentParser], None], load: Loader) -> None:
    """Our subcommands; `load` reads the workflows that the arguments name."""

    def query(name: str, run: Callable[[Namespace, CaseReader], int], text: str) -> ArgumentParser:
        def asked(arguments: Namespace, store: SqlStore) -> int:
            return run(arguments, CaseReader(load(arguments), store, tenant=arguments.tenant))

        sub = on_cases(command, name, asked, text)
        sub.add_argument(
            "--limit", type=int, default=100, metavar="N", help="lines of a page; 100 by default"
        )
        sub.add_argument("--after", metavar="CURSOR", help="go on where the page before ended")
        with_profile(sub)
        return sub

    sub = query("worklist", _worklist, "show what is due, and who owes it, the soonest first")
    sub.add_argument("--role", action="append", metavar="ROLE", help="only what this role owes; repeatable")
    _with_workflows(sub)
    until = sub.add_mutually_exclusive_group()
    until.add_argument(
        "--until", metavar="WHEN", help="only what is due by then: an instant, or a day with all of it"
    )
    until.add_argument("--overdue", action="store_true", help="only what is overdue")
    sub.add_argument("--at", metavar="INSTANT", help="as seen from then; now by default")

    sub = query("cases", _cases, "find cases by state, stage, fact and text, the newest first")
    sub.add_argument("--workflow", metavar="WORKFLOW", help="only cases of this workflow")
    sub.add_argument("--state", metavar="STATE", help="only those in this state")
    sub.add_argument("--stage", metavar="STAGE", help="only those in this stage")
    ended = sub.add_mutually_exclusive_group()
    ended.add_argument("--open", action="store_const", dest="ended", const=False, help="not those that ended")
    ended.add_argument(
        "--ended", action="store_const", dest="ended", const=True, help="only those that ended"
    )
    sub.add_argument(
        "--fact", action="append", default=[], metavar="NAME=VALUE", help="only those with it; repeatable"
    )
    sub.add_argument("--text", metavar="TEXT", help="with a word of the id or a text that begins like this")
    sub.add_argument("--parent", metavar="ID", help="only those under this case")

    sub = query("breaches", _breaches, "count the limits that were missed, by month")
    sub.add_argument(
        "--since", metavar="WHEN", help="from then on: an instant or a day; twelve months by default"
    )
    sub.add_argument(
        "--until", metavar="WHEN", help="by then: an instant, or a day with all of it; now by default"
    )
    _with_workflows(sub)


def _with_workflows(sub: ArgumentParser) -> None:
    sub.add_argument("--workflow", action="append", metavar="WORKFLOW", help="only of this one; repeatable")


# ------------------------------------------------------------------ subcommands


def _worklist(arguments: Namespace, cases: CaseReader) -> int:
    at = datetime.now(UTC) if arguments.at is None else instant(arguments.at)
    page = cases.worklist(
        roles=arguments.role,
        until=at if arguments.overdue else _day_or_instant(cases.workflows, arguments.until, 1),
        at=at,
        workflows=arguments.workflow,
        limit=arguments.limit,
        after=arguments.after,
    )
    text = lists.worklist(cases.workflows, page, at, arguments.lang)
    return _page(arguments, cases.workflows, "items", page, text)


def _cases(arguments: Namespace, cases: CaseReader) -> int:
    page = cases.search(
        workflow=arguments.workflow,
        state=arguments.state,
        stage=arguments.stage,
        ended=arguments.ended,
        facts=_facts(arguments, cases.workflows),
        text=arguments.text,
        parent=arguments.parent,
        limit=arguments.limit,
        after=arguments.after,
    )
    text = lists.cases(cases.workflows, page, arguments.lang)
    return _page(arguments, cases.workflows, "cases", page, text)


def _breaches(arguments: Namespace, cases: CaseReader) -> int:
    page = cases.breaches(
        since=_day_or_instant(cases.workflows, arguments.since, 0),
        until=_day_or_instant(cases.workflows, arguments.until, 1),
        workflows=arguments.workflow,
        limit=arguments.limit,
        after=arguments.after,
    )
    text = lists.breaches(cases.workflows, page, arguments.lang)
    return _page(arguments, cases.workflows, "breaches", page, text)


def _day_or_instant(workflows: Workflows, text: str | None, days: int) -> datetime | str | None:
    """A day on its own is the midnight of the firm's zone with which it begins, or so many days after that."""
    if text is None or not _DAY.fullmatch(text):
        return text
    try:
        day = parse_date(text)
    except ValueError:
        raise UsageError(f"{text!r} is a day that there is not") from None
    return workflows.calendar.midnight(day.toordinal() + days)


def _page(arguments: Namespace, workflows: Workflows, name: str, page: Page[Any], text: str) -> int:
    lines = [text if page.items else say(WORDS, arguments, "nothing")]
    if page.next is not None:
        lines.append(say(WORDS, arguments, "more", next=page.next))
    return answer(arguments, {name: lists.row_answers(page, workflows.calendar), "next": page.next}, lines)


# ------------------------------------------------------------------ facts as they are typed


def _facts(arguments: Namespace, workflows: Workflows) -> dict[str, Any]:
    said: dict[str, list[str]] = {}
    for one in arguments.fact:
        name, sign, text = one.partition("=")
        if not sign:
            raise UsageError(say(WORDS, arguments, "no_value", found=one))
        said.setdefault(name, []).append(text)
    plans = plans_of(workflows, arguments.workflow)
    found: dict[str, Any] = {}
    for name, texts in said.items():
        facts = {workflow: plan.facts[name] for workflow, plan in plans.items() if name in plan.facts}
        known = {workflow: fact for workflow, fact in facts.items() if fact.searchable}
        # Of a name that no case is found by, the search says what there is.
        found[name] = _value(arguments, name, known, texts) if known else texts[0]
    return found


def _value(arguments: Namespace, name: str, known: dict[str, FactPlan], texts: list[str]) -> FactValue:
    """What the texts say, by the type that the fact has in the workflows asked about."""
    found: dict[str, FactValue] = {}
    for workflow, fact in known.items():
        try:
            found[workflow] = _read(fact, texts)
        except ValueError:
            continue
    values = list(found.values())
    if not values:
        raise UsageError("\n".join(_misfit(arguments, *one, texts) for one in known.items()))
    if any((type(value), value) != (type(values[0]), values[0]) for value in values):
        workflows = listed(found, arguments.lang)
        raise UsageError(say(WORDS, arguments, "ambiguous", name=name, workflows=workflows))
    return values[0]


def _read(fact: FactPlan, texts: list[str]) -> FactValue:
    """Raises `ValueError` for what the fact cannot be. Only of a set or a list may several be wanted."""
    values = [_choice(fact, text) for text in texts]
    if fact.type in ("set", "texts"):
        return fact.keep(values)
    if len(values) > 1:
        raise ValueError("one fact has one value")
    (text,) = values
    if fact.type in ("whole", "count"):
        return fact.keep(int(text) if _WHOLE.fullmatch(text) else text)
    if fact.type == "yes_no":
        return fact.keep(_YES_NO.get(text.casefold(), text))
    return fact.keep(text)


def _choice(fact: FactPlan, text: str) -> str:
    """A choice may be given by its label, too."""
    if fact.type not in ("enum", "set") or text in fact.choices:
        return text
    said = text.casefold()
    labels = ((key, (label.zh.casefold(), label.en.casefold())) for key, label in fact.choices.items())
    return next((key for key, each in labels if said in each), text)


def _misfit(arguments: Namespace, workflow: str, fact: FactPlan, texts: list[str]) -> str:
    label, wanted = fact.label.text(arguments.lang), fact.wanted.text(arguments.lang)
    return say(
        WORDS,
        arguments,
        "misfit",
        label=label,
        workflow=workflow,
        name=fact.name,
        found=listed(texts, arguments.lang),
        wanted=wanted,
    )
