"""What a leaf says must hold, in words, where the file gives it no sentence of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from renoflow.definition.model import (
    ChildrenLeaf,
    DeadlineLeaf,
    DocumentLeaf,
    FactLeaf,
    HappenedLeaf,
    LinkedLeaf,
    PaidLeaf,
    ParameterLeaf,
    Scalar,
    StateLeaf,
    WorkflowDefinition,
)
from renoflow.records import LinkedCase
from renoflow.values import Label, listed, parse_duration
from renoflow.workflow.facts import COMPARISON_LABELS, FactPlan, spoken
from renoflow.workflow.scene import Scene

STATUS_LABELS: Mapping[str, Label] = {
    "idle": Label("未起算", "not started"),
    "running": Label("进行中", "running"),
    "paused": Label("已暂停", "paused"),
    "met": Label("按时完成", "met"),
    "breached": Label("已逾期", "overdue"),
    "met_late": Label("逾期完成", "met late"),
    "expired": Label("已到期", "expired"),
    "open": Label("时间已到", "the time has come"),
    "cancelled": Label("已取消", "cancelled"),
}
QUANTITY_LABELS = {
    "some": Label("至少一项", "at least one"),
    "all": Label("全部", "all"),
    "none": Label("没有", "no"),
}


def joined(labels: list[Label], zh: str = "、", en: str = ", ") -> Label:
    return Label(zh.join(label.zh for label in labels), en.join(label.en for label in labels))


def alternatives(labels: list[Label]) -> Label:
    """`甲、乙或丙`, `a, b or c`."""
    first, last = labels[:-1], labels[-1:]
    return joined([joined(first), *last], "或", " or ") if first else joined(last)


def _of(item: Any) -> Label:
    return Label(item.zh, item.en)


def _inside(label: Label) -> Label:
    """A label within a sentence: without its capital, unless it begins with a short form such as HR."""
    en = label.en
    return label if en[1:2].isupper() else Label(label.zh, en[:1].lower() + en[1:])


def one_of(labels: list[Label]) -> Label:
    """Names in quotation marks, one of which is meant."""
    return alternatives([Label(f"「{label.zh}」", f"'{label.en}'") for label in labels])


def fact(plan: FactPlan, leaf: FactLeaf, spell: Callable[[Scalar], Label]) -> Label:
    subject = _inside(plan.label)
    if leaf.known is not None:
        return (
            Label(f"已填写{subject.zh}", f"{subject.en}: given")
            if leaf.known
            else Label(f"未填写{subject.zh}", f"{subject.en}: not given")
        )
    if plan.type == "yes_no" and leaf.equals is not None:
        return subject if leaf.equals is True else Label(f"{subject.zh}：否", f"not so: {subject.en}")
    if leaf.days_from_now_at_least is not None:
        days = spell(leaf.days_from_now_at_least)
        return Label(f"{subject.zh}至少在{days.zh}天以后", f"{subject.en} is at least {days.en} days ahead")
    if leaf.in_ is not None:
        values = joined([spell(item) for item in leaf.in_], "或", " or ")
        return Label(f"{subject.zh}为{values.zh}", f"{subject.en} is {values.en}")
    if leaf.includes is not None:
        values = spoken(plan, tuple(leaf.includes))
        return Label(f"{subject.zh}含{values.zh}", f"{subject.en}: {values.en}")
    if leaf.equals is not None:
        value = _inside(spell(leaf.equals))
        return Label(f"{subject.zh}为{value.zh}", f"{subject.en} is {value.en}")
    if leaf.not_equals is not None:
        value = _inside(spell(leaf.not_equals))
        return Label(f"{subject.zh}不是{value.zh}", f"{subject.en} is not {value.en}")
    sign = next(sign for sign in COMPARISON_LABELS if getattr(leaf, sign) is not None)
    word, value = COMPARISON_LABELS[sign], _inside(spell(getattr(leaf, sign)))
    gap = " " if value.zh.isascii() or value.zh[:1].isdigit() else ""
    return Label(f"{subject.zh}{word.zh}{gap}{value.zh}", f"{subject.en}: {word.en} {value.en}")


def document(definition: WorkflowDefinition, leaf: DocumentLeaf) -> Label:
    paper = _inside(_of(definition.documents[leaf.document]))
    if leaf.signed == "some":
        return Label(f"至少一份《{paper.zh}》已签字", f"at least one {paper.en} is signed")
    if leaf.signed == "all":
        return Label(f"《{paper.zh}》已签字", f"the {paper.en} is signed")
    if leaf.present is False:
        return Label(f"没有《{paper.zh}》", f"there is no {paper.en}")
    return Label(f"已有《{paper.zh}》", f"the {paper.en} is there")


def deadline(
    definition: WorkflowDefinition, leaf: DeadlineLeaf, resolved: Callable[[Scalar], Scalar]
) -> Label:
    name = _inside(definition.deadlines[leaf.deadline.split(".")[0]].label)
    if leaf.passed_more_than is not None:
        length = parse_duration(resolved(leaf.passed_more_than))
        return Label(
            f"{name.zh}起算已超过{length.text('zh')}", f"{name.en} began more than {length.text('en')} ago"
        )
    status = joined([STATUS_LABELS[one] for one in leaf.status or ()], "或", " or ")
    return Label(f"{name.zh}：{status.zh}", f"{name.en}: {status.en}")


def statuses(scene: Scene, names: tuple[str, ...]) -> Label:
    found = [
        STATUS_LABELS[scene.deadlines[name].status if name in scene.deadlines else "idle"] for name in names
    ]
    return joined(found)


def paid(definition: WorkflowDefinition, leaf: PaidLeaf) -> Label:
    payment = _inside(_of(definition.payments[leaf.paid]))
    return Label(f"已收{payment.zh}", f"the {payment.en} is paid")


def children(
    definition: WorkflowDefinition, relatives: Mapping[str, WorkflowDefinition], leaf: ChildrenLeaf
) -> Label:
    word = QUANTITY_LABELS[leaf.quantity]
    workflow = definition.children[leaf.children].workflow
    other = relatives.get(workflow)
    kind = _inside(other.workflow.label) if other is not None else Label(workflow, workflow)
    ended = one_of([Label("已终了", "ended") if leaf.ended else Label("未终了", "open")])
    states = one_of([state_label(relatives, workflow, name) for name in leaf.state or ()])
    wanted = states if leaf.state else ended
    return Label(f"{kind.zh}：{word.zh}处于{wanted.zh}", f"{word.en} {kind.en} is in {wanted.en}")


def case_names(cases: Iterable[LinkedCase]) -> Label:
    """Cases by their ids, the first few."""
    shown = [case.case for case in cases]
    first, more = shown[:8], len(shown) > 8
    return Label(
        listed(first, "zh") + ("等" if more else "") or "无",
        listed(first, "en") + (" …" if more else "") or "none",
    )


def happened(definition: WorkflowDefinition, leaf: HappenedLeaf) -> Label:
    events = joined([_event(definition, name) for name in leaf.happened], "或", " or ")
    if leaf.passed_more_than is not None:
        length = leaf.passed_more_than
        return Label(f"「{events.zh}」已过去{length}以上", f"'{events.en}' is more than {length} ago")
    times = leaf.at_least
    return Label(f"「{events.zh}」已办理至少{times}次", f"'{events.en}' happened at least {times} times")


def _event(definition: WorkflowDefinition, name: str) -> Label:
    event = definition.events.get(name)
    return event.label if event is not None else Label(name, name)


def _people(definition: WorkflowDefinition, references: tuple[str, ...]) -> Label:
    found = []
    for reference in references:
        if reference.startswith("event."):
            event = _event(definition, reference.removeprefix("event."))
            found.append(Label(f"办理过「{event.zh}」的人", f"person who did '{event.en}'"))
        else:
            found.append(_inside(_of(definition.facts[reference.removeprefix("@")])))
    return joined(found, "或", " or ")


def actor_not(definition: WorkflowDefinition, references: tuple[str, ...]) -> Label:
    people = _people(definition, references)
    return Label(f"办理人不是{people.zh}", f"the actor is not the {people.en}")


def actor_same(definition: WorkflowDefinition, references: tuple[str, ...]) -> Label:
    people = _people(definition, references)
    return Label(f"办理人是{people.zh}", f"the actor is the {people.en}")


def roles(definition: WorkflowDefinition, names: tuple[str, ...]) -> Label:
    """The roles as people call them."""
    known = [
        _of(definition.roles[name]) if name in definition.roles else Label("系统", "system") for name in names
    ]
    return alternatives(known)


def actor_role(definition: WorkflowDefinition, names: tuple[str, ...]) -> Label:
    who = roles(definition, names)
    return Label(f"办理人是{who.zh}", f"the actor acts as {who.en}")


def parameter(definition: WorkflowDefinition, leaf: ParameterLeaf) -> Label:
    item = definition.parameters[leaf.parameter]
    if item.value is True or item.value is False:
        wanted = Label("是", "yes") if leaf.equals is True else Label("否", "no")
        return Label(f"本公司设定「{item.zh}」：{wanted.zh}", f"the firm has set '{item.en}': {wanted.en}")
    return Label(f"本公司的设定「{item.zh}」", f"the firm's setting '{item.en}'")


def linked(
    definition: WorkflowDefinition, relatives: Mapping[str, WorkflowDefinition], leaf: LinkedLeaf
) -> Label:
    workflow = definition.links[leaf.linked].workflow if leaf.linked in definition.links else leaf.linked
    other = relatives.get(workflow)
    kind = _inside(other.workflow.label) if other is not None else Label(workflow, workflow)
    if leaf.exists is not None:
        word = Label("有", "there is a") if leaf.exists else Label("没有", "there is no")
        return Label(f"{word.zh}关联的{kind.zh}", f"{word.en} linked {kind.en}")
    names = leaf.state or leaf.state_not or ()
    states = one_of([state_label(relatives, workflow, name) for name in names])
    word = Label("处于", "is in") if leaf.state else Label("不处于", "is not in")
    return Label(f"{kind.zh}{word.zh}{states.zh}", f"the {kind.en} {word.en} {states.en}")


def link_state(relatives: Mapping[str, WorkflowDefinition], case: LinkedCase | None) -> Label:
    if case is None:
        return Label("无", "none")
    return state_label(relatives, case.workflow, case.state)


def state_label(relatives: Mapping[str, WorkflowDefinition], workflow: str, name: str) -> Label:
    """A linked case's state as people call it; its name where that workflow is not loaded."""
    other = relatives.get(workflow)
    if other is None or name not in other.states:
        return Label(name, name)
    return _of(other.states[name])


def state(definition: WorkflowDefinition, leaf: StateLeaf) -> Label:
    names = one_of([_of(definition.states[name]) for name in leaf.state])
    return Label(f"处于{names.zh}", f"the case is in {names.en}")


def group(how: str, parts: tuple[Label, ...]) -> Label:
    if how == "not":
        return Label(f"并非「{parts[0].zh}」", f"not ({parts[0].en})")
    if how == "any":
        return joined(list(parts), "，或", ", or ")
    return joined(list(parts), "，且", ", and ")
