"""The commands that ask about kept cases, as a person runs them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

import renoflow as rf
from renoflow import cli
from renoflow.views.text import width

FILE = Path(__file__).with_name("viewing.toml")
OWN = ("--workflow-file", str(FILE), "--workflow", "viewing")
CLERK = rf.Actor("sun", roles={"clerk"})
GUIDE = rf.Actor("li", roles={"guide"})


@pytest.fixture
def service(tmp_path: Path) -> Iterator[rf.CaseService]:
    """A firm's file with three homes: one booked, one seen, one filed."""
    service = service_on(f"sqlite:///{tmp_path / 'firm.db'}")
    yield service
    store_of(service).engine.dispose()


def service_on(url: str) -> rf.CaseService:
    service = rf.CaseService(rf.load_workflows(FILE, only=()), rf.SqlStore(url))
    more = {"rooms": ["kitchen"], "share": "12.5%", "met": "2026-03-02T10:00:00+08:00"}
    book(service, "V-1", "2026-03-02T10:00:00+08:00", address="北京路88号", number="3", floor="upper", **more)
    book(service, "看房-2", "2026-03-03T10:00:00+08:00", address="12 Garden Road", people=2, alone=False)
    book(
        service,
        "V-3",
        "2026-03-04T10:00:00+08:00",
        area="128.50",
        rent="4500.00",
        agreed="2026-03-09",
        rooms=["kitchen", "bath"],
    )
    for case in ("看房-2", "V-3"):
        service.send(case, rf.Command("view", GUIDE, "2026-03-05T09:00:00+08:00"))
    service.send("V-3", rf.Command("file", CLERK, "2026-03-05T10:00:00+08:00"))
    return service


@pytest.fixture
def url(service: rf.CaseService) -> str:
    return store_of(service).url


def store_of(service: rf.CaseService) -> rf.SqlStore:
    assert isinstance(service.store, rf.SqlStore)
    return service.store


def book(service: rf.CaseService, name: str, at: str, **facts: object) -> None:
    assert service.open("viewing", name, rf.Command("book", CLERK, at, facts=facts)).accepted


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, Any]:
    """The exit code and the answer in JSON."""
    capsys.readouterr()
    code = cli.main([*words, "--json"])
    return code, json.loads(capsys.readouterr().out)


def said(capsys: pytest.CaptureFixture[str], lang: str, *words: str) -> list[str]:
    """The lines that are printed for people, complaints too."""
    capsys.readouterr()
    cli.main([*words, "--lang", lang])
    printed = capsys.readouterr()
    return [*printed.out.splitlines(), *printed.err.splitlines()]


def ids(answer: Any) -> list[str]:
    return [case["id"] for case in answer["cases"]]


# ------------------------------------------------------------------ worklist


def test_a_worklist_says_who_owes_what_by_when(capsys: pytest.CaptureFixture[str], url: str) -> None:
    """One line an item in words of either language, the soonest first, with the days left or gone."""
    words = ("worklist", "--db", url, "--at", "2026-03-06T08:00:00+08:00", *OWN)
    assert said(capsys, "zh", *words) == [
        "到期              离到期   责任人  事项        案卷    状态",
        "2026-03-05 11:00  逾期1天  文员    回执时限    看房-2  看房 · 已看房",
        "2026-03-05 24:00  逾期1天  带看员  看房时限    V-1     看房 · 已预约",
        "2026-03-09 24:00  还有3天  带看员  还钥匙时限  看房-2  看房 · 已看房",
    ]
    assert said(capsys, "en", *words) == [
        "Due               How far off    Owed by  What             Case    State",
        "2026-03-05 11:00  1 day overdue  clerk    Report back      看房-2  Viewing · Seen",
        "2026-03-05 24:00  1 day overdue  guide    View the home    V-1     Viewing · Booked",
        "2026-03-09 24:00  in 3 days      guide    Return the keys  看房-2  Viewing · Seen",
    ]


@pytest.mark.parametrize(
    ("at", "lang", "shown"),
    [
        ("2026-03-04T23:59:00+08:00", "en", "in 1 day"),
        ("2026-03-05T00:00:00+08:00", "zh", "今天到期"),
        ("2026-03-05T10:59:59+08:00", "en", "today"),
        ("2026-03-05T11:00:00+08:00", "zh", "今天已逾期"),
        ("2026-03-05T23:59:59+08:00", "en", "overdue today"),
        ("2026-03-06T00:00:00+08:00", "zh", "逾期1天"),
        ("2026-03-07T23:00:00+08:00", "en", "2 days overdue"),
    ],
)
def test_days_are_counted_by_the_calendar(
    capsys: pytest.CaptureFixture[str], url: str, at: str, lang: str, shown: str
) -> None:
    """What is due at eleven is due today from midnight on, and overdue a day from the next midnight on."""
    _, line = said(capsys, lang, "worklist", "--db", url, "--role", "clerk", "--at", at, *OWN)
    assert f"2026-03-05 11:00  {shown}  " in line


def test_a_worklist_is_of_roles_workflows_and_a_time(capsys: pytest.CaptureFixture[str], url: str) -> None:
    """Roles and workflows may be several; --overdue leaves what is past, --until what is due by then."""

    def due(*words: str) -> list[tuple[str, str]]:
        own = ("--workflow-file", str(FILE), "--at", "2026-03-05T12:00:00+08:00")
        code, answer = run(capsys, "worklist", "--db", url, *words, *own)
        assert code == 0
        return [(item["case"], item["deadline"]) for item in answer["items"]]

    report, viewing, keys = ("看房-2", "report"), ("V-1", "viewing"), ("看房-2", "keys")
    assert due() == [report, viewing, keys]
    assert due("--role", "guide") == [viewing, keys]
    assert due("--overdue") == [report]
    assert due("--until", "2026-03-06T00:00:00+08:00") == [report, viewing]
    assert due("--until", "2026-03-05") == [report, viewing]
    assert due("--until", "2026-03-04") == []
    assert due("--workflow", "project") == []
    roles = ("--role", "clerk", "--role", "designer")
    assert due("--workflow", "project", "--workflow", "viewing", *roles) == [report]


def test_a_worklist_in_json_says_everything(capsys: pytest.CaptureFixture[str], url: str) -> None:
    """Instants are in the firm's zone, labels in both languages."""
    _, answer = run(capsys, "worklist", "--db", url, "--at", "2026-03-05T12:00:00+08:00", "--overdue", *OWN)
    assert answer == {
        "items": [
            {
                "case": "看房-2",
                "workflow": "viewing",
                "state": "seen",
                "stage": "after",
                "parent": "",
                "root": "看房-2",
                "deadline": "report",
                "label": {"zh": "回执时限", "en": "Report back"},
                "owner": "clerk",
                "due_at": "2026-03-05T11:00:00+08:00",
                "target_at": None,
                "status": "running",
                "provisional": False,
                "overdue": True,
            }
        ],
        "next": None,
    }


def test_provisional_dates_are_said_to_be(
    capsys: pytest.CaptureFixture[str], service: rf.CaseService, url: str
) -> None:
    """A date in a year without a published calendar says so, and the others do not."""
    book(service, "V-9", "2099-01-05T10:00:00+08:00")
    service.send("V-9", rf.Command("view", GUIDE, "2099-01-05T11:00:00+08:00"))
    words = ("worklist", "--db", url, "--role", "guide", "--at", "2099-01-05T12:00:00+08:00", *OWN)
    (zh,) = [line for line in said(capsys, "zh", *words) if "V-9" in line]
    (en,) = [line for line in said(capsys, "en", *words) if "V-9" in line]
    assert zh == "2099-01-07 24:00  还有2天（暂计）  带看员  还钥匙时限  V-9     看房 · 已看房"
    assert "in 2 days (provisional)" in en
    assert sum("暂计" in line for line in said(capsys, "zh", *words)) == 1


def test_pages_follow_each_other(capsys: pytest.CaptureFixture[str], url: str) -> None:
    """The last line of a page says how to go on; nothing is shown twice or left out, and the last page says
    nothing."""
    words = ("worklist", "--db", url, "--at", "2026-03-06T08:00:00+08:00", "--limit", "1", *OWN)
    seen, after = [], list[str]()
    while True:
        head, line, *more = said(capsys, "zh", *words, *after)
        assert head.startswith("到期")
        seen.append(line.split()[-4:-3])
        if not more:
            break
        assert more[0].startswith("还有更多，接着看：原命令加 --after ")
        after = more[0].split()[-2:]
    assert len(seen) == 3
    assert "go on with the same command and --after " in said(capsys, "en", *words)[-1]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_columns_hold_whatever_the_script(capsys: pytest.CaptureFixture[str], url: str, lang: str) -> None:
    """Chinese characters take two columns of a terminal, and the last column begins at one place."""
    lines = said(capsys, lang, "cases", "--db", url, *OWN)
    starts = {width(line[: line.rindex("2026-")]) for line in lines[1:]}
    assert len(lines) == 4
    assert len(starts) == 1


# ------------------------------------------------------------------ cases


def test_cases_are_listed_the_newest_first(capsys: pytest.CaptureFixture[str], url: str) -> None:
    """Id, workflow, state, and when it was opened and last moved, in either language."""
    assert said(capsys, "zh", "cases", "--db", url, *OWN) == [
        "案卷    流程  状态    开立              最近变动",
        "V-3     看房  已归档  2026-03-04 10:00  2026-03-05 10:00",
        "看房-2  看房  已看房  2026-03-03 10:00  2026-03-05 09:00",
        "V-1     看房  已预约  2026-03-02 10:00  2026-03-02 10:00",
    ]
    assert said(capsys, "en", "cases", "--db", url, *OWN, "--state", "filed") == [
        "Case  Workflow  State  Opened            Last moved",
        "V-3   Viewing   Filed  2026-03-04 10:00  2026-03-05 10:00",
    ]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["--state", "booked"], ["V-1"]),
        (["--stage", "after"], ["V-3", "看房-2"]),
        (["--stage", "after", "--open"], ["看房-2"]),
        (["--ended"], ["V-3"]),
        (["--text", "v-"], ["V-3", "V-1"]),
        (["--text", "路８８"], ["V-1"]),
        (["--text", "GARDEN r"], ["看房-2"]),
        (["--fact", "number=3"], ["V-1"]),
        (["--fact", "people=2"], ["看房-2"]),
        (["--fact", "calls=1"], ["V-3", "看房-2"]),
        (["--fact", "alone=No"], ["看房-2"]),
        (["--fact", "alone=否"], ["看房-2"]),
        (["--fact", "area=128.5"], ["V-3"]),
        (["--fact", "rent=4500"], ["V-3"]),
        (["--fact", "agreed=2026-03-09"], ["V-3"]),
        (["--fact", "floor=upper"], ["V-1"]),
        (["--fact", "floor=楼上"], ["V-1"]),
        (["--fact", "floor=Upper Floor"], ["V-1"]),
        (["--fact", "address=12 Garden Road"], ["看房-2"]),
        (["--fact", "rooms=kitchen"], ["V-3", "V-1"]),
        (["--fact", "rooms=厨房", "--fact", "rooms=bath"], ["V-3"]),
        (["--fact", "share=12.5%"], ["V-1"]),
        (["--fact", "met=2026-03-02T02:00:00Z"], ["V-1"]),
        (["--fact", "people=2", "--fact", "alone=yes"], []),
    ],
)
def test_cases_are_found_by_what_is_typed(
    capsys: pytest.CaptureFixture[str], url: str, words: list[str], found: list[str]
) -> None:
    """A value is read as its fact's type asks; all that is given has to be true."""
    code, answer = run(capsys, "cases", "--db", url, *OWN, *words)
    assert (code, ids(answer)) == (0, found)


def test_cases_under_another_are_found_page_by_page(capsys: pytest.CaptureFixture[str], url: str) -> None:
    """The cursor of the JSON answer leads through them, and is null in the end."""
    found, after = [], list[str]()
    while True:
        _, answer = run(capsys, "cases", "--db", url, *OWN, "--limit", "2", *after)
        found += ids(answer)
        if answer["next"] is None:
            break
        after = ["--after", answer["next"]]
    assert found == ["V-3", "看房-2", "V-1"]


@pytest.mark.parametrize(
    ("lang", "words", "why"),
    [
        ("zh", ["people=two"], "「人数」（viewing.people）：收到 two；应为一个整数，不少于 1"),
        ("en", ["people=2.5"], "'People' (viewing.people): found 2.5; expected a whole number, at least 1"),
        ("zh", ["alone=也许"], "「单独看房」（viewing.alone）：收到 也许；应为是或否（true/false）"),
        ("en", ["floor=cellar"], "expected one of ground (Ground floor) / upper (upper floor)"),
        ("zh", ["agreed=三月九日"], "应为一个日期，如 2026-03-09"),
        ("zh", ["rent=1.005"], "应为一个以元为单位的金额（最多两位小数）"),
        ("en", ["area=large"], "expected a number"),
        ("zh", ["address="], "应为一段非空文字"),
        ("zh", ["people"], "应写作 名称=值"),
        ("en", ["people=1", "people=2"], "'People' (viewing.people): found 1, 2; expected a whole number"),
        (
            "zh",
            ["rooms=kitchen", "rooms=attic"],
            "收到 kitchen、attic；应为从中选取：kitchen（厨房） / bath（卫生间）",
        ),
    ],
)
def test_a_value_that_cannot_be_is_refused_in_words(
    capsys: pytest.CaptureFixture[str], url: str, lang: str, words: list[str], why: str
) -> None:
    """What was found and what the fact can be, in the language that was asked for; exit code 2."""
    facts = [part for word in words for part in ("--fact", word)]
    assert cli.main(["cases", "--db", url, *OWN, *facts, "--lang", lang]) == 2
    assert why in capsys.readouterr().err


def test_a_fact_of_two_types_needs_its_workflow(capsys: pytest.CaptureFixture[str], url: str) -> None:
    """`number` is a text here and a whole number of a checkpoint: which is meant has to be said."""
    words = ("cases", "--db", url, "--workflow-file", str(FILE), "--fact", "number=3")
    assert "请用 --workflow 指明" in said(capsys, "zh", *words)[0]
    assert "say which with --workflow" in said(capsys, "en", *words)[0]
    assert ids(run(capsys, *words, "--workflow", "viewing")[1]) == ["V-1"]
    assert ids(run(capsys, *words, "--workflow", "checkpoint")[1]) == []


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("cases", "--state", "bookd"), "did you mean 'booked'"),
        (("cases", "--fact", "adress=x"), "did you mean 'address'"),
        (("cases", "--fact", "phone=139"), "is personal"),
        (("cases", "--fact", "remark=x"), "`searchable = true`"),
        (("cases", "--text", "·"), "look for a text"),
        (("cases", "--after", "x"), "is not the `next` of a page"),
        (("worklist", "--role", "guid"), "did you mean 'guide'"),
        (("worklist", "--until", "tomorrow"), "not an instant"),
        (("worklist", "--until", "2026-02-30"), "'2026-02-30' is a day that there is not"),
        (("breaches", "--until", "9999-12-31"), "outside the years 1 to 9999"),
        (("breaches", "--since", "2099-01-01"), "lies after until"),
        (("breaches", "--since", "1900-01-01T00:00:00+08:00"), "at most 120"),
    ],
)
def test_wrong_names_and_values_are_said(
    capsys: pytest.CaptureFixture[str], url: str, words: tuple[str, ...], why: str
) -> None:
    """Exit code 2 and a sentence that helps, never a traceback."""
    name, option, value = words
    code, answer = run(capsys, name, "--db", url, *OWN, f"{option}={value}")
    assert code == 2
    assert why in answer["error"]


# ------------------------------------------------------------------ breaches


def test_breaches_are_counted_by_month(
    capsys: pytest.CaptureFixture[str], service: rf.CaseService, url: str
) -> None:
    """How often a limit was missed and in how many cases, once a sweep has come by; the rules beside it."""
    words = ("breaches", "--db", url, "--until", "2026-03-31", *OWN)
    assert said(capsys, "zh", *words) == ["没有符合条件的"]
    assert said(capsys, "en", *words) == ["none"]
    book(service, "V-4", "2026-03-06T10:00:00+08:00")
    service.sweep("2026-03-31T00:00:00+08:00")
    assert said(capsys, "zh", *words) == [
        "月份     流程  逾期的时限  次数  案卷数  依据",
        "2026-03  看房  还钥匙时限  1     1",
        "2026-03  看房  回执时限    1     1",
        "2026-03  看房  看房时限    2     2",
    ]
    assert said(capsys, "en", *words, "--since", "2026-03-06T00:00:00+08:00") == [
        "Month    Workflow  Limit missed     Times  Cases  Rules",
        "2026-03  Viewing   Return the keys  1      1",
        "2026-03  Viewing   View the home    1      1",
    ]
    _, answer = run(capsys, *words, "--limit", "1")
    assert answer["breaches"][0] == {
        "month": "2026-03",
        "workflow": "viewing",
        "deadline": "keys",
        "label": {"zh": "还钥匙时限", "en": "Return the keys"},
        "cites": [],
        "breaches": 1,
        "cases": 1,
    }
    _, rest = run(capsys, *words, "--after", answer["next"])
    assert [row["deadline"] for row in rest["breaches"]] == ["report", "viewing"]


def test_breaches_name_the_rules_of_the_handbooks(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The rules that a bundled limit comes from stand at the end of its line."""
    url = f"sqlite:///{tmp_path / 'homes.db'}"
    service = rf.CaseService(rf.load_workflows(), rf.SqlStore(url))
    facts = {"home_area": "128", "home_kind": "flat", "designer_accepted": True}
    enquiry = rf.Command(
        "register_enquiry",
        rf.Actor("wang", roles={"customer_manager"}),
        "2026-03-01T10:00:00+08:00",
        facts=facts,
        documents=["registration_form"],
    )
    record = rf.Document("consultation_record", ("customer",))
    met = rf.Command(
        "start_consultation",
        rf.Actor("chen", roles={"designer"}),
        "2026-03-02T14:00:00+08:00",
        documents=["customer_file", record],
    )
    service.open("project", "P-1", enquiry)
    service.send("P-1", met)
    service.sweep("2026-03-20T00:00:00+08:00")
    store_of(service).engine.dispose()
    _, line = said(capsys, "zh", "breaches", "--db", url, "--until", "2026-04-01T00:00:00+08:00")
    assert line.split()[2:5] == ["出预案时限", "1", "1"]
    assert "D01-13" in line.split()


# ------------------------------------------------------------------ finding anew


def unindexed(service: rf.CaseService) -> None:
    """As the tables of an earlier version are after they were brought up to date."""
    with store_of(service).engine.begin() as connection:
        connection.execute(text("delete from renoflow_terms where name not like 'layout %'"))
        connection.execute(text("update renoflow_terms set value = ''"))


def test_old_cases_are_found_after_they_were_read_again(
    capsys: pytest.CaptureFixture[str], service: rf.CaseService, url: str
) -> None:
    """An upgrade says that a reindex is to follow; until it ran a search is refused, then it finds them."""
    unindexed(service)
    files = ("--workflow-file", str(FILE))
    assert f"renoflow db reindex --db {url}" in said(capsys, "zh", "db", "upgrade", "--db", url)[1]
    assert "not found by facts and words yet" in said(capsys, "en", "db", "upgrade", "--db", url)[1]
    code, answer = run(capsys, "cases", "--db", url, *OWN, "--fact", "people=2")
    assert code == 2
    assert "renoflow db reindex" in answer["error"]
    assert ids(run(capsys, "cases", "--db", url, *OWN, "--state", "booked")[1]) == ["V-1"]
    assert run(capsys, "db", "reindex", "--db", url, *files) == (0, {"cases": 3, "unread": []})
    assert ids(run(capsys, "cases", "--db", url, *OWN, "--fact", "people=2")[1]) == ["看房-2"]
    assert run(capsys, "db", "upgrade", "--db", url)[1]["reindex"] is False
    assert said(capsys, "zh", "db", "reindex", "--db", url, *files) == [
        "已重读 0 个案卷，可按现行流程文件查找"
    ]


def test_cases_of_all_tenants_are_read_again(
    capsys: pytest.CaptureFixture[str], service: rf.CaseService, url: str
) -> None:
    """More cases than one transaction takes, of more than one tenant."""
    east = rf.CaseService(service.workflows, service.store, tenant="east")
    for number in range(60):
        book(east, f"E-{number}", "2026-03-02T10:00:00+08:00", people=number + 1)
    unindexed(service)
    assert run(capsys, "db", "reindex", "--db", url, *OWN[:2]) == (0, {"cases": 63, "unread": []})
    _, answer = run(capsys, "cases", "--db", url, "--tenant", "east", *OWN, "--fact", "people=60")
    assert ids(answer) == ["E-59"]


def test_a_case_that_cannot_be_read_is_named(
    capsys: pytest.CaptureFixture[str], service: rf.CaseService, url: str
) -> None:
    """Exit code 1 with the case, its tenant and the reason; all others are read again."""
    unindexed(service)
    with store_of(service).engine.begin() as connection:
        connection.execute(text("update renoflow_cases set snapshot = 'x' where id = 'V-1'"))
    code, answer = run(capsys, "db", "reindex", "--db", url, *OWN[:2])
    assert (code, answer["cases"]) == (1, 3)
    (item,) = answer["unread"]
    assert (item["tenant"], item["case"]) == ("main", "V-1")
    assert "renoflow_cases" in item["why"]
    unindexed(service)
    zh = said(capsys, "zh", "db", "reindex", "--db", url, *OWN[:2])
    assert zh[0].startswith("V-1（main）读不出：")
    assert zh[1] == "已重读 3 个案卷，其中 1 个读不出，仍按原样查找"
    assert ids(run(capsys, "cases", "--db", url, *OWN, "--fact", "people=2")[1]) == ["看房-2"]


# ------------------------------------------------------------------ where they run


def test_the_commands_ask_postgresql_alike(capsys: pytest.CaptureFixture[str], postgres_url: str) -> None:
    """From the tables on, each command gives there what it gives of a file."""
    assert run(capsys, "db", "upgrade", "--db", postgres_url)[1]["reindex"] is False
    service = service_on(postgres_url)
    service.sweep("2026-03-31T00:00:00+08:00")
    unindexed(service)
    assert run(capsys, "db", "upgrade", "--db", postgres_url)[1]["reindex"] is True
    assert run(capsys, "db", "reindex", "--db", postgres_url, *OWN[:2])[1]["cases"] == 3
    assert run(capsys, "db", "upgrade", "--db", postgres_url)[1]["reindex"] is False
    _, work = run(capsys, "worklist", "--db", postgres_url, "--role", "guide", *OWN)
    assert [item["case"] for item in work["items"]] == ["V-1", "看房-2"]
    assert ids(run(capsys, "cases", "--db", postgres_url, "--fact", "floor=楼上", *OWN)[1]) == ["V-1"]
    _, missed = run(capsys, "breaches", "--db", postgres_url, "--since", "2026-03-01T00:00:00+08:00", *OWN)
    assert [row["deadline"] for row in missed["breaches"]] == ["keys", "report", "viewing"]
    store_of(service).engine.dispose()


def test_two_dashes_are_no_value(capsys: pytest.CaptureFixture[str], url: str) -> None:
    """Where Python's own reading of arguments would lose them, that is said; exit code 2."""
    with pytest.raises(SystemExit, match="2"):
        cli.main(["cases", "--db", url, "--text=--"])
    assert "--text=--" in capsys.readouterr().err


def test_a_reader_that_goes_away_is_no_fault(url: str) -> None:
    """A list that nobody reads to its end (`renoflow cases ... | head -0`) ends without a word."""
    command = [sys.executable, "-m", "renoflow.cli", "cases", "--db", url, *OWN]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    complaints = process.stderr.read()
    process.stderr.close()
    assert (process.wait(), complaints) == (0, "")
