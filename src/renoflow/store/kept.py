"""One connection of a pool, kept at hand with its cursor from one step to the next.

Taking a connection out of SQLAlchemy's pool and handing it back costs a twentieth of a step, most of it after
the commit, when nothing of it is in the processor's caches any more.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec
from sqlalchemy import Engine, event

from renoflow.store.runner import Runner


class Own(msgspec.Struct, frozen=True):
    """A connection of our own, as the pool handed it out, and what runs statements on it."""

    raw: Any
    runner: Runner


class KeptConnection:
    """Only for an engine of our own: in a host's, with a pool of one perhaps, it would be missed."""

    def __init__(self, engine: Engine, runner_for: Callable[[Any], Runner], *, keeps: bool) -> None:
        self._engine = engine
        self._runner_for = runner_for
        self._keeps = keeps
        self._process = os.getpid()
        # Its ends are safe to use by many threads, and there is no lock that a fork could leave locked.
        self._kept: deque[Own] = deque()
        if keeps:
            event.listen(engine, "engine_disposed", self._let_go)

    def take(self) -> Own:
        """One that is in no transaction."""
        try:
            return self._kept.pop()
        except IndexError:
            raw = self._engine.raw_connection()
            return Own(raw, self._runner_for(raw))

    def give(self, own: Own) -> None:
        """Back, committed; where several come back at once, one stays."""
        if not self._keeps:
            own.raw.close()
            return
        self._kept.append(own)
        if len(self._kept) > 1:
            with suppress(IndexError):
                self._kept.popleft().raw.close()

    def _let_go(self, engine: Engine) -> None:
        """The engine was disposed of: after the server was lost, after a fork, at the end. What a process
        has from the one that it was forked from is not closed, since that one goes on with it."""
        with suppress(IndexError):
            while True:
                raw = self._kept.pop().raw
                if os.getpid() == self._process:
                    raw.detach()
                    raw.close()
