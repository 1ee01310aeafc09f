"""The commands on kept cases, as a person runs them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

import renoflow as rf
from renoflow import cli
from tests.store.errands import FILES, START, ask, at, flows, take

OWN = [word for file in FILES for word in ("--workflow-file", str(file))]
DAY_4 = "2026-03-06T00:00:00+08:00"


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A firm's file with two errands, one of a known person and taken, one still waiting."""
    url = f"sqlite:///{tmp_path / 'firm.db'}"
    service = service_on(url)
    service.open("errand", "E-1", ask(START, person="Zhao"))
    service.send("E-1", take(at(1)))
    service.open("errand", "E-2", ask(START))
    return url


def service_on(url: str, tenant: str = "main") -> rf.CaseService:
    return rf.CaseService(flows(), rf.SqlStore(url), tenant=tenant)


def store_of(service: rf.CaseService) -> rf.SqlStore:
    assert isinstance(service.store, rf.SqlStore)
    return service.store


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, Any]:
    """The exit code and the answer in JSON."""
    capsys.readouterr()
    code = cli.main([*words, "--json"])
    return code, json.loads(capsys.readouterr().out)


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What is printed for people, in both languages."""
    capsys.readouterr()
    for lang in ("zh", "en"):
        cli.main([*words, "--lang", lang])
    return capsys.readouterr().out


# ------------------------------------------------------------------ sweep


def test_a_sweep_does_what_is_due_and_says_so(capsys: pytest.CaptureFixture[str], url: str) -> None:
    """The second errand is late at the end of its second day; the answer counts lines and effects."""
    code, answer = run(capsys, "sweep", "--db", url, "--at", DAY_4, *OWN)
    assert (code, answer["entries"], answer["postponed"]) == (0, 2, [])
    assert answer["effects"] == 1
    events = {entry.event for entry in service_on(url).history("E-2")[1:]}
    assert events == {"deadline.pick_up.breached", "deadline.pick_up.escalation"}
    _, again = run(capsys, "sweep", "--db", url, "--at", DAY_4, *OWN)
    assert again["entries"] == 0
    assert "记录 0 条" in said(capsys, "sweep", "--db", url, "--at", DAY_4, *OWN)


def test_a_sweep_is_of_one_tenant_and_of_so_many(capsys: pytest.CaptureFixture[str], url: str) -> None:
    """Another tenant's cases are not touched, and a limit stops after so many families."""
    other = service_on(url, "other")
    for name in ("E-1", "E-2", "E-3"):
        other.open("errand", name, ask(START))
    run(capsys, "sweep", "--db", url, "--at", DAY_4, "--tenant", "other", "--limit", "2", *OWN)
    assert [len(other.history(name)) for name in ("E-1", "E-2", "E-3")] == [3, 3, 1]
    assert len(service_on(url).history("E-2")) == 1


def test_what_failed_is_said(capsys: pytest.CaptureFixture[str], url: str) -> None:
    """A case that cannot be read is named with the reason and the time of the next try."""
    with store_of(service_on(url)).engine.begin() as connection:
        connection.execute(text("update renoflow_cases set snapshot = 'x' where id = 'E-2'"))
    _, answer = run(capsys, "sweep", "--db", url, "--at", DAY_4, *OWN)
    (item,) = answer["postponed"]
    assert (item["case"], item["attempts"], item["retry_at"]) == ("E-2", 1, "2026-03-06T00:01:00+08:00")
    assert "renoflow_cases, case E-2" in item["failure"]


def test_a_sweep_that_goes_on_stops_when_asked(url: str) -> None:
    """SIGTERM ends it between two sweeps, with exit code 0 and everything that it did kept."""
    command = [sys.executable, "-m", "renoflow.cli", "sweep", "--db", url, "--every", "1h", "--json", *OWN]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    # Its first answer: by now, by the clock, everything of 2026-03 is late.
    answer = json.loads(process.stdout.readline())
    process.send_signal(signal.SIGTERM)
    rest, complaints = process.communicate()
    assert (process.returncode, rest, complaints) == (0, "", "")
    assert answer["entries"] >= 2
    assert len(service_on(url).history("E-2")) >= 3


@pytest.mark.parametrize("words", [("--every", "soon"), ("--every", "0s"), ("--every", "5m", "--at", DAY_4)])
def test_a_wrong_rhythm_is_refused(
    capsys: pytest.CaptureFixture[str], url: str, words: tuple[str, ...]
) -> None:
    """How often is a number of seconds, minutes or hours, and goes by the clock."""
    assert run(capsys, "sweep", "--db", url, *words, *OWN)[0] == 2


@pytest.mark.parametrize("limit", ["0", "-1", "1.5", "ten", "99999999999999999999"])
@pytest.mark.parametrize("command", ["sweep", "outbox"])
def test_a_limit_is_a_number_that_a_database_takes(
    capsys: pytest.CaptureFixture[str], url: str, command: str, limit: str
) -> None:
    """None, less than none and more than can be counted are called wrongly, on every database."""
    with pytest.raises(SystemExit) as ended:
        cli.main([command, "--db", url, "--limit", limit])
    assert ended.value.code == 2
    assert "whole number" in capsys.readouterr().err


def test_a_tenant_that_nobody_used_is_told(capsys: pytest.CaptureFixture[str], url: str) -> None:
    """A misspelt tenant does not look like one in which nothing is due, waits or is wrong."""
    for words in (("sweep", *OWN), ("outbox",), ("purge", "--before", DAY_4)):
        assert cli.main([*words, "--db", url, "--tenant", "man", "--lang", "en"]) == 0
        assert "no cases; those that have: main" in capsys.readouterr().err
    code, answer = run(capsys, "verify-history", "--db", url, "--tenant", "man")
    assert code == 2
    assert "main" in answer["error"]


# ------------------------------------------------------------------ the outbox


def test_the_outbox_is_shown_and_a_dead_effect_revived(capsys: pytest.CaptureFixture[str], url: str) -> None:
    """What waits, what was given up and why; a dead one waits again when it is asked for."""
    service = service_on(url)
    key = "E-1:2:take:1"
    code, answer = run(capsys, "outbox", "--db", url)
    assert (code, [item["key"] for item in answer["effects"]]) == (0, [key])
    assert answer["effects"][0]["to"] == "boss"

    def down(effect: rf.Effect) -> None:
        raise ConnectionError("down")

    for day in range(1, 9):
        service.deliver(down, at=at(days=day))
    (item,) = run(capsys, "outbox", "--db", url, "--dead")[1]["effects"]
    assert (item["status"], item["attempts"], item["failure"]) == ("dead", 8, "ConnectionError: down")
    assert "已放弃 ×8" in said(capsys, "outbox", "--db", url, "--dead")
    assert run(capsys, "outbox", "--db", url, "--retry", key) == (0, {"revived": key})
    assert run(capsys, "outbox", "--db", url, "--retry", key)[0] == 2
    assert run(capsys, "outbox", "--db", url, "--dead")[1]["effects"] == []
    service.deliver(lambda effect: None, at=at(days=999_9))
    assert [one["key"] for one in run(capsys, "outbox", "--db", url, "--delivered")[1]["effects"]] == [key]


def test_a_purge_says_how_many_went(capsys: pytest.CaptureFixture[str], url: str) -> None:
    """Effects that were delivered go; an instant that is none is refused."""
    service_on(url).deliver(lambda effect: None, at=at(2))
    assert run(capsys, "purge", "--db", url, "--before", "2026-03-02T09:00:00+08:00") == (0, {"purged": 0})
    assert run(capsys, "purge", "--db", url, "--before", DAY_4) == (0, {"purged": 1})
    assert "已清除 0 条\n0 removed" in said(capsys, "purge", "--db", url, "--before", DAY_4)
    assert run(capsys, "purge", "--db", url, "--before", "yesterday")[0] == 2


# ------------------------------------------------------------------ histories and personal data


def test_a_changed_history_is_found(capsys: pytest.CaptureFixture[str], url: str) -> None:
    """Exit code 0 while all is well, 1 with the case and the entry when something was changed."""
    assert run(capsys, "verify-history", "--db", url) == (0, {"cases": 2, "faults": {}})
    with store_of(service_on(url)).engine.begin() as connection:
        connection.execute(text("update renoflow_history set body = replace(body, 'take', 'note')"))
    code, answer = run(capsys, "verify-history", "--db", url)
    assert code == 1
    assert list(answer["faults"]) == ["E-1"]
    assert "entry 2 was changed" in answer["faults"]["E-1"][0]["en"]
    assert run(capsys, "verify-history", "--db", url, "--case", "E-2")[0] == 0
    assert "2 个" in said(capsys, "verify-history", "--db", url)


def test_personal_data_is_removed(capsys: pytest.CaptureFixture[str], url: str) -> None:
    """The command says what was removed from which case; the histories are sound afterwards."""
    words = [
        "redact",
        "--db",
        url,
        "--case",
        "E-1",
        "--actor",
        "chen",
        "--reason",
        "asked for",
        "--at",
        DAY_4,
    ]
    code, answer = run(capsys, *words, *OWN)
    assert (code, answer) == (0, {"case": "E-1", "redacted": ["fact.person"]})
    assert "person" not in service_on(url).case("E-1").facts
    assert run(capsys, "verify-history", "--db", url)[0] == 0
    assert run(capsys, *words, "--fact", "price", *OWN)[0] == 2


# ------------------------------------------------------------------ the tables


def test_tables_are_made_and_checked(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A check of a file without tables names the command; after it all is well, until somebody meddles."""
    path = tmp_path / "new.db"
    path.touch()
    url = f"sqlite:///{path}"
    code, answer = run(capsys, "db", "check", "--db", url)
    assert (code, answer["version"]) == (1, None)
    assert f"renoflow db upgrade --db {url}" in answer["faults"][0]
    code, made = run(capsys, "db", "upgrade", "--db", url)
    assert code == 0
    assert run(capsys, "db", "check", "--db", url) == (0, {"version": made["version"], "faults": []})
    with rf.SqlStore(url).engine.begin() as connection:
        connection.execute(text("drop index renoflow_cases_due"))
    assert run(capsys, "db", "check", "--db", url)[0] == 1
    assert "renoflow_cases_due" in said(capsys, "db", "check", "--db", url)


@pytest.mark.parametrize(
    "words",
    [
        ("sweep",), ("outbox",), ("verify-history",), ("db", "check"),
        ("worklist",), ("cases",), ("breaches",), ("db", "reindex"),
    ],
)  # fmt: skip
def test_a_mistyped_file_makes_no_new_firm(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, words: tuple[str, ...]
) -> None:
    """A SQLite file that is not there is an error, and is not there afterwards either."""
    path = tmp_path / "frim.db"
    code, answer = run(capsys, *words, "--db", f"sqlite:///{path}")
    assert code == 2
    assert "没有文件" in answer["error"]
    assert not path.exists()
