"""Waiting for what other processes do, as long as they live."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

LOOKS = 600
"""How often to look, at most, before a process counts as stuck."""


def until(condition: Callable[[], bool], *processes: subprocess.Popen[Any]) -> None:
    """Look again and again; the test fails when a process ends by itself, or never comes to it."""
    for _ in range(LOOKS):
        if condition():
            return
        for one in processes:
            with suppress(subprocess.TimeoutExpired):
                pytest.fail(f"a process ended by itself with {one.wait(0.1)}")
    pytest.fail("the processes did not come to it")
