"""One definition under inspection: the faults found so far, and which of its names were used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from renoflow.definition.lines import line_of
from renoflow.definition.model import Scalar, WorkflowDefinition
from renoflow.errors import Problem, did_you_mean
from renoflow.values import SYSTEM
from renoflow.workflow.kinds import (
    ACTOR,
    AMOUNT_KINDS,
    DATE,
    ROW_TEXTS,
    TEXT,
    Kind,
    compares,
    kind_of_column,
    kind_of_fact,
    misfit,
    takes,
)

MARKS: Mapping[str, str] = {"limit": "breached", "wait": "open", "period": "expired"}
"""What the passing of a deadline of each kind is called."""

CHILD_HAPPENINGS = ("opened", "ended", "reopened", "told")
LINK_HAPPENINGS = ("moved", "told")
_WORDS = {
    "stages": "stage", "states": "state", "roles": "role", "parameters": "parameter", "facts": "fact",
    "documents": "document", "payments": "payment", "tables": "table", "amounts": "amount",
    "conditions": "condition", "events": "event", "deadlines": "deadline", "children": "child",
    "links": "link",
}  # fmt: skip


def near(name: str, known: Iterable[str]) -> str:
    """The suggestion for an unknown name."""
    # difflib is slow on long words, and no known name is long.
    return did_you_mean(name[:60], known).removeprefix("; ")


class Faults:
    """Collects what is wrong by table path, each fault once."""

    def __init__(self) -> None:
        self._faults: dict[tuple[str, str], str] = {}

    def fault(self, path: str, message: str, suggestion: str = "") -> None:
        self._faults.setdefault((path, message), suggestion)

    def problems(self, file: str, text: str) -> tuple[Problem, ...]:
        """Everything found, in the order of the file where its text is given."""
        found = [
            Problem(
                message=message,
                path=path,
                file=file,
                line=line_of(text, path) if text else None,
                suggestion=suggestion,
            )
            for (path, message), suggestion in self._faults.items()
        ]
        return tuple(sorted(found, key=lambda problem: (problem.line is None, problem.line or 0)))


class Inspection(Faults):
    """One definition. Looking a name up reports it when unknown, and marks it as used."""

    def __init__(self, definition: WorkflowDefinition) -> None:
        super().__init__()
        self.definition = definition
        self.used: set[tuple[str, str]] = set()
        self.readers: dict[str, str] = {}
        """Facts whose value something depends on, each with the first place that reads it."""

    # -------------------------------------------------------------- names

    def known(self, section: str, name: str, path: str) -> bool:
        """Whether a table of the file declares the name."""
        declared: Mapping[str, object] = getattr(self.definition, section)
        if name in declared:
            self.used.add((section, name))
            return True
        self.fault(path, f"there is no {_WORDS[section]} {name!r}", near(name, declared))
        return False

    def each_known(self, section: str, names: Iterable[str], path: str) -> None:
        """Every name of a list declared, and none twice."""
        self.no_repeats(names, path)
        for number, name in enumerate(names):
            self.known(section, name, f"{path}[{number}]")

    def no_repeats(self, names: Iterable[str], path: str) -> None:
        seen: set[str] = set()
        for number, name in enumerate(names):
            if name in seen:
                self.fault(f"{path}[{number}]", f"{name!r} stands here twice", "remove one")
            seen.add(name)

    def role(self, name: str, path: str, *, parameters: bool = False) -> None:
        """A role, `system`, or (where a firm may choose) a `$parameter` that names a role."""
        if name.startswith("$") and parameters:
            value = self.parameter(name, path)
            if value is not None and (not isinstance(value, str) or not self._is_role(value)):
                self.fault(
                    path, f"parameter {name!r} is {value!r}, which is no role", self._near_role(str(value))
                )
        elif not self._is_role(name):
            self.fault(path, f"there is no role {name!r}", self._near_role(name))

    def roles(self, names: Iterable[str], path: str, *, parameters: bool = False) -> None:
        self.no_repeats(names, path)
        for number, name in enumerate(names):
            self.role(name, f"{path}[{number}]", parameters=parameters)

    def _is_role(self, name: str) -> bool:
        return name == SYSTEM or name in self.definition.roles

    def _near_role(self, name: str) -> str:
        return near(name, (*self.definition.roles, SYSTEM))

    def parameter(self, reference: str, path: str) -> Scalar | None:
        """The value that `$name` stands for."""
        name = reference.removeprefix("$")
        if not self.known("parameters", name, path):
            return None
        return self.definition.parameters[name].value

    def condition(self, name: str | None, path: str) -> None:
        """A condition, or a yes/no fact, by its name."""
        if name is None:
            return
        fact = self.definition.facts.get(name)
        if name in self.definition.conditions:
            self.used.add(("conditions", name))
        elif fact is None:
            asked = [n for n, f in self.definition.facts.items() if f.type == "yes_no"]
            self.fault(
                path, f"there is no condition {name!r}", near(name, (*self.definition.conditions, *asked))
            )
        elif fact.type == "yes_no":
            self.reads_fact(name, path)
        else:
            self.fault(
                path,
                f"{name!r} is a fact of type {fact.type}; only a yes_no fact is a condition by its own name",
                f'declare a condition, {{ fact = "{name}", … }}, and name that',
            )

    def reads_fact(self, name: str, path: str) -> None:
        self.used.add(("facts", name))
        self.readers.setdefault(name, path)

    # -------------------------------------------------------------- values

    def fact_kind(self, name: str, path: str) -> Kind | None:
        """The kind of a fact, of an amount, or of a column (`grade.rank`) of the row that a fact names."""
        fact_name, _, column = name.partition(".")
        fact = self.definition.facts.get(fact_name)
        if fact is None:
            return self._amount_kind(fact_name, column, path)
        self.reads_fact(fact_name, path)
        if not column:
            return kind_of_fact(fact, self.definition.tables)
        if fact.of is None:
            message = f"{name!r} reads a column, but {fact_name!r} names no row of a table"
            self.fault(path, message, f'give the fact {fact_name!r} of = "<table>"')
            return None
        rows = self.definition.tables.get(fact.of)
        if rows is None:
            return None
        columns = {key for row in rows.values() for key in row if key not in ROW_TEXTS}
        if column not in columns:
            self.fault(path, f"table {fact.of!r} has no column {column!r}", near(column, columns))
            return None
        return kind_of_column(rows, column)

    def _amount_kind(self, name: str, column: str, path: str) -> Kind | None:
        amount = self.definition.amounts.get(name)
        if amount is None:
            known = (*self.definition.facts, *self.definition.amounts)
            self.fault(path, f"there is no fact or amount {name!r}", near(name, known))
            return None
        self.used.add(("amounts", name))
        if column:
            message = f"{name!r} is an amount, which names no row of a table"
            self.fault(path, message, f"write {name!r}, without {column!r}")
            return None
        return AMOUNT_KINDS[amount.type]

    def reference(self, value: str, path: str) -> Kind | None:
        """The kind of an `@reference`, None when unknown; `@child.fact` is for whoever allows it."""
        name = value.removeprefix("@")
        if name == "today":
            return DATE
        if name == "actor":
            return ACTOR
        if name == "case":
            return TEXT
        if name == "counted.day" and self.definition.ledger is not None:
            return DATE
        if name in self.definition.amounts:
            return self._amount_kind(name, "", path)
        if name.startswith("child.") and "child" not in self.definition.facts:
            self.fault(
                path,
                f"{value!r} reads the child that told something, and nothing is told here",
                "use it in the sets, adds, tells or extends of what follows from child.<name>.<event>",
            )
            return None
        if "." not in name and name not in self.definition.facts:
            known = (*self.definition.facts, *self.definition.amounts, "today", "actor", "case")
            self.fault(path, f"there is no fact or amount {name!r}", near(name, known))
            return None
        return self.fact_kind(name, path)

    def kind(self, value: Scalar, path: str) -> Kind | Scalar | None:
        """What a value is: the kind of a reference, the literal itself, or None when unknown."""
        if isinstance(value, str) and value.startswith("@"):
            return self.reference(value, path)
        if isinstance(value, str) and value.startswith("$"):
            return self.parameter(value, path)
        return value

    def put(self, value: Scalar, target: Kind, path: str, what: str) -> None:
        """A value that is put where `target` stands; `what` names that place."""
        self._fits(value, target, path, what, compare=False)

    def compared(self, value: Scalar, left: Kind, path: str, what: str) -> None:
        """A value that is held against one of kind `left`."""
        self._fits(value, left, path, what, compare=True)

    def _fits(self, value: Scalar, target: Kind, path: str, what: str, *, compare: bool) -> None:
        found = self.kind(value, path)
        if found is None:
            return
        if isinstance(found, Kind):
            if not (compares if compare else takes)(target, found):
                self.fault(path, f"{value!r} is {found}, but {what} is {target}")
            return
        wrong = misfit(target, found)
        if wrong:
            by = f"parameter {value!r}: " if isinstance(value, str) and value.startswith("$") else ""
            suggestion = near(str(found), target.keys) if target.keys else ""
            self.fault(path, f"{by}{wrong}, as {what} asks", suggestion)

    # -------------------------------------------------------------- happenings

    def happenings(self, names: Iterable[str], path: str) -> None:
        self.no_repeats(names, path)
        for number, name in enumerate(names):
            self.happening(name, f"{path}[{number}]")

    def happening(self, text: str, path: str) -> None:
        """An event, or what the engine makes known: `deadline.D.breached`, `state.S.entered`, …"""
        head, _, rest = text.partition(".")
        if not rest:
            if text not in self.definition.events:
                self.fault(path, f"there is no event {text!r}", near(text, self.definition.events))
        elif head == "deadline":
            self._deadline_happening(text, rest, path)
        elif head == "state":
            state, _, verb = rest.rpartition(".")
            if verb != "entered" or "." in state:
                self.fault(path, f"{text!r} is no happening", "of a state there is state.<state>.entered")
            else:
                self.known("states", state, path)
        elif head == "child":
            self._child_happening(text, rest, path)
        elif head == "link":
            self._link_happening(text, rest, path)
        else:
            self.fault(
                path,
                f"{text!r} is no happening",
                "allowed are <event>, deadline.<deadline>.breached (expired, open), state.<state>.entered, "
                "child.<child>.<event> (opened, ended, reopened, told) and link.<link>.moved (told)",
            )

    def _deadline_happening(self, text: str, rest: str, path: str) -> None:
        name, _, mark = rest.rpartition(".")
        rule = self.deadline(name, path) if name else None
        if rule is None:
            if not name:
                self.fault(
                    path, f"{text!r} is no happening", "write deadline.<deadline>.breached, expired or open"
                )
            return
        wanted = MARKS[self.definition.deadlines[rule].kind]
        if mark != wanted:
            kind = self.definition.deadlines[rule].kind
            self.fault(
                path, f"{rule!r} is a {kind}, which is never {mark!r}", f"write deadline.{name}.{wanted}"
            )
        elif self.definition.deadlines[rule].parts and "." not in name:
            self.fault(
                path,
                f"{rule!r} has parts, each with its own clock",
                f"write deadline.{name}.*.{mark}, or name one part",
            )

    def _child_happening(self, text: str, rest: str, path: str) -> None:
        child, _, what = rest.partition(".")
        if not self.known("children", child, path) or what in CHILD_HAPPENINGS:
            return
        hears = self.definition.children[child].hears
        self.used.add(("hears", f"{child}.{what}"))
        if what not in hears:
            suggestion = near(what, hears)
            self.fault(
                path,
                f"{text!r} is not heard: {what!r} is not among the hears of children.{child}",
                suggestion if suggestion.startswith("did you mean") else f'add it, hears = ["{what}"]',
            )

    def _link_happening(self, text: str, rest: str, path: str) -> None:
        link, _, verb = rest.rpartition(".")
        if verb not in LINK_HAPPENINGS or "." in link:
            known = "of a link there are link.<link>.moved and link.<link>.told"
            self.fault(path, f"{text!r} is no happening", known)
        elif self.known("links", link, path):
            self.followed(link, path)

    def followed(self, link: str, path: str) -> None:
        """A link that is asked about is not one with a key."""
        if self.definition.links[link].key:
            self.fault(
                path,
                f"links.{link} has a key: the case is told things, and nothing is known of it here",
                "declare a link without a key, or do not ask",
            )

    def deadline(self, name: str, path: str) -> str | None:
        """The rule that `answer`, `warranty.general` or `warranty.*` belongs to, None when unknown."""
        rule, _, part = name.partition(".")
        if not self.known("deadlines", rule, path):
            return None
        parts = [one.name for one in self.definition.deadlines[rule].parts]
        if part and not parts:
            self.fault(path, f"deadline {rule!r} has no parts", f"write {rule!r}")
            return None
        if part and part != "*" and part not in parts:
            self.fault(path, f"deadline {rule!r} has no part {part!r}", near(part, parts))
            return None
        return rule
