"""The three places where cases are kept, for tests that hold in all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import frozen
from sqlalchemy import Engine, text

import renoflow as rf
from renoflow.store.installing import make_tables
from tests.store.driver import engine_for
from tests.store.errands import flows


@frozen
class Place:
    """A place with nothing in it yet. `engine` is the host's; there is none in memory."""

    name: str
    store: Any
    engine: Engine | None = None

    def service(
        self, *, tenant: str = "main", host_agrees: Callable[[Any], bool] = lambda scene: True
    ) -> rf.CaseService:
        """A service of its own on the same cases, as another process would have it."""
        return rf.CaseService(flows(host_agrees), store=self.store, tenant=tenant)


def sql_place(name: str, url: str) -> Place:
    engine = install(url)
    return Place(name, rf.SqlStore(engine), engine)


def install(url: str) -> Engine:
    """The tables made, and an engine that can be watched."""
    if url.startswith("sqlite"):
        # It sets up the file, write-ahead log and all.
        store = rf.SqlStore(url)
        store.prepare()
        store.engine.dispose()
        return engine_for(url)
    engine = engine_for(url)
    with engine.begin() as connection:
        make_tables(connection)
    return engine


def count(engine: Engine, table: str) -> int:
    """How many rows a table has, asked past everything of ours."""
    with engine.connect() as connection:
        return int(connection.execute(text(f"select count(*) from {table}")).scalar_one())
