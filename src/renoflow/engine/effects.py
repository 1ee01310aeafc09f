"""What follows from an event or a happening: counts and facts set, and what is handed out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from renoflow.engine.deadlines import extended, put
from renoflow.engine.step import Step
from renoflow.records import NO_FACTS, Document, FactValue
from renoflow.workflow.clocks import as_length
from renoflow.workflow.plan import (
    EffectsPlan,
    GivenPlan,
    KeyPlan,
    OpeningPlan,
    PeerPlan,
    ReactionPlan,
    TellingPlan,
)


def change_facts(step: Step, effects: EffectsPlan) -> Mapping[str, FactValue]:
    """Counts first, then what is set; returns what was derived. An unknown value leaves its target alone."""
    if not effects.adds and not effects.sets:
        return NO_FACTS
    facts: dict[str, FactValue] = dict(step.facts)
    for name, amount, ceiling in effects.adds:
        total = int(facts.get(name, 0)) + int(amount(step) or 0)  # type: ignore[arg-type]
        facts[name] = total if ceiling is None else min(total, ceiling)
    step.facts = facts
    for name, plan, value in effects.sets:
        found = value(step)
        if found is not None:
            facts[name] = plan.keep(found)
    return {name: facts[name] for name in effects.touched if name in facts}


def hand_out(step: Step, effects: EffectsPlan, about: str) -> None:
    """Notices, openings, tellings, requests and extensions, in this order."""
    for notice in effects.notifies:
        if notice.when is None or notice.when(step):
            role = notice.role if isinstance(notice.role, str) else notice.role(step)
            if role:
                step.effect(
                    "notify", str(role), about, NO_FACTS if notice.why is None else {"why": notice.why}
                )
    for extension in effects.extends:
        clock = step.deadlines.get(extension.clock)
        if clock is None or clock.status not in ("running", "paused"):
            continue
        length = as_length(extension.by(step))
        if length is not None and length.count and (extension.when is None or extension.when(step)):
            sign = extension.sign
            plan = step.plan.clocks[extension.clock]
            put(step, extension.clock, extended(step, plan, clock, length, sign, about, ""))
    for opening in effects.opens:
        if opening.when is None or opening.when(step):
            if isinstance(opening, PeerPlan):
                _open_peer(step, opening, about)
            else:
                _open(step, opening, about)
    for telling in effects.tells:
        if telling.when is None or telling.when(step):
            _tell(step, telling, about)
    for asking in effects.asks:
        if asking.when is None or asking.when(step):
            data = {} if asking.amount is None else {"amount": asking.amount(step)}
            step.effect("ask", asking.host, about, data)


def react(step: Step, reactions: tuple[ReactionPlan, ...], about: str) -> None:
    for reaction in reactions:
        if reaction.when is None or reaction.when(step):
            change_facts(step, reaction.effects)
            hand_out(step, reaction.effects, about)


def _known(step: Step, given: GivenPlan) -> dict[str, Any]:
    if given.ready is not None:
        return {**given.ready}
    values = [(name, get(step)) for name, get in given.facts]
    return {name: value for name, value in values if value is not None}


def _open(step: Step, opening: OpeningPlan, about: str) -> None:
    """One child per row; its id is the parent's, the kind and a number that nobody has yet."""
    name = opening.child
    number = step.opened.get(name, 0)
    if opening.once and number:
        return
    shared = _known(step, opening.facts)
    taken = step.children.get(name, NO_FACTS)
    stem = f"{step.before.id}/{name}-"
    for row in opening.each:
        number += 1
        while (case := f"{stem}{number}") in taken:
            number += 1
        data = {"case": case, "child": name, "reason": opening.reason, "facts": {**shared, **row}}
        step.effect("open", opening.workflow, about, data)
    step.opened = {**step.opened, name: number}


def _open_peer(step: Step, peer: PeerPlan, about: str) -> None:
    """A case under the name of a link, unless one stands there that has not ended; the second one that is
    opened there has a number."""
    there = step.links.get(peer.link)
    if there is not None and not there.ended:
        return
    counted = f"link.{peer.link}"
    number = step.opened.get(counted, 0) + 1
    case = f"{step.before.id}/{peer.link}" if number == 1 else f"{step.before.id}/{peer.link}-{number}"
    data = {"case": case, "link": peer.link, "facts": _known(step, peer.facts)}
    step.effect("open", peer.workflow, about, data)
    step.opened = {**step.opened, counted: number}


def _tell(step: Step, telling: TellingPlan, about: str) -> None:
    """An event or facts for the linked case, for the one that a key finds, or for every open child."""
    facts = _known(step, telling.facts)
    if telling.event is None and not facts:
        return
    data = {
        "event": telling.event,
        "facts": facts,
        "documents": tuple(
            Document(name, step.documents[name].signatures)
            for name in telling.documents
            if name in step.documents
        ),
    }
    if telling.key is not None:
        case = _keyed(step, telling.key)
        if case:
            opening = {"workflow": telling.key.workflow, "facts": _known(step, telling.key.facts)}
            step.effect("tell", case, about, {**data, "opening": opening})
    elif telling.relation == "link":
        linked = step.links.get(telling.name)
        # Without such a case the host is told, under the workflow's name.
        step.effect("tell", linked.case if linked else step.plan.links[telling.name], about, data)
    else:
        for child in step.children.get(telling.name, {}).values():
            if not child.ended:
                step.effect("tell", child.case, about, data)


def _keyed(step: Step, key: KeyPlan) -> str:
    """The id of the case that a key finds; empty while a part of the key is not known."""
    parts = [part(step) for part in key.parts]
    if None in parts:
        return ""
    # A slash inside a part would make two keys one.
    return "/".join((key.workflow, *(str(part).replace("%", "%25").replace("/", "%2F") for part in parts)))
