"""What the whole suite shares: how hypothesis runs, the built wheel and sdist, and a PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.building import build
from tests.postgres import PostgresMissingError, Server, server

# A loaded machine is slow, not wrong, so no example has a deadline. On a server the same examples are
# tried each time; by hand, fresh ones. `--hypothesis-profile` overrides both.
settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("dev", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a built sdist, and of the wheel built from it.

    `RENOFLOW_DIST` names one that is built already; the suite needs it away from the sources.
    """
    given = os.environ.get("RENOFLOW_DIST")
    if given:
        return Path(given)
    return build(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A running PostgreSQL. Where CI is set its absence is a failure, never a skipped test."""
    try:
        with server() as one:
            yield one
    except PostgresMissingError as missing:
        if os.environ.get("CI"):
            pytest.fail(str(missing))
        pytest.skip(str(missing))


@pytest.fixture
def postgres_url(postgres: Server) -> Iterator[str]:
    """The URL of an empty database of this test's own."""
    url = postgres.url()
    yield url
    postgres.drop(url)
