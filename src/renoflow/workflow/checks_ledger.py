"""The ledger of a file: what makes a line, and accumulations that can be met."""

from __future__ import annotations

from collections.abc import Iterable

from renoflow.definition.model import AccumulationDefinition, LedgerDefinition, Scalar
from renoflow.values import Duration, parse_duration
from renoflow.workflow.checks_doings import check_doing
from renoflow.workflow.inspection import Inspection, near
from renoflow.workflow.kinds import WHOLE, kind_of_fact

RUN_UNITS = ("day", "month", "year")


def check_ledger(inspection: Inspection) -> None:
    """`[ledger]` and every `[accumulations.A]`."""
    definition = inspection.definition
    ledger = definition.ledger
    if ledger is None:
        for name in definition.accumulations:
            inspection.fault(
                f"accumulations.{name}", "there is no ledger to count on", "add [ledger], or remove it"
            )
        return
    _check_lines(inspection, ledger)
    keeps = _length(inspection, ledger.keeps, "ledger.keeps", ("year",))
    for name, item in definition.accumulations.items():
        _check_accumulation(inspection, ledger, item, f"accumulations.{name}", keeps)


def _check_lines(inspection: Inspection, ledger: LedgerDefinition) -> None:
    types = {"entry": ("enum",), "dated_by": ("date",), "rule": ("enum", "text"), "source": ("enum", "text")}
    facts = inspection.definition.facts
    for key, allowed in types.items():
        name: str | None = getattr(ledger, key)
        if name is None or not inspection.known("facts", name, f"ledger.{key}"):
            continue
        if facts[name].type not in allowed:
            wanted = " or ".join(allowed)
            inspection.fault(
                f"ledger.{key}", f"{name!r} is of type {facts[name].type}; a line has {wanted} there"
            )
    for key in ("enters", "strikes"):
        for number, event in enumerate(getattr(ledger, key)):
            _check_entering(inspection, ledger, event, f"ledger.{key}[{number}]")
    for number, event in enumerate(ledger.strikes):
        if event in ledger.enters:
            inspection.fault(
                f"ledger.strikes[{number}]", f"{event!r} enters a line too", "let it do one of the two"
            )


def _check_entering(inspection: Inspection, ledger: LedgerDefinition, name: str, path: str) -> None:
    """An event that is about a line brings anew what the line is made of."""
    events = inspection.definition.events
    event = events.get(name)
    if event is None:
        inspection.fault(path, f"there is no event {name!r}", near(name, events))
        return
    for fact in (ledger.entry, ledger.dated_by):
        if fact not in event.gives and fact in inspection.definition.facts:
            inspection.fault(
                path,
                f"{name!r} does not bring {fact!r}, which a line needs",
                f"add it to events.{name}.gives",
            )
    if name in ledger.enters:
        for optional in (ledger.rule, ledger.source):
            if optional is not None and optional not in (*event.gives, *event.may_give):
                inspection.fault(
                    path,
                    f"{name!r} never brings {optional!r}, so no line has one",
                    f"add it to events.{name}.may_give",
                )


# ------------------------------------------------------------------ accumulations


def _check_accumulation(
    inspection: Inspection,
    ledger: LedgerDefinition,
    item: AccumulationDefinition,
    path: str,
    keeps: Duration | None,
) -> None:
    inspection.condition(item.when, f"{path}.when")
    _check_entries(inspection, ledger, item.counts, f"{path}.counts")
    _check_entries(inspection, ledger, item.none_of, f"{path}.none_of")
    for number, entry in enumerate(item.none_of):
        if entry in item.counts:
            inspection.fault(
                f"{path}.none_of[{number}]",
                f"{entry!r} is counted too, so this can never be met",
                "remove one",
            )
    _check_rules(inspection, ledger, item, path)
    _check_after(inspection, item, path)
    if item.at_least is not None:
        _check_number(inspection, item.at_least, f"{path}.at_least")
    if item.running is not None:
        _check_running(inspection, item.running, f"{path}.running", keeps)
    _check_period_end(inspection, item, path)
    check_doing(inspection, item, path)
    effects = (item.sets, item.adds, item.notifies, item.opens, item.tells, item.asks, item.extends)
    if not any(effects):
        inspection.fault(path, "nothing follows from this", "let it open, tell, notify or set something")


def _check_entries(
    inspection: Inspection, ledger: LedgerDefinition, entries: Iterable[str], path: str
) -> None:
    fact = inspection.definition.facts.get(ledger.entry)
    inspection.no_repeats(entries, path)
    if fact is None or fact.type != "enum":
        return
    keys = kind_of_fact(fact, inspection.definition.tables).keys
    for number, entry in enumerate(entries):
        if entry not in keys:
            inspection.fault(
                f"{path}[{number}]", f"{entry!r} is no {ledger.entry} of this ledger", near(entry, keys)
            )


def _check_rules(
    inspection: Inspection, ledger: LedgerDefinition, item: AccumulationDefinition, path: str
) -> None:
    if item.except_rules and ledger.rule is None:
        inspection.fault(
            f"{path}.except_rules", "the lines of this ledger name no rule", 'add rule = "<fact>" to [ledger]'
        )
    fact = inspection.definition.facts.get(ledger.rule or "")
    keys = () if fact is None else kind_of_fact(fact, inspection.definition.tables).keys
    inspection.no_repeats(item.except_rules, f"{path}.except_rules")
    for number, rule in enumerate(item.except_rules if keys else ()):
        if rule not in keys:
            inspection.fault(f"{path}.except_rules[{number}]", f"there is no rule {rule!r}", near(rule, keys))


def _check_after(inspection: Inspection, item: AccumulationDefinition, path: str) -> None:
    """What an accumulation comes after is another one, of the same kind of period."""
    others = {
        name: other
        for name, other in inspection.definition.accumulations.items()
        if f"accumulations.{name}" != path
    }
    if item.after is None:
        return
    if item.after not in others:
        inspection.fault(
            f"{path}.after", f"there is no other accumulation {item.after!r}", near(item.after, others)
        )
    elif others[item.after].within != item.within:
        inspection.fault(
            f"{path}.after",
            f"{item.after!r} is met within {others[item.after].within or 'a run'}, not {item.within}",
            "let both count within the same period",
        )


def _check_number(inspection: Inspection, value: Scalar, path: str) -> None:
    inspection.put(value, WHOLE, path, "a number of lines")
    found = inspection.kind(value, path)
    if type(found) is int and found < 1:
        inspection.fault(path, f"{found} lines are always there", "count 1 or more")


def _check_running(inspection: Inspection, value: str, path: str, keeps: Duration | None) -> None:
    length = _length(inspection, value, path, RUN_UNITS)
    if length is None:
        return
    if length.count < 2:
        inspection.fault(path, f"{value!r} is no run", "write 2 or more, or count within a period")
    if length.unit == "year" and keeps is not None and keeps.count < length.count:
        inspection.fault(
            path,
            f"lines are kept for {keeps.count} years before this one, too few for {length.count}",
            f'let ledger.keeps be "{length.count} years" or more',
        )


def _length(inspection: Inspection, value: str, path: str, units: Iterable[str]) -> Duration | None:
    found = inspection.kind(value, path)
    if not isinstance(found, str):
        return None
    try:
        length = parse_duration(found)
    except ValueError as error:
        inspection.fault(path, str(error))
        return None
    if length.unit not in units:
        wanted = ", ".join(f"{unit}s" for unit in units)
        inspection.fault(path, f"{found!r} is counted in {length.unit}s here", f"write it in {wanted}")
        return None
    return length


def _check_period_end(inspection: Inspection, item: AccumulationDefinition, path: str) -> None:
    """A case is woken at the end of a period by a clock alone."""
    if item.at != "period end" or item.within is None:
        return
    wanted = item.within.removeprefix("calendar ")
    turns = {
        term.every
        for rule in inspection.definition.deadlines.values()
        if rule.kind == "wait"
        for term in rule.terms
    }
    if turns.isdisjoint(("month", "year") if wanted == "year" else ("month",)):
        inspection.fault(
            f"{path}.at",
            f"nothing wakes a case at the end of a {wanted}, so this would wait for the next line",
            f'add a deadline of kind "wait" with terms = [ {{ every = "{wanted}" }} ]',
        )
