"""The cost of one decision, as a share of one bare `transitions` trigger, both measured in one run.

Over the happy path of `project` (from the first enquiry to the warranty card, `happy_path.jsonl`), every
accepted command of the project case is decided again from the case as it stood: facts read and checked,
roles, guards, documents with their signatures, payments, deadlines, history entry, effects. Beside it the
same events are fired on a `transitions` machine with a bound model, without guards, callbacks or audit.

Run: python -m benchmarks.step
"""

from __future__ import annotations

import gc
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from transitions import Machine

import renoflow as rf
from renoflow.workflow.machine import SAME, START

ROUNDS = 201
REPEATS = 20
TARGET = 0.33


def happy_path(workflows: rf.Workflows) -> tuple[rf.Case, ...]:
    """The script's project case, run through the service."""
    text = (Path(__file__).parent / "happy_path.jsonl").read_text("utf-8")
    replay = rf.run_script(rf.read_script(text, workflows), workflows)
    refused = [step for step in replay.steps if not step.accepted]
    if refused:
        sys.exit(f"line {refused[0].line.number} was refused: {refused[0].reasons[0].text('en')}")
    return _steps(workflows, replay)


def _steps(workflows: rf.Workflows, replay: rf.Replay) -> tuple[rf.Case, ...]:
    flow = workflows["project"]
    case = None
    for entry in replay.history("P-1"):
        if entry.cause is not None:
            continue
        command = rf.Command(
            entry.event,
            rf.Actor(entry.actor, frozenset(entry.roles)),
            entry.at,
            facts={name: raw(value) for name, value in entry.facts.items()},
            documents=entry.documents,
            payments=entry.payments,
            told=entry.told,
        )
        if case is None:
            case = flow.open(
                entry.case,
                actor=command.actor,
                at=command.at,
                facts=command.facts,
                documents=command.documents,
            ).unwrap()
            continue
        if entry.event.startswith("deadline."):
            continue
        case = flow.wake(case, entry.at).unwrap()
        if entry.event in flow.plan.events:
            PAIRS.append((case, command))
        case = flow.decide(case, command).unwrap()
    return tuple(pair[0] for pair in PAIRS)


PAIRS: list[tuple[rf.Case, rf.Command]] = []


def raw(value: object) -> object:
    """A kept fact as a host would send it: exact numbers and dates as text."""
    if isinstance(value, (bool, int, str)):
        return value
    return list(value) if isinstance(value, tuple) else str(value)


def bare_machine(workflows: rf.Workflows) -> tuple[object, tuple[Callable[[], object], ...]]:
    """A bound model with the project's states and transitions, and the happy path as its triggers."""
    definition = workflows["project"].plan.definition
    model = type("Project", (), {})()
    machine = Machine(
        model=model,
        states=[START, *definition.states],
        initial=START,
        auto_transitions=False,
    )
    for name, event in definition.events.items():
        for source in event.from_:
            if event.to == SAME:
                machine.add_transition(name, source, None)
            elif event.to != "@history":
                machine.add_transition(name, source, event.to)
    return model, tuple(getattr(model, command.event) for _, command in PAIRS)


def timed(run: Callable[[], None]) -> float:
    gc.collect()
    gc.disable()
    start = time.perf_counter()
    run()
    spent = time.perf_counter() - start
    gc.enable()
    return spent


def main() -> None:
    workflows = rf.load_workflows()
    happy_path(workflows)
    model, triggers = bare_machine(workflows)
    flow = workflows["project"]
    decide = flow.decide
    pairs = PAIRS

    def ours() -> None:
        for _ in range(REPEATS):
            for case, command in pairs:
                decide(case, command)

    first = pairs[0][0].state

    def theirs() -> None:
        for _ in range(REPEATS):
            model.state = first  # type: ignore[attr-defined]
            for trigger in triggers:
                trigger()

    ours()
    theirs()
    shares = []
    for _ in range(ROUNDS):
        bare, full = timed(theirs), timed(ours)
        shares.append((full / bare, full, bare))
    count = REPEATS * len(pairs)
    # The quickest rounds are those that nothing else disturbed; the median shows how much did.
    full = min(one[1] for one in shares) / count * 1e6
    bare = min(one[2] for one in shares) / count * 1e6
    share = full / bare
    middle = statistics.median(one[0] for one in shares)
    print(f"events on the path                     {len(pairs)}")
    print(f"bare transitions trigger, bound model  {bare:6.2f} us")
    print(f"full audited step                      {full:6.2f} us")
    print(f"share, quickest of {ROUNDS} rounds         {share:6.3f}   target at most {TARGET}")
    print(f"share, median round                    {middle:6.3f}")
    if "--each" in sys.argv:
        each(decide, pairs, bare)


def each(decide: Callable[..., object], pairs: list[tuple[rf.Case, rf.Command]], bare: float) -> None:
    for case, command in pairs:
        spent = []
        for _ in range(40):

            def run(case: rf.Case = case, command: rf.Command = command) -> None:
                for _ in range(200):
                    decide(case, command)

            spent.append(timed(run) / 200 * 1e6)
        print(f"  {command.event:28} {min(spent):6.2f} us  {min(spent) / bare:5.2f}")


if __name__ == "__main__":
    main()
