"""`renoflow rules`: what it lists, and how it answers a slip."""

from __future__ import annotations

import json
from typing import Any

import pytest

import renoflow as rf
from renoflow.cli import main
from renoflow.views.text import width

Capture = pytest.CaptureFixture[str]


def listed(capsys: Capture, *arguments: str) -> list[dict[str, Any]]:
    assert main(["rules", *arguments, "--json"]) == 0
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["rules"]
    return found


def test_all_rules_are_listed_in_their_order(capsys: Capture) -> None:
    """Without options, the whole rulebook, as the library gives it."""
    assert [rule["id"] for rule in listed(capsys)] == [rule.id for rule in rf.rules()]


def test_options_narrow_the_list_together(capsys: Capture) -> None:
    """Strength, document, workflow and what is open are all asked at once."""
    vague = listed(capsys, "--strength", "V", "--document", "D02")
    assert vague
    assert {(rule["strength"], rule["document"]) for rule in vague} == {("V", "D02")}
    assert all(rule["cited_by"] == [] for rule in listed(capsys, "--open"))
    for rule in listed(capsys, "--workflow", "patrol"):
        assert "patrol.toml" in {place["file"] for place in rule["cited_by"]}


def test_a_rule_is_shown_in_full(capsys: Capture) -> None:
    """By its id: the quote and its line, what implements it, in either language."""
    assert main(["rules", "D01-29"]) == 0
    text = capsys.readouterr().out
    assert "「交定金后一至两周内」 装修公司客户经理手册，第18行" in text
    assert "project.toml deadlines.design（出方案时限）" in text
    assert main(["rules", "D02-13", "--lang", "en"]) == 0
    text = capsys.readouterr().out
    assert "A condition for holding a post" in text
    assert "instead  Checks it when hiring" in text


def test_a_fact_of_the_field_is_shown_with_its_source(capsys: Capture) -> None:
    """Files cite facts too; their ids are answered like those of rules."""
    assert main(["rules", "F08", "--lang", "en"]) == 0
    text = capsys.readouterr().out
    assert "民法典 586-588" in text
    assert "project.toml parameters.earnest_cap" in text


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_list_fits_a_terminal(capsys: Capture, lang: str) -> None:
    """No line is wider than a hundred columns, and the last one counts the rules."""
    assert main(["rules", "--lang", lang]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(width(line) for line in lines) <= 100
    assert "398" in lines[-1]


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        (["D01-92"], "unknown rule 'D01-92'; did you mean 'D01-32'?"),
        (["--document", "D61"], "unknown document 'D61'; did you mean"),
        (["--workflow", "projct"], "unknown workflow 'projct'; did you mean 'project'?"),
    ],
)
def test_an_unknown_name_is_answered_with_a_near_one(
    capsys: Capture, arguments: list[str], answer: str
) -> None:
    """A slip is the caller's: exit code 2, and what was probably meant."""
    assert main(["rules", *arguments]) == 2
    assert answer in capsys.readouterr().err
