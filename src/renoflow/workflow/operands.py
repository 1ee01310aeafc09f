"""References in a definition (`$parameter`, `@fact`, `@amount`, `@fact.column`) as functions of a scene."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from renoflow.definition.model import AmountTerm, FactDefinition, Scalar, WorkflowDefinition
from renoflow.values import ZERO, Label, cut_money, parse_decimal, parse_duration, parse_percent, round_money
from renoflow.workflow.facts import FactPlan, comparable, compile_fact, literal, spoken
from renoflow.workflow.scene import Scene

Getter = Callable[[Scene], Any]
Test = Callable[[Scene], bool]


class Operands:
    """Resolves the references of one definition. Amounts may read conditions, so `test_of` is set late."""

    def __init__(self, definition: WorkflowDefinition) -> None:
        self.definition = definition
        self.facts: Mapping[str, FactPlan] = {
            name: compile_fact(name, fact, definition.tables) for name, fact in definition.facts.items()
        }
        amounts = {
            name: compile_fact(name, FactDefinition(zh=one.label.zh, en=one.label.en, type=one.type), {})
            for name, one in definition.amounts.items()
        }
        self.subjects: Mapping[str, FactPlan] = {**amounts, **self.facts}
        """What a condition can be about: the facts, and the amounts as facts of their type."""
        self.test_of: Callable[[str], Test] = _unset
        self._amounts: dict[str, Getter] = {}

    def parameter(self, name: str) -> Scalar:
        return self.definition.parameters[name].value

    def spoken(self, value: Scalar, like: FactPlan | None) -> Label:
        """A reference or literal as a person reads it: a fact by its name, a parameter by its value."""
        resolved = self.resolved(value)
        if isinstance(resolved, str) and resolved.startswith("@"):
            name = resolved[1:].split(".")[0]
            return self.subjects[name].label if name in self.subjects else Label(name, name)
        return spoken(like, resolved if like is None else literal(like, resolved))

    def read_by(self, name: str) -> frozenset[str]:
        """The facts and the sums (`paid.P`) that a value is made of: a fact itself, an amount its figures."""
        found: set[str] = set()
        waiting = [name]
        for one in waiting:
            amount = self.definition.amounts.get(one)
            if amount is None:
                found.add(one)
            elif one not in found:
                found.add(one)
                waiting += [item for term in amount.terms for item in _read_by(term)]
        return frozenset(found)

    def resolved(self, value: Scalar) -> Scalar:
        """A literal with a `$parameter` replaced by its value."""
        if isinstance(value, str) and value.startswith("$"):
            return self.parameter(value[1:])
        return value

    def is_reference(self, value: Scalar) -> bool:
        """Whether a value has to be looked up in a case."""
        resolved = self.resolved(value)
        return isinstance(resolved, str) and resolved.startswith("@")

    # -------------------------------------------------------------- getters

    def getter(self, value: Scalar, like: FactPlan | None = None) -> Getter:
        """The value of a reference or literal; `like` is the fact whose type a literal takes."""
        value = self.resolved(value)
        if not isinstance(value, str) or not value.startswith("@"):
            kept = value if like is None else literal(like, value)
            return lambda scene: kept
        return self._reference(value[1:])

    def constant(self, value: Scalar, like: FactPlan | None) -> Any:
        """A literal or `$parameter` as a kept value of `like`."""
        found = self.resolved(value)
        return found if like is None else literal(like, found)

    def _reference(self, name: str) -> Getter:
        if name == "today":
            return lambda scene: date.fromordinal(scene.today)
        if name == "actor":
            return lambda scene: scene.actor.id
        if name == "case":
            return lambda scene: scene.case_id
        if name == "counted.day":
            return lambda scene: max((line.day for line in scene.counted), default=None)
        if name.startswith("child."):
            key = name.removeprefix("child.")
            return lambda scene: None if scene.told is None else scene.told.facts.get(key)
        return self.fact_getter(name)

    def fact_getter(self, name: str) -> Getter:
        """A fact, an amount, or a column of the table row that a fact names (`grade.rank`)."""
        if name in self.definition.amounts:
            return self.amount(name)
        fact, _, column = name.partition(".")
        plan = self.facts[fact]
        start = plan.start
        if not column:
            return lambda scene: scene.facts.get(fact, start)
        return lambda scene: plan.column(scene.facts.get(fact, start), column)

    # -------------------------------------------------------------- amounts

    def amount(self, name: str) -> Getter:
        """A computed figure, exact; money is rounded half up to the cent in the end, a count cut, a share
        left as it is."""
        found = self._amounts.get(name)
        if found is None:
            # Stored before its terms are compiled, so that amounts may refer to each other in any order.
            self._amounts[name] = lambda scene: self._amounts[name](scene)  # noqa: PLW0108 - looked up late
            found = self._amounts[name] = self._compile_amount(name)
        return found

    def _compile_amount(self, name: str) -> Getter:
        definition = self.definition.amounts[name]
        terms = [self._term(term) for term in definition.terms]
        finish = cut_money if definition.rounded == "down" else _FINISHES[definition.type]

        def compute(scene: Scene) -> Any:
            for term in terms:
                figure = term(scene)
                if figure is not None:
                    return finish(figure)
            return None

        return compute

    def _term(self, term: AmountTerm) -> Callable[[Scene], Decimal | None]:
        when = None if term.when is None else self.test_of(term.when)
        start = self.figure(term.of if term.value is None else term.value)
        share = None if term.share is None else self._share(term.share)
        plus = [self.figure(item) for item in term.plus]
        minus = [self.figure(item) for item in term.minus]
        ceilings = [self.figure(item) for item in _several(term.at_most)]
        floors = [self.figure(item) for item in _several(term.at_least)]

        def compute(scene: Scene) -> Decimal | None:
            if when is not None and not when(scene):
                return None
            figure = start(scene)
            if figure is None:
                return None
            if share is not None:
                part = share(scene)
                if part is None:
                    return None
                figure *= part
            for item in plus:
                figure += item(scene) or ZERO
            for item in minus:
                figure -= item(scene) or ZERO
            for bound in ceilings:
                limit = bound(scene)
                figure = figure if limit is None else min(figure, limit)
            for bound in floors:
                limit = bound(scene)
                figure = figure if limit is None else max(figure, limit)
            return figure

        return compute

    def figure(self, ref: Scalar | None) -> Callable[[Scene], Decimal | None]:
        """A reference or literal as an exact number; None when it is not known."""
        if isinstance(ref, str) and ref.startswith("paid."):
            payment = ref.removeprefix("paid.")
            return lambda scene: scene.payments.get(payment, ZERO)
        if isinstance(ref, str) and ref.startswith("children."):
            _, child, fact = ref.split(".", 2)
            return lambda scene: sum(
                [Decimal(str(case.facts.get(fact, 0))) for case in scene.children.get(child, {}).values()],
                ZERO,
            )
        known = self.resolved(ref if ref is not None else 0)
        if not self.is_reference(known):
            number = parse_percent(known)
            return lambda scene: number
        get = self._reference(str(known)[1:])

        def figure(scene: Scene) -> Decimal | None:
            value = get(scene)
            return value if value is None or type(value) is Decimal else parse_percent(value)

        return figure

    def _share(self, ref: str) -> Callable[[Scene], Decimal | None]:
        value = self.resolved(ref)
        if isinstance(value, str) and value.startswith("@"):
            return self.figure(value)
        share = parse_percent(value)
        return lambda scene: share

    # -------------------------------------------------------------- comparing

    def typed(self, value: Scalar) -> Any:
        """A literal on its own, by its look: a duration as its length, a number as an exact decimal."""
        value = self.resolved(value)
        if isinstance(value, str):
            for parse in (lambda text: parse_duration(text).rough_days, parse_percent, parse_decimal):
                try:
                    return parse(value)
                except ValueError:
                    continue
        return value

    def comparand(self, value: Scalar, like: FactPlan | None) -> Getter:
        """The right side of a comparison, in a form that `comparable` values of `like` compare with."""
        get = self.getter(value, like)
        resolved = self.resolved(value)
        if isinstance(resolved, str) and resolved.startswith("@"):
            return lambda scene: None if (found := get(scene)) is None else comparable(found)
        constant = comparable(literal(like, resolved)) if like is not None else self.typed(resolved)
        return lambda scene: constant


_FINISHES: Mapping[str, Callable[[Decimal], Decimal | int]] = {
    "money": round_money,
    "count": int,
    "percent": lambda share: share,
}


def _read_by(term: AmountTerm) -> list[str]:
    """What the figures of a term are read from: facts, amounts, sums paid."""
    figures = (
        term.value, term.of, term.share, *term.plus, *term.minus,
        *_several(term.at_most), *_several(term.at_least),
    )  # fmt: skip
    texts = [figure for figure in figures if isinstance(figure, str)]
    references = [text[1:].split(".")[0] for text in texts if text.startswith("@")]
    return references + [text for text in texts if text.startswith("paid.")]


def _several(value: str | tuple[str, ...] | None) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else value


def _unset(name: str) -> Test:
    raise RuntimeError("the conditions are not compiled yet")
