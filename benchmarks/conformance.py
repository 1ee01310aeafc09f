"""The cost of holding every plan against its plain machine, as a ratio to loading the workflow files.

Every bundled workflow is checked as in the tests: each state, event, outcome of the guards and origin,
through the real `decide` on one side and a trigger of `transitions` on the other. Loading is the reading,
checking and compiling of the same files. Both are measured in one run.

Run: python -m benchmarks.conformance
"""

from __future__ import annotations

import statistics
import time

import renoflow as rf
from renoflow.verify.conformance import Conformance, check_conformance

ROUNDS = 7


def loading() -> float:
    start = time.perf_counter()
    rf.load_workflows()
    return time.perf_counter() - start


def checking(workflows: rf.Workflows) -> tuple[float, tuple[Conformance, ...]]:
    start = time.perf_counter()
    found = tuple(check_conformance(flow) for flow in workflows.values())
    return time.perf_counter() - start, found


def main() -> None:
    workflows = rf.load_workflows()
    _, found = checking(workflows)
    for one in found:
        print(one)
    rounds = [(loading(), checking(workflows)[0]) for _ in range(ROUNDS)]
    load, check = (statistics.median(values) for values in zip(*rounds, strict=True))
    ratio = statistics.median(check / load for load, check in rounds)
    asked = sum(one.asked for one in found)
    print(f"combinations, both sides asked     {asked:8}")
    print(f"  accepted by the machine          {sum(one.accepted for one in found):8}")
    print(f"transitions, each taken            {sum(one.taken for one in found):8}")
    print(f"one combination, both sides        {check / asked * 1e6:8.1f} us")
    print(f"all of them                        {check * 1e3:8.0f} ms")
    print(f"loading the definitions            {load * 1e3:8.0f} ms")
    print(f"ratio (median of {ROUNDS} rounds)         {ratio:8.2f}")


if __name__ == "__main__":
    main()
