"""What a host asks about many cases: alike in memory and in both databases, and as a look through every case
and every history answers it."""

from __future__ import annotations

import base64
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from psycopg import errors
from sqlalchemy import make_url, text

import renoflow as rf
from tests.postgres import Server
from tests.store.errands import (
    BOSS,
    START,
    WORKER,
    ask,
    at,
    changed_flows,
    flows,
    note,
    searchable_errands,
    take,
)
from tests.store.places import Place, sql_place
from tests.year import generate

ZONE = ZoneInfo("Asia/Shanghai")
LINES = 1200
"""Of the year of one firm: some 150 cases in the middle of their lives."""


@cache
def workflows() -> rf.Workflows:
    return rf.load_workflows()


@cache
def lines() -> Sequence[rf.Line]:
    return rf.read_script(generate.script(generate.year()), workflows())[:LINES]


@pytest.fixture(scope="module", params=["memory", "sqlite", "postgres"])
def firm(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[rf.CaseService]:
    """The first months of a firm's year; nobody here changes anything of it."""
    if request.param == "memory":
        yield told(rf.MemoryStore())
        return
    postgres = request.param == "postgres"
    server: Server | None = request.getfixturevalue("postgres") if postgres else None
    url = f"sqlite:///{tmp_path_factory.mktemp('firm') / 'firm.db'}" if server is None else server.url()
    place = sql_place(request.param, url)
    yield told(place.store)
    assert place.engine is not None
    place.engine.dispose()
    if server is not None:
        server.drop(url)


def told(store: Any) -> rf.CaseService:
    service = rf.CaseService(workflows(), store)
    rf.run_script(lines(), workflows(), service=service)
    return service


@cache
def now() -> datetime:
    """When the last of those lines was."""
    at = rf.run_script(lines(), workflows()).at
    assert at is not None
    return at


def whole(ask: Callable[..., rf.Page[Any]], size: int = 500, **question: Any) -> list[Any]:
    """All pages of an answer."""
    page = ask(limit=size, **question)
    found = list(page)
    while page.next is not None:
        page = ask(limit=size, after=page.next, **question)
        found += page
    return found


# ------------------------------------------------------------------ the worklist


def owed(service: rf.CaseService) -> list[tuple[datetime, str, str, str]]:
    """By a look into every case: when each limit is due, where, which one, and who owes it."""
    found = []
    for case in service.cases():
        clocks = service.workflow_of(case).plan.clocks
        found += [
            (clock.due_at, case.id, name, clocks[name].owner)
            for name, clock in case.deadlines.items()
            if clocks[name].kind == "limit" and clock.status in ("running", "breached")
        ]
    return sorted(found)


def test_the_worklist_is_what_is_owed(firm: rf.CaseService) -> None:
    """Every limit that runs or was missed, the soonest first, with its case as it stands."""
    items = whole(firm.worklist, at=now())
    assert [(one.due_at, one.case, one.deadline, one.owner) for one in items] == owed(firm)
    assert len(items) > 30
    for one in items:
        case = firm.case(one.case)
        assert (one.workflow, one.state, one.parent) == (case.workflow, case.state, case.parent)
        assert one.overdue == (one.due_at <= now())
        assert one.label == firm.workflow_of(case).plan.clocks[one.deadline].label
        assert one.status == case.deadlines[one.deadline].status
        assert one.provisional == case.deadlines[one.deadline].provisional
    assert {one.overdue for one in items} == {True, False}


def test_each_role_has_its_own_work(firm: rf.CaseService) -> None:
    """The lists of the single roles are the whole list, each limit on one of them."""
    everything = owed(firm)
    owners = sorted({owner for *_, owner in everything})
    assert len(owners) > 4
    for owner in owners:
        ours = [one for one in everything if one[3] == owner]
        items = whole(firm.worklist, at=now(), roles=owner)
        assert [(one.due_at, one.case, one.deadline, one.owner) for one in items] == ours
    both = whole(firm.worklist, at=now(), roles=owners[:2])
    assert {one.owner for one in both} == set(owners[:2])


def test_what_is_overdue_and_what_is_due_by_a_day(firm: rf.CaseService) -> None:
    """`until` cuts the list off, at the very instant."""
    everything = owed(firm)
    late = [one for one in everything if one[0] <= now()]
    overdue = firm.worklist(at=now(), until=now(), limit=500)
    assert [(one.due_at, one.case) for one in overdue] == [one[:2] for one in late]
    assert late
    edge = everything[len(everything) // 2][0]
    upto = [one[:2] for one in everything if one[0] <= edge]
    assert [(one.due_at, one.case) for one in firm.worklist(at=now(), until=edge, limit=500)] == upto
    just_before = firm.worklist(at=now(), until=edge - timedelta(microseconds=1), limit=500)
    assert len(just_before) < len(upto)


def test_pages_leave_nothing_out_and_repeat_nothing(firm: rf.CaseService) -> None:
    """However small the pages, they are the whole list in its order."""
    questions: list[dict[str, Any]] = [{}, {"workflows": ["project", "complaint", "patrol"]}]
    for question in questions:
        in_one = whole(firm.worklist, at=now(), **question)
        assert whole(firm.worklist, 7, at=now(), **question) == in_one
        assert whole(firm.worklist, 1, at=now(), **question) == in_one
    assert whole(firm.search, 13) == whole(firm.search)
    months = whole(firm.breaches, until=now())
    assert whole(firm.breaches, 1, until=now()) == months


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_equal_instants_are_paged_in_any_language(postgres: Server, size: int) -> None:
    """A PostgreSQL that sorts as English does hands out the same pages: by the signs of the ids."""
    url = postgres.url()
    sorted_as_english = f"{make_url(url).database}_en"
    with postgres.connect() as connection:
        try:
            connection.execute(
                f"create database {sorted_as_english} template template0 locale_provider icu icu_locale 'en'"
            )
        except (errors.FeatureNotSupported, errors.SyntaxError) as error:
            pytest.skip(f"this PostgreSQL knows no languages: {error}")
    english = make_url(url).set(database=sorted_as_english).render_as_string(hide_password=False)
    place = sql_place("postgres", english)
    service = place.service()
    ids = ["a", "B", "A-2", "a-1", "a1", "_x", "é", "e", "z", "10", "2", "中", "ß", "ss"]
    for name in ids:
        service.open("errand", name, ask())
    assert [one.case for one in whole(service.worklist, size, at=at())] == sorted(ids)
    assert place.engine is not None
    place.engine.dispose()
    for target in (english, url):
        postgres.drop(target)


def test_a_paused_limit_waits_for_somebody_else(place: Place) -> None:
    """It leaves the list while it is paused and is there again afterwards; a deadline met is gone."""
    service = place.service()
    service.open("errand", "E-1", ask())
    assert [one.deadline for one in service.worklist(at=at())] == ["pick_up"]
    service.send("E-1", take(at(1)))
    assert "pick_up" not in [one.deadline for one in service.worklist(at=at(1))]


# ------------------------------------------------------------------ cases


def test_cases_are_found_by_where_they_stand(firm: rf.CaseService) -> None:
    """By workflow, state, stage and whether they have ended: those, all of them, the newest first."""
    cases = list(reversed(list(firm.cases())))
    plans = {name: flow.plan for name, flow in workflows().items()}
    stages = {case.id: plans[case.workflow].definition.states[case.state].stage for case in cases}
    ended = {case.id: case.state in plans[case.workflow].finals for case in cases}

    def ids(**question: Any) -> list[str]:
        return [one.id for one in whole(firm.search, **question)]

    assert ids() == [case.id for case in cases]
    for state in {case.state for case in cases}:
        assert ids(state=state) == [case.id for case in cases if case.state == state]
    for stage in set(stages.values()):
        assert ids(stage=stage) == [case.id for case in cases if stages[case.id] == stage]
    for name in {case.workflow for case in cases}:
        assert ids(workflow=name) == [case.id for case in cases if case.workflow == name]
        of_it = [case.id for case in cases if case.workflow == name and not ended[case.id]]
        assert ids(workflow=name, ended=False) == of_it
    assert ids(ended=True) == [case.id for case in cases if ended[case.id]]
    parents = Counter(case.parent for case in cases if case.parent)
    parent, count = parents.most_common(1)[0]
    assert len(ids(parent=parent)) == count
    assert ids(parent=parent) == [case.id for case in cases if case.parent == parent]
    assert ids(parent="nobody") == []


def test_a_case_in_a_list_is_the_case(firm: rf.CaseService) -> None:
    """What a line of a list says of a case is what the case says."""
    for one in firm.search(limit=60):
        case = firm.case(one.id)
        assert (one.workflow, one.state, one.parent, one.moved_at) == (
            case.workflow, case.state, case.parent, case.at,
        )  # fmt: skip
        assert one.opened_at == firm.history(one.id)[0].at
        assert one.label == firm.workflow_of(case).plan.state_labels[case.state]


def test_a_case_opened_in_passing_was_opened_then(place: Place, tmp_path: Path) -> None:
    """A late call that lets an old deadline open a case, and lets it move on, says when it was opened."""
    opening = ("adds = { reminders = 1 }", 'adds = { reminders = 1 }\nopens = ["part"]')
    flows = changed_flows(tmp_path, opening, host_agrees=lambda scene: True)
    service = rf.CaseService(flows, place.store)
    service.open("errand", "E-1", ask())
    service.send("E-1", note(at(days=30)))
    (part,) = service.search(parent="E-1")
    assert [part.opened_at, part.moved_at] == [one.at for one in service.history(part.id)]


def test_cases_are_found_by_their_facts(firm: rf.CaseService) -> None:
    """Every value of every searchable fact leads to the cases that have it, and to no others."""
    cases = list(reversed(list(firm.cases())))
    wanted: dict[tuple[str, str, Any], list[str]] = {}
    for case in cases:
        for name, value in case.facts.items():
            if firm.workflow_of(case).plan.facts[name].searchable:
                wanted.setdefault((case.workflow, name, value), []).append(case.id)
    assert len(wanted) > 40
    for (workflow, name, value), ids in wanted.items():
        found = whole(firm.search, workflow=workflow, facts={name: value})
        assert [one.id for one in found] == ids, (workflow, name, value)
    (workflow, name, value), ids = max(wanted.items(), key=lambda pair: len(pair[1]))
    states = Counter(firm.case(one).state for one in ids)
    for state in states:
        found = whole(firm.search, 3, workflow=workflow, facts={name: value}, state=state)
        assert [one.id for one in found] == [one for one in ids if firm.case(one).state == state]


def test_cases_are_found_by_what_is_written_in_them(place: Place, tmp_path: Path) -> None:
    """By the beginning of a word of the id or of a searchable text, whatever its case and width; Chinese from
    any character on."""
    service = rf.CaseService(searchable_errands(tmp_path), place.store)
    service.open("errand", "GZ-2026-07", ask(place="天河路 88 号 Park View", remark="Bring the KEY"))
    service.open("errand", "BJ-2026-08", ask(place="北京路1号", remark="钥匙在物业"))

    def ids(words: str, **more: Any) -> list[str]:
        return [one.id for one in service.search(text=words, **more)]

    for words in (
        "天河",
        "河路",
        "88",
        "park",
        "ＰＡＲＫ",
        "View",
        "park view",
        "gz",
        "2026-07",
        "天河路　88",
    ):
        assert ids(words) == ["GZ-2026-07"], words
    for words in ("北京", "路1", "bj-2026"):
        assert ids(words) == ["BJ-2026-08"], words
    assert ids("2026") == ["BJ-2026-08", "GZ-2026-07"]
    assert ids("路") == ["BJ-2026-08", "GZ-2026-07"]
    assert ids("key") == ids("bring") == ["GZ-2026-07"]
    assert ids("ark") == []
    assert ids("路", state="waiting", facts={"place": "北京路1号"}) == ["BJ-2026-08"]
    for words in ("", " ", "…", "一" * 41):
        with pytest.raises(rf.UsageError, match="1 to 40"):
            service.search(text=words)


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("İstanbul", "i\u0307stan"), ("STRASSE", "straße"), ("ﬁne", "FI"), ("ＡＢＣ１２３", "abc"),
        ("cafe\u0301 x", "CAFÉ"), ("\u1112\u1161\u11ab국", "한"), ("😀 smile", "😀 smile"), ("a\0b", "a b"),
        ("50% off", "50%"), ("a_b", "a_"), ("it's \"so\"", "it's \"s"), ("x" * 5000, "x" * 40),
        ("ab\U0010ffffcd", "ab"),
        ("नमस्ते", "न"), ("ΣΊΣΥΦΟΣ", "σίσυφος"), ("tab\tsep\nline", "tab sep line"),
    ],
)  # fmt: skip
def test_odd_texts_are_found_alike(place: Place, tmp_path: Path, written: str, asked: str) -> None:
    """Case, width, spaces and the ways to write a sign make no difference, whatever the sign, and nothing
    that is written is taken for a pattern."""
    service = rf.CaseService(searchable_errands(tmp_path), place.store)
    service.open("errand", "E-1", ask(place=written))
    service.open("errand", "E-2", ask(place="…!?"))
    assert [one.id for one in service.search(text=asked)] == ["E-1"]
    assert [one.id for one in service.search(facts={"place": written})] == ["E-1"]
    assert [one.id for one in service.search(facts={"place": "…!?"})] == ["E-2"]


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("128.50", "128.5"),
        ("100", "1E+2"),
        ("-0.0", "0"),
        ("1E-900000", "1.0E-900000"),
        ("-1E-9", "-0.000000001"),
    ],
)
def test_numbers_are_found_however_they_are_written(
    place: Place, tmp_path: Path, written: str, asked: str
) -> None:
    """What counts is the number: no more zeros, no sign of a zero; the smallest one is as short as any."""
    number = ('price     = { type = "money"', 'price     = { type = "decimal", searchable = true')
    service = rf.CaseService(changed_flows(tmp_path, number), place.store)
    service.open("errand", "E-1", ask(price=written))
    service.open("errand", "E-2", ask(price="7"))
    assert [one.id for one in service.search(facts={"price": asked})] == ["E-1"]


def test_a_fact_that_changes_is_found_by_its_present_value(place: Place, tmp_path: Path) -> None:
    """The old value leads nowhere any more, and neither do its words, unless another text has them."""
    service = rf.CaseService(searchable_errands(tmp_path), place.store)
    service.open("errand", "E-1", ask(place="South Gate", remark="North gate, then east"))
    service.open("errand", "E-2", ask(remark="north"))
    service.send("E-1", note(at(1), remark="East gate"))
    assert [one.id for one in service.search(facts={"remark": "North gate, then east"})] == []
    assert [one.id for one in service.search(facts={"remark": "East gate"})] == ["E-1"]
    assert [one.id for one in service.search(text="north")] == ["E-2"]
    assert [one.id for one in service.search(text="then")] == []
    for words in ("gate", "east gate", "south", "e-1"):
        assert [one.id for one in service.search(text=words)] == ["E-1"], words


def test_a_case_with_very_many_words_is_kept_and_found(place: Place, tmp_path: Path) -> None:
    """A list of long texts is searched like a short one: by the first words of each, also of changed ones."""
    texts = 'place     = { type = "texts", searchable = true'
    noted = ('may_give = ["remark", "person"]', 'may_give = ["remark", "person", "place"]')
    flows = changed_flows(tmp_path, ('place     = { type = "text"', texts), noted)
    service = rf.CaseService(flows, place.store)

    def long(turn: int) -> list[str]:
        return ["".join(chr(0x4E00 + 200 * n + place + turn) for place in range(201)) for n in range(100)]

    service.open("errand", "E-1", ask(place=long(0)))
    service.send("E-1", note(at(1), place=[long(0)[0], *long(7)[1:]]))
    for words, found in ((long(0)[0][:9], 1), (long(7)[99][:9], 1), (long(7)[50], 1), (long(0)[99][:9], 0)):
        assert len(service.search(text=words[:40])) == found, words
    assert len(service.search(facts={"place": long(7)[30]})) == 1


def test_cases_in_memory_are_listed_while_others_open_some() -> None:
    """A list that is asked for in the middle of an opening has the case or has it not, and is no error."""
    service = rf.CaseService(flows(), rf.MemoryStore())

    def open_some() -> None:
        for number in range(1500):
            service.open("errand", f"E-{number}", ask())

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor() as pool:
            opening = pool.submit(open_some)
            while not opening.done():
                service.search(limit=1)
            opening.result()
    finally:
        sys.setswitchinterval(before)
    assert [one.id for one in service.search(limit=1)] == ["E-1499"]


# ------------------------------------------------------------------ breaches


def test_breaches_are_counted_by_rule_and_month(firm: rf.CaseService) -> None:
    """Every limit missed is in the month of the firm's zone in which it was, with the rules it comes from."""
    count: Counter[tuple[str, str, str]] = Counter()
    concerned: dict[tuple[str, str, str], set[str]] = {}
    for case in firm.cases():
        for entry in firm.history(case.id):
            first, _, rest = entry.event.partition(".")
            if first == "deadline" and rest.endswith(".breached"):
                # Missed at midnight is missed on the day that ends with it.
                day = (entry.at - timedelta(microseconds=1)).astimezone(ZONE)
                key = (f"{day:%Y-%m}", case.workflow, rest.removesuffix(".breached"))
                count[key] += 1
                concerned.setdefault(key, set()).add(case.id)
    rows = whole(firm.breaches, until=now())
    assert {(one.month, one.workflow, one.deadline): one.breaches for one in rows} == dict(count)
    assert {(one.month, one.workflow, one.deadline): one.cases for one in rows} == {
        key: len(cases) for key, cases in concerned.items()
    }
    assert [(one.month, one.workflow, one.deadline) for one in rows] == sorted(count)
    assert len({one.month for one in rows}) > 1
    for one in rows:
        assert one.cites == workflows()[one.workflow].plan.definition.deadlines[one.deadline].cites


def test_a_month_ends_with_the_midnight_of_its_last_day(place: Place) -> None:
    """What is missed at 24:00 of 31 March is March's; counted up to then and from then on, each once."""
    service = place.service()
    midnight = datetime(2026, 4, 1, tzinfo=ZONE)
    service.open("errand", "E-1", ask(datetime(2026, 3, 29, 9, tzinfo=ZONE)))
    service.sweep(midnight + timedelta(days=1))
    entries = [one for one in service.history("E-1") if one.event == "deadline.pick_up.breached"]
    assert [one.at for one in entries] == [midnight]
    rows = service.breaches(since=datetime(2026, 1, 1, tzinfo=ZONE), until=midnight + timedelta(days=20))
    assert [(one.month, one.deadline) for one in rows] == [("2026-03", "pick_up")]
    assert [(one.breaches, one.cases) for one in rows] == [(1, 1)]
    assert len(service.breaches(until=midnight)) == 1
    assert len(service.breaches(since=midnight, until=midnight + timedelta(days=20))) == 0


def test_breaches_up_to_the_ends_of_time(place: Place) -> None:
    """The first and the last years are counted, or refused in words, like any other instant."""
    service = place.service()
    service.open("errand", "E-1", ask())
    service.sweep(at(days=30))
    assert len(service.breaches(until=at(days=30))) == 1
    assert len(service.breaches(since="9999-12-01T00:00:00Z", until="9999-12-31T00:00:00Z")) == 0
    for until in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"):
        with pytest.raises(rf.UsageError):
            service.breaches(until=until)


# ------------------------------------------------------------------ what may be asked


def test_names_that_there_are_not(place: Place) -> None:
    """The error says what was found and what there is."""
    service = rf.CaseService(workflows(), place.store)
    asked: list[Callable[[], Any]] = [
        lambda: service.worklist(roles="cook"),
        lambda: service.worklist(workflows="wedding"),
        lambda: service.search(workflow="wedding"),
        lambda: service.search(state="asleep"),
        lambda: service.search(stage="asleep"),
        lambda: service.search(facts={"colour": "red"}),
        lambda: service.breaches(workflows=["wedding"]),
    ]
    for one in asked:
        with pytest.raises(rf.UnknownName):
            one()


def test_facts_that_nobody_is_found_by(place: Place) -> None:
    """A personal fact is refused, one that is not searchable too, and a value that the fact cannot have."""
    service = rf.CaseService(workflows(), place.store)
    with pytest.raises(rf.UsageError, match="personal"):
        service.search(facts={"phone": "13800000000"})
    with pytest.raises(rf.UsageError, match=r"searchable = true.*home_kind"):
        service.search(facts={"home_area": "88"})
    with pytest.raises(rf.UsageError, match="flat"):
        service.search(facts={"home_kind": "castle"})


def test_pages_have_their_limits(place: Place) -> None:
    """A page holds 1 to 500 rows, and goes on only where one of the same question ended."""
    service = place.service()
    for number in range(3):
        service.open("errand", f"E-{number}", ask())
    for limit in (0, 501, True, 2.0):
        with pytest.raises(rf.UsageError, match="1 to 500"):
            service.worklist(limit=limit)  # type: ignore[arg-type]
    page = service.worklist(at=at(), limit=2)
    assert page.next is not None
    for after in (page.next, "", "x", "WzFd", page.next + "x"):
        with pytest.raises(rf.UsageError, match="next"):
            service.search(after=after)
    with pytest.raises(rf.UsageError, match="lies after until"):
        service.breaches(since=at(1), until=START)
    assert len(service.breaches(since=START, until=START)) == 0
    with pytest.raises(rf.UsageError, match="120"):
        service.breaches(since="1990-01-01T00:00:00+08:00", until=START)


def told_a_cursor(*place: object) -> str:
    """What a page's `next` would be if it had ended there."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


HALF = "a\ud800"
NUL = "a\0"


@pytest.mark.parametrize("odd", [HALF, NUL, 5])
def test_ids_that_no_database_could_keep(place: Place, odd: Any) -> None:
    """They are refused alike wherever cases are kept, before anything is asked of the database."""
    service = place.service()
    service.open("errand", "E-1", ask())
    asked: list[Callable[[], Any]] = [
        lambda: service.open("errand", odd, ask()),
        lambda: service.open("errand", "E-2", ask(), parent=odd),
        lambda: service.open("errand", "E-2", ask(), links={"lead": odd}),
        lambda: service.send(odd, note(at(1))),
        lambda: service.send("E-1", note(at(1)), key=odd),
        lambda: service.link(odd, "lead", "E-1", actor=BOSS, at=at(1)),
        lambda: service.link("E-1", "lead", odd, actor=BOSS, at=at(1)),
        lambda: service.redact(odd, actor=BOSS, at=at(1), reason="asked for"),
        lambda: service.find(odd),
        lambda: service.case(odd),
        lambda: service.history(odd),
        lambda: service.search(parent=odd),
        lambda: service.worklist(after=told_a_cursor("work", at().isoformat(), odd, "pick_up")),
        lambda: service.worklist(roles=odd),
        lambda: service.worklist(workflows=odd),
        lambda: place.service(tenant=odd),
    ]
    for one in asked:
        with pytest.raises(rf.UsageError):
            one()
    assert len(service.history("E-1")) == 1


def test_texts_that_nobody_could_have_kept(place: Place) -> None:
    """Half a surrogate pair is refused, as a command line hands it on; a cursor without end is none."""
    service = place.service()
    for odd in (HALF, 5, ["a"]):
        with pytest.raises(rf.UsageError):
            service.search(text=odd)  # type: ignore[arg-type]
    with pytest.raises(rf.UsageError, match="next"):
        service.search(after=base64.urlsafe_b64encode(b"[" * 100_000).decode())


def test_no_answer_crosses_tenants(place: Place, tmp_path: Path) -> None:
    """Another firm's cases are on no list, found by nothing and in no count."""
    ours = rf.CaseService(searchable_errands(tmp_path), place.store, tenant="ours")
    theirs = rf.CaseService(searchable_errands(tmp_path), place.store, tenant="theirs")
    for service in (ours, theirs):
        service.open("errand", "E-1", ask())
        service.send("E-1", rf.Command("divide", WORKER, at()))
    theirs.open("errand", "E-2", ask())
    theirs.sweep(at(days=5))
    later = at(days=6)
    assert len(ours.worklist(at=later)) + 1 == len(theirs.worklist(at=later))
    assert {one.case for one in ours.worklist(at=later)} == {"E-1", "E-1/part-1"}
    assert [one.id for one in ours.search(text="e")] == ["E-1/part-1", "E-1"]
    assert [one.id for one in ours.search(facts={"place": "北京路1号"})] == ["E-1"]
    assert [one.id for one in ours.search(parent="E-1")] == ["E-1/part-1"]
    assert [one.id for one in ours.search(state="waiting")] == ["E-1"]
    assert len(ours.breaches(until=later)) == 0
    assert {one.deadline: one.breaches for one in theirs.breaches(until=later)} == {
        "pick_up": 2,
        "part_limit": 1,
    }


def test_a_host_sees_what_it_has_not_committed_yet(database: Place, tmp_path: Path) -> None:
    """In the host's transaction its new case is on every list; rolled back, on none."""
    service = rf.CaseService(searchable_errands(tmp_path), database.store)
    assert database.engine is not None
    with database.engine.connect() as connection:
        service.open("errand", "E-1", ask(), connection=connection)
        assert len(service.worklist(at=at(), connection=connection)) == 1
        assert len(service.search(text="北京", connection=connection)) == 1
        assert len(service.breaches(until=at(), connection=connection)) == 0
        connection.rollback()
    assert len(service.worklist(at=at())) == len(service.search(text="北京")) == 0


# ------------------------------------------------------------------ facts that become searchable, or personal


def test_after_a_file_has_changed_cases_are_read_again(database: Place, tmp_path: Path) -> None:
    """A fact that is searchable from now on finds nothing by half: the answer is refused until every case was
    read again, and what needs no facts is answered all along."""
    older = database.service()
    for number in range(120):
        older.open("errand", f"E-{number}", ask(place="北京路1号" if number % 40 else "天河路"))
    newer = rf.CaseService(searchable_errands(tmp_path), database.store)
    with pytest.raises(rf.SchemaMismatch, match="renoflow db reindex"):
        newer.search(facts={"place": "天河路"})
    with pytest.raises(rf.SchemaMismatch, match="renoflow db reindex"):
        newer.search(text="天河")
    assert len(newer.search(state="waiting")) == 100
    assert len(newer.worklist(at=at())) == 100
    assert newer.reindex() == (120, {})
    assert newer.reindex() == (0, {})
    assert [one.id for one in newer.search(facts={"place": "天河路"})] == ["E-80", "E-40", "E-0"]
    assert [one.id for one in newer.search(text="天河")] == ["E-80", "E-40", "E-0"]


def test_a_case_that_cannot_be_read_is_named_and_in_nobodys_way(database: Place, tmp_path: Path) -> None:
    """The others are read again all the same."""
    older = database.service()
    for name in ("E-1", "E-2"):
        older.open("errand", name, ask())
    assert database.engine is not None
    with database.engine.begin() as connection:
        connection.execute(text("update renoflow_cases set snapshot = '{' where id = 'E-1'"))
    newer = rf.CaseService(searchable_errands(tmp_path), database.store)
    count, failures = newer.reindex()
    assert count == 2
    assert list(failures) == ["E-1"]
    assert "snapshot" in failures["E-1"]
    assert [one.id for one in newer.search(text="北京")] == ["E-2"]


def test_a_fact_that_became_personal_is_forgotten(database: Place, tmp_path: Path) -> None:
    """What was searched for while it was not personal leaves nothing behind: when it is redacted, and when
    the cases are read again."""
    older = rf.CaseService(searchable_errands(tmp_path), database.store)
    for name in ("E-1", "E-2"):
        older.open("errand", name, ask(place="赵家胡同"))
    (tmp_path / "newer").mkdir()
    personal = ('place     = { type = "text"', 'place     = { type = "text", personal = true')
    newer = rf.CaseService(changed_flows(tmp_path / "newer", personal), database.store)
    newer.redact("E-1", actor=BOSS, at=at(1), reason="asked for")
    assert found_by(database, "赵家") == {"E-2"}
    newer.reindex()
    assert found_by(database, "赵家") == set()


def found_by(place: Place, word: str) -> set[str]:
    """The cases that any row leads to by a word, asked past everything of ours."""
    assert place.engine is not None
    statement = text(
        "select c.id from renoflow_terms t join renoflow_cases c on c.position = t.position "
        "where t.value like '%' || :word || '%'"
    )
    with place.engine.connect() as connection:
        return set(connection.execute(statement, {"word": word}).scalars())
