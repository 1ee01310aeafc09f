"""Questions about many cases as indexed statements, for SQLite and PostgreSQL alike.

What an index has in the wanted order for one deadline, or for one state, is asked for each of them, so many
rows at most, and the answers are merged. So a page costs what its rows cost, among however many others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from renoflow.store.questions import (
    Breaches,
    BreachQuestion,
    CaseQuestion,
    CaseSummary,
    Kind,
    PlacedCase,
    WorkItem,
    WorkQuestion,
)
from renoflow.store.rows import Form, stage_of
from renoflow.store.runner import Runner
from renoflow.store.terms import LONGEST, WORDS, Term
from renoflow.values import Label
from renoflow.workflow.plan import Plan

Values = dict[str, Any]
Pair = tuple[str, str]
Statement = tuple[str, Values]

BRANCHES = 400
"""SQLite joins no more than 500 SELECTs in one statement."""

END = "\U0010ffff" * LONGEST
"""Sorts after whatever a word may go on with."""


def _for_each(select: str, pairs: Sequence[Pair], postgres: bool) -> Statement:
    """What a SELECT finds for each pair of texts, `{0}` and `{1}` in it, as one table named `a`."""
    if postgres:
        firsts, seconds = (list(part) for part in zip(*pairs, strict=True))
        each = select.format("w.one", "w.other")
        return (
            f"unnest(:ones::text[], :others::text[]) AS w (one, other) CROSS JOIN LATERAL ({each}) AS a",
            {"ones": firsts, "others": seconds},
        )
    values: Values = {}
    selects = []
    for n, (one, other) in enumerate(pairs):
        values |= {f"one_{n}": one, f"other_{n}": other}
        selects.append(f"SELECT * FROM ({select.format(f':one_{n}', f':other_{n}')}) AS s{n}")
    return f"({' UNION ALL '.join(selects)}) AS a", values


def _parts(pairs: Sequence[Pair], postgres: bool) -> Iterator[Sequence[Pair]]:
    size = len(pairs) if postgres else BRANCHES
    for first in range(0, len(pairs), size or 1):
        yield pairs[first : first + size]


# ------------------------------------------------------------------ what is due

_OWED = """
SELECT d.due_at, d.case_id, d.name, d.workflow, d.status, d.target_at, d.provisional
FROM renoflow_deadlines d
WHERE d.workflow = {{0}} AND d.name = {{1}} AND d.tenant = :tenant AND d.status <> 'paused'{bounds}
ORDER BY d.due_at, d.case_id{by_signs} LIMIT :limit
"""
_WORK = """
SELECT b.due_at, b.case_id, b.name, b.workflow, b.status, b.target_at, b.provisional,
c.state, c.parent, c.root
FROM (SELECT a.* FROM {owed} ORDER BY due_at, case_id{by_signs}, name{by_signs} LIMIT :limit) AS b
JOIN renoflow_cases c ON c.tenant = :tenant AND c.id = b.case_id
ORDER BY due_at, case_id{by_signs}, name{by_signs}
"""
BY_SIGNS = ' COLLATE "C"'
"""Equal instants in the order of Python and SQLite, whatever language a PostgreSQL sorts by."""


def worklist(runner: Runner, tenant: str, question: WorkQuestion) -> list[WorkItem]:
    items = [
        _item(runner.form, question, row)
        for statement, values in work_statements(runner.form, runner.postgres, tenant, question)
        for row in runner.rows(statement, **values)
    ]
    items.sort(key=lambda item: (item.due_at, item.case, item.deadline))
    return items[: question.limit]


def work_statements(form: Form, postgres: bool, tenant: str, question: WorkQuestion) -> Iterator[Statement]:
    by_signs = BY_SIGNS if postgres else ""
    bounds, common = "", {"tenant": tenant, "limit": question.limit}
    if question.until is not None:
        bounds += " AND d.due_at <= :until"
        common["until"] = form.put(question.until)
    if question.after is not None:
        place = f"(d.due_at, d.case_id{by_signs}, d.name{by_signs})"
        bounds += f" AND {place} > (:after_due, :after_case, :after_name)"
        due_at, case, name = question.after
        common |= {"after_due": form.put(due_at), "after_case": case, "after_name": name}
    limits = [(workflow, name) for workflow, names in question.limits.items() for name in names]
    for part in _parts(limits, postgres):
        owed, values = _for_each(_OWED.format(bounds=bounds, by_signs=by_signs), part, postgres)
        yield _WORK.format(owed=owed, by_signs=by_signs), common | values


def _item(form: Form, question: WorkQuestion, row: Sequence[Any]) -> WorkItem:
    due, case, name, workflow, status, target, provisional, state, parent, root = row
    limit = question.limits[workflow][name]
    due_at = form.known(due)
    return WorkItem(
        case=case,
        workflow=workflow,
        state=state,
        stage=stage_of(question.plans[workflow], state),
        parent=parent,
        root=root,
        deadline=name,
        label=limit.label,
        owner=limit.owner,
        due_at=due_at,
        target_at=form.take(target),
        status=status,
        provisional=bool(provisional),
        overdue=due_at <= question.at,
    )


# ------------------------------------------------------------------ cases

_CASE = "c.position, c.id, c.workflow, c.state, c.parent, c.root, c.opened_at, c.moved_at"
# Only an index that has the tenant before the position has this order. A planner that could take the order of
# the table itself would look for a rare state through all other cases.
_OURS = "(c.tenant, c.position) < (:tenant, :before) AND c.tenant >= :tenant"
_NEWEST = "ORDER BY c.tenant DESC, c.position DESC LIMIT :limit"
_IN_STATE = f"""
SELECT {_CASE} FROM renoflow_cases c WHERE c.workflow = {{0}} AND c.state = {{1}} AND {_OURS} {_NEWEST}
"""
_BEGINS = f"x.name = '{WORDS}' AND x.value >= :words AND x.value < :words_end"
_WITH_WORDS = f" AND EXISTS (SELECT 1 FROM renoflow_terms x WHERE x.position = c.position AND {_BEGINS})"
_WITH_TERM = """EXISTS (SELECT 1 FROM renoflow_terms x
WHERE x.position = c.position AND x.name = :{0}_name AND x.value = :{0}_value)"""


def search(runner: Runner, tenant: str, question: CaseQuestion) -> list[PlacedCase]:
    rows = [
        row
        for statement, values in case_statements(runner.postgres, tenant, question)
        for row in runner.rows(statement, **values)
    ]
    rows.sort(key=lambda row: int(row[0]), reverse=True)
    plans = {kind.plan.id: kind.plan for kind in question.kinds}
    return [_placed(runner.form, plans[row[2]], row) for row in rows[: question.limit]]


def case_statements(postgres: bool, tenant: str, question: CaseQuestion) -> Iterator[Statement]:
    """Led by what leaves the fewest: the parent, a fact, the words, else the states."""
    values: Values = {"tenant": tenant, "before": question.before, "limit": question.limit}
    also = ""
    if question.words:
        values |= {"words": question.words, "words_end": question.words + END}
        also = _WITH_WORDS
    if not question.kinds:
        return
    if question.parent:
        values["parent"] = question.parent
        of_kinds = _of_kinds(question.kinds, values)
        where = f"c.parent = :parent AND c.parent <> '' AND {_OURS} AND {of_kinds}{also}"
        yield f"SELECT {_CASE} FROM renoflow_cases c WHERE {where} {_NEWEST}", values
    elif question.kinds[0].terms:
        yield from (_by_fact(kind, dict(values), also) for kind in question.kinds)
    elif question.words:
        yield _by_words(question.kinds, values)
    else:
        yield from _by_state(question.kinds, values, postgres)


def _by_fact(kind: Kind, values: Values, also: str) -> Statement:
    """The term with the longest value leads; it is seldom a yes or no."""
    (name, value), *rest = sorted(kind.terms, key=lambda term: len(term[1]), reverse=True)
    values |= {"lead_name": name, "lead_value": value}
    conditions = _of_kind(Kind(plan=kind.plan, states=kind.states, terms=tuple(rest)), "k", values)
    # SQLite takes the tables of a CROSS JOIN in their order.
    return (
        f"SELECT {_CASE} FROM renoflow_terms t CROSS JOIN renoflow_cases c "
        "WHERE t.name = :lead_name AND t.value = :lead_value AND t.tenant = :tenant AND t.position < :before "
        f"AND c.position = t.position AND c.tenant = :tenant AND {conditions}{also} "
        "ORDER BY t.position DESC LIMIT :limit"
    ), values


def _by_words(kinds: Sequence[Kind], values: Values) -> Statement:
    return (
        f"SELECT {_CASE} FROM (SELECT DISTINCT x.position FROM renoflow_terms x "
        f"WHERE {_BEGINS} AND x.tenant = :tenant AND x.position < :before) AS found "
        f"CROSS JOIN renoflow_cases c WHERE c.position = found.position AND {_of_kinds(kinds, values)} "
        "ORDER BY c.position DESC LIMIT :limit"
    ), values


def _by_state(kinds: Sequence[Kind], values: Values, postgres: bool) -> Iterator[Statement]:
    pairs = [(kind.plan.id, state) for kind in kinds for state in kind.states or kind.plan.definition.states]
    for part in _parts(pairs, postgres):
        cases, pair_values = _for_each(_IN_STATE, part, postgres)
        yield f"SELECT a.* FROM {cases} ORDER BY a.position DESC LIMIT :limit", values | pair_values


def _of_kinds(kinds: Sequence[Kind], values: Values) -> str:
    """A condition for cases that something else has led to."""
    each = (_of_kind(kind, f"k{n}", values) for n, kind in enumerate(kinds))
    return f"({' OR '.join(f'({one})' for one in each)})"


def _of_kind(kind: Kind, mark: str, values: Values) -> str:
    values[f"{mark}_workflow"] = kind.plan.id
    conditions = [f"c.workflow = :{mark}_workflow"]
    if kind.states is not None:
        values |= {f"{mark}_state_{n}": state for n, state in enumerate(kind.states)}
        conditions.append(f"c.state IN ({', '.join(f':{mark}_state_{n}' for n in range(len(kind.states)))})")
    for n, (name, value) in enumerate(kind.terms):
        values |= {f"{mark}_{n}_name": name, f"{mark}_{n}_value": value}
        conditions.append(_WITH_TERM.format(f"{mark}_{n}"))
    return " AND ".join(conditions)


def _placed(form: Form, plan: Plan, row: Sequence[Any]) -> PlacedCase:
    position, case, workflow, state, parent, root, opened_at, moved_at = row
    return position, CaseSummary(
        id=case,
        workflow=workflow,
        state=state,
        stage=stage_of(plan, state),
        label=plan.state_labels.get(state, Label(state, state)),
        parent=parent,
        root=root,
        opened_at=form.known(opened_at),
        moved_at=form.known(moved_at),
    )


# ------------------------------------------------------------------ breaches

_COUNT = """
SELECT c.workflow, h.event, count(*), count(DISTINCT h.case_id)
FROM renoflow_history h JOIN renoflow_cases c ON c.tenant = h.tenant AND c.id = h.case_id
WHERE substr(h.event, length(h.event) - 8) = '.breached' AND h.event IN ({events}) AND h.tenant = :tenant
AND h.happened_at > :since AND h.happened_at <= :until
GROUP BY c.workflow, h.event
"""


def breaches(runner: Runner, tenant: str, question: BreachQuestion) -> Breaches:
    statement, values = breach_statement(runner.form, tenant, question)
    found: dict[Pair, tuple[int, int]] = {}
    for workflow, event, count, cases in runner.rows(statement, **values):
        name = event.removeprefix("deadline.").removesuffix(".breached")
        if name in question.limits.get(workflow, ()):
            found[workflow, name] = (count, cases)
    return found


def breach_statement(form: Form, tenant: str, question: BreachQuestion) -> Statement:
    names = sorted({name for limits in question.limits.values() for name in limits})
    events: Values = {f"event_{n}": f"deadline.{name}.breached" for n, name in enumerate(names)}
    span = {"since": form.put(question.since), "until": form.put(question.until)}
    marks = ", ".join(f":{mark}" for mark in events) or "''"
    return _COUNT.format(events=marks), {"tenant": tenant, **span, **events}


# ------------------------------------------------------------------ cases kept under another file

# There are none, as a rule, which no planner expects: the order lets it begin nowhere but in the index.
_OUTDATED = """
SELECT c.id FROM (
  SELECT t.position FROM renoflow_terms t
  WHERE t.name = :name AND t.value {sign} :value AND t.tenant = :tenant
  ORDER BY t.value, t.tenant, t.position LIMIT :limit
) AS found JOIN renoflow_cases c ON c.position = found.position
"""


def outdated(runner: Runner, tenant: str, layouts: Iterable[Term], limit: int) -> list[tuple[str, Term]]:
    """Cases that are found by other facts than the present ones of their workflows, at most so many."""
    found: list[tuple[str, Term]] = []
    for layout in layouts:
        for statement, values in outdated_statements(tenant, layout, limit - len(found)):
            found += [(case, layout) for (case,) in runner.rows(statement, **values)]
            if len(found) >= limit:
                return found[:limit]
    return found


def outdated_statements(tenant: str, layout: Term, limit: int) -> Iterator[Statement]:
    name, value = layout
    for sign in "<>":
        yield _OUTDATED.format(sign=sign), {"tenant": tenant, "name": name, "value": value, "limit": limit}
