"""A short run of what `python -m tests.chaos` does at length."""

from __future__ import annotations

from pathlib import Path

from tests.chaos.__main__ import Plan, run
from tests.postgres import own_server


def test_kills_on_sqlite_lose_and_double_nothing(tmp_path: Path) -> None:
    """Writers and sweepers killed in mid-flight: every command and every deadline has happened once."""
    plan = Plan(rounds=8, cases=100, restarts=0, seed=7, pause=0.5)
    found = run(f"sqlite:///{tmp_path / 'cases.db'}", tmp_path, plan)
    assert found.faults == ()
    assert found.sent > 0


def test_kills_and_restarts_on_postgresql_lose_and_double_nothing(tmp_path: Path) -> None:
    """The same on PostgreSQL, with the server stopped at once and started again under load."""
    plan = Plan(rounds=8, cases=100, restarts=2, seed=7, pause=0.5)
    with own_server() as server:
        found = run(server.url(), tmp_path, plan, server)
    assert found.faults == ()
    assert found.sent > 0
