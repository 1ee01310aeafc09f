"""A year of one firm, told by `tests.year.generate` and replayed: `python -m benchmarks.year`."""

from __future__ import annotations

from time import perf_counter

import renoflow as rf
from tests.year.generate import SEED, script, year
from tests.year.plan import END

ROUNDS = 3
TARGET = 30.0


def replayed(text: str) -> tuple[float, float, rf.Replay]:
    """Seconds for loading and reading, seconds for running, and what came of it."""
    begun = perf_counter()
    flows = rf.load_workflows()
    lines = rf.read_script(text, flows)
    read = perf_counter()
    replay = rf.run_script(lines, flows, at=END)
    return read - begun, perf_counter() - read, replay


def main() -> None:
    """Prints the quickest of some rounds."""
    text = script(year(SEED))
    rounds = [replayed(text) for _ in range(ROUNDS)]
    replay = rounds[0][2]
    reading, running = min(one[0] for one in rounds), min(one[1] for one in rounds)
    entries = sum(len(replay.history(case.id)) for case in replay.cases())
    print(f"{len(replay.steps):,} lines, {len(replay.cases()):,} cases, {entries:,} lines of history")
    print(f"loading the workflows, reading the script   {reading:6.2f} s")
    print(f"running the year                            {running:6.2f} s")
    print(f"together                                    {reading + running:6.2f} s   at most {TARGET:.0f} s")


if __name__ == "__main__":
    main()
