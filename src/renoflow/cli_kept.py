"""What the commands on kept cases share: where the cases are, and how an answer is given."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from renoflow.engine.workflow import Workflows
from renoflow.errors import MissingExtra, UsageError
from renoflow.values import Label

if TYPE_CHECKING:
    from renoflow.store.sql import SqlStore

Adder = Callable[[str, Callable[[Namespace], int], str], ArgumentParser]
Loader = Callable[[Namespace], Workflows]


def on_cases(
    command: Adder, name: str, run: Callable[[Namespace, SqlStore], int], text: str
) -> ArgumentParser:
    """A subcommand on the cases of one tenant; `run` is given the store that the arguments name."""

    def on_store(arguments: Namespace) -> int:
        with store_of(arguments) as store:
            return run(arguments, store)

    sub = command(name, on_store, text)
    with_db(sub)
    sub.add_argument("--tenant", default="main", metavar="NAME", help="whose cases; main by default")
    return sub


def with_db(sub: ArgumentParser) -> None:
    sub.add_argument("--db", required=True, metavar="URL", help="as sqlite:///firm.db")


@contextmanager
def store_of(arguments: Namespace, *, may_be_new: bool = False) -> Iterator[SqlStore]:
    """The store at a URL, its connections closed in the end. A SQLite file that is not there is a typing
    error, not a new firm, unless it may be one."""
    try:
        from renoflow.store.sql import SqlStore
    except ModuleNotFoundError as error:
        raise MissingExtra(error.name or "sqlalchemy", "sql") from None
    store = SqlStore(arguments.db)
    file = store.engine.url.database or ""
    if not (may_be_new or store.postgres or Path(file).exists()):
        raise UsageError(f"没有文件 {file} / no such file: {file}")
    try:
        yield store
    finally:
        store.engine.dispose()


def progress(items: Iterable[Any] | None = None, **options: Any) -> Any:
    """A bar on standard error, on a terminal only."""
    try:
        from tqdm import tqdm
    except ModuleNotFoundError:
        raise MissingExtra("tqdm", "sql") from None
    return tqdm(items, disable=None, leave=False, **options)


def say(words: Mapping[str, Label], arguments: Namespace, word: str, **values: Any) -> str:
    return words[word].text(arguments.lang).format(**values)


def answer(arguments: Namespace, data: Any, lines: Iterable[str]) -> int:
    print(json.dumps(data, ensure_ascii=False, indent=2) if arguments.json else "\n".join(lines))
    return 0
