"""Deadlines: what begins and ends them, and whether their lengths make sense together."""

from __future__ import annotations

from collections.abc import Sequence

from renoflow.definition.model import (
    DeadlineDefinition,
    EscalationDefinition,
    PartDefinition,
    TermDefinition,
    WarningDefinition,
)
from renoflow.workflow.checks_conditions import length
from renoflow.workflow.inspection import MARKS, Inspection
from renoflow.workflow.kinds import DATE, DURATION, WHOLE

_PERIODS = {"day": 1.0, "week": 7.0, "month": 28.0, "quarter": 90.0, "year": 365.0}
"""The shortest that a period can be, in days."""


def check_deadlines(inspection: Inspection) -> None:
    """Every `[deadlines.D]`; what the rest of the file reads of them must have been visited before."""
    for name, rule in inspection.definition.deadlines.items():
        path = f"deadlines.{name}"
        inspection.role(rule.owner, f"{path}.owner")
        for key in ("starts", "restarts", "stops", "cancels", "rechosen_by"):
            inspection.happenings(getattr(rule, key), f"{path}.{key}")
            _no_wildcard(inspection, getattr(rule, key), f"{path}.{key}")
        _check_course(inspection, name, rule, path)
        lengths = _check_terms(inspection, rule, path)
        _check_alerts(inspection, rule.warnings, lengths, f"{path}.warnings")
        _check_alerts(inspection, rule.escalations, [], f"{path}.escalations")
        if rule.counts_from is not None and any(term.every for term in rule.terms):
            inspection.fault(
                f"{path}.counts_from",
                "the end of a period does not depend on a day from which it is counted",
                "drop counts_from, or give the term a limit",
            )
        if rule.counts_from is not None:
            _check_date(inspection, rule.counts_from, f"{path}.counts_from")
        inspection.roles(rule.extended_by, f"{path}.extended_by")
        if rule.statutory and rule.extended_by:
            inspection.fault(
                f"{path}.extended_by",
                "the law sets this deadline, so nobody may extend it by hand",
                "drop extended_by, or statutory",
            )


def _no_wildcard(inspection: Inspection, happenings: Sequence[str], path: str) -> None:
    for number, happening in enumerate(happenings):
        if ".*." in happening:
            inspection.fault(f"{path}[{number}]", f"{happening!r} means many clocks", "name one part")


def _check_course(inspection: Inspection, name: str, rule: DeadlineDefinition, path: str) -> None:
    if not rule.starts and not rule.restarts:
        inspection.fault(path, "nothing starts this deadline", 'add starts = ["<event>"]')
    if rule.kind == "limit" and not rule.stops and not rule.cancels:
        inspection.fault(
            path,
            "nobody can stop or cancel this limit, so it is always broken",
            'add stops = ["<event>"] for what fulfils it',
        )
    both = [happening for happening in rule.stops if happening in rule.cancels]
    if both:
        inspection.fault(f"{path}.cancels", f"{both[0]!r} both stops and cancels", "keep one of the two")
    for number, pause in enumerate(rule.pauses):
        inspection.each_known("states", pause.in_, f"{path}.pauses[{number}].in")
        inspection.condition(pause.unless, f"{path}.pauses[{number}].unless")
    inspection.condition(rule.stops_when, f"{path}.stops_when")
    if (
        rule.kind == "wait"
        and ("passing", name) not in inspection.used
        and not _is_followed(inspection, name)
    ):
        inspection.fault(
            path,
            "nothing waits for this wait to be over",
            f'ask for it in a guard, {{ deadline = "{name}", status = ["open"] }}, or remove it',
        )
    if rule.rechosen_by and _is_fixed(rule):
        inspection.fault(f"{path}.rechosen_by", "there is only one term to choose", "remove rechosen_by")


def _is_followed(inspection: Inspection, name: str) -> bool:
    """Whether something follows from the passing of this deadline."""
    mark = MARKS[inspection.definition.deadlines[name].kind]
    definition = inspection.definition
    listened = [happening for event in definition.events.values() for happening in event.fired_by]
    listened += [happening for reaction in definition.reactions for happening in reaction.on]
    for other in definition.deadlines.values():
        listened += (*other.starts, *other.restarts, *other.stops, *other.cancels)
    return any(h.startswith(f"deadline.{name}.") and h.endswith(f".{mark}") for h in listened)


def _is_fixed(rule: DeadlineDefinition) -> bool:
    if len(rule.terms) != 1:
        return False
    term = rule.terms[0]
    return term.when is None and term.until is None and not (term.limit or "").startswith("@")


def _check_terms(inspection: Inspection, rule: DeadlineDefinition, path: str) -> list[float]:
    """Terms or parts one by one; gives the lengths that are known beforehand."""
    lengths: list[float] = []
    inspection.no_repeats([part.name for part in rule.parts], f"{path}.parts")
    inspection.no_repeats([term.name for term in rule.terms if term.name is not None], f"{path}.terms")
    done = False
    for number, term in enumerate(rule.terms):
        place = f"{path}.terms[{number}]"
        if done:
            inspection.fault(
                place, "this term is never reached: the one before always matches", "reorder them"
            )
            break
        limit = _check_term(inspection, term, place)
        lengths += [] if limit is None else [limit]
        if term.target is not None:
            target = length(inspection, term.target, f"{place}.target")
            if target is not None and limit is not None and target >= limit:
                inspection.fault(
                    f"{place}.target",
                    f"target {term.target} is not shorter than limit {term.limit}",
                    "a target comes before its limit; drop it where they are one",
                )
        always = term.every is not None or (term.limit is not None and not term.limit.startswith("@"))
        done = term.when is None and always
    for number, part in enumerate(rule.parts):
        limit = _check_term(inspection, part, f"{path}.parts[{number}]")
        lengths += [] if limit is None else [limit]
    return lengths


def _check_term(inspection: Inspection, term: TermDefinition | PartDefinition, path: str) -> float | None:
    """The length of its limit in rough days, None when it is known only later."""
    inspection.condition(term.when, f"{path}.when")
    if term.until is not None:
        _check_date(inspection, term.until, f"{path}.until")
    floor = None if term.at_least is None else length(inspection, term.at_least, f"{path}.at_least")
    if isinstance(term, TermDefinition) and term.every is not None:
        return _PERIODS[term.every]
    if term.limit is None:
        return None
    if term.limit.startswith("@"):
        kind = inspection.reference(term.limit, f"{path}.limit")
        if kind is not None and kind not in (WHOLE, DURATION):
            inspection.fault(
                f"{path}.limit",
                f"{term.limit!r} is {kind}, not a length of time",
                "use a fact of type duration, or a whole number of days",
            )
        return None
    limit = length(inspection, term.limit, f"{path}.limit")
    if limit is not None and floor is not None and limit < floor:
        inspection.fault(
            f"{path}.limit", f"limit {term.limit} is shorter than its own at_least {term.at_least}"
        )
    if limit == 0:
        inspection.fault(f"{path}.limit", "the limit is over as it begins", "give it a length")
    return None if term.until is not None else limit


def _check_date(inspection: Inspection, text: str, path: str) -> None:
    if not text.startswith("@"):
        inspection.fault(path, f"{text!r} is no reference", "write @<fact of type date>")
        return
    kind = inspection.reference(text, path)
    if kind is not None and kind != DATE:
        inspection.fault(path, f"{text!r} is {kind}, not a date", "use a fact of type date")


def _check_alerts(
    inspection: Inspection,
    alerts: Sequence[WarningDefinition | EscalationDefinition],
    lengths: list[float],
    path: str,
) -> None:
    """Warnings before and escalations after; a warning that fits no term would never be given."""
    for number, alert in enumerate(alerts):
        place = f"{path}[{number}]"
        key, text = (
            ("before", alert.before) if isinstance(alert, WarningDefinition) else ("after", alert.after)
        )
        size = length(inspection, text, f"{place}.{key}")
        if size is not None and lengths and size >= max(lengths):
            inspection.fault(
                f"{place}.{key}",
                f"a warning {text} before is not shorter than the limit itself",
                "warn later, or drop it",
            )
        inspection.roles(alert.notify, f"{place}.notify")
