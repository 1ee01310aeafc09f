"""What a file declares: states, roles, parameters, facts, tables, documents, payments, amounts, children."""

from __future__ import annotations

from typing import get_args

from renoflow.definition.model import (
    AmountTerm,
    ChildDefinition,
    FactDefinition,
    LinkDefinition,
    ParameterDefinition,
    Scalar,
    Side,
    TableRows,
    WorkflowDefinition,
)
from renoflow.values import SYSTEM, parse_duration, parse_money, parse_percent
from renoflow.workflow.inspection import CHILD_HAPPENINGS, Inspection, near
from renoflow.workflow.kinds import (
    AMOUNT_KINDS,
    MONEY,
    NUMBERS,
    ORDERED,
    PERCENT,
    ROW_TEXTS,
    Kind,
    kind_of_column,
    kind_of_fact,
    look_of,
    misfit,
    takes,
)

_BOUNDS = ("at_least", "at_most", "above", "below")
_RESERVED = ("today", "actor", "case", "child", "counted")


def check_data(inspection: Inspection) -> None:
    """Everything that is declared rather than done."""
    definition = inspection.definition
    _check_states(inspection)
    _check_roles(inspection)
    for name, parameter in definition.parameters.items():
        _check_parameter(inspection, parameter, f"parameters.{name}")
    for name, fact in definition.facts.items():
        _check_fact(inspection, name, fact, f"facts.{name}")
    for name, rows in definition.tables.items():
        _check_table(inspection, rows, f"tables.{name}")
    for name, document in definition.documents.items():
        inspection.roles(document.signers, f"documents.{name}.signers", parameters=True)
        if document.prepared_by is not None:
            inspection.role(document.prepared_by, f"documents.{name}.prepared_by", parameters=True)
    for name, payment in definition.payments.items():
        inspection.role(payment.payer, f"payments.{name}.payer")
    _check_amounts(inspection)
    for name, child in definition.children.items():
        _check_child(inspection, child, f"children.{name}")
    for name, link in definition.links.items():
        _check_link(inspection, name, link, f"links.{name}")


def _check_states(inspection: Inspection) -> None:
    sides = get_args(Side)
    for name, state in inspection.definition.states.items():
        path = f"states.{name}"
        inspection.known("stages", state.stage, f"{path}.stage")
        if not state.waits_for.startswith("@"):
            continue
        kind = inspection.reference(state.waits_for, f"{path}.waits_for")
        if kind is not None and not takes(Kind("enum", sides), kind):
            inspection.fault(
                f"{path}.waits_for",
                f"{state.waits_for!r} is {kind}; it must hold a side",
                f"use an enum out of {', '.join(sides)}",
            )


def _check_roles(inspection: Inspection) -> None:
    roles = inspection.definition.roles
    if SYSTEM in roles:
        inspection.fault(f"roles.{SYSTEM}", f"{SYSTEM!r} is built in", "remove it here")
    for name, role in roles.items():
        if role.superior is None:
            continue
        inspection.role(role.superior, f"roles.{name}.superior")
        seen, above = [name], role.superior
        while above in roles and above not in seen:
            seen.append(above)
            above = roles[above].superior or ""
        if above == name:
            inspection.fault(
                f"roles.{name}.superior", f"{name!r} is above itself: {' -> '.join((*seen, name))}"
            )


# ------------------------------------------------------------------ parameters and facts


def _check_parameter(inspection: Inspection, parameter: ParameterDefinition, path: str) -> None:
    if isinstance(parameter.value, str) and parameter.value[:1] in ("@", "$"):
        inspection.fault(
            f"{path}.value", f"{parameter.value!r} is a reference", "a parameter holds a literal"
        )
        return
    for key, bound in (("at_least", parameter.at_least), ("at_most", parameter.at_most)):
        if bound is None:
            continue
        look = look_of(bound)
        if look not in ORDERED:
            inspection.fault(f"{path}.{key}", f"{bound!r} has no order, so it cannot be a bound")
    for message in beyond_bounds(parameter, parameter.value):
        inspection.fault(f"{path}.value", message)


def beyond_bounds(parameter: ParameterDefinition, value: Scalar) -> list[str]:
    """How a value breaks the legal bounds of a parameter: a floor or a ceiling that no profile may pass."""
    cited = f" ({', '.join(parameter.cites)})" if parameter.cites else ""
    found = []
    for bound, name, sign in ((parameter.at_least, "floor", -1), (parameter.at_most, "ceiling", 1)):
        if bound is None:
            continue
        mine, limit = _size(value, look_of(bound)), _size(bound, look_of(bound))
        if mine is None:
            found.append(f"{value} is not of one kind with the legal {name} {bound}{cited}")
        elif limit is not None and (mine - limit) * sign > 0:
            word = "above" if sign > 0 else "below"
            found.append(f"{value} is {word} the legal {name} {bound}{cited}")
    return found


def _size(value: Scalar, look: str) -> float | None:
    """A literal as a number that can be compared, None when it is not of that look."""
    try:
        match look:
            case "duration":
                return parse_duration(value).rough_days
            case "money":
                return float(parse_money(value))
            case "percent":
                return float(parse_percent(value))
    except ValueError:
        return None
    return value if type(value) is int else None


def _check_fact(inspection: Inspection, name: str, fact: FactDefinition, path: str) -> None:
    definition = inspection.definition
    if name in definition.amounts:
        inspection.fault(path, f"{name!r} is an amount too, so @{name} would mean two things", "rename one")
    if name in _RESERVED:
        inspection.fault(path, f"@{name} has a meaning of its own", "rename the fact")
    _check_keys(inspection, fact, path)
    if fact.searchable and fact.personal:
        inspection.fault(
            f"{path}.searchable",
            "nobody is looked for by a personal fact: what it says is kept apart, so that it can be removed",
            "remove searchable",
        )
    if fact.told_by is not None and fact.set_by is not None:
        inspection.fault(path, "told_by and set_by exclude each other", "keep the one that is true")
    if fact.told_by is not None and fact.told_by not in _neighbours(definition):
        inspection.fault(
            f"{path}.told_by",
            f"workflow {fact.told_by!r} is not linked with this one",
            near(fact.told_by, _neighbours(definition))
            or f'declare [links.{fact.told_by}] workflow = "{fact.told_by}"',
        )
    kind = kind_of_fact(fact, definition.tables)
    bounds = {key: getattr(fact, key) for key in _BOUNDS if getattr(fact, key) is not None}
    for key, bound in bounds.items():
        if kind.type not in ORDERED:
            inspection.fault(
                f"{path}.{key}", f"type {kind.type} has no order, so it has no bounds", f"remove {key}"
            )
            return
        wrong = misfit(kind, bound)
        if wrong:
            inspection.fault(f"{path}.{key}", f"{wrong}, as type {fact.type} asks")
            return
    if ("at_least" in bounds and "above" in bounds) or ("at_most" in bounds and "below" in bounds):
        inspection.fault(
            path, f"bounds {' and '.join(bounds)} say the same thing twice", "keep one of each side"
        )


def _neighbours(definition: WorkflowDefinition) -> list[str]:
    """The workflows that this one is linked with in one way or another."""
    linked = [link.workflow for link in definition.links.values()]
    linked += [child.workflow for child in definition.children.values()]
    return linked + ([definition.workflow.parent] if definition.workflow.parent else [])


def _check_keys(inspection: Inspection, fact: FactDefinition, path: str) -> None:
    has_keys = fact.type in ("enum", "set")
    if has_keys and (fact.values is None) is (fact.of is None):
        inspection.fault(
            path,
            f"{'an enum' if fact.type == 'enum' else 'a set'} has values or of, one of the two",
            'write values = { key = { zh = "…", en = "…" } }, or of = "<table>"',
        )
    elif not has_keys and fact.values is not None:
        inspection.fault(
            f"{path}.values", f"a fact of type {fact.type} has no values", "make it an enum or a set"
        )
    elif fact.of is not None and fact.type not in ("enum", "set", "count", "whole"):
        inspection.fault(
            f"{path}.of", f"a fact of type {fact.type} names no row", "use enum, set, count or whole"
        )
    if fact.of is not None:
        inspection.known("tables", fact.of, f"{path}.of")
        if fact.type in ("count", "whole"):
            _check_numbered_rows(inspection, fact, path)


def _check_numbered_rows(inspection: Inspection, fact: FactDefinition, path: str) -> None:
    """A number that names rows needs one for every value that it can take; a count begins at 0."""
    rows = inspection.definition.tables.get(fact.of or "")
    if rows is None:
        return
    strange = [row for row in rows if not row.isdigit()]
    lowest = 0 if fact.type == "count" else fact.at_least
    if strange:
        message = f"row {strange[0]!r} of {fact.of!r} is no number"
        inspection.fault(f"{path}.of", message, "name the rows 0, 1, 2, …")
    elif type(lowest) is not int or type(fact.at_most) is not int:
        wanted = "at_most" if fact.type == "count" else "at_least and at_most"
        inspection.fault(path, "a number that names the rows of a table needs its bounds", f"add {wanted}")
    else:
        missing = next((n for n in range(lowest, fact.at_most + 1) if str(n) not in rows), None)
        if missing is not None:
            inspection.fault(f"{path}.of", f"table {fact.of!r} has no row {missing}", "add it")


# ------------------------------------------------------------------ tables


def _check_table(inspection: Inspection, rows: TableRows, path: str) -> None:
    if not rows:
        inspection.fault(path, "the table has no rows", "add one, or remove the table")
    columns = columns_of(rows)
    for name, row in rows.items():
        for column in columns:
            if column not in row:
                inspection.fault(f"{path}.{name}", f"the row has no column {column!r}, which others have")
    for column in columns:
        if kind_of_column(rows, column) is None:
            first = next(name for name, row in rows.items() if column in row)
            inspection.fault(
                f"{path}.{first}.{column}", f"column {column!r} holds values of more than one kind"
            )


def columns_of(rows: TableRows) -> list[str]:
    """The columns that references read, in the order in which they come up."""
    return list(dict.fromkeys(key for row in rows.values() for key in row if key not in ROW_TEXTS))


# ------------------------------------------------------------------ amounts


def _check_amounts(inspection: Inspection) -> None:
    for name, amount in inspection.definition.amounts.items():
        path = f"amounts.{name}"
        if name in _RESERVED:
            inspection.fault(path, f"@{name} has a meaning of its own", "rename the amount")
        target = AMOUNT_KINDS[amount.type]
        if amount.rounded == "down" and amount.type != "money":
            inspection.fault(f"{path}.rounded", f"a {amount.type} is not rounded to the cent", "remove it")
        done = False
        for number, term in enumerate(amount.terms):
            place = f"{path}.terms[{number}]"
            if done:
                inspection.fault(
                    place, "this term is never reached: the one before always matches", "reorder them"
                )
                break
            _check_term(inspection, term, target, place)
            done = term.when is None and term.value is not None


def _check_term(inspection: Inspection, term: AmountTerm, target: Kind, path: str) -> None:
    inspection.condition(term.when, f"{path}.when")
    if term.value is not None:
        _check_figure(inspection, term.value, target, f"{path}.value")
    if term.of is not None:
        _check_figure(inspection, term.of, target, f"{path}.of")
    if term.share is not None:
        kind = inspection.kind(term.share, f"{path}.share")
        if isinstance(kind, Kind):
            if kind.type not in NUMBERS or kind == MONEY:
                inspection.fault(f"{path}.share", f"{term.share!r} is {kind}, not a share")
        elif kind is not None:
            inspection.put(term.share, PERCENT, f"{path}.share", "a share")
    for key in ("plus", "minus", "at_most", "at_least"):
        items: str | tuple[str, ...] | None = getattr(term, key)
        if isinstance(items, str):
            _check_figure(inspection, items, target, f"{path}.{key}")
            continue
        for number, item in enumerate(items or ()):
            _check_figure(inspection, item, target, f"{path}.{key}[{number}]")


def _check_figure(inspection: Inspection, figure: Scalar, target: Kind, path: str) -> None:
    """What an amount counts with: a reference, a literal, `paid.<payment>`, `children.<child>.<fact>`."""
    if isinstance(figure, str) and figure.startswith("paid."):
        inspection.known("payments", figure.removeprefix("paid."), path)
    elif isinstance(figure, str) and figure.startswith("children."):
        child, _, fact = figure.removeprefix("children.").partition(".")
        if inspection.known("children", child, path):
            read_of_child(inspection, child, fact, path)
    else:
        inspection.put(figure, target, path, "the amount")


def read_of_child(inspection: Inspection, child: str, fact: str, path: str) -> None:
    """A fact of a child, which the file must say that it reads."""
    reads = inspection.definition.children[child].reads
    if fact not in reads:
        inspection.fault(
            path,
            f"{fact!r} is not among the reads of children.{child}",
            near(fact, reads) if reads else f'add reads = ["{fact}"] to children.{child}',
        )


# ------------------------------------------------------------------ children


def _check_child(inspection: Inspection, child: ChildDefinition, path: str) -> None:
    inspection.no_repeats(child.hears, f"{path}.hears")
    inspection.no_repeats(child.reads, f"{path}.reads")
    for number, event in enumerate(child.hears):
        if event in CHILD_HAPPENINGS:
            inspection.fault(f"{path}.hears[{number}]", f"{event!r} is always heard", "remove it")
    for key, values in child.each.items():
        if not values:
            inspection.fault(
                f"{path}.each.{key}", "no value is listed, so no child would be opened", "list some"
            )
        inspection.no_repeats([str(value) for value in values], f"{path}.each.{key}")
    for reason, facts in child.reasons.items():
        for fact, value in facts.items():
            inspection.kind(value, f"{path}.reasons.{reason}.{fact}")
    if child.tells_next is not None and not child.each:
        inspection.fault(
            f"{path}.tells_next", "the children have no order, so none is next", "give each a list of values"
        )


# ------------------------------------------------------------------ links

_KEYS = frozenset(("actor", "text", "enum", "whole", "count", "date"))


def _check_link(inspection: Inspection, name: str, link: LinkDefinition, path: str) -> None:
    if name in inspection.definition.children:
        inspection.fault(path, f"{name!r} is a child too, and the cases would share their ids", "rename one")
    for fact, value in link.facts.items():
        inspection.kind(value, f"{path}.facts.{fact}")
    for number, part in enumerate(link.key):
        place = f"{path}.key[{number}]"
        kind = inspection.kind(part, place)
        if isinstance(kind, Kind) and kind.type not in _KEYS:
            inspection.fault(
                place, f"{part!r} is {kind}, which is no part of a key", "use a person, a name or a number"
            )
        elif isinstance(kind, bool) or kind == "":
            inspection.fault(place, f"{kind!r} is no part of a key", "write a text, or @<fact>")
