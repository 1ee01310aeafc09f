"""A firm's profile over a workflow: its parameters, words, tables and accumulations, never its events."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from attrs import evolve

from renoflow.definition.lines import format_path
from renoflow.definition.model import (
    ParameterDefinition,
    ProfileDefinition,
    Scalar,
    TableRows,
    WorkflowDefinition,
)
from renoflow.errors import Problem
from renoflow.values import Label, parse_date
from renoflow.workflow.checks import check_together, check_workflow
from renoflow.workflow.checks_cites import check_cites
from renoflow.workflow.checks_data import beyond_bounds, columns_of
from renoflow.workflow.checks_labels import label_faults
from renoflow.workflow.inspection import Faults, near
from renoflow.workflow.kinds import Kind, kind_of_column, look_of, misfit

Definitions = Mapping[str, WorkflowDefinition]

_LABELLED = (
    "stages", "states", "roles", "parameters", "facts", "documents", "payments", "amounts", "conditions",
    "events", "deadlines", "accumulations", "invariants",
)  # fmt: skip
_SATURDAY = 5


# ------------------------------------------------------------------ applying


def apply_profile(definition: WorkflowDefinition, profile: ProfileDefinition) -> WorkflowDefinition:
    """The workflow as this firm runs it. What the profile says of other workflows, and what does not fit
    (see `check_profile`), is left out."""
    changed = _with_tables(_with_parameters(definition, profile), profile)
    if definition.ledger is not None and definition.id in profile.accumulations:
        changed = evolve(changed, accumulations=profile.accumulations[definition.id])
    return _relabelled(changed, profile.labels.get(definition.id, {}))


def built_on(base: ProfileDefinition, profile: ProfileDefinition) -> ProfileDefinition:
    """A firm's profile on one that it extends: what it sets itself goes over what that one sets."""
    header = evolve(profile.profile, extends=None)

    def over(section: str) -> dict[str, Any]:
        below, above = getattr(base, section), getattr(profile, section)
        return {name: {**below.get(name, {}), **above.get(name, {})} for name in (*below, *above)}

    return ProfileDefinition(
        profile=header,
        parameters=over("parameters"),
        labels=over("labels"),
        tables=over("tables"),
        accumulations={**base.accumulations, **profile.accumulations},
        calendar={**base.calendar, **profile.calendar},
    )


def _with_parameters(definition: WorkflowDefinition, profile: ProfileDefinition) -> WorkflowDefinition:
    chosen = profile.parameters.get(definition.id, {})
    parameters = {
        name: evolve(parameter, value=chosen[name]) if name in chosen else parameter
        for name, parameter in definition.parameters.items()
    }
    return evolve(definition, parameters=parameters)


def _with_tables(definition: WorkflowDefinition, profile: ProfileDefinition) -> WorkflowDefinition:
    chosen = profile.tables.get(definition.id, {})
    return evolve(
        definition, tables={name: chosen.get(name, rows) for name, rows in definition.tables.items()}
    )


def _relabelled(definition: WorkflowDefinition, labels: Mapping[str, Label]) -> WorkflowDefinition:
    for path, label in labels.items():
        definition = _with_label(definition, path, label) or definition
    return definition


def _with_label(definition: WorkflowDefinition, path: str, label: Label) -> WorkflowDefinition | None:
    """The definition with one thing renamed, None when nothing of that path has a label."""
    section, *rest = path.split(".")
    if path == "workflow":
        return evolve(definition, workflow=evolve(definition.workflow, label=label))
    if section not in (*_LABELLED, "tables") or not rest:
        return None
    items: Mapping[str, Any] = getattr(definition, section)
    name, inner = rest[0], rest[1:]
    item = _item_with_label(section, items.get(name), inner, label)
    changed: dict[str, Any] = {section: {**items, name: item}}
    return None if item is None else evolve(definition, **changed)


def _item_with_label(section: str, item: Any, inner: list[str], label: Label) -> Any:
    texts = {"zh": label.zh, "en": label.en}
    match section, inner:
        case _ if item is None:
            return None
        case "tables", [row] if row in item:
            return {**item, row: {**item[row], **texts}}
        case "tables", _:
            return None
        case "facts", ["values", key] if key in (item.values or ()):
            return evolve(item, values={**item.values, key: label})
        case "deadlines", [part] if part in [one.name for one in item.parts]:
            parts = (evolve(one, **texts) if one.name == part else one for one in item.parts)
            return evolve(item, parts=tuple(parts))
        case _, []:
            return evolve(item, label=label) if hasattr(item, "label") else evolve(item, **texts)
    return None


def _label_paths(definition: WorkflowDefinition) -> Iterator[str]:
    """Everything that a profile may rename."""
    yield "workflow"
    for section in _LABELLED:
        yield from (f"{section}.{name}" for name in getattr(definition, section))
    for name, fact in definition.facts.items():
        yield from (f"facts.{name}.values.{key}" for key in fact.values or ())
    for name, deadline in definition.deadlines.items():
        yield from (f"deadlines.{name}.{part.name}" for part in deadline.parts)
    for name, rows in definition.tables.items():
        yield from (f"tables.{name}.{row}" for row in rows)


# ------------------------------------------------------------------ checking


def check_profile(
    profile: ProfileDefinition,
    definitions: Definitions,
    *,
    file: str = "",
    text: str = "",
    known: Collection[str] | None = None,
) -> tuple[Problem, ...]:
    """What is wrong with a profile over these workflows, all at once.

    `known` are further workflows that exist and are not loaded; what is said of them is not checked. When
    it is None, a workflow that is not loaded is a fault only where its name looks misspelt.
    """
    faults = Faults()
    for section in ("parameters", "labels", "tables"):
        for workflow, items in getattr(profile, section).items():
            definition = definitions.get(workflow)
            if definition is None:
                _check_unknown_workflow(faults, section, workflow, definitions, known)
                continue
            for name, item in items.items():
                _CHECKS[section](faults, definition, name, item, format_path((section, workflow, name)))
    for workflow in profile.accumulations:
        definition = definitions.get(workflow)
        path = f"accumulations.{workflow}"
        if definition is None:
            _check_unknown_workflow(faults, "accumulations", workflow, definitions, known)
        elif definition.ledger is None:
            faults.fault(path, f"workflow {workflow!r} keeps no ledger, so nothing is counted there")
    _check_calendar(faults, profile)
    check_cites(faults, profile)
    if not faults.problems("", ""):
        _check_applied(faults, profile, definitions)
    return faults.problems(file, text)


def _check_unknown_workflow(
    faults: Faults, section: str, workflow: str, definitions: Definitions, known: Collection[str] | None
) -> None:
    suggestion = near(workflow, (*definitions, *(known or ())))
    misspelt = suggestion.startswith("did you mean")
    if workflow not in (known or ()) and (known is not None or misspelt):
        faults.fault(f"{section}.{workflow}", f"there is no workflow {workflow!r}", suggestion)


def _check_parameter(
    faults: Faults, definition: WorkflowDefinition, name: str, value: Scalar, path: str
) -> None:
    parameter = definition.parameters.get(name)
    if parameter is None:
        message = f"workflow {definition.id!r} has no parameter {name!r}"
        faults.fault(path, message, near(name, definition.parameters))
        return
    wrong = _wrong_kind(definition, parameter, value)
    if wrong:
        faults.fault(path, f"{name}: {wrong}; the workflow has {parameter.value!r}")
        return
    for message in beyond_bounds(parameter, value):
        faults.fault(path, f"{name}: {message}", "the law holds whatever a firm prefers")


def _wrong_kind(definition: WorkflowDefinition, parameter: ParameterDefinition, value: Scalar) -> str:
    look = look_of(parameter.value)
    if look != "name":
        return misfit(Kind(look), value)
    if parameter.value in definition.roles and value not in definition.roles:
        return f"there is no role {value!r}"
    return "" if look_of(value) == "name" else f"{value!r} is not a name"


def _check_label(faults: Faults, definition: WorkflowDefinition, name: str, label: Label, path: str) -> None:
    if _with_label(definition, name, label) is None:
        message = f"workflow {definition.id!r} has nothing with a label at {name!r}"
        faults.fault(path, message, near(name, _label_paths(definition)))
    for wrong in label_faults(label.zh, label.en):
        faults.fault(path, wrong, "both are read by people")


def _check_table(
    faults: Faults, definition: WorkflowDefinition, name: str, rows: TableRows, path: str
) -> None:
    old = definition.tables.get(name)
    if old is None:
        message = f"workflow {definition.id!r} has no table {name!r}"
        faults.fault(path, message, near(name, definition.tables))
        return
    if not rows:
        faults.fault(path, "the table has no rows", "a profile replaces a table whole; list its rows")
        return
    wanted = columns_of(old)
    for row, columns in rows.items():
        for wrong in label_faults(columns.get("zh"), columns.get("en")):
            faults.fault(f"{path}.{row}", wrong, "both are read by people")
        for column in wanted:
            if column not in columns:
                faults.fault(f"{path}.{row}", f"the row lacks column {column!r}", "a table is replaced whole")
        for column in columns_of({row: columns}):
            if column not in wanted:
                message = f"table {name!r} has no column {column!r}"
                faults.fault(f"{path}.{row}.{column}", message, near(column, wanted))
    for column in wanted:
        before, now = kind_of_column(old, column), kind_of_column(rows, column)
        if before is None or not any(column in columns for columns in rows.values()):
            continue
        if now is None:
            faults.fault(path, f"column {column!r} holds values of more than one kind")
        elif now.type != before.type:
            faults.fault(path, f"column {column!r} is {now}; in the workflow it is {before}")


_CHECKS: Mapping[str, Any] = {"parameters": _check_parameter, "labels": _check_label, "tables": _check_table}


def _check_calendar(faults: Faults, profile: ProfileDefinition) -> None:
    """Dates, years and repetitions are the reader's matter; a make-up workday falls on a weekend."""
    for year, calendar in profile.calendar.items():
        for number, text in enumerate(calendar.work):
            day = parse_date(text)
            if day.weekday() < _SATURDAY:
                path = format_path(("calendar", year, "work", number))
                faults.fault(
                    path, f"{text} is a {day:%A}, which is a workday anyway", "list weekend days only"
                )


def _check_applied(faults: Faults, profile: ProfileDefinition, definitions: Definitions) -> None:
    """What was sound without the profile and is not with it: a warning longer than its new limit, a row
    that a condition names and that the new table lacks. What several settings break together is told at
    the profile."""
    found = _new_problems(definitions, profile)
    blamed: set[tuple[str, str, str]] = set()
    for workflow, problem in found:
        if problem.path.startswith("accumulations.") and workflow in profile.accumulations:
            path = f"accumulations.{workflow}.{problem.path.removeprefix('accumulations.')}"
            faults.fault(path, problem.message, problem.suggestion)
            blamed.add(_key(workflow, problem))
    wanted = {_key(*one) for one in found} - blamed
    for place, alone in _settings(profile) if wanted else ():
        for workflow, problem in _new_problems(definitions, alone):
            if _key(workflow, problem) in wanted:
                _blame(faults, format_path(place), problem)
                blamed.add(_key(workflow, problem))
    for workflow, problem in found:
        if _key(workflow, problem) not in blamed:
            _blame(faults, "profile", problem)


def _settings(profile: ProfileDefinition) -> Iterator[tuple[tuple[str, ...], ProfileDefinition]]:
    """Each thing that a profile sets, with its path, as a profile of its own."""
    plain = evolve(profile, parameters={}, labels={}, tables={}, accumulations={})
    for workflow, values in profile.parameters.items():
        for name, value in values.items():
            alone = evolve(plain, parameters={workflow: {name: value}})
            yield ("parameters", workflow, name), alone
    for workflow, tables in profile.tables.items():
        for name, rows in tables.items():
            yield ("tables", workflow, name), evolve(plain, tables={workflow: {name: rows}})
    for workflow, chosen in profile.accumulations.items():
        yield ("accumulations", workflow), evolve(plain, accumulations={workflow: chosen})


def _blame(faults: Faults, path: str, problem: Problem) -> None:
    message = f"with this, {_where(problem)} no longer holds together: {problem.message}"
    faults.fault(path, message, problem.suggestion)


def _new_problems(definitions: Definitions, profile: ProfileDefinition) -> list[tuple[str, Problem]]:
    """What the files have against them under a profile and not without it, by workflow. A name that nothing
    uses any more is no fault of a firm's."""
    applied = {name: apply_profile(item, profile) for name, item in definitions.items()}
    changed = [name for name in definitions if applied[name] != definitions[name]]
    new: list[tuple[str, Problem]] = []
    for name in changed:
        old = {_key(name, one) for one in check_workflow(definitions[name], leftovers=False)}
        for problem in check_workflow(applied[name], leftovers=False):
            if _key(name, problem) not in old:
                new.append((name, problem))
    if changed:
        old = {_key(one.file, one) for one in check_together(definitions)}
        new += [(one.file, one) for one in check_together(applied) if _key(one.file, one) not in old]
    return new


def _key(workflow: str, problem: Problem) -> tuple[str, str, str]:
    return workflow, problem.path, problem.message


def _where(problem: Problem) -> str:
    return f"{problem.file}: {problem.path}" if problem.file else problem.path
