"""The bundled profiles: three penalty ladders of three firms, and what a firm builds on them."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import pytest

import renoflow as rf
from renoflow import cli
from renoflow.definition.model import WorkflowDefinition
from renoflow.workflow.catalog import bundled_profiles

LADDERS = ("d09", "d15", "d16")
FIRM = '[profile]\nid = "firm"\nlabel = { zh = "本公司", en = "The firm" }\n'


def conduct(profile: str) -> WorkflowDefinition:
    return rf.load_workflows(profile=profile)["conduct"].plan.definition


def written(folder: Path, text: str) -> Path:
    path = folder / "firm.toml"
    path.write_text(text, "utf-8")
    return path


def test_there_are_three_ladders() -> None:
    """Each is known by its name, and builds on no other."""
    assert tuple(bundled_profiles()) == LADDERS
    assert all("\nextends" not in str(source.text) for source in bundled_profiles().values())


def test_the_default_is_d16() -> None:
    """Without a profile a firm runs the ladder of D16."""
    plain, named = rf.load_workflows(), rf.load_workflows(profile="d16")
    assert all(plain[name].plan.definition == named[name].plan.definition for name in plain)


@pytest.mark.parametrize(
    ("profile", "grades"),
    [
        ("d09", ["警告", "书面批评", "罚款", "辞退"]),
        ("d15", ["提拔晋升", "优秀员工称号", "奖金奖励", "警告", "纪律处分", "责令改正", "解除劳动合同"]),
        (
            "d16",
            ["嘉奖", "记功", "记大功", "公司特别贡献奖", "违纪", "警告", "记过", "记大过", "辞退", "开除"],
        ),
    ],
)
def test_a_ladder_has_its_own_grades(profile: str, grades: list[str]) -> None:
    """The grades are those that the firm's handbook lists, in its order."""
    assert [row["zh"] for row in conduct(profile).tables["grades"].values()] == grades


def test_no_two_ladders_are_mixed() -> None:
    """No ground of one firm stands in another's, and each cites its own handbook alone."""
    grounds = {name: conduct(name).tables["grounds"] for name in LADDERS}
    assert all(set(grounds[a]).isdisjoint(grounds[b]) for a, b in combinations(LADDERS, 2))
    for name in LADDERS:
        for table in ("grades", "grounds"):
            rows = conduct(name).tables[table].values()
            cites = {rule for row in rows for rule in row.get("cites", ())}  # type: ignore[union-attr]
            assert {rule[:3].lower() for rule in cites} == {name}


@pytest.mark.parametrize("profile", LADDERS)
def test_every_ground_allows_some_grade(profile: str) -> None:
    """Each ground names ranks that a grade of its kind has."""
    tables = conduct(profile).tables
    ranks = {(row["kind"], row["rank"]) for row in tables["grades"].values()}
    for name, row in tables["grounds"].items():
        assert {(row["kind"], row["lightest"]), (row["kind"], row["heaviest"])} <= ranks, name


def test_the_sums_of_d16() -> None:
    """What each grade pays or costs, as the handbook has it."""
    grades = conduct("d16").tables["grades"]
    assert {name: row["amount"] for name, row in grades.items()} == {
        "commendation": "200.00",
        "merit": "400.00",
        "major_merit": "1000.00",
        "special": "0.00",
        "breach": "200.00",
        "warning": "400.00",
        "demerit": "600.00",
        "major_demerit": "1000.00",
        "dismissal": "0.00",
        "expulsion": "0.00",
    }


@pytest.mark.parametrize("profile", LADDERS)
def test_every_grade_can_stand_on_the_ledger(profile: str) -> None:
    """What a conduct case decides is an entry of the same firm's ledger."""
    flows = rf.load_workflows(profile=profile)
    assert set(conduct(profile).tables["grades"]) <= set(flows["ledger"].plan.definition.tables["entries"])


def test_a_firm_builds_on_a_bundled_ladder(tmp_path: Path) -> None:
    """What it sets itself goes over the ladder; the rest of the ladder stays."""
    text = FIRM + 'extends = "d15"\n[parameters.conduct]\nappeal_limit = "3 working days"\n'
    definition = conduct(str(written(tmp_path, text)))
    assert definition.parameters["appeal_limit"].value == "3 working days"
    assert definition.parameters["delay_rule"].value == "d15_10"
    assert set(definition.tables["grounds"]) == {"d15_9", "d15_10"}


def test_a_firm_counts_by_rules_of_its_own(tmp_path: Path) -> None:
    """All accumulations are replaced: a firm that wants one more lists them all."""
    text = FIRM + (
        "[accumulations.ledger.late]\n"
        'label = { zh = "一个月内迟到2次", en = "Late twice in a month" }\n'
        'counts = ["late"]\nwithin = "calendar month"\nat_least = 2\nnotifies = ["hr"]\n'
    )
    flow = rf.load_workflows(profile=written(tmp_path, text))["ledger"]
    assert list(flow.plan.definition.accumulations) == ["late"]


def test_a_fault_in_a_firms_accumulation_has_its_place(tmp_path: Path) -> None:
    """The path and the line are those of the profile."""
    text = FIRM + (
        "[accumulations.ledger.late]\n"
        'label = { zh = "迟到", en = "Late" }\n'
        'counts = ["lat"]\nwithin = "calendar month"\nnotifies = ["hr"]\n'
    )
    with pytest.raises(rf.DefinitionError) as caught:
        rf.load_workflows(profile=written(tmp_path, text))
    (problem,) = caught.value.problems
    assert (problem.path, problem.line) == ("accumulations.ledger.late.counts[0]", 6)
    assert "did you mean 'late'?" in str(problem)


def test_half_a_ladder_does_not_hold_together(tmp_path: Path) -> None:
    """A firm that replaces the grounds alone is told which parameters still name the old ones."""
    text = FIRM + (
        "[tables.conduct.grounds]\n"
        'own_1 = { kind = "discipline", lightest = 1, heaviest = 4, heads_only = false, by_loss = false, '
        'by_target = false, zh = "一", en = "one" }\n'
    )
    with pytest.raises(rf.DefinitionError) as caught:
        rf.load_workflows(profile=written(tmp_path, text))
    assert {problem.path for problem in caught.value.problems} == {"tables.conduct.grounds"}
    assert "'d16_85' is not one of own_1" in str(caught.value)


def test_a_ladder_that_is_not_there_is_told(tmp_path: Path) -> None:
    """Both by a name that is no file and inside a firm's own profile."""
    with pytest.raises(rf.UnknownName, match="d16"):
        rf.load_workflows(profile="d61")
    with pytest.raises(rf.DefinitionError) as caught:
        rf.load_workflows(profile=written(tmp_path, FIRM + 'extends = "d61"\n'))
    (problem,) = caught.value.problems
    assert (problem.path, problem.line) == ("profile.extends", 4)


def test_the_command_line_takes_a_ladder_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    """`--profile d15` is the bundled one."""
    assert cli.main(["describe", "conduct", "--profile", "d15", "--json"]) == 0
    assert list(json.loads(capsys.readouterr().out)["tables"]["grounds"]) == ["d15_9", "d15_10"]
