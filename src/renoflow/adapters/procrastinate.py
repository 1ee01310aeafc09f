"""The sweep and the outbox as jobs of procrastinate, on any number of machines.

Its jobs live in the same PostgreSQL as the cases, so one can be deferred inside the host's transaction: the
case, the host's rows and the job come together or not at all. A job only says when; what is due stands in
our tables. A worker that dies in a sweep takes its transaction with it, and the next sweep does it anew. So
no job of ours holds a lock of procrastinate's, which a dead worker would keep.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from attrs import frozen

from renoflow.errors import MissingExtra
from renoflow.records import Effect
from renoflow.service import CaseService
from renoflow.values import instant

try:
    from procrastinate import App, JobContext
    from procrastinate.blueprints import Blueprint
except ModuleNotFoundError:
    raise MissingExtra("procrastinate", "procrastinate") from None

NAMESPACE = "renoflow"
"""Of the tasks' names and of their queue."""


@frozen
class Jobs:
    """What `add_jobs` has added to an app: the means to ask for a run before its time."""

    app: App

    def soon(self, connection: Any, *, sweep_at: datetime | str | None = None) -> None:
        """Inside the host's transaction (its `Connection` or `Session`): the outbox is delivered as soon as
        that is committed, and a sweep comes at the instant, `case.wakes_at` for example. Without this, both
        wait for their turn by the clock."""
        driver = _driver_connection(connection)
        self.app.configure_task(f"{NAMESPACE}:deliver", queue=NAMESPACE, connection=driver).defer(timestamp=0)
        if sweep_at is not None:
            at = instant(sweep_at)
            sweep = self.app.configure_task(
                f"{NAMESPACE}:sweep", queue=NAMESPACE, connection=driver, schedule_at=at
            )
            sweep.defer(timestamp=int(at.timestamp()))


def add_jobs(
    app: App,
    service: CaseService,
    deliver: Callable[[Effect], object],
    *,
    every: str = "* * * * *",
    stalled_every: str = "*/10 * * * *",
    stalled_after: float = 30,
) -> Jobs:
    """Adds the tasks `sweep`, `deliver` and `retry_stalled` to the app, under `renoflow:`; workers and web
    processes call it alike.

    `deliver` gets one effect at a time, each at least once. `every` and `stalled_every` are cron lines, with
    the seconds as a sixth field where a minute is too long. A worker that gave no sign of life for
    `stalled_after` seconds is taken for dead, and what it did is done again.
    """
    tasks = Blueprint()

    @tasks.periodic(cron=every)
    @tasks.task(name="sweep", queue=NAMESPACE)
    def sweep(timestamp: int) -> None:
        service.sweep()

    @tasks.periodic(cron=every)
    @tasks.task(name="deliver", queue=NAMESPACE)
    def deliver_effects(timestamp: int) -> None:
        service.deliver(deliver)

    @tasks.periodic(cron=stalled_every)
    @tasks.task(name="retry_stalled", queue=NAMESPACE, pass_context=True)
    async def retry_stalled(context: JobContext, timestamp: int) -> None:
        jobs = context.app.job_manager
        for job in await jobs.get_stalled_jobs(queue=NAMESPACE, seconds_since_heartbeat=stalled_after):
            await jobs.retry_job(job)

    app.add_tasks_from(tasks, namespace=NAMESPACE)
    return Jobs(app)


def _driver_connection(connection: Any) -> Any:
    """psycopg's own connection under a `Connection` or a `Session` of SQLAlchemy's."""
    held = connection.connection() if callable(connection.connection) else connection
    return held.connection.driver_connection
