"""The small workflow of `errand.toml` and `part.toml`, and people and commands for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import renoflow as rf

FILES = tuple(Path(__file__).with_name(name) for name in ("errand.toml", "part.toml"))
WORKER = rf.Actor("li", roles={"worker"})
BOSS = rf.Actor("wang", roles={"boss"})
START = datetime(2026, 3, 2, 2, tzinfo=UTC)
"""A Monday, ten o'clock in Shanghai."""
SIGNED = (rf.Document("receipt", ("customer",)),)


def flows(host_agrees: Callable[[Any], bool] = lambda scene: True) -> rf.Workflows:
    """Both workflows; `host_agrees` is the host's own function, asked when a deadline was missed."""
    return rf.load_workflows(*FILES, only=(), predicates={"host_agrees": host_agrees})


def changed_flows(
    folder: Path, *changes: tuple[str, str], host_agrees: Callable[[Any], bool] | None = None
) -> rf.Workflows:
    """Both workflows with some of their text changed."""
    paths = []
    for file in FILES:
        content = file.read_text("utf-8")
        for old, new in changes:
            content = content.replace(old, new)
        paths.append(folder / file.name)
        paths[-1].write_text(content, "utf-8")
    predicates = {} if host_agrees is None else {"host_agrees": host_agrees}
    return rf.load_workflows(*paths, only=(), predicates=predicates)


def searchable_errands(folder: Path) -> rf.Workflows:
    """Both workflows, errands being found by where they lead and by what is remarked."""
    return changed_flows(
        folder,
        ('place     = { type = "text"', 'place     = { type = "text", searchable = true'),
        ('remark    = { type = "text"', 'remark    = { type = "text", searchable = true'),
    )


def at(minutes: float = 0, *, days: float = 0) -> datetime:
    return START + timedelta(days=days, minutes=minutes)


def ask(when: datetime = START, **facts: object) -> rf.Command:
    """The opening: due to be picked up by the end of the second day after, 16:00 UTC."""
    return rf.Command("ask", BOSS, when, facts={"place": "北京路1号", "price": "128.50", **facts})


def take(when: datetime) -> rf.Command:
    return rf.Command("take", WORKER, when, documents=SIGNED)


def give_back(when: datetime) -> rf.Command:
    return rf.Command("give_back", WORKER, when, documents=SIGNED)


def note(when: datetime, **facts: object) -> rf.Command:
    """Changes nothing but a count, so that a note taken twice shows."""
    return rf.Command("note", WORKER, when, facts=facts)
