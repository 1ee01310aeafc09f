"""The rulebook written out: what implements each rule, or why nothing does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from attrs import frozen

from renoflow.errors import UnknownName
from renoflow.values import Label, Lang
from renoflow.views.text import wrap
from renoflow.workflow.rulebook import Citation, FieldFact, Justification, Rule, rulebook

KINDS = {
    "state": Label("步骤", "state"),
    "transition": Label("流转", "transition"),
    "guard": Label("条件", "condition"),
    "role": Label("职责", "role"),
    "permission": Label("权限", "permission"),
    "document": Label("单据", "document"),
    "deadline": Label("时限", "deadline"),
    "recurrence": Label("周期", "recurrence"),
    "notification": Label("通知", "notification"),
    "escalation": Label("升级", "escalation"),
    "accumulation": Label("累计", "accumulation"),
    "other": Label("其他", "other"),
}
STRENGTHS = {
    "S": Label("明确规定", "stated"),
    "V": Label("规定含糊", "vague"),
    "T": Label("仅有标题", "heading only"),
}
CERTAINTIES = {
    "high": Label("可靠", "high"),
    "medium": Label("较可靠", "medium"),
    "low": Label("存疑", "low"),
}
HEAD = {
    "quote": Label("原文", "quote"),
    "kind": Label("类别", "kind"),
    "by": Label("落实", "by"),
    "why": Label("理由", "why"),
    "instead": Label("办法", "instead"),
    "source": Label("来源", "source"),
    "uncited": Label("尚无流程文件依据此条", "no workflow file cites it"),
}


@frozen(kw_only=True)
class Wanted:
    """What `renoflow rules` was asked for; without ids, every rule that the options leave."""

    ids: tuple[str, ...] = ()
    strength: str | None = None
    uncited: bool = False
    workflow: str | None = None
    document: str | None = None

    def choose(
        self, rules: Sequence[Rule], facts: Sequence[FieldFact]
    ) -> tuple[tuple[Rule, ...], tuple[FieldFact, ...]]:
        """The rules, and the facts that are named; raises `UnknownName` for an id or a document."""
        known = {rule.id for rule in rules} | {fact.id for fact in facts}
        for name in self.ids:
            if name not in known:
                raise UnknownName("rule", name, rulebook().alike(name))
        documents = {rule.document for rule in rules}
        if self.document is not None and self.document not in documents:
            raise UnknownName("document", self.document, documents)
        wanted_facts = tuple(fact for fact in facts if fact.id in self.ids)
        return tuple(rule for rule in rules if self._fits(rule)), wanted_facts

    def _fits(self, rule: Rule) -> bool:
        file = f"{self.workflow}.toml"
        return (
            (not self.ids or rule.id in self.ids)
            and self.strength in (None, rule.strength)
            and not (self.uncited and rule.cited_by)
            and (self.workflow is None or any(place.file == file for place in rule.cited_by))
            and self.document in (None, rule.document)
        )


# ------------------------------------------------------------------ for people


def rules_text(wanted: Wanted, rules: Sequence[Rule], facts: Sequence[FieldFact], lang: Lang) -> str:
    """In full where rules are named, else two lines a rule, under the titles of their documents."""
    lines: list[str] = []
    if wanted.ids:
        named: tuple[Rule | FieldFact, ...] = (*rules, *facts)
        for item in named:
            lines += [*_full(item, lang), ""]
    else:
        for title, group in groupby(rules, lambda rule: f"{rule.document} {rule.title.text(lang)}"):
            lines += [title, *(line for rule in group for line in _short(rule, lang)), ""]
        lines.append(counted(rules).text(lang))
    return "\n".join(lines).rstrip("\n")


def counted(rules: Sequence[Rule]) -> Label:
    """How many rules there are, and what has become of them."""
    cited = sum(bool(rule.cited_by) for rule in rules)
    why = sum(not rule.cited_by and rule.justification is not None for rule in rules)
    rest = len(rules) - cited - why
    zh = f"共{len(rules)}条：{cited}条由流程文件落实，{why}条说明了理由"
    en = f"{len(rules)} rules: {cited} cited by workflow files, {why} not cited, with the reason"
    return Label(zh + (f"，{rest}条尚无着落" if rest else ""), en + (f", {rest} neither" if rest else ""))


def _short(rule: Rule, lang: Lang) -> Iterator[str]:
    mark = "✓" if rule.cited_by else "–"
    yield from wrap(f"{mark} {rule.id}  {rule.statement.text(lang)}", indent=4)
    for file, paths in by_file(rule.cited_by):
        yield from wrap(f"    {file}  {', '.join(paths)}", indent=8)
    if not rule.cited_by:
        why = HEAD["uncited"] if rule.justification is None else rule.justification.label
        yield from wrap(f"    {why.text(lang)}", indent=4)


def _full(item: Rule | FieldFact, lang: Lang) -> Iterator[str]:
    yield from wrap(f"{item.id}  {item.statement.text(lang)}", indent=4)
    for head, text in _details(item, lang):
        yield from wrap(f"    {HEAD[head].text(lang)}  {text}", indent=8)
    for place in item.cited_by:
        yield f"    {HEAD['by'].text(lang)}  {_named(place, lang)}"
    justification = item.justification if isinstance(item, Rule) else None
    if justification is not None:
        yield from wrap(f"    {HEAD['why'].text(lang)}  {justification.label.text(lang)}", indent=8)
        yield from wrap(f"    {HEAD['instead'].text(lang)}  {justification.instead.text(lang)}", indent=8)
    elif not item.cited_by:
        yield f"    {HEAD['uncited'].text(lang)}"


def _named(place: Citation, lang: Lang) -> str:
    if place.label is None:
        return str(place)
    label = place.label.text(lang)
    return f"{place}（{label}）" if lang == "zh" else f"{place} ({label})"


def _details(item: Rule | FieldFact, lang: Lang) -> Iterator[tuple[str, str]]:
    if isinstance(item, FieldFact):
        certainty = CERTAINTIES[item.certainty].text(lang)
        yield "source", f"{item.source}（{certainty}）" if lang == "zh" else f"{item.source} ({certainty})"
        return
    place = Label(f"{item.title.zh}，第{item.line}行", f"{item.document}, line {item.line}")
    yield "quote", f"「{item.quote}」 {place.text(lang)}"
    yield "kind", f"{KINDS[item.kind].text(lang)} · {STRENGTHS[item.strength].text(lang)} · {item.area}"


def by_file(places: Iterable[Citation]) -> Iterator[tuple[str, list[str]]]:
    """The table paths of each file, in the order in which the files come up."""
    found: dict[str, list[str]] = {}
    for place in places:
        found.setdefault(place.file, []).append(place.path)
    yield from found.items()


# ------------------------------------------------------------------ as data


def rules_answer(rules: Sequence[Rule], facts: Sequence[FieldFact]) -> dict[str, Any]:
    """The same as plain data, in both languages."""
    return {"rules": [_rule(rule) for rule in rules], "facts": [_fact(fact) for fact in facts]}


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        **_label(rule.statement),
        "quote": rule.quote,
        "document": rule.document,
        "title": _label(rule.title),
        "line": rule.line,
        "kind": rule.kind,
        "area": rule.area,
        "strength": rule.strength,
        "cited_by": _places(rule.cited_by),
        "justification": None if rule.justification is None else _justification(rule.justification),
    }


def _fact(fact: FieldFact) -> dict[str, Any]:
    return {
        "id": fact.id,
        **_label(fact.statement),
        "source": fact.source,
        "certainty": fact.certainty,
        "cited_by": _places(fact.cited_by),
    }


def _justification(why: Justification) -> dict[str, Any]:
    return {"id": why.id, **_label(why.label), "instead": _label(why.instead)}


def _places(places: Iterable[Citation]) -> list[dict[str, Any]]:
    return [
        {
            "file": place.file,
            "path": place.path,
            "label": None if place.label is None else _label(place.label),
        }
        for place in places
    ]


def _label(label: Label) -> dict[str, str]:
    return {"zh": label.zh, "en": label.en}
