"""A workflow written out, its linked cases: with what each is opened, and what is told over which link."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from renoflow.definition.model import (
    ChildDefinition,
    EffectsDefinition,
    LinkDefinition,
    Scalar,
    WorkflowDefinition,
)
from renoflow.values import Label, Lang, listed
from renoflow.views.text import COLON, SEMICOLON, bracketed

WORDS = {
    "child": Label("下级案卷", "belongs to this case"),
    "parent": Label("上级案卷", "the case that this one belongs to"),
    "peer": Label("平级案卷", "a peer"),
    "keyed": Label("按编号查找", "found by its key"),
    "each": Label("逐一开立", "one for each"),
    "once": Label("一卷只开立一次", "opened at most once"),
    "opens": Label("开立", "opened with"),
    "opened": Label("开立", "opened"),
    "tells": Label("告知对方", "is told"),
    "told": Label("由对方告知", "tells this case"),
    "hears": Label("听取对方", "is heard at"),
    "reads": Label("读取对方", "is read for"),
    "tells_next": Label("终了后告知下一件", "at its end the next is told"),
    "papers": Label("附单据", "with documents"),
    "after": Label("随", "after"),
    "when": Label("当", "when"),
}

Wording = Callable[[str], str]
"""A condition, by its name, in words."""


def linked_cases(own: WorkflowDefinition, wording: Wording, lang: Lang) -> Iterator[str]:
    """A paragraph for each kind of child, then one for each link."""
    for name, child in own.children.items():
        yield f"### {name} → {child.workflow}{bracketed(_word('child', lang), lang)}"
        yield from _child(child, lang)
        yield from _exchanged(own, name, child.workflow, wording, lang)
    for name, link in own.links.items():
        yield f"### {name} → {link.workflow}{bracketed(_word(_standing(own, link), lang), lang)}"
        if link.key:
            yield _line("keyed", "/".join((link.workflow, *map(str, link.key))), lang)
        if link.key and link.facts:
            yield _line("opens", _facts(link.facts, lang), lang)
        yield from _exchanged(own, name, link.workflow, wording, lang)


def _standing(own: WorkflowDefinition, link: LinkDefinition) -> str:
    if link.key:
        return "keyed"
    return "parent" if link.workflow == own.workflow.parent else "peer"


def _child(child: ChildDefinition, lang: Lang) -> Iterator[str]:
    for fact, values in child.each.items():
        yield _line("each", f"{fact} = {listed(map(str, values), lang)}", lang)
    if child.once:
        yield f"  {_word('once', lang)}"
    for key, names in (("hears", child.hears), ("reads", child.reads)):
        if names:
            yield _line(key, listed(names, lang), lang)
    if child.tells_next is not None:
        yield _line("tells_next", f"{child.tells_next.fact} = true", lang)


def _exchanged(
    own: WorkflowDefinition, name: str, workflow: str, wording: Wording, lang: Lang
) -> Iterator[str]:
    """What is opened and told under a name, each with what it follows, and what is told back."""

    def follows(after: str, *conditions: str | None) -> str:
        held = (f"{_word('when', lang)} {wording(one)}" for one in conditions if one is not None)
        return bracketed(SEMICOLON[lang].join((f"{_word('after', lang)} {after}", *held)), lang)

    for after, condition, effects in _doings(own):
        for opening in effects.opens:
            kind, _, reason = (opening.child or opening.link or "").partition(":")
            if kind == name:
                facts = _facts({**_given(own, name, reason), **opening.facts}, lang)
                what = _line("opens", facts, lang) if facts else f"  {_word('opened', lang)}"
                yield what + follows(after, condition, opening.when)
        for telling in effects.tells:
            if name in (telling.link, telling.child):
                papers = listed(telling.documents, lang)
                papers = papers and f"{_word('papers', lang)} {papers}"
                parts = (telling.event, _facts(telling.facts, lang), papers)
                what = SEMICOLON[lang].join(part for part in parts if part)
                yield _line("tells", what, lang) + follows(after, condition, telling.when)
    told = [fact for fact, declared in own.facts.items() if declared.told_by == workflow]
    if told:
        yield _line("told", listed(told, lang), lang)


def _doings(own: WorkflowDefinition) -> Iterator[tuple[str, str | None, EffectsDefinition]]:
    """Whatever has effects: what it follows, the condition of all of it, and the effects."""
    for name, event in own.events.items():
        yield name, None, event
    for reaction in own.reactions:
        yield ", ".join(reaction.on), reaction.when, reaction
    for name, accumulation in own.accumulations.items():
        yield f"accumulations.{name}", accumulation.when, accumulation


def _given(own: WorkflowDefinition, name: str, reason: str) -> Mapping[str, Scalar]:
    """What an opening brings by its reason, or by the link."""
    child = own.children.get(name)
    return own.links[name].facts if child is None else child.reasons.get(reason, {})


def _facts(facts: Mapping[str, Scalar], lang: Lang) -> str:
    return listed((f"{name} = {_value(value)}" for name, value in facts.items()), lang)


def _value(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _line(key: str, what: str, lang: Lang) -> str:
    return f"  {_word(key, lang)}{COLON[lang]}{what}"


def _word(key: str, lang: Lang) -> str:
    return WORDS[key].text(lang)
