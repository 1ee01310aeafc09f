"""Conditions: every name in a leaf, and whether what it compares can be compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from renoflow.definition.model import (
    ActorNotLeaf,
    ActorRoleLeaf,
    ActorSameLeaf,
    AllOf,
    AnyOf,
    ChildrenLeaf,
    ConditionNode,
    DeadlineLeaf,
    DocumentLeaf,
    FactLeaf,
    HappenedLeaf,
    LinkedLeaf,
    NotOf,
    PaidLeaf,
    ParameterLeaf,
    StateLeaf,
)
from renoflow.values import parse_duration
from renoflow.workflow.inspection import MARKS, Inspection
from renoflow.workflow.kinds import ACTOR, DATE, MONEY, ORDERED, WHOLE, Kind, look_of, misfit

COMPARISONS = ("at_least", "at_most", "above", "below")
_TESTS = ("equals", "not_equals", "in_", "known", "includes", "days_from_now_at_least")


def check_conditions(inspection: Inspection) -> None:
    """The declared conditions. Those that stand in line are checked where they stand."""
    for name, condition in inspection.definition.conditions.items():
        path = f"conditions.{name}"
        check_node(inspection, condition, path)
        fact = inspection.definition.facts.get(name)
        if fact is not None and fact.type == "yes_no":
            inspection.fault(
                path,
                f"{name!r} is a yes_no fact too, so the name would mean two things",
                "remove this condition if it only asks for the fact, or rename it",
            )


def check_node(inspection: Inspection, node: ConditionNode, path: str) -> None:
    """A condition in line or by name, with everything below it."""
    if isinstance(node, str):
        inspection.condition(node, path)
    elif isinstance(node, (AllOf, AnyOf)):
        key, parts = ("all", node.all) if isinstance(node, AllOf) else ("any", node.any)
        for number, part in enumerate(parts):
            check_node(inspection, part, f"{path}.{key}[{number}]")
    elif isinstance(node, NotOf):
        check_node(inspection, node.not_, f"{path}.not")
    else:
        leaf = _LEAVES.get(type(node))
        if leaf is not None:
            leaf(inspection, node, path)


# ------------------------------------------------------------------ facts


def _fact(inspection: Inspection, leaf: FactLeaf, path: str) -> None:
    tests = [name for name in (*_TESTS, *COMPARISONS) if getattr(leaf, name) is not None]
    kind = inspection.fact_kind(leaf.fact, f"{path}.fact")
    for name in tests:
        if kind is not None:
            _fact_test(inspection, leaf, name, kind, f"{path}.{name.rstrip('_')}")
        elif name in ("equals", "not_equals", *COMPARISONS):
            # Looked up all the same, so that the first fault does not hide a second.
            inspection.kind(getattr(leaf, name), f"{path}.{name}")


def _fact_test(inspection: Inspection, leaf: FactLeaf, test: str, kind: Kind, path: str) -> None:
    value = getattr(leaf, test)
    what = f"{'amount' if leaf.fact in inspection.definition.amounts else 'fact'} {leaf.fact!r}"
    if test in COMPARISONS:
        if kind.type not in ORDERED:
            inspection.fault(path, f"{what} is {kind}, which has no order", "use equals, in or known")
        else:
            inspection.compared(value, kind, path, what)
    elif test in ("equals", "not_equals"):
        if kind.type in ("set", "texts"):
            inspection.fault(path, f"{what} is a list", "use includes, or known")
        else:
            inspection.compared(value, kind, path, what)
    elif test == "in_":
        inspection.no_repeats([str(item) for item in value], path)
        for number, item in enumerate(value):
            inspection.compared(item, kind, f"{path}[{number}]", what)
    elif test == "known":
        fact = inspection.definition.facts.get(leaf.fact)
        if fact is not None and fact.type == "count":
            inspection.fault(path, f"{what} is a count, always known: it starts at 0", "use equals = 0")
    elif test == "includes":
        if kind.type != "set":
            inspection.fault(path, f"{what} is {kind}, not a set", "use equals or in")
        for number, item in enumerate(value if kind.type == "set" else ()):
            inspection.put(item, Kind("enum", kind.keys), f"{path}[{number}]", what)
    elif test == "days_from_now_at_least":
        if kind != DATE:
            inspection.fault(path, f"{what} is {kind}; days are counted to a date", "use a fact of type date")
        _whole_number(inspection, value, path)


def _whole_number(inspection: Inspection, value: Any, path: str) -> None:
    inspection.put(value, WHOLE, path, "a number of days")


# ------------------------------------------------------------------ the other leaves


def _document(inspection: Inspection, leaf: DocumentLeaf, path: str) -> None:
    known = inspection.known("documents", leaf.document, f"{path}.document")
    if known and leaf.signed is not None and not inspection.definition.documents[leaf.document].signers:
        inspection.fault(
            f"{path}.signed",
            f"nobody signs document {leaf.document!r}",
            "give the document signers, or ask for present = true",
        )


def _deadline(inspection: Inspection, leaf: DeadlineLeaf, path: str) -> None:
    rule = inspection.deadline(leaf.deadline, f"{path}.deadline")
    if leaf.passed_more_than is not None:
        length(inspection, leaf.passed_more_than, f"{path}.passed_more_than")
    inspection.no_repeats(leaf.status or (), f"{path}.status")
    for number, status in enumerate(leaf.status or ()):
        if rule is not None:
            _status_of_kind(inspection, rule, status, f"{path}.status[{number}]")


def _status_of_kind(inspection: Inspection, rule: str, status: str, path: str) -> None:
    kind = inspection.definition.deadlines[rule].kind
    mine = MARKS[kind]
    strange = {*MARKS.values(), "met_late"} - {mine}
    if status in strange and not (status == "met_late" and kind == "limit"):
        inspection.fault(path, f"{rule!r} is a {kind}, which is never {status!r}", f"did you mean {mine!r}?")
    elif status == mine:
        inspection.used.add(("passing", rule))


def length(inspection: Inspection, text: str, path: str) -> float | None:
    """A literal duration or a `$parameter` that holds one: its rough length in days."""
    value = inspection.kind(text, path) if not text.startswith("@") else text
    if value is None or isinstance(value, Kind):
        return None
    if isinstance(value, str) and value.startswith("@"):
        inspection.fault(path, f"{value!r} cannot stand here", "write a duration or a $parameter")
        return None
    try:
        return parse_duration(value).rough_days
    except ValueError as error:
        by = f"parameter {text!r}: " if text.startswith("$") else ""
        inspection.fault(path, f"{by}{error}")
        return None


def _paid(inspection: Inspection, leaf: PaidLeaf, path: str) -> None:
    inspection.known("payments", leaf.paid, f"{path}.paid")
    if leaf.at_least is not None:
        inspection.compared(leaf.at_least, MONEY, f"{path}.at_least", f"the payment {leaf.paid!r}")


def _children(inspection: Inspection, leaf: ChildrenLeaf, path: str) -> None:
    inspection.known("children", leaf.children, f"{path}.children")
    inspection.no_repeats(leaf.state or (), f"{path}.state")
    if leaf.state is not None and leaf.ended is not None:
        inspection.fault(path, "the leaf asks for both state and ended", "give one of them")
    for key, values in leaf.where.items():
        if not values:
            inspection.fault(f"{path}.where.{key}", "no value is listed", f"write {key} = [<value>]")


def _happened(inspection: Inspection, leaf: HappenedLeaf, path: str) -> None:
    inspection.happenings(leaf.happened, f"{path}.happened")
    for number, happening in enumerate(leaf.happened):
        _is_kept(inspection, happening, f"{path}.happened[{number}]")
    if leaf.passed_more_than is not None:
        length(inspection, leaf.passed_more_than, f"{path}.passed_more_than")
    if leaf.since is not None:
        _since(inspection, leaf.since, f"{path}.since")


def _is_kept(inspection: Inspection, happening: str, path: str) -> None:
    """A case keeps when events and marks were; entries of states and patterns it does not."""
    if happening.startswith("state."):
        inspection.fault(path, f"{happening!r} is not kept", "name the events that lead there")
    elif ".*." in happening:
        inspection.fault(path, f"{happening!r} means many clocks", "name them one by one")


def _since(inspection: Inspection, since: str, path: str) -> None:
    if since == "state.entered":
        return
    if since.startswith("event."):
        inspection.happening(since.removeprefix("event."), path)
        _is_kept(inspection, since.removeprefix("event."), path)
        return
    name, _, moment = since.removeprefix("deadline.").rpartition(".")
    if not since.startswith("deadline.") or moment not in ("started", "breached"):
        inspection.fault(
            path,
            f"{since!r} is no beginning",
            "allowed are state.entered, event.<event>, deadline.<deadline>.started and .breached",
        )
        return
    rule = inspection.deadline(name, path)
    parts = () if rule is None else inspection.definition.deadlines[rule].parts
    if parts and ("." not in name or "*" in name):
        inspection.fault(path, f"{rule!r} has parts, each with its own start", "name one part")


def _people(inspection: Inspection, references: tuple[str, ...], path: str) -> None:
    inspection.no_repeats(references, path)
    for number, reference in enumerate(references):
        place = f"{path}[{number}]"
        if reference.startswith("event."):
            inspection.known("events", reference.removeprefix("event."), place)
        elif reference.startswith("@"):
            kind = inspection.fact_kind(reference[1:], place)
            if kind is not None and kind != ACTOR:
                inspection.fault(place, f"{reference!r} is {kind}, not a person", "use a fact of type actor")
        else:
            inspection.fault(
                place, f"{reference!r} names nobody", "write event.<event> or @<fact of type actor>"
            )


def _parameter(inspection: Inspection, leaf: ParameterLeaf, path: str) -> None:
    bounds = {key: getattr(leaf, key) for key in ("equals", "at_least", "at_most")}
    given = {key: value for key, value in bounds.items() if value is not None}
    if not inspection.known("parameters", leaf.parameter, f"{path}.parameter"):
        return
    value = inspection.definition.parameters[leaf.parameter].value
    look = look_of(value)
    for key, bound in given.items():
        # A parameter that is a name may be set to any other name.
        wrong = misfit(Kind("text" if look == "name" else look), bound)
        if wrong or (key != "equals" and look not in ORDERED):
            reason = wrong or f"{look} has no order"
            inspection.fault(f"{path}.{key}", f"{reason}; parameter {leaf.parameter!r} is {value!r}")


def _linked(inspection: Inspection, leaf: LinkedLeaf, path: str) -> None:
    if inspection.known("links", leaf.linked, f"{path}.linked"):
        inspection.followed(leaf.linked, f"{path}.linked")
    if leaf.exists is False and (leaf.state is not None or leaf.state_not is not None):
        inspection.fault(path, "a case that is not there has no state", "drop state, or exists = false")


def _state(inspection: Inspection, leaf: StateLeaf, path: str) -> None:
    inspection.each_known("states", leaf.state, f"{path}.state")


_LEAVES: Mapping[type, Callable[[Inspection, Any, str], None]] = {
    FactLeaf: _fact,
    DocumentLeaf: _document,
    DeadlineLeaf: _deadline,
    PaidLeaf: _paid,
    ChildrenLeaf: _children,
    HappenedLeaf: _happened,
    ActorNotLeaf: lambda inspection, leaf, path: _people(inspection, leaf.actor_not, f"{path}.actor_not"),
    ActorSameLeaf: lambda inspection, leaf, path: _people(inspection, leaf.actor_same, f"{path}.actor_same"),
    ActorRoleLeaf: lambda inspection, leaf, path: inspection.roles(leaf.actor_role, f"{path}.actor_role"),
    ParameterLeaf: _parameter,
    LinkedLeaf: _linked,
    StateLeaf: _state,
}
