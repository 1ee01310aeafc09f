"""A procrastinate worker as a host would run it; on one case it stops in the middle of a sweep, once.

Run: python -m tests.adapters.worker URL FOLDER NAME
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from procrastinate import App, PsycopgConnector

import renoflow as rf
from renoflow.adapters.procrastinate import Jobs, add_jobs
from tests.postgres import plain
from tests.store.errands import flows

STUCK = "stuck"
"""The remark of the case on which a worker stops."""


def app_on(url: str, store: rf.SqlStore, folder: Path, name: str) -> Jobs:
    """The host's app with our jobs in it, made alike by everybody who uses it."""

    def host_agrees(scene: Any) -> bool:
        if scene.facts.get("remark") == STUCK:
            try:
                with (folder / STUCK).open("x", encoding="utf-8") as file:
                    file.write(name)
            except FileExistsError:
                return True
            signal.pause()
        return True

    def deliver(effect: rf.Effect) -> None:
        with (folder / "delivered").open("a", encoding="utf-8") as file:
            file.write(f"{effect.key}\n")

    app = App(connector=PsycopgConnector(conninfo=plain(url)))
    service = rf.CaseService(flows(host_agrees), store=store)
    return add_jobs(app, service, deliver, every="* * * * * *", stalled_every="* * * * * *", stalled_after=1)


async def main(url: str, folder: str, name: str) -> None:
    app = app_on(url, rf.SqlStore(url), Path(folder), name).app
    async with app.open_async():
        await app.run_worker_async(name=name, update_heartbeat_interval=0.2, stalled_worker_timeout=1)


if __name__ == "__main__":
    # A sweep that stands still for good would keep the process from ending.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    asyncio.run(main(*sys.argv[1:]))
