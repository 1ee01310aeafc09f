"""The rulebook as pages of the documentation, in English and in Chinese: `docs/rules.md`, `docs/rules.zh.md`.

`python -m tests.pages` writes them anew with the other pages; a test fails when they are stale.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

import renoflow as rf
from renoflow.values import Lang
from renoflow.views.rules import CERTAINTIES, KINDS, STRENGTHS, by_file
from renoflow.views.text import bracketed

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGES: dict[Lang, Path] = {"en": DOCS / "rules.md", "zh": DOCS / "rules.zh.md"}

TITLE = rf.Label("规则与落实", "The rules, and what implements them")
OTHER = rf.Label("[English](rules.md)", "[中文](rules.zh.md)")
INTRO = rf.Label(
    "手册中的每一条规则，都注明由哪个流程文件的哪张表落实，或者为何不由流程承担。\n"
    "本页由 `python -m tests.pages` 根据 `workflows/rulebook/` 和流程文件中的 `cites` 生成，请勿手改；\n"
    "[`renoflow rules`](cli.md#rules) 在终端里给出同样的内容。",
    "Every rule of the handbooks, with the file and the table that implement it, or why no workflow does.\n"
    "This page is made by `python -m tests.pages` from `workflows/rulebook/` and the `cites` of the\n"
    "workflow files, never by hand; [`renoflow rules`](cli.md#rules) lists the same in a terminal.",
)
HEADS = {
    "counts": rf.Label("总数", "Counts"),
    "reasons": rf.Label("不由流程承担的理由", "Why some rules are not in a workflow file"),
    "facts": rf.Label("手册之外的依据", "Facts of the field"),
    "total": rf.Label("合计", "All"),
    "strength": rf.Label("规定程度", "Strength"),
    "rules": rf.Label("条数", "Rules"),
    "cited": rf.Label("由流程文件落实", "Cited by a workflow file"),
    "reason": rf.Label("有理由不承担", "Not cited, with the reason"),
    "id": rf.Label("编号", "Id"),
    "rule": rf.Label("规则", "Rule"),
    "kind": rf.Label("类别", "Kind"),
    "by": rf.Label("落实之处，或理由", "Implemented by, or why not"),
    "why": rf.Label("理由", "Reason"),
    "instead": rf.Label("公司的办法", "What a firm does instead"),
    "fact": rf.Label("依据", "Fact"),
    "source": rf.Label("出处", "Source"),
    "places": rf.Label("用于", "Cited by"),
    "background": rf.Label("仅作背景", "background only"),
}


def page(lang: Lang) -> str:
    """The whole page."""
    return "\n".join(_lines(rf.rules(), rf.field_facts(), lang)) + "\n"


def _lines(rules: Sequence[rf.Rule], facts: Sequence[rf.FieldFact], lang: Lang) -> Iterator[str]:
    yield from (f"# {TITLE.text(lang)}", "", OTHER.text(lang), "", INTRO.text(lang))
    yield from _section("counts", lang)
    yield from _counts(rules, lang)
    yield from _section("reasons", lang)
    yield from _reasons(rules, lang)
    for title, group in groupby(rules, lambda rule: f"{rule.document} {rule.title.text(lang)}"):
        yield from ("", f"## {title}", "")
        yield from _head(("id", "rule", "kind", "by"), lang)
        for rule in group:
            quoted = f"{rule.statement.text(lang)}<br>「{rule.quote}」"
            yield _row(rule.id, quoted, _kind(rule, lang), _by(rule, lang))
    yield from _section("facts", lang)
    yield from _head(("id", "fact", "source", "places"), lang)
    for fact in facts:
        source = f"{fact.source}{bracketed(CERTAINTIES[fact.certainty].text(lang), lang)}"
        places = _places(fact.cited_by) or f"*{HEADS['background'].text(lang)}*"
        yield _row(fact.id, fact.statement.text(lang), source, places)


def _section(name: str, lang: Lang) -> tuple[str, ...]:
    return ("", f"## {HEADS[name].text(lang)}", "")


def _head(names: Iterable[str], lang: Lang) -> tuple[str, str]:
    cells = [HEADS[name].text(lang) for name in names]
    return _row(*cells), "|" + "---|" * len(cells)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', ' ') for cell in cells)} |"


def _counts(rules: Sequence[rf.Rule], lang: Lang) -> Iterator[str]:
    yield from _head(("strength", "rules", "cited", "reason"), lang)
    for name, label in STRENGTHS.items():
        yield _count(f"{name} {label.text(lang)}", [rule for rule in rules if rule.strength == name])
    yield _count(HEADS["total"].text(lang), rules)


def _count(name: str, rules: Sequence[rf.Rule]) -> str:
    cited = sum(bool(rule.cited_by) for rule in rules)
    reason = sum(not rule.cited_by and rule.justification is not None for rule in rules)
    return _row(name, str(len(rules)), str(cited), str(reason))


def _reasons(rules: Sequence[rf.Rule], lang: Lang) -> Iterator[str]:
    yield from _head(("why", "rules", "instead"), lang)
    open_rules = [rule for rule in rules if not rule.cited_by]
    for reason in dict.fromkeys(rule.justification for rule in open_rules if rule.justification):
        count = sum(rule.justification == reason for rule in open_rules)
        yield _row(reason.label.text(lang), str(count), reason.instead.text(lang))


def _kind(rule: rf.Rule, lang: Lang) -> str:
    between = "，" if lang == "zh" else ", "
    return f"{KINDS[rule.kind].text(lang)}{between}{STRENGTHS[rule.strength].text(lang)}"


def _by(rule: rf.Rule, lang: Lang) -> str:
    if rule.cited_by:
        return _places(rule.cited_by)
    return "" if rule.justification is None else f"*{rule.justification.label.text(lang)}*"


def _places(places: Iterable[rf.Citation]) -> str:
    return "<br>".join(
        f"{file}: {', '.join(f'`{path}`' for path in paths)}" for file, paths in by_file(places)
    )
