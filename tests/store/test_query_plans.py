"""Every question about many cases finds its rows by an index, on both databases, among many cases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from sqlalchemy import Engine

from renoflow.asking import plans_of
from renoflow.queries import CaseReader
from renoflow.store import finding
from renoflow.store.questions import LAST, BreachQuestion, CaseQuestion, Kind, WorkQuestion, limits_of
from renoflow.store.rows import NATIVE, TEXT
from renoflow.store.statements import for_psycopg
from renoflow.store.terms import layout_of
from renoflow.workflow.plan import Plan
from tests.postgres import Server
from tests.store.crowd import fill
from tests.store.errands import at, searchable_errands
from tests.store.places import Place, sql_place

MANY = 20_000


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def crowded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A database with many cases, whose planner has looked at its tables."""
    postgres = request.param == "postgres"
    server: Server | None = request.getfixturevalue("postgres") if postgres else None
    url = f"sqlite:///{tmp_path_factory.mktemp('many') / 'many.db'}" if server is None else server.url()
    place = sql_place(request.param, url)
    assert place.engine is not None
    plan = searchable_errands(tmp_path_factory.mktemp("files"))["errand"].plan
    fill(place.engine, MANY, layout_of(plan))
    yield place
    place.engine.dispose()
    if server is not None:
        server.drop(url)


def plan_lines(engine: Engine, statement: str, values: dict[str, Any]) -> list[str]:
    """How the database would go about a statement, a line for each of its steps."""
    sqlite = engine.dialect.name == "sqlite"
    with engine.connect() as connection:
        cursor = connection.connection.cursor()
        wording = statement if sqlite else for_psycopg(statement)
        cursor.execute(f"{'explain query plan' if sqlite else 'explain'} {wording}", values)
        return [str(row[-1]).strip() for row in cursor.fetchall()]


def whole_tables(lines: list[str]) -> list[str]:
    """The steps that read all of a table of ours, or all of an index."""
    return [
        line
        for line in lines
        if ("SCAN " in line and "renoflow" not in line and line.split()[1] in ("c", "d", "h", "t", "x"))
        or "Seq Scan on renoflow" in line
    ]


def statements(place: Place, plan: Plan) -> Iterator[tuple[str, finding.Statement, str]]:
    """Every kind of question, its statement, and the index that serves it."""
    assert place.engine is not None
    postgres = place.engine.dialect.name == "postgresql"
    form = NATIVE if postgres else TEXT
    limits = {"errand": limits_of(plan, None)}
    for name, until, after in (
        ("all work", None, None),
        ("work by a day", at(days=3), None),
        ("the next page of work", at(days=3), (at(days=1), "M-100", "pick_up")),
    ):
        work = WorkQuestion(
            limits=limits, plans={"errand": plan}, at=at(), until=until, after=after, limit=50
        )
        for statement in finding.work_statements(form, postgres, "main", work):
            yield name, statement, "renoflow_deadlines_owed"
    term = ("errand.place", "street 8")

    def cases(**more: Any) -> Iterator[finding.Statement]:
        states, terms = more.pop("states", None), more.pop("terms", ())
        kind = Kind(plan=plan, states=states, terms=terms)
        question = CaseQuestion(kinds=(kind,), words="", parent="", before=LAST, limit=50)
        yield from finding.case_statements(postgres, "main", evolve(question, **more))

    for name, more, index in (
        ("every case", {}, "renoflow_cases_state"),
        ("cases in a state", {"states": ("waiting",)}, "renoflow_cases_state"),
        ("the next page of them", {"states": ("waiting",), "before": 9000}, "renoflow_cases_state"),
        ("cases by a fact", {"terms": (term,)}, "renoflow_terms_value"),
        ("by a fact in a state", {"terms": (term,), "states": ("waiting",)}, "renoflow_terms_value"),
        ("cases by words", {"words": "m-1999"}, "renoflow_terms_value"),
        ("by words in a state", {"words": "m-1999", "states": ("closed",)}, "renoflow_terms_value"),
        ("by a fact and words", {"terms": (term,), "words": "m-1"}, "renoflow_terms_value"),
        ("cases of a parent", {"parent": "M-3000"}, "renoflow_cases_parent"),
    ):
        for statement in cases(**more):
            yield name, statement, index
    for statement in finding.outdated_statements("main", ("layout errand", layout_of(plan)), 1):
        yield "cases of other facts", statement, "renoflow_terms_value"
    span = BreachQuestion(limits=limits, since=at(days=-1), until=at(days=30))
    yield "breaches of a month", finding.breach_statement(form, "main", span), "renoflow_history_breaches"


def test_every_question_is_answered_by_an_index(crowded: Place, tmp_path: Path) -> None:
    """No question reads a whole table, and each begins with the index that is meant for it."""
    assert crowded.engine is not None
    flows = searchable_errands(tmp_path)
    names = set()
    for name, (statement, values), index in statements(crowded, plans_of(flows)["errand"]):
        lines = plan_lines(crowded.engine, statement, values)
        assert whole_tables(lines) == [], (name, lines)
        assert any(index in line for line in lines), (name, lines)
        names.add(name)
    assert len(names) == 14


def test_those_statements_find_what_there_is(crowded: Place, tmp_path: Path) -> None:
    """A page from among the many has its rows in order."""
    reader = CaseReader(searchable_errands(tmp_path), crowded.store)
    page = reader.search(state="waiting", limit=5)
    assert [one.id for one in page] == ["M-20000", "M-19990", "M-19980", "M-19970", "M-19960"]
    assert [one.id for one in reader.search(parent="M-3000")] == [
        f"M-{number}" for number in range(3024, 2999, -6)
    ]
    items = reader.worklist(at=at(), until=at(days=40), limit=3)
    assert [item.due_at for item in items] == [at(days=-1)] * 3
    assert sum(one.breaches for one in reader.breaches(until=at() + timedelta(days=60))) == MANY // 50
