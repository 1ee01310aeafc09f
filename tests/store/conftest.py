"""Where the tests of this folder keep their cases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import renoflow as rf
from tests.postgres import Server
from tests.store.places import Place, sql_place


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Each of the three, empty."""
    if request.param == "memory":
        yield Place("memory", rf.MemoryStore())
    else:
        yield from _sql(request, tmp_path)


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Each of the two databases, empty."""
    yield from _sql(request, tmp_path)


def _sql(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "sqlite":
        found = sql_place("sqlite", f"sqlite:///{tmp_path / 'cases.db'}")
        yield found
        assert found.engine is not None
        found.engine.dispose()
        return
    server: Server = request.getfixturevalue("postgres")
    url = server.url()
    found = sql_place("postgres", url)
    yield found
    assert found.engine is not None
    found.engine.dispose()
    server.drop(url)
