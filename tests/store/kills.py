"""A process that ends at a chosen statement: no exception, no rollback, no goodbye."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from typing import NoReturn, TypeVar

from tests.store.driver import watched

T = TypeVar("T")
KILLED, FAILED = 9, 1


class Killer:
    """Lets so many statements through and ends the process before the next one."""

    def __init__(self, after: int) -> None:
        self._left = after

    def __call__(self, statement: str, run: Callable[[], T]) -> T:
        if self._left == 0:
            os._exit(KILLED)
        self._left -= 1
        return run()


def killed_at_every_statement(begin: Callable[[int], Callable[[], object]]) -> Iterator[int]:
    """Work in a process of its own, killed before its first statement, then before its second, and so on;
    after each the number of statements that it had done. The last time it has done them all. `begin`
    prepares each trial and gives its work; what the work connects to it connects to itself."""
    done = 0
    while _ended(begin(done), done) == KILLED:
        yield done
        done += 1
    yield done


def _ended(work: Callable[[], object], after: int) -> int:
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        _play(work, after)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code not in (0, KILLED):
        raise RuntimeError(f"the process ended with {code}, after {after} statements")
    return code


def _play(work: Callable[[], object], after: int) -> NoReturn:
    """What is ours alone, connections above all, is made inside `work`."""
    try:
        with watched(Killer(after)):
            work()
    except BaseException as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        os._exit(FAILED)
    os._exit(0)
