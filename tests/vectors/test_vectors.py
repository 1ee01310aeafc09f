"""What the bundled workflows promise, by the tables of this folder: dates, sums, refusals and effects."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from renoflow import cli
from tests.vectors.table import Vector, answer, differences, vectors

ALL = vectors()
RULE = re.compile(r"[DF]\d\d(-\d\d)?|(W1|WC|CO|PAY|W2|W4P|W4C|W5)-\d\d|REF|SEV|3\.9 \d+|7 \S.*|format \d+")


def _param(vector: Vector) -> object:
    marks = [pytest.mark.xfail(strict=True, reason=vector.fault)] if vector.fault else []
    return pytest.param(vector, id=vector.en, marks=marks)


each_vector = pytest.mark.parametrize("vector", [_param(one) for one in ALL])


@each_vector
def test_a_vector_holds(vector: Vector) -> None:
    """Replaying the lines gives the states, reasons, dates, sums and effects that the table states."""
    wrong = differences(vector, answer(vector))
    assert not wrong, "\n".join([vector.zh, *wrong])


def test_every_vector_says_what_it_shows_and_by_which_rule() -> None:
    """A vector has names in both languages that no other has, cites a rule, and expects something."""
    assert len({one.en for one in ALL}) == len({one.zh for one in ALL}) == len(ALL)
    silent = [
        one.en for one in ALL
        if not (one.expect or one.effects or any(row.reasons or row.state for row in one.rows))
    ]  # fmt: skip
    assert not silent
    wrong = [(one.en, rule) for one in ALL for rule in one.rules or ("none",) if not RULE.fullmatch(rule)]
    assert not wrong


def test_every_refusal_reads_as_a_sentence_in_both_languages() -> None:
    """The sentences of every refusal in the tables are there, finished, and in their own language."""
    wrong = []
    for vector in ALL:
        for step in answer(vector)["steps"]:
            for reason in step["reasons"]:
                zh, en = reason["zh"], reason["en"]
                if not re.search(r"[\u4e00-\u9fff]", zh) or re.search(r"[\u4e00-\u9fff]", en):
                    wrong.append((vector.en, zh, en))
                if any(mark in zh + en for mark in ("{", "}", "…", "None")):
                    wrong.append((vector.en, zh, en))
    assert not wrong


@pytest.mark.parametrize("file", sorted({one.file for one in ALL}))
def test_the_command_line_answers_the_same(
    file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`renoflow replay SCRIPT --json` prints what the tables are held against."""
    vector = [one for one in ALL if one.file == file][-1]
    script, profile = tmp_path / "script.jsonl", tmp_path / "firm.toml"
    script.write_text(vector.script, "utf-8")
    profile.write_text(vector.settings, "utf-8")
    options = ["--profile", str(profile)] if vector.settings else []
    options += ["--at", vector.at.isoformat()] if vector.at else []
    assert cli.main(["replay", str(script), "--json", *options]) == 0
    assert json.loads(capsys.readouterr().out) == answer(vector)
