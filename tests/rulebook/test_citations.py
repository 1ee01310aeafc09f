"""No citation names a rule that says something else: its kind, its people and its figures fit."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

import renoflow as rf
from renoflow.definition.model import WorkflowDefinition
from renoflow.workflow.citations import cited, cites_of
from tests.rulebook.citing import PROPERTIES, Citing

FITS: Mapping[str, Any] = tomllib.loads((Path(__file__).parent / "fits.toml").read_text("utf-8"))
KINDS: Mapping[str, Mapping[str, Sequence[str]]] = FITS["kinds"]
WHO: Mapping[str, Sequence[str]] = FITS["who"]
RULES = {rule.id: rule for rule in rf.rules()}
_DIGITS = {"一": 1, "二": 2, "两": 2, "三": 3, "五": 5, "八": 8}


def definitions() -> dict[str, WorkflowDefinition]:
    return {name: flow.plan.definition for name, flow in rf.load_workflows().items()}


def citing(
    rule: str, workflow: str, section: str, name: str, item: Any, files: Mapping[str, WorkflowDefinition]
) -> Citing:
    roles = frozenset(WHO.get(rule, ()))
    return Citing(
        rule=rule, workflow=workflow, section=section, name=name, item=item, files=files, roles=roles
    )


def citations(files: Mapping[str, WorkflowDefinition]) -> Iterator[Citing]:
    """Every citation of a rule of the handbooks."""
    for name, file in files.items():
        for (section, table, *_), item in cited(file):
            for rule in cites_of(item) or ():
                if rule in RULES:
                    yield citing(rule, name, str(section), str(table), item, files)


def misfit(one: Citing) -> str:
    """Why this table may not cite the rule; empty where it may."""
    rule = RULES[one.rule]
    if rule.kind == "other":
        return ""
    wanted = KINDS[rule.kind].get(one.section)
    if wanted is None:
        return f"{one.section} cannot be what a {rule.kind} rule asks"
    if wanted and not any(PROPERTIES[name](one) for name in wanted):
        return f"a {rule.kind} rule needs one of {', '.join(wanted)} there"
    return ""


def test_every_citation_fits_the_kind_of_its_rule() -> None:
    """A rule about a clock is cited by a clock, one about a paper by a paper, a duty by who has it."""
    wrong = [
        f"{one.workflow} {one.section}.{one.name} cites {one.rule} ({RULES[one.rule].statement.en}): {why}"
        for one in citations(definitions())
        if (why := misfit(one))
    ]
    assert wrong == []


def test_it_is_known_of_whom_each_cited_rule_speaks() -> None:
    """Every cited rule about a role or a permission has its people in the table, each of them a role."""
    roles = definitions()["project"].roles
    about_people = {
        one.rule for one in citations(definitions()) if RULES[one.rule].kind in ("role", "permission")
    }
    assert sorted(about_people - set(WHO)) == []
    assert sorted({role for named in WHO.values() for role in named} - set(roles)) == []


def figures(text: str) -> set[int]:
    """The numbers in a text, Chinese ones too."""
    return {int(found) for found in re.findall(r"\d+", text)} | {_DIGITS[c] for c in text if c in _DIGITS}


def test_a_parameter_has_the_figure_of_the_rule_that_it_cites() -> None:
    """Where the quoted words hold a number, a parameter that cites them has one of their numbers."""
    wrong = []
    for one in citations(definitions()):
        rule = RULES[one.rule]
        quoted = figures(rule.quote)
        own = figures(str(one.item.value)) if one.section == "parameters" else set()
        if quoted and own and not own & quoted:
            wrong.append(f"{one.workflow} {one.name} = {one.item.value}, but {rule.id}: {rule.quote}")
    assert wrong == []


@pytest.mark.parametrize(
    ("rule", "workflow", "section", "table"),
    [
        ("D01-30", "project", "documents", "quotation"),  # a clock cited by a paper
        ("D01-29", "project", "events", "approve_design"),  # ... by an event that moves no such clock
        (
            "D12-14",
            "project",
            "events",
            "accept_works",
        ),  # a duty, cited by what another does
        ("D01-30", "project", "parameters", "refund_limit"),  # ... by the length of another clock
        ("D01-32", "project", "events", "approve_design"),  # telling somebody, where nobody is told
        ("D08-10", "complaint", "parameters", "answer_limit"),  # a step cited by a figure
    ],
)
def test_a_false_citation_is_found(rule: str, workflow: str, section: str, table: str) -> None:
    """Pairs that cannot fit are told apart from those that do."""
    files = definitions()
    item = getattr(files[workflow], section)[table]
    assert misfit(citing(rule, workflow, section, table, item, files))
