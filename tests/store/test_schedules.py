"""Two writers and a sweeper on one case, in every order, and the proof that a wrong order would be found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.postgres import Server
from tests.store.driver import engine_for
from tests.store.schedules import SITUATIONS, Stage, stage, wrong_orders
from tests.store.stepping import Program, SqliteLocks, every_order


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def found(request: pytest.FixtureRequest, postgres: Server) -> Iterator[Stage]:
    with stage(request.param, postgres) as one:
        yield one


@pytest.mark.parametrize("title", SITUATIONS)
def test_no_order_loses_or_doubles_anything(found: Stage, title: str) -> None:
    """In whatever order the statements come, each command and each deadline has happened once."""
    orders, _, wrong = wrong_orders(found, SITUATIONS[title], fine=False)
    assert orders >= 6
    assert not wrong, f"{len(wrong)} of {orders} orders: {wrong[0]}"


def test_looking_for_the_key_before_the_lock_would_be_found(tmp_path: Path) -> None:
    """The stepper finds the order that goes wrong when the key is read first and the case locked after."""
    url = f"sqlite:///{tmp_path / 'keys.db'}"
    engine = engine_for(url)
    with engine.begin() as connection:
        connection.execute(text("create table done (turn integer, key text)"))
    turn = 0

    def once() -> str:
        with engine.connect() as connection:
            known = connection.execute(text("select 1 from done where turn = :turn"), {"turn": turn}).first()
            connection.rollback()
            if known:
                return "again"
            connection.exec_driver_sql("begin immediate")
            connection.execute(text("insert into done values (:turn, 'k')"), {"turn": turn})
            connection.commit()
            return "done"

    def start() -> dict[str, Program]:
        nonlocal turn
        turn += 1
        return {"one": once, "two": once}

    answers = [tuple(run.results.values()) for run in every_order(start, SqliteLocks())]
    assert ("done", "done") in answers
    assert ("done", "again") in answers
