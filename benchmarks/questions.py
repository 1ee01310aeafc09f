"""What a host's questions cost among few cases and among many, on SQLite and PostgreSQL.

A page of a hundred is asked for, in turns, from a database of twenty thousand cases and from one of a
million. The indexes do their work where the second costs little more than the first; the page of a fact and
that of words are full only among the million, and breaches are counted, so they cost what there are of them.
One in five of the cases has something due, half are another tenant's, one in fifty was late once. There are
28 days only, so that many are due at the same instant.

Run: python -m benchmarks.questions
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import renoflow as rf
from renoflow.store.terms import layout_of
from tests.postgres import own_server
from tests.store.crowd import fill
from tests.store.errands import at, searchable_errands
from tests.store.places import install

FEW, MANY = 20_000, 1_000_000
ROUNDS = 30

Ask = Callable[[rf.CaseReader], Any]
QUESTIONS: dict[str, Ask] = {
    "worklist of a role": lambda reader: reader.worklist(roles="worker", at=at()),
    "worklist, overdue only": lambda reader: reader.worklist(at=at(), until=at()),
    "cases in a state": lambda reader: reader.search(state="waiting"),
    "cases by a fact": lambda reader: reader.search(facts={"place": "street 8"}),
    "cases by words": lambda reader: reader.search(text="m-1999"),
    "breaches of twelve months": lambda reader: reader.breaches(until=at(days=60)),
}


@contextmanager
def crowded(urls: dict[int, str], folder: Path) -> Iterator[dict[int, rf.CaseReader]]:
    """A reader for each size."""
    readers = {}
    with ExitStack() as closing:
        for many, url in urls.items():
            engine = install(url)
            closing.callback(engine.dispose)
            flows = searchable_errands(folder)
            fill(engine, many, layout_of(flows["errand"].plan))
            readers[many] = rf.CaseReader(flows, rf.SqlStore(engine))
        yield readers


def compare(name: str, readers: dict[int, rf.CaseReader]) -> None:
    for question, ask in QUESTIONS.items():
        spent: dict[int, list[float]] = {many: [] for many in readers}
        for _ in range(ROUNDS):
            for many, reader in readers.items():
                begun = perf_counter()
                ask(reader)
                spent[many].append(perf_counter() - begun)
        small, large = (median(spent[size]) * 1e6 for size in readers)
        print(
            f"{question}, {name:{36 - len(question)}} {small:8.0f} us {large:8.0f} us   {large / small:6.2f}"
        )


def main() -> None:
    print(f"{'a page of 100':38} {FEW:8,}    {MANY:9,}    ratio")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        urls = {many: f"sqlite:///{folder}/{many}.db" for many in (FEW, MANY)}
        with crowded(urls, folder) as readers:
            compare("SQLite", readers)
        with own_server(durable=True) as server:
            urls = {many: server.url() for many in (FEW, MANY)}
            with crowded(urls, folder) as readers:
                compare("PostgreSQL", readers)


if __name__ == "__main__":
    main()
