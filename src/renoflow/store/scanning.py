"""The same questions about cases in memory, answered by looking through all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from renoflow.records import Case, HistoryEntry
from renoflow.store.questions import (
    UNDER_WAY,
    Breaches,
    BreachQuestion,
    CaseQuestion,
    CaseSummary,
    Kind,
    PlacedCase,
    WorkItem,
    WorkQuestion,
)
from renoflow.store.rows import stage_of
from renoflow.store.terms import WORDS, terms_of
from renoflow.values import Label
from renoflow.workflow.plan import Plan

Histories = Mapping[str, Sequence[HistoryEntry]]


def worklist(cases: Iterable[Case], roots: Mapping[str, str], question: WorkQuestion) -> list[WorkItem]:
    items = [
        WorkItem(
            case=case.id,
            workflow=case.workflow,
            state=case.state,
            stage=stage_of(question.plans[case.workflow], case.state),
            parent=case.parent,
            root=roots[case.id],
            deadline=name,
            label=limit.label,
            owner=limit.owner,
            due_at=clock.due_at,
            target_at=clock.target_at,
            status=clock.status,
            provisional=clock.provisional,
            overdue=clock.due_at <= question.at,
        )
        for case in cases
        for name, limit in question.limits.get(case.workflow, {}).items()
        if (clock := case.deadlines.get(name)) is not None
        and clock.status in UNDER_WAY
        and (question.until is None or clock.due_at <= question.until)
        and (question.after is None or (clock.due_at, case.id, name) > question.after)
    ]
    return sorted(items, key=lambda item: (item.due_at, item.case, item.deadline))[: question.limit]


def search(
    cases: Sequence[Case], roots: Mapping[str, str], histories: Histories, question: CaseQuestion
) -> list[PlacedCase]:
    found = []
    kinds = {kind.plan.id: kind for kind in question.kinds}
    for place in reversed(range(min(question.before, len(cases)))):
        case = cases[place]
        kind = kinds.get(case.workflow)
        if kind is None or not _fits(kind, case, question):
            continue
        found.append((place, _summary(kind.plan, case, roots[case.id], histories[case.id])))
        if len(found) == question.limit:
            break
    return found


def _fits(kind: Kind, case: Case, question: CaseQuestion) -> bool:
    if kind.states is not None and case.state not in kind.states:
        return False
    if question.parent and case.parent != question.parent:
        return False
    terms = terms_of(kind.plan, case) if kind.terms or question.words else frozenset()
    words = question.words
    return all(term in terms for term in kind.terms) and (
        not words or any(name == WORDS and value.startswith(words) for name, value in terms)
    )


def _summary(plan: Plan, case: Case, root: str, history: Sequence[HistoryEntry]) -> CaseSummary:
    return CaseSummary(
        id=case.id,
        workflow=case.workflow,
        state=case.state,
        stage=stage_of(plan, case.state),
        label=plan.state_labels.get(case.state, Label(case.state, case.state)),
        parent=case.parent,
        root=root,
        opened_at=history[0].at,
        moved_at=case.at,
    )


def breaches(cases: Iterable[Case], histories: Histories, question: BreachQuestion) -> Breaches:
    count: Counter[tuple[str, str]] = Counter()
    concerned: Counter[tuple[str, str]] = Counter()
    for case in cases:
        names = {f"deadline.{name}.breached": name for name in question.limits.get(case.workflow, ())}
        missed = Counter(
            (case.workflow, names[entry.event])
            for entry in histories[case.id]
            if entry.event in names and question.since < entry.at <= question.until
        )
        count.update(missed)
        concerned.update(missed.keys())
    return {place: (number, concerned[place]) for place, number in count.items()}
