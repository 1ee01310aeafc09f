"""Personal values removed from every table that may hold them, in the transaction that writes so down."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from msgspec.structs import replace

from renoflow.engine.codec import to_json
from renoflow.engine.redaction import (
    effect_without,
    heard_without,
    is_redaction,
    reason_without,
    text_without,
)
from renoflow.store import statements as sql
from renoflow.store.chain import without
from renoflow.store.reading import answer_from, answer_to_json, effect_from
from renoflow.store.rows import Row
from renoflow.store.runner import Runner
from renoflow.store.tagged import effect_to_json


def redact(
    runner: Runner, tenant: str, family: Iterable[Row], case_id: str, names: frozenset[str], notes: bool
) -> None:
    """From the histories and snapshots of the family, and from the outbox and the answers of the case."""
    rows = {row.case.id: row for row in family}
    values = _clear_histories(runner, tenant, rows[case_id].root, case_id, names, notes)
    for row in rows.values():
        cleared = heard_without(row.case, case_id, names)
        if cleared is not row.case:
            runner.run(sql.SET_SNAPSHOT, position=row.position, snapshot=to_json(cleared).decode())
    for position, failure in runner.rows(sql.FAILURES, tenant=tenant, root=rows[case_id].root):
        runner.run(sql.SET_FAILURE, position=position, failure=text_without(failure, values))
    for key, text, failure in runner.rows(sql.CASE_EFFECTS, tenant=tenant, id=case_id):
        effect = effect_without(effect_from(case_id, key, text), names, values)
        runner.run(
            sql.SET_EFFECT,
            tenant=tenant,
            id=case_id,
            key=key,
            effect=effect_to_json(effect),
            recipient=effect.to,
            failure=text_without(failure, values),
        )
    for key, *said in runner.rows(sql.CASE_KEYS, tenant=tenant, id=case_id):
        answer = answer_from(runner.form, case_id, key, said)
        reasons = tuple(reason_without(reason, names, values) for reason in answer.reasons)
        text = answer_to_json(replace(answer, reasons=reasons))
        runner.run(sql.SET_ANSWER, tenant=tenant, id=case_id, key=key, answer=text)


def _clear_histories(
    runner: Runner, tenant: str, root: str, case_id: str, names: frozenset[str], notes: bool
) -> frozenset[str]:
    """Returns the texts that these facts ever were."""
    texts: set[str] = set()
    for teller, number, event, body, personal in runner.rows(sql.PERSONAL, tenant=tenant, root=root):
        wanted = _places(teller, event, body, case_id, names, notes)
        for place, (_, value) in msgspec.json.decode(personal).items():
            if wanted(place) and place != "note" and isinstance(value, str):
                texts.add(value)
        left = without(personal, wanted)
        if left != personal:
            runner.run(sql.SET_PERSONAL, tenant=tenant, id=teller, number=number, personal=left)
    return frozenset(texts)


def _places(
    owner: str, event: str, body: str, case_id: str, names: frozenset[str], notes: bool
) -> Callable[[str], bool]:
    """Which of what lies apart of a line goes: the case's own facts, and what others were told of them."""
    told: Any = msgspec.json.decode(body).get("told") or {}
    ours = owner == case_id
    heard = told.get("case") == case_id or (ours and told.get("relation") == "link")
    gone = {f"{part}.{name}" for part in ("facts", "derived") for name in names} if ours else set()
    gone |= {f"told.facts.{name}" for name in names} if heard else set()
    if ours and notes and not is_redaction(event):
        gone.add("note")
    return gone.__contains__
