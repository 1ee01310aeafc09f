"""The rulebook is whole: every rule stated in both languages, cited by a file or with the reason why not."""

from __future__ import annotations

import csv
import re
from collections import Counter
from typing import get_args

import pytest

import renoflow as rf
from renoflow.workflow.bundled import bundled_folder
from renoflow.workflow.checks_labels import label_faults
from renoflow.workflow.rulebook import RuleKind, Strength

RULES = rf.rules()
AREAS = {"W1", "W2", "W3", "W4", "W5", "W6", "W7", "X1", "X2", "X3"}
_HALF_WIDTH = re.compile(r"[\u4e00-\u9fff][,;:?!()]|[,;:?!()][\u4e00-\u9fff]|\.$|。$")


def rows(name: str) -> list[dict[str, str]]:
    text = (bundled_folder() / "rulebook" / f"{name}.csv").read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))


def test_there_are_as_many_rules_as_in_the_handbooks() -> None:
    """398 rules: 279 stated, 69 vague, 50 known by their headings only; and 40 facts of the field."""
    assert Counter(rule.strength for rule in RULES) == {"S": 279, "V": 69, "T": 50}
    assert len({rule.id for rule in RULES}) == len(RULES) == 398
    assert len(rf.field_facts()) == 40


def test_the_rules_of_a_handbook_are_numbered_without_a_gap() -> None:
    """D01-01, D01-02 and so on, under each of the sixteen documents."""
    numbers: dict[str, list[int]] = {}
    for rule in RULES:
        numbers.setdefault(rule.document, []).append(int(rule.id.partition("-")[2]))
    assert sorted(numbers) == [f"D{number:02}" for number in range(1, 17)]
    assert all(found == list(range(1, len(found) + 1)) for found in numbers.values())


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_is_stated(rule: rf.Rule) -> None:
    """Statement in Chinese and English, quote, line, kind, area and strength are all there."""
    assert label_faults(rule.statement.zh, rule.statement.en) == []
    assert _HALF_WIDTH.search(rule.statement.zh) is None
    assert not rule.statement.en.endswith(".")
    assert rule.quote.strip()
    assert len(rule.quote) <= 25
    assert rule.line > 0
    assert rule.kind in get_args(RuleKind)
    assert rule.strength in get_args(Strength)
    assert rule.area in AREAS


def test_what_cannot_be_carried_is_not_cited() -> None:
    """A rule with a reason why no file carries it is cited only where the reason allows both."""
    both = [rule for rule in RULES if rule.cited_by and rule.justification is not None]
    assert [rule.id for rule in both if rule.justification and not rule.justification.may_be_cited] == []


def test_vague_rules_and_headings_say_so() -> None:
    """What the source leaves open is said beside the rule, whether a file carries it by a default or not."""
    for rule in RULES:
        reason = None if rule.justification is None else rule.justification.id
        assert (rule.strength == "T") == (reason == "heading"), rule.id
        assert reason != "vague" or rule.strength == "V", rule.id
        assert rule.strength != "V" or reason is not None, rule.id


def test_every_reason_is_used_and_in_both_languages() -> None:
    """A reason says why, and what a firm does instead."""
    used = {rule.justification for rule in RULES if rule.justification is not None}
    assert {reason.id for reason in used} == {row["id"] for row in rows("justifications")}
    for reason in used:
        assert label_faults(reason.label.zh, reason.label.en) == []
        assert label_faults(reason.instead.zh, reason.instead.en) == []


def test_facts_of_the_field_are_stated() -> None:
    """Each has a statement in both languages, a source and a certainty."""
    for fact in rf.field_facts():
        assert label_faults(fact.statement.zh, fact.statement.en) == []
        assert fact.source
        assert fact.certainty in ("high", "medium", "low")


def test_a_citation_leads_to_its_table() -> None:
    """The place that is named is a table of that file, and cites the rule."""
    flow = rf.load_workflows()["project"]
    places = {str(place) for rule in RULES if rule.id == "D01-29" for place in rule.cited_by}
    assert places >= {"project.toml deadlines.design", "project.toml events.pay_deposit"}
    assert "D01-29" in flow.plan.definition.deadlines["design"].cites


def test_only_what_is_loaded_cites() -> None:
    """With one workflow loaded, the rules of the others are not implemented."""
    only = {rule.id for rule in rf.rules(rf.load_workflows(only=["patrol"])) if rule.cited_by}
    assert "D08-17" in only
    assert "D01-29" not in only
