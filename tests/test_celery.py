"""The Celery recipe of the documentation works as it stands: beat calls the sweep."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import renoflow as rf
from tests.pages import ROOT, blocks
from tests.patience import until

WANG = rf.Actor("wang", roles={"customer_manager"})
CHEN = rf.Actor("chen", roles={"designer"})


def test_beat_calls_the_sweep(tmp_path: Path) -> None:
    """A worker with its beat fires what has fallen due and delivers what follows from it."""
    page = (ROOT / "docs" / "scaling.md").read_text("utf-8")
    [recipe] = [block.text for block in blocks(page) if block.file == "host_tasks.py"]
    (tmp_path / "host_tasks.py").write_text(recipe, "utf-8")
    url = f"sqlite:///{tmp_path / 'cases.db'}"
    store = rf.SqlStore(url)
    service = rf.CaseService(rf.load_workflows(), store=store)
    consulted(service, datetime.now(UTC) - timedelta(days=60))
    command = ["-A", "host_tasks", "worker", "-B", "-P", "solo", "-s", str(tmp_path / "beat")]
    settings = {
        "DATABASE_URL": url,
        "BROKER_URL": f"sqla+sqlite:///{tmp_path / 'broker.db'}",
        "SWEEP_EVERY": "0.2",
    }
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "-l", "error"]
    with (tmp_path / "log").open("wb") as log:
        worker = subprocess.Popen(
            [sys.executable, "-m", "celery", *command, *quiet],
            cwd=tmp_path,
            env={**os.environ, **settings},
            stdout=log,
            stderr=log,
        )
    try:
        until(lambda: bool(service.outbox("delivered")) and not service.outbox(), worker)
    finally:
        worker.terminate()
        worker.wait()
    assert "deadline.proposal.breached" in [entry.event for entry in service.history("P-1")]
    store.engine.dispose()


def consulted(service: rf.CaseService, at: datetime) -> None:
    """A project whose proposal is long overdue."""
    facts = {"home_area": "128", "home_kind": "flat", "designer_accepted": True}
    enquiry = rf.Command("register_enquiry", WANG, at, facts=facts, documents=["registration_form"])
    papers = [rf.Document("customer_file"), rf.Document("consultation_record", ("customer",))]
    service.open("project", "P-1", enquiry)
    assert service.send("P-1", rf.Command("start_consultation", CHEN, at, documents=papers)).accepted
