"""The shipped examples: the scripts run as they stand, and the renovation comes out as counted by hand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from renoflow.cli import main

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
RENOVATION = EXAMPLES / "renovation.jsonl"
PROJECT = "P-2026-018"

# ------------------------------------------------------------------ the scripts

TELLING = {
    "first_project.py": (
        "signature_missing",
        "An agreed date, 2026-03-08",
        "Due 2026-03-08 24:00",
        "约定日期",
    ),
    "embedding.py": (
        "report: 12 Garden Road consulting",
        "to do: notify customer_manager",
        "the history gives the same case again: True",
    ),
    "embedding_sql.py": (
        "after the refusal: 0 meetings, case in enquiry, 1 lines of history",
        "failed: the office calendar does not answer",
        "after the failure: 0 meetings, case in enquiry, 1 lines of history",
        "sent twice: 1 meetings, case in consulting, 2 lines of history",
        "notify customer_manager: deadline.proposal.escalation",
        "Proposal, P-1: overdue since 2026-03-09 24:00",
    ),
    "own_firm/run.py": (
        "Due 2026-03-09 24:00",
        "Due 2026-03-08 24:00",
        "Due 2027-02-15 24:00",
        "家装顾问",
        "2027-02-04 00:00  note_no_show: booked -> no_show",
        "not loaded: [parameters.project.warranty_general]",
    ),
}


def test_every_script_is_run_here() -> None:
    """A new example script needs what it is to tell."""
    found = {path.relative_to(EXAMPLES).as_posix() for path in EXAMPLES.rglob("*.py")}
    assert found == set(TELLING)


@pytest.mark.parametrize("name", TELLING)
def test_a_script_runs_as_it_stands(name: str, tmp_path: Path) -> None:
    """From any folder, without arguments, it ends well and prints what a reader understands."""
    found = subprocess.run(
        [sys.executable, str(EXAMPLES / name)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONUTF8": "1"},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    assert found.stderr == ""
    assert [part for part in TELLING[name] if part not in found.stdout] == []


# ------------------------------------------------------------------ the renovation


@pytest.fixture(scope="module")
def answer() -> dict[str, Any]:
    """What `renoflow replay` says of the shipped renovation."""
    command = [sys.executable, "-m", "renoflow.cli", "replay", str(RENOVATION), "--json", "--history"]
    found = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=60, check=True)
    answer: dict[str, Any] = json.loads(found.stdout)
    return answer


def case_of(answer: dict[str, Any], suffix: str = "") -> dict[str, Any]:
    case: dict[str, Any] = answer["cases"][PROJECT + suffix]
    return case


def clock_of(answer: dict[str, Any], suffix: str, name: str) -> dict[str, Any]:
    (clock,) = [clock for clock in case_of(answer, suffix)["deadlines"] if clock["name"] == name]
    found: dict[str, Any] = clock
    return found


REFUSED = [
    ("start_consultation", ["signature_missing"]),
    ("query_overdue_proposal", ["guard_unmet", "guard_unmet"]),
    ("present_proposal", ["fact_not_allowed"]),
    ("contact_customer", ["guard_unmet"]),
    ("measure_site", ["wrong_state", "guard_unmet"]),
    ("pay_deposit", ["role_not_allowed"]),
    ("record_consultation", ["time_runs_backwards"]),
    ("sign_contract", ["signature_missing"]),
    ("start_construction", ["guard_unmet", "guard_unmet"]),
    ("start_checkpoint", ["guard_unmet"]),
    ("assign_investigation", ["guard_unmet"]),
    ("approve_solution", ["guard_unmet"]),
    ("confirm_satisfied", ["guard_unmet"]),
    ("execute_change", ["guard_unmet"]),
    ("pass_checkpoint", ["guard_unmet"]),
    ("complete_works", ["guard_unmet"]),
    ("record_air_test", ["not_yet_due"]),
    ("issue_warranty_card", ["payment_missing", "guard_unmet"]),
]


def test_eighteen_lines_are_refused(answer: dict[str, Any]) -> None:
    """Each for the reason that it is there to show."""
    refused = [step for step in answer["steps"] if not step["accepted"]]
    assert [(step["event"], [r["code"] for r in step["reasons"]]) for step in refused] == REFUSED


def test_what_is_refused_is_announced(answer: dict[str, Any]) -> None:
    """A comment above says so in both languages, and no other line has one that does."""
    lines = RENOVATION.read_text("utf-8").splitlines()
    for step in answer["steps"]:
        above = lines[step["line"] - 2]
        announced = above.startswith("#") and "拒绝：" in above and "refused:" in above
        assert announced is not step["accepted"], step["line"]


STATES = {
    "": "warranty",
    "/lead": "signed",
    "/checkpoint-1": "passed",
    "/checkpoint-2": "passed",
    "/checkpoint-3": "passed",
    "/checkpoint-4": "passed",
    "/checkpoint-5": "passed",
    "/checkpoint-6": "not_applicable",
    "/checkpoint-7": "passed",
    "/checkpoint-8": "passed",
    "/complaint-1": "closed",
    "/complaint-1/return_visit-1": "done",
    **{f"/return_visit-{number}": "done" for number in range(1, 11)},
    "/change_order-1": "done",
    "/patrol-7": "skipped",  # the work stood still
    "/patrol-14": "skipped",  # the works were complete
    **{f"/patrol-{number}": "closed" for number in (1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13)},
}


def test_every_case_ends_where_it_should(answer: dict[str, Any]) -> None:
    """The home is under warranty, and all that was opened on the way is done."""
    found = {suffix: case_of(answer, suffix)["state"] for suffix in STATES}
    assert found == STATES


# Counted by hand with a calendar of 2026: the day of the start is not counted, and "the end of 03-08" is
# written as 03-09 00:00. 9 May is a Saturday on which people work, to make up for Labour Day.
DUE = [
    ("/lead", "dispatch", "met", "2026-03-03"),  # queued on Sunday 03-01, one working day
    ("/return_visit-1", "visit", "met", "2026-03-12"),  # the first plan meeting on 03-08, three days
    ("/return_visit-2", "visit", "met", "2026-04-14"),  # signed on 04-10, three days
    ("/return_visit-3", "visit", "met", "2026-05-05"),  # ten days after the start on 04-21, and three
    ("/return_visit-3", "fix", "met", "2026-05-06"),  # agreed for 05-05
    ("/return_visit-9", "visit", "met", "2026-07-04"),  # complete on 06-23, ten days
    ("/complaint-1/return_visit-1", "visit", "met", "2026-05-18"),  # carried out on 05-14, three days
    ("", "proposal", "met", "2026-03-09"),  # the day agreed, 03-08, in place of the seven days to 03-09
    ("", "design", "met_late", "2026-03-22"),  # deposit on 03-14, one week; presented on 03-22
    ("", "hand_over", "met", "2026-04-14"),  # signed on Friday 04-10, one working day
    ("", "duration", "met", "2026-06-30"),  # 04-21 + 60 days + 6 midnights of stop + 3 days of change
    ("", "patrol", "met", "2026-06-24"),  # the last one on 06-18, five days
    ("", "acceptance", "met", "2026-07-01"),  # complete on 06-23, seven days
    ("", "air_test", "open", "2026-06-30"),  # not before seven days have passed since 06-23
    ("", "settlement", "met", "2026-07-07"),  # statement on 06-29, seven days
    ("", "warranty.general", "running", "2028-06-28"),  # one year in the contract, two by law
    ("", "warranty.waterproof", "running", "2031-06-28"),  # accepted on 2026-06-27, five years
    ("", "warranty.equipment", "running", "2029-06-28"),  # the maker's card: to 2029-06-27
    ("/complaint-1", "superior_answer", "met", "2026-05-10"),  # reported on Friday 05-08
    ("/complaint-1", "investigate", "met", "2026-05-12"),  # assigned on Saturday 05-09, one working day
    ("/complaint-1", "plan", "met", "2026-05-12"),  # 05-08, two working days: 05-09 and Monday 05-11
    ("/complaint-1", "resolve", "met", "2026-05-15"),  # 05-08, five: 05-09, 11, 12, 13, 14
    ("/complaint-1", "implement", "met", "2026-05-15"),  # promised for 05-14
    ("/complaint-1", "answer", "met", "2026-05-16"),  # the second offer on 05-12, three days
    ("/complaint-1", "reopening", "expired", "2026-06-14"),  # closed on 05-14, thirty days
    ("/checkpoint-3", "rework", "met", "2026-05-20"),  # started on 05-16, three days
    ("/patrol-5", "rectify", "met", "2026-05-17"),  # issued on 05-14, two days
    ("/change_order-1", "answer", "met", "2026-06-06"),  # offered on 05-29, seven days
]


@pytest.mark.parametrize(("suffix", "name", "status", "day"), DUE)
def test_a_due_date_is_the_one_counted_by_hand(
    answer: dict[str, Any], suffix: str, name: str, status: str, day: str
) -> None:
    """The reckoning stands beside each date."""
    clock = clock_of(answer, suffix, name)
    assert (clock["status"], clock["due_at"]) == (status, f"{day}T00:00:00+08:00")


def test_the_hours_to_acknowledge_are_counted_to_the_minute(answer: dict[str, Any]) -> None:
    """Received on 05-08 at 09:30, acknowledged before it was known to be major: twenty-four hours."""
    clock = clock_of(answer, "/complaint-1", "acknowledge")
    assert (clock["status"], clock["due_at"]) == ("met", "2026-05-09T09:30:00+08:00")


def test_two_deadlines_are_missed(answer: dict[str, Any]) -> None:
    """The design, and the patrol over Labour Day: 04-28 and five days is 05-03, it was made on 05-05."""
    missed = [
        (entry["event"], entry["at"])
        for history in answer["histories"].values()
        for entry in history
        if entry["event"].endswith(".breached")
    ]
    assert missed == [
        ("deadline.design.breached", "2026-03-22T00:00:00+08:00"),
        ("deadline.patrol.breached", "2026-05-04T00:00:00+08:00"),
    ]


def test_those_above_are_told_of_what_was_missed(answer: dict[str, Any]) -> None:
    """The store manager hears of the design, the engineering manager of the patrol."""
    told = [
        (effect["to"], effect["at"])
        for effect in answer["effects"]
        if effect["kind"] == "notify" and effect["to"] in ("store_manager", "engineering_manager")
    ]
    assert told == [
        ("store_manager", "2026-03-22T00:00:00+08:00"),
        ("engineering_manager", "2026-05-04T00:00:00+08:00"),
    ]


def test_the_settlement_has_the_change_order_in_it(answer: dict[str, Any]) -> None:
    """198000 + 3600 is the price; a deposit of 5000, instalments of 113800, 69300 and 9900, and the 3600 of
    the change order pay it to the cent, so that nothing is left for the settlement."""
    plan = [case_of(answer, f"/stage_payment-{number}") for number in (1, 2, 3)]
    assert [one["facts"]["paid_amount"] for one in plan] == ["113800.00", "69300.00", "9900.00"]
    assert case_of(answer)["payments"] == {"deposit": "5000.00"}
    assert case_of(answer)["facts"]["earnest_part"] == "5000.00"
    assert case_of(answer, "/change_order-1")["facts"]["settled_delta"] == "3600.00"


def test_the_demo_tells_the_whole_story(capsys: pytest.CaptureFixture[str]) -> None:
    """In both languages, from the enquiry to the claim."""
    for lang, last in (("zh", "报修"), ("en", "Report a fault")):
        assert main(["demo", "--lang", lang]) == 0
        assert last in capsys.readouterr().out
