"""What a file does: its events, reactions and invariants, and every effect of theirs."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from renoflow.definition.model import (
    ActorNotLeaf,
    ActorRoleLeaf,
    ActorSameLeaf,
    ConditionNode,
    EffectsDefinition,
    EventDefinition,
    Extension,
    Notice,
    Scalar,
    Telling,
    walk_condition,
)
from renoflow.values import SYSTEM, parse_duration
from renoflow.workflow.checks_conditions import check_node
from renoflow.workflow.checks_data import read_of_child
from renoflow.workflow.inspection import Inspection, near
from renoflow.workflow.kinds import DURATION, MONEY, WHOLE, Kind, kind_of_fact, misfit

START, SAME, HISTORY = "@start", "@same", "@history"


def check_doings(inspection: Inspection) -> None:
    """The events, what follows from happenings, and what must always hold."""
    for name, event in inspection.definition.events.items():
        _check_event(inspection, name, event, f"events.{name}")
    for number, reaction in enumerate(inspection.definition.reactions):
        path = f"reactions[{number}]"
        inspection.happenings(reaction.on, f"{path}.on")
        inspection.condition(reaction.when, f"{path}.when")
        check_doing(inspection, reaction, path, tellers=_tellers(reaction.on))
    for name, invariant in inspection.definition.invariants.items():
        path = f"invariants.{name}.always"
        inspection.each_known("states", invariant.always.state, f"{path}.state")
        inspection.condition(invariant.always.when, f"{path}.when")
        check_node(inspection, invariant.always.implies, f"{path}.implies")
        for node, key in ((invariant.always.implies, "implies"), (invariant.always.when, "when")):
            if node is not None and _asks_who(inspection, node, set()):
                inspection.fault(
                    f"{path}.{key}",
                    "an invariant asks who acts, which only a guard can know",
                    "ask for what he left behind: a signed document, or a fact",
                )


def _asks_who(inspection: Inspection, node: ConditionNode, seen: set[str]) -> bool:
    for part in walk_condition(node):
        if isinstance(part, (ActorNotLeaf, ActorSameLeaf, ActorRoleLeaf)):
            return True
        named = inspection.definition.conditions.get(part) if isinstance(part, str) else None
        if isinstance(part, str) and named is not None and part not in seen:
            seen.add(part)
            if _asks_who(inspection, named, seen):
                return True
    return False


# ------------------------------------------------------------------ events


def _check_event(inspection: Inspection, name: str, event: EventDefinition, path: str) -> None:
    _check_ways(inspection, event, path)
    inspection.roles(event.by, f"{path}.by", parameters=True)
    for number, guard in enumerate(event.guards):
        check_node(inspection, guard, f"{path}.guards[{number}]")
    inspection.no_repeats([guard for guard in event.guards if isinstance(guard, str)], f"{path}.guards")
    _check_given(inspection, event, path)
    inspection.no_repeats([paper.id for paper in event.documents], f"{path}.documents")
    for number, paper in enumerate(event.documents):
        place = f"{path}.documents[{number}]"
        inspection.known("documents", paper.id, f"{place}.id")
        inspection.condition(paper.when, f"{place}.when")
        inspection.condition(paper.unsigned_when, f"{place}.unsigned_when")
        document = inspection.definition.documents.get(paper.id)
        if paper.unsigned_when is not None and document is not None and not document.signers:
            inspection.fault(
                f"{place}.unsigned_when",
                f"nobody signs {paper.id!r} anyway",
                "remove it, or give the document signers",
            )
    for payment, amount in event.payments.items():
        inspection.known("payments", payment, f"{path}.payments.{payment}")
        inspection.put(amount, MONEY, f"{path}.payments.{payment}", "a payment")
    inspection.happenings(event.fired_by, f"{path}.fired_by")
    if event.fired_by and SYSTEM not in event.by:
        inspection.fault(
            f"{path}.by",
            f"the event is fired by {event.fired_by[0]!r}, but {SYSTEM!r} may not do it",
            f'add "{SYSTEM}" to by',
        )
    if name in event.fired_by:
        inspection.fault(
            f"{path}.fired_by[{event.fired_by.index(name)}]", "the event fires itself", "remove it"
        )
    if event.fired_by and START in event.from_:
        inspection.fault(
            f"{path}.fired_by",
            "nothing happens in a case before it is open",
            "open it as a child, or leave fired_by out",
        )
    check_doing(inspection, event, path, tellers=_tellers(event.fired_by))


def _check_ways(inspection: Inspection, event: EventDefinition, path: str) -> None:
    """Where it leads from and to."""
    states = inspection.definition.states
    if START in event.from_:
        if event.from_ != (START,):
            inspection.fault(
                f"{path}.from",
                f"{START!r} stands beside other states",
                "make the opening an event of its own",
            )
        if event.to in (SAME, HISTORY):
            inspection.fault(f"{path}.to", f"an opening event cannot lead to {event.to!r}", "name a state")
    inspection.each_known("states", [s for s in event.from_ if s != START], f"{path}.from")
    if event.to == HISTORY:
        for number, state in enumerate(event.from_):
            if state in states and not states[state].remembers:
                inspection.fault(
                    f"{path}.from[{number}]",
                    f"{state!r} does not remember where it was entered from",
                    f"add remembers = true to states.{state}, or name the state to go to",
                )
    elif event.to != SAME and event.to not in states:
        known = (*states, SAME, HISTORY)
        inspection.fault(f"{path}.to", f"there is no state {event.to!r}", near(event.to, known))


def _check_given(inspection: Inspection, event: EventDefinition, path: str) -> None:
    facts = inspection.definition.facts
    inspection.each_known("facts", event.gives, f"{path}.gives")
    inspection.each_known("facts", event.may_give, f"{path}.may_give")
    for key, names in (("gives", event.gives), ("may_give", event.may_give)):
        for number, name in enumerate(names):
            place = f"{path}.{key}[{number}]"
            fact = facts.get(name)
            if key == "may_give" and name in event.gives:
                inspection.fault(place, f"{name!r} is among gives already", "remove it here")
            if fact is None:
                continue
            if fact.type == "count" or fact.set_by == "engine":
                what = "a count" if fact.type == "count" else "set by the engine"
                inspection.fault(
                    place,
                    f"{name!r} is {what}: it changes by adds and sets, and nobody gives it",
                    "remove it here, or change the fact",
                )
            elif key == "gives" and fact.told_by is not None:
                inspection.fault(
                    place,
                    f"{name!r} is told by {fact.told_by!r}, so no command can be made to bring it",
                    "move it to may_give, which holds while no such case is linked",
                )


# ------------------------------------------------------------------ effects


def _tellers(happenings: Collection[str]) -> tuple[str, ...]:
    """The children whose facts can be read, where every happening is a child's."""
    if not happenings or not all(happening.startswith("child.") for happening in happenings):
        return ()
    return tuple(dict.fromkeys(happening.split(".")[1] for happening in happenings))


def check_doing(
    inspection: Inspection, item: EffectsDefinition, path: str, *, tellers: tuple[str, ...] = ()
) -> None:
    """The effects of an event, of a happening, or of what was accumulated."""
    _check_sets(inspection, item.sets, f"{path}.sets", tellers)
    _check_adds(inspection, item.adds, f"{path}.adds", tellers)
    for number, notice in enumerate(item.notifies):
        _check_notice(inspection, notice, f"{path}.notifies[{number}]")
    for number, opening in enumerate(item.opens):
        place = f"{path}.opens[{number}]"
        inspection.condition(opening.when, f"{place}.when")
        if opening.child is not None:
            _check_opening(inspection, opening.child, place)
        if opening.link is not None and inspection.known("links", opening.link, f"{place}.link"):
            inspection.used.add(("opened", opening.link))
            inspection.followed(opening.link, f"{place}.link")
        for fact, value in opening.facts.items():
            inspection.kind(value, f"{place}.facts.{fact}")
    for number, telling in enumerate(item.tells):
        _check_telling(inspection, telling, f"{path}.tells[{number}]", tellers)
    for number, asking in enumerate(item.asks):
        place = f"{path}.asks[{number}]"
        inspection.condition(asking.when, f"{place}.when")
        if asking.amount is not None:
            inspection.put(asking.amount, MONEY, f"{place}.amount", "an amount to ask for")
    for number, extension in enumerate(item.extends):
        _check_extension(inspection, extension, f"{path}.extends[{number}]", tellers)


def _check_sets(
    inspection: Inspection, sets: Mapping[str, Scalar], path: str, tellers: tuple[str, ...]
) -> None:
    for name, value in sets.items():
        place = f"{path}.{name}"
        if not inspection.known("facts", name, place):
            _told(inspection, value, place, tellers)
            continue
        fact = inspection.definition.facts[name]
        kind = kind_of_fact(fact, inspection.definition.tables)
        if fact.told_by is not None:
            inspection.fault(
                place,
                f"{name!r} is told by {fact.told_by!r} and set by nobody else",
                "remove told_by, or do not set it",
            )
        if _told(inspection, value, place, tellers):
            continue
        inspection.put(value, kind, place, f"fact {name!r}")
        literal = inspection.kind(value, place)
        if literal is not None and not isinstance(literal, Kind) and not misfit(kind, literal):
            for key, breaks in (("at_least", -1), ("at_most", 1)):
                bound = getattr(fact, key)
                if type(literal) is int and type(bound) is int and (literal - bound) * breaks > 0:
                    inspection.fault(place, f"{literal} is not {key.replace('_', ' ')} {bound}")


def _check_adds(
    inspection: Inspection, adds: Mapping[str, Scalar], path: str, tellers: tuple[str, ...]
) -> None:
    for name, value in adds.items():
        place = f"{path}.{name}"
        if inspection.known("facts", name, place):
            fact = inspection.definition.facts[name]
            if fact.type != "count":
                inspection.fault(
                    place,
                    f"{name!r} is of type {fact.type}; only a count is added to",
                    "make it a count, or use sets",
                )
        if not _told(inspection, value, place, tellers):
            inspection.put(value, WHOLE, place, "what is added")


def _told(inspection: Inspection, value: Scalar, path: str, tellers: tuple[str, ...]) -> bool:
    """Whether it is an `@child.fact` that may stand here; its kind is known to the child's file only."""
    if not isinstance(value, str) or not value.startswith("@child.") or not tellers:
        return False
    for child in tellers:
        if child in inspection.definition.children:
            read_of_child(inspection, child, value.removeprefix("@child."), path)
    return True


def _check_notice(inspection: Inspection, notice: Notice, path: str) -> None:
    inspection.condition(notice.when, f"{path}.when")
    place = f"{path}.role"
    if not notice.role.startswith("@"):
        inspection.role(notice.role, place)
        return
    if "." not in notice.role:
        inspection.fault(place, f"{notice.role!r} is no role", "write a role, or @<fact>.<column of roles>")
        return
    kind = inspection.reference(notice.role, place)
    if kind is not None:
        for role in kind.keys or (str(kind),):
            inspection.role(role, place)


def _check_opening(inspection: Inspection, text: str, path: str) -> None:
    name, colon, reason = text.partition(":")
    if not inspection.known("children", name, f"{path}.child"):
        return
    reasons = inspection.definition.children[name].reasons
    if colon and reason not in reasons:
        inspection.fault(f"{path}.child", f"children.{name} has no reason {reason!r}", near(reason, reasons))
    elif reasons and not colon:
        inspection.fault(
            f"{path}.child",
            f"children.{name} is opened for a reason",
            f"write one of {', '.join(f'{name}:{each}' for each in reasons)}",
        )
    inspection.used.add(("reasons", f"{name}:{reason}"))


def _check_telling(inspection: Inspection, telling: Telling, path: str, tellers: tuple[str, ...]) -> None:
    inspection.condition(telling.when, f"{path}.when")
    if telling.link is not None and inspection.known("links", telling.link, f"{path}.link"):
        inspection.used.add(("told", telling.link))
    if telling.child is not None:
        inspection.known("children", telling.child, f"{path}.child")
    for fact, value in telling.facts.items():
        if not _told(inspection, value, f"{path}.facts.{fact}", tellers):
            inspection.kind(value, f"{path}.facts.{fact}")
    inspection.each_known("documents", telling.documents, f"{path}.documents")


def _check_extension(
    inspection: Inspection, extension: Extension, path: str, tellers: tuple[str, ...]
) -> None:
    inspection.condition(extension.when, f"{path}.when")
    rule = inspection.deadline(extension.deadline, f"{path}.deadline")
    if rule is not None and inspection.definition.deadlines[rule].parts and "." not in extension.deadline:
        inspection.fault(f"{path}.deadline", f"deadline {rule!r} has parts", "name the part to move")
    place = f"{path}.by"
    if _told(inspection, extension.by, place, tellers):
        return
    found = inspection.kind(extension.by, place)
    if isinstance(found, Kind):
        if found not in (WHOLE, DURATION, Kind("count")):
            inspection.fault(
                place,
                f"{extension.by!r} is {found}, not a length of time",
                "use a duration, or a whole number of days",
            )
    elif isinstance(found, str):
        try:
            parse_duration(found)
        except ValueError as error:
            inspection.fault(place, str(error))
    elif isinstance(found, bool):
        inspection.fault(
            place, f"{found} is not a length of time", "use a duration, or a whole number of days"
        )
