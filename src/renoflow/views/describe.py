"""A workflow written out: states, events with all they ask, deadlines, parameters, the rules they cite."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attrs import fields

from renoflow.definition.model import (
    AccumulationDefinition,
    DeadlineDefinition,
    EventDefinition,
    Notice,
    WorkflowDefinition,
)
from renoflow.engine.explain import PERIODS
from renoflow.engine.workflow import Workflow
from renoflow.values import SYSTEM, Label, Lang, listed, parse_duration
from renoflow.views.linked import linked_cases
from renoflow.views.text import COLON, SEMICOLON, bracketed
from renoflow.workflow.plan import EventPlan

HEAD = {
    "states": Label("状态", "States"),
    "events": Label("事项", "Events"),
    "deadlines": Label("时限", "Deadlines"),
    "parameters": Label("可设参数", "Parameters"),
    "facts": Label("事实", "Facts"),
    "documents": Label("单据", "Documents"),
    "payments": Label("款项", "Payments"),
    "conditions": Label("条件", "Conditions"),
    "accumulations": Label("累计", "Accumulations"),
    "linked": Label("关联案卷", "Linked cases"),
    "counts": Label("计入", "counts"),
    "none_of": Label("期内不得有", "with none of"),
    "except_rules": Label("不计入（按依据条款）", "not by rule"),
    "after": Label("仅限已核定该项的期间", "only in a period in which this was met"),
    "period_end": Label("期末核定", "settled when the period ends"),
    "by": Label("办理", "by"),
    "guards": Label("须满足", "if"),
    "papers": Label("单据", "documents"),
    "gives": Label("须填", "must give"),
    "may_give": Label("可填", "may give"),
    "pays": Label("收款", "payment"),
    "fired_by": Label("自动触发", "by itself after"),
    "cites": Label("依据", "rules"),
    "notifies": Label("通知", "notifies"),
    "opens": Label("开立", "opens"),
    "tells": Label("告知", "tells"),
    "asks": Label("请宿主系统", "asks the host"),
    "signed": Label("签字", "signed by"),
    "final": Label("终了", "final"),
    "starts": Label("起算", "starts"),
    "stops": Label("停止计时", "stops"),
    "terms": Label("期限", "terms"),
    "owner": Label("负责", "owed by"),
    "pauses": Label("暂停于", "paused in"),
    "same": Label("（状态不变）", "(no change of state)"),
    "history": Label("（回到原状态）", "(back to where it was)"),
    "start": Label("开立", "opening"),
    "when": Label("适用于", "when"),
    "repeats": Label("每次", "each time"),
    "term_target": Label("目标", "target"),
    "term_limit": Label("期限", "limit"),
    "term_until": Label("至约定日", "until"),
    "term_at_least": Label("最低", "at least"),
    "term_every": Label("以期末为限，按", "by the end of the"),
    "at_least": Label("不得少于", "at least"),
    "at_most": Label("不得超过", "at most"),
}


WITHIN = {
    "calendar month": Label("一个自然月", "calendar month"),
    "calendar year": Label("一个自然年", "calendar year"),
}

KINDS = {
    "limit": Label("期限", "limit"),
    "wait": Label("等待期", "wait"),
    "period": Label("有效期", "period"),
}
PERSONAL = Label("（个人信息）", " (personal)")
"""Behind a fact that says something about a person, and that a redaction removes."""


def describe_text(flow: Workflow, lang: Lang) -> str:
    """For people, one paragraph per event."""
    return "\n".join(_sections(flow, lang))


def _head(name: str, lang: Lang) -> str:
    return HEAD[name].text(lang) + COLON[lang]


def _sections(flow: Workflow, lang: Lang) -> Iterator[str]:
    definition = flow.plan.definition

    def head(name: str) -> str:
        return f"\n## {HEAD[name].text(lang)}\n"

    yield f"# {flow.label.text(lang)}{bracketed(listed((flow.id, f'v{flow.version}'), lang), lang)}"
    yield head("states")
    for name, state in definition.states.items():
        final = f" [{HEAD['final'].text(lang)}]" if state.final else ""
        yield f"- {name}{COLON[lang]}{_text(state, lang)}{final}"
    yield head("events")
    for name, event in definition.events.items():
        yield from _event(flow, flow.plan.events[name], event, lang)
    yield head("deadlines")
    for name, rule in definition.deadlines.items():
        yield from _deadline(definition, name, rule, lang)
    if definition.accumulations:
        yield head("accumulations")
    for name, item in definition.accumulations.items():
        yield from _accumulation(flow, name, item, lang)
    if definition.children or definition.links:
        yield head("linked")
        yield from linked_cases(definition, lambda name: _condition(flow, name, lang), lang)
    yield head("parameters")
    for name, parameter in definition.parameters.items():
        bounds = "".join(
            f"{SEMICOLON[lang]}{HEAD[sign].text(lang)} {bound}"
            for sign, bound in (("at_least", parameter.at_least), ("at_most", parameter.at_most))
            if bound is not None
        )
        label = f"{_text(parameter, lang)}{bounds}{_cites(parameter.cites)}"
        yield f"- {name} = {_value(parameter.value)}{COLON[lang]}{label}"
    yield head("facts")
    for name, fact in flow.plan.facts.items():
        personal = PERSONAL.text(lang) if fact.personal else ""
        yield f"- {name}{COLON[lang]}{fact.label.text(lang)} — {fact.wanted.text(lang)}{personal}"
    yield head("documents")
    for name, paper in definition.documents.items():
        signers = _roles(flow, paper.signers, lang)
        signed = bracketed(f"{_head('signed', lang)}{signers}", lang) if signers else ""
        yield f"- {name}{COLON[lang]}{_text(paper, lang)}{signed}"
    if definition.payments:
        yield head("payments")
        for name, payment in definition.payments.items():
            yield f"- {name}{COLON[lang]}{_text(payment, lang)}"
    if flow.plan.conditions:
        yield head("conditions")
    for name, condition in flow.plan.conditions.items():
        yield f"- {name}{COLON[lang]}{condition.label.text(lang)}"


def _event(flow: Workflow, plan: EventPlan, event: EventDefinition, lang: Lang) -> Iterator[str]:
    labels = flow.plan.state_labels
    sources = "/".join(labels[s].text(lang) if s in labels else HEAD["start"].text(lang) for s in event.from_)
    target = {"@same": HEAD["same"].text(lang), "@history": HEAD["history"].text(lang)}.get(event.to)
    target = target or labels[event.to].text(lang)
    yield f"### {plan.name}{COLON[lang]}{event.label.text(lang)}"
    yield f"  {sources} → {target}"
    yield f"  {_head('by', lang)}{_roles(flow, tuple(event.by), lang)}"
    if plan.guards:
        yield f"  {_head('guards', lang)}" + SEMICOLON[lang].join(g.label.text(lang) for g in plan.guards)
    if plan.papers:
        yield f"  {_head('papers', lang)}" + SEMICOLON[lang].join(
            _paper(flow, item.id, item.when, lang) for item in event.documents
        )
    for key, names in (("gives", event.gives), ("may_give", event.may_give)):
        if names:
            yield f"  {_head(key, lang)}" + listed(
                (f"{name}{bracketed(flow.plan.facts[name].label.text(lang), lang)}" for name in names), lang
            )
    for name, label, _ in plan.payments:
        yield f"  {_head('pays', lang)}{name}{bracketed(label.text(lang), lang)} ≥ {event.payments[name]}"
    if event.notifies:
        yield f"  {_head('notifies', lang)}" + listed(
            (_notice(flow, item, lang) for item in event.notifies), lang
        )
    if event.opens:
        yield f"  {_head('opens', lang)}" + listed(
            (item.child or item.link or "" for item in event.opens), lang
        )
    if event.tells:
        yield f"  {_head('tells', lang)}" + listed(
            (
                f"{item.link or item.child}{COLON[lang]}{item.event or listed(item.facts, lang)}"
                for item in event.tells
            ),
            lang,
        )
    if event.asks:
        yield f"  {_head('asks', lang)}" + listed((item.host for item in event.asks), lang)
    if event.fired_by:
        yield f"  {_head('fired_by', lang)}" + listed(event.fired_by, lang)
    if event.cites:
        yield f"  {_head('cites', lang)}" + " ".join(event.cites)


def _paper(flow: Workflow, name: str, when: str | None, lang: Lang) -> str:
    paper = flow.plan.definition.documents[name]
    signers = _roles(flow, paper.signers, lang)
    notes = [f"{_head('signed', lang)}{signers}"] if signers else []
    if when is not None:
        notes.append(_when(flow, when, lang))
    if paper.repeats:
        notes.append(HEAD["repeats"].text(lang))
    title = f"《{paper.zh}》" if lang == "zh" else f" {paper.en}"
    return f"{name}{title}" + bracketed(SEMICOLON[lang].join(notes), lang)


def _notice(flow: Workflow, notice: Notice, lang: Lang) -> str:
    role = flow.plan.role_labels.get(notice.role)
    who = notice.role if role is None else f"{notice.role}{bracketed(role.text(lang), lang)}"
    if notice.when is None:
        return who
    return who + bracketed(_when(flow, notice.when, lang), lang)


def _when(flow: Workflow, name: str, lang: Lang) -> str:
    return _only(_condition(flow, name, lang), lang)


def _only(condition: str, lang: Lang) -> str:
    return f"{condition}时" if lang == "zh" else f"when {condition}"


def _condition(flow: Workflow, name: str, lang: Lang) -> str:
    """A condition, or a yes/no fact, as people read it."""
    condition = flow.plan.conditions.get(name)
    return (flow.plan.facts[name].label if condition is None else condition.label).text(lang)


def _deadline(
    definition: WorkflowDefinition, name: str, rule: DeadlineDefinition, lang: Lang
) -> Iterator[str]:
    yield f"### {name}{COLON[lang]}{rule.label.text(lang)}"
    owner = definition.roles.get(rule.owner)
    kind = KINDS[rule.kind].text(lang)
    yield f"  {_head('owner', lang)}{_text(owner, lang) if owner else rule.owner}{bracketed(kind, lang)}"
    yield f"  {_head('starts', lang)}" + listed((*rule.starts, *rule.restarts), lang)
    if rule.stops:
        yield f"  {_head('stops', lang)}" + listed(rule.stops, lang)
    if rule.pauses:
        yield f"  {_head('pauses', lang)}" + listed((s for clause in rule.pauses for s in clause.in_), lang)
    for term in rule.terms:
        yield f"  - {_term(definition, term, lang)}"
    for part in rule.parts:
        yield f"  - {name}.{part.name} {_text(part, lang)}{COLON[lang]}{_term(definition, part, lang)}"
    if rule.cites:
        yield f"  {_head('cites', lang)}" + " ".join(rule.cites)


def _accumulation(flow: Workflow, name: str, item: AccumulationDefinition, lang: Lang) -> Iterator[str]:
    definition = flow.plan.definition
    yield f"### {name}{COLON[lang]}{item.label.text(lang)}"
    if item.when is not None:
        yield f"  {_head('when', lang)}{_condition(flow, item.when, lang)}"
    for key, entries in (("counts", item.counts), ("none_of", item.none_of)):
        if entries:
            yield f"  {_head(key, lang)}" + listed((_entry(flow, entry, lang) for entry in entries), lang)
    if item.except_rules:
        yield f"  {_head('except_rules', lang)}" + listed(item.except_rules, lang)
    if item.after is not None:
        yield f"  {_head('after', lang)}{item.after}"
    yield f"  {_measure(definition, item, lang)}"
    effects = [opening.child or opening.link or "" for opening in item.opens]
    if effects:
        yield f"  {_head('opens', lang)}" + listed(effects, lang)
    if item.notifies:
        yield f"  {_head('notifies', lang)}" + listed(
            (_notice(flow, one, lang) for one in item.notifies), lang
        )
    if item.cites:
        yield f"  {_head('cites', lang)}" + " ".join(item.cites)


def _entry(flow: Workflow, entry: str, lang: Lang) -> str:
    ledger = flow.plan.ledger
    label = None if ledger is None else flow.plan.facts[ledger.entry].choices.get(entry)
    return entry if label is None else f"{entry}{bracketed(label.text(lang), lang)}"


def _measure(definition: WorkflowDefinition, item: AccumulationDefinition, lang: Lang) -> str:
    """How many within which period, or how long a run."""

    def shown(value: object) -> str:
        name = str(value)
        return str(definition.parameters[name[1:]].value) if name.startswith("$") else name

    if item.running is not None:
        length = parse_duration(shown(item.running)).text(lang)
        return f"连续{length}" if lang == "zh" else f"{length} running"
    number = shown(1 if item.at_least is None else item.at_least)
    period = WITHIN[item.within or ""].text(lang)
    text = f"{period}内满 {number} 笔" if lang == "zh" else f"{number} or more within a {period}"
    return text + bracketed(HEAD["period_end"].text(lang) if item.at == "period end" else "", lang)


def _term(definition: WorkflowDefinition, term: Any, lang: Lang) -> str:
    parts, case = [], ""
    if term.when is not None:
        condition = definition.conditions.get(term.when)
        label = _text(condition, lang) if condition is not None else term.when
        case = _only(label, lang) + COLON[lang]
    for key in ("target", "limit", "until", "at_least"):
        value = getattr(term, key, None)
        if value is not None:
            shown = value
            if value.startswith("$"):
                length = parse_duration(definition.parameters[value[1:]].value)
                shown = f"{length.text(lang)}{bracketed(value, lang)}"
            parts.append(f"{HEAD[f'term_{key}'].text(lang)} {shown}")
    every = getattr(term, "every", None)
    if every is not None:
        parts.append(f"{HEAD['term_every'].text(lang)} {PERIODS[every].text(lang)}")
    return case + listed(parts, lang)


def _text(item: Any, lang: Lang) -> str:
    return str(item.zh if lang == "zh" else item.en)


def _value(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _cites(cites: tuple[str, ...]) -> str:
    return f" [{' '.join(cites)}]" if cites else ""


def _roles(flow: Workflow, names: tuple[str, ...], lang: Lang) -> str:
    labels = flow.plan.role_labels
    shown = [
        f"{name}{bracketed(labels[name].text(lang), lang)}" if name in labels else SYSTEM for name in names
    ]
    return listed(shown, lang)


# ------------------------------------------------------------------ as data


def describe_answer(flow: Workflow) -> dict[str, Any]:
    """The same as plain data: the definition itself, with labels in both languages."""
    return {"id": flow.id, "version": flow.version, **_data(flow.plan.definition)}


def _data(item: Any) -> Any:
    if hasattr(item, "__attrs_attrs__"):
        found = {}
        for one in fields(type(item)):
            value = getattr(item, one.name)
            if value is None or value == () or value == {}:
                continue
            found[one.metadata.get("key", one.name)] = _data(value)
        return found
    if isinstance(item, dict):
        return {str(key): _data(value) for key, value in item.items()}
    if isinstance(item, (list, tuple)):
        return [_data(value) for value in item]
    return item
