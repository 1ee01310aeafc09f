"""What the commands on kept cases share: where the cases are, and how an answer is given."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from renoflow.engine.workflow import Workflows
from renoflow.errors import MissingExtra, UsageError
from renoflow.values import Label

if TYPE_CHECKING:
    from renoflow.store.sql import SqlStore

Command = Callable[[Namespace], int]
Adder = Callable[[str, Command, str], ArgumentParser]
Loader = Callable[[Namespace], Workflows]


def on_cases(command: Adder, name: str, run: Command, text: str) -> ArgumentParser:
    """A subcommand on the cases of one tenant."""
    sub = command(name, run, text)
    with_db(sub)
    sub.add_argument("--tenant", default="main", metavar="NAME", help="whose cases; main by default")
    return sub


def with_db(sub: ArgumentParser) -> None:
    sub.add_argument("--db", required=True, metavar="URL", help="as sqlite:///firm.db")


def sql_store(url: str) -> SqlStore:
    try:
        from renoflow.store.sql import SqlStore
    except ModuleNotFoundError as error:
        raise MissingExtra(error.name or "sqlalchemy", "sql") from None
    return SqlStore(url)


def store_of(arguments: Namespace) -> SqlStore:
    """The store at a URL; a SQLite file that is not there is a typing error, not a new firm."""
    store = sql_store(arguments.db)
    file = store.engine.url.database or ""
    if not store.postgres and not Path(file).exists():
        raise UsageError(f"没有文件 {file} / no such file: {file}")
    return store


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
