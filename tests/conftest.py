"""What the whole suite shares: how hypothesis runs, and the built wheel and sdist."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from tests.building import build

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
