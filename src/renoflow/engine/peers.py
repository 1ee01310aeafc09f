"""Peers: cases that are tied to each other without one belonging to the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from renoflow.engine.linked import concerns
from renoflow.records import Case, LinkedCase, Reason, Told
from renoflow.workflow.plan import Plan


def related(case: Case) -> tuple[str, ...]:
    """The ids of the cases that this one knows of or is known by: its parent, its peers. Children are left
    out."""
    if not (case.parent or case.links or case.followers):
        return ()
    links = (linked.case for linked in case.links.values())
    return tuple(dict.fromkeys((*([case.parent] if case.parent else ()), *links, *case.followers)))


def standing(plan: Plan, case: Case, name: str, *, opened: bool = False) -> Told:
    """How a case stands, for one that links it under `name`; `opened` where the two are being tied."""
    return Told(
        relation="link",
        name=name,
        case=case.id,
        workflow=case.workflow,
        event="",
        state=case.state,
        ended=case.state in plan.finals,
        opened=opened,
    )


def telling(teller: Case, listener: Case, plan: Plan, facts: Mapping[str, Any]) -> Told:
    """Facts for a case whose plan is given: from its child, or from a case that it links."""
    child = teller.parent == listener.id and bool(teller.known_as)
    names = plan.link_names(teller.workflow)
    tied = [name for name in names if name in listener.links and listener.links[name].case == teller.id]
    return Told(
        relation="child" if child else "link",
        name=teller.known_as if child else (*tied, *names)[0],
        case=teller.id,
        workflow=teller.workflow,
        event="",
        state="",
        ended=False,
        facts=facts,
    )


def names_told(teller: Plan, listener: Plan, before: Case | None, after: Case, peer: Case) -> Iterator[str]:
    """The names under which a peer has to be told of a move: its file reads it, or the case ended by it."""
    if before is None or before.state == after.state:
        return
    ended = (before.state in teller.finals) != (after.state in teller.finals)
    for name in listener.names_of(after.workflow):
        tied = peer.links.get(name)
        if tied is not None and tied.case == after.id and (ended or concerns(listener, name, before, after)):
            yield name


def is_tied(plan: Plan, case: Case, name: str, other: str) -> bool:
    """Whether a case has the other under that name, or is followed by it without having one for it."""
    if name not in plan.links:
        return other in case.followers
    linked = case.links.get(name)
    return linked is not None and linked.case == other


def is_replaced(plan: Plan, case: Case, teller: Case) -> bool:
    """Whether another case has taken the teller's place here: it goes on hearing, but is not heard."""
    known = any(linked.case == teller.id for linked in case.links.values())
    return teller.id in case.followers and not known and bool(plan.names_of(teller.workflow))


def objections(
    plan: Plan, case: Case | None, name: str, other_plan: Plan, other: Case | None
) -> list[Reason]:
    """Why two cases cannot be tied, the second under `name`; one that is not open yet is None. A name is
    taken while the case under it has not ended, and a parent's always."""
    if plan.links.get(name) != other_plan.id:
        values = {"wanted": plan.links.get(name, ""), "found": "" if other is None else other.id,
                  "kind": other_plan.label}  # fmt: skip
        return [Reason(code="link_unfit", subject=name, values=values)]
    found = [] if case is None else list(_taken(case, name, None if other is None else other.id))
    for back in other_plan.names_of(plan.id) if other is not None else ():
        found += _taken(other, back, None if case is None else case.id) if other is not None else ()
    return found


def _taken(holder: Case, name: str, wanted: str | None) -> Iterator[Reason]:
    there: LinkedCase | None = holder.links.get(name)
    if there is None or there.case == wanted or (there.ended and there.case != holder.parent):
        return
    yield Reason(code="link_taken", subject=name, values={"case": holder.id, "found": there.case})
