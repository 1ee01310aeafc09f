"""What must hold after the killing: of every command and every deadline there is one trace, no more and no
less."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from attrs import frozen

import renoflow as rf
from tests.chaos.worker import Task, lines
from tests.store.errands import flows

EFFECTS = {
    "note": 1,
    "take": 1,
    "give_back": 1,
    "remind": 1,
    "deadline.pick_up.escalation": 1,
    "deadline.finish.warning": 1,
    "deadline.part_limit.breached": 1,
}
"""How many effects for the host each line of a history has."""


@frozen(kw_only=True)
class Verdict:
    """What was done, and everything that is not as it should be."""

    kills: int
    restarts: int
    cases: int
    sent: int
    accepted: int
    lines: int
    fired: int
    effects: int
    delivered_again: int
    faults: tuple[str, ...]

    def __str__(self) -> str:
        done = (
            f"{self.kills} kills, {self.restarts} restarts of the server, {self.cases} cases\n"
            f"{self.sent} commands answered, {self.accepted} accepted, {self.lines} lines of history\n"
            f"{self.fired} deadlines fired, {self.effects} effects delivered, {self.delivered_again} twice\n"
        )
        return done + ("\n".join(self.faults[:20]) or "nothing lost, nothing doubled")


def verdict(task: Task, store: rf.SqlStore, end: datetime, *, kills: int, restarts: int) -> Verdict:
    """Let everything that is left happen, then read all of it."""
    service = rf.CaseService(flows(), store=store)
    delivered = Counter(_keys(task))
    service.sweep(end)
    service.deliver(lambda effect: delivered.update([effect.key]), at=end)
    cases = list(service.cases())
    histories = {case.id: service.history(case.id) for case in cases}
    answers = {str(line["key"]): bool(line["accepted"]) for line in _journals(task) if "accepted" in line}
    traces = Counter(entry.note for history in histories.values() for entry in history if entry.note)
    faults = [
        *_of_commands(answers, traces),
        *_of_cases(service, cases, histories, end),
        *_of_effects(histories, delivered),
    ]
    store.engine.dispose()
    every = [entry for history in histories.values() for entry in history]
    return Verdict(
        kills=kills,
        restarts=restarts,
        cases=len(cases),
        sent=len(answers),
        accepted=sum(answers.values()),
        lines=len(every),
        fired=sum(entry.event.endswith(".breached") for entry in every),
        effects=len(delivered),
        delivered_again=sum(count > 1 for count in delivered.values()),
        faults=tuple(faults),
    )


def _journals(task: Task) -> Iterator[dict[str, object]]:
    for path in sorted(task.home.glob("*.journal")):
        yield from lines(path)


def _keys(task: Task) -> Iterator[str]:
    for path in sorted(task.home.glob("*.delivered")):
        yield from (str(line["key"]) for line in lines(path))


def _of_commands(answers: dict[str, bool], traces: Counter[str]) -> Iterator[str]:
    for key, accepted in answers.items():
        if traces[key] != accepted:
            yield f"{key} was {'accepted' if accepted else 'refused'}, and stands in {traces[key]} lines"
    # A command that nobody heard an answer to may stand there or not, but not twice.
    yield from (f"{key} stands in {count} lines" for key, count in traces.items() if count > 1)


def _of_cases(
    service: rf.CaseService,
    cases: list[rf.Case],
    histories: dict[str, tuple[rf.HistoryEntry, ...]],
    end: datetime,
) -> Iterator[str]:
    for case in cases:
        history = histories[case.id]
        if [entry.number for entry in history] != list(range(1, len(history) + 1)):
            yield f"{case.id}: its lines are numbered {[entry.number for entry in history]}"
        elif service.workflow_of(case).replay(history) != case:
            yield f"{case.id} is not what its history gives"
        if case.wakes_at is not None and case.wakes_at <= end:
            yield f"{case.id} has something left that was due at {case.wakes_at}"


def _of_effects(histories: dict[str, tuple[rf.HistoryEntry, ...]], delivered: Counter[str]) -> Iterator[str]:
    due = Counter(
        f"{case}:{entry.number}:"
        for case, history in histories.items()
        for entry in history
        for _ in range(EFFECTS.get(entry.event, 0))
    )
    found = Counter(f"{key.split(':')[0]}:{key.split(':')[1]}:" for key in delivered)
    for place in sorted(due | found):
        if due[place] != found[place]:
            yield f"{place} should have {due[place]} effects and has {found[place]}"
