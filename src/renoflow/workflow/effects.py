"""What an event or a happening brings about, made ready."""

from __future__ import annotations

from collections.abc import Mapping

from renoflow.definition.model import (
    EffectsDefinition,
    Notice,
    Opening,
    Scalar,
    Telling,
    WorkflowDefinition,
)
from renoflow.workflow.conditions import ConditionCompiler
from renoflow.workflow.operands import Getter, Operands
from renoflow.workflow.plan import (
    AskingPlan,
    EffectsPlan,
    ExtensionPlan,
    GivenPlan,
    KeyPlan,
    NoticePlan,
    OpeningPlan,
    PeerPlan,
    TellingPlan,
)


class EffectsCompiler:
    """Compiles the effects of one definition."""

    def __init__(
        self, definition: WorkflowDefinition, operands: Operands, conditions: ConditionCompiler
    ) -> None:
        self.definition = definition
        self.operands = operands
        self.conditions = conditions

    def effects(self, item: EffectsDefinition) -> EffectsPlan:
        facts = self.operands.facts
        return EffectsPlan(
            adds=tuple(
                (name, self.operands.getter(step), _ceiling(facts[name].at_most))
                for name, step in item.adds.items()
            ),
            sets=tuple(
                (name, facts[name], self.operands.getter(value, facts[name]))
                for name, value in item.sets.items()
            ),
            notifies=tuple(self._notice(notice) for notice in item.notifies),
            opens=tuple(self._opening(opening) for opening in item.opens),
            tells=tuple(self._telling(telling) for telling in item.tells),
            asks=tuple(
                AskingPlan(
                    host=asking.host,
                    amount=None if asking.amount is None else self.operands.figure(asking.amount),
                    when=self.conditions.test(asking.when),
                )
                for asking in item.asks
            ),
            extends=tuple(
                ExtensionPlan(
                    clock=extension.deadline,
                    by=self.operands.getter(extension.by),
                    sign=1 if extension.sign == "plus" else -1,
                    when=self.conditions.test(extension.when),
                )
                for extension in item.extends
            ),
        )

    def _notice(self, notice: Notice) -> NoticePlan:
        role: str | Getter = notice.role
        if notice.role.startswith("@"):
            role = self.operands.getter(notice.role)
        why = None if notice.when is None else self.conditions.compile(notice.when)
        return NoticePlan(
            role=role, when=None if why is None else why.test, why=None if why is None else why.label
        )

    def _telling(self, telling: Telling) -> TellingPlan:
        return TellingPlan(
            relation="link" if telling.link else "child",
            name=telling.link or telling.child or "",
            event=telling.event,
            when=self.conditions.test(telling.when),
            facts=self._given(telling.facts),
            documents=telling.documents,
            key=self._key(telling.link),
        )

    def _opening(self, opening: Opening) -> OpeningPlan | PeerPlan:
        if opening.link is not None:
            link = self.definition.links[opening.link]
            return PeerPlan(
                link=opening.link,
                workflow=link.workflow,
                when=self.conditions.test(opening.when),
                facts=self._given({**link.facts, **opening.facts}),
            )
        name, _, reason = (opening.child or "").partition(":")
        child = self.definition.children[name]
        rows: list[dict[str, object]] = [{}]
        for fact, values in child.each.items():
            rows = [{**row, fact: value} for row in rows for value in values]
        return OpeningPlan(
            child=name,
            workflow=child.workflow,
            reason=reason,
            when=self.conditions.test(opening.when),
            facts=self._given({**(child.reasons[reason] if reason else {}), **opening.facts}),
            each=tuple(rows),
            once=child.once,
        )

    def _key(self, name: str | None) -> KeyPlan | None:
        link = self.definition.links.get(name or "")
        if link is None or not link.key:
            return None
        return KeyPlan(
            workflow=link.workflow,
            parts=tuple(self.operands.getter(part) for part in link.key),
            facts=self._given(link.facts),
        )

    def _given(self, given: Mapping[str, Scalar]) -> GivenPlan:
        operands = self.operands
        looked_up = any(operands.is_reference(value) for value in given.values())
        return GivenPlan(
            facts=tuple((name, operands.getter(value)) for name, value in given.items()),
            ready=None if looked_up else {name: operands.resolved(value) for name, value in given.items()},
        )


def _ceiling(bound: object) -> int | None:
    return bound if isinstance(bound, int) else None
