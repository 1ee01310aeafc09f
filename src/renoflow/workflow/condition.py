"""A compiled condition: a test to run, and a sentence to read, down to the leaf."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import frozen

from renoflow.records import Reason
from renoflow.values import Label
from renoflow.workflow.operands import Getter, Test
from renoflow.workflow.scene import Scene

Finder = Callable[[Scene], Label]


@frozen(kw_only=True)
class Condition:
    """A compiled condition. `how` is leaf, all, any or not; `found` says what a leaf sees now;
    `opens_at` is set on leaves that wait for an instant; `reads` are the facts it depends on, and
    `reads_proof` says whether it looks at documents or payments, which may come with any command. What cannot
    be met by anybody's doing (a firm's setting, a "not") is not offered as a way out of a refusal.
    `payment` is the one that a leaf asks for."""

    name: str
    label: Label
    how: str
    test: Test
    parts: tuple[Condition, ...] = ()
    found: Finder | None = None
    opens_at: Getter | None = None
    reads: frozenset[str] = frozenset()
    reads_proof: bool = False
    can_be_met: bool = True
    payment: str = ""

    def reason(self, scene: Scene) -> Reason:
        """Why it does not hold: the condition's own sentence, and the leaves that fail."""
        opens = self._first_wait(scene)
        return Reason(
            code="guard_unmet" if opens is None else "not_yet_due",
            subject=self.name,
            label=self.label,
            values=self._values(scene, opens),
            details=() if self.how == "leaf" and self.found is None else self._failing(scene),
        )

    def _values(self, scene: Scene, opens: Any) -> dict[str, Any]:
        values: dict[str, Any] = {"one_of": True} if self.how == "any" else {}
        if opens is not None:
            values["opens_at"] = scene.calendar.local(opens)
        return values

    def _failing(self, scene: Scene) -> tuple[Reason, ...]:
        if self.how == "all":
            return tuple(r for part in self.parts if not part.test(scene) for r in part.as_details(scene))
        if self.how == "any":
            ways = [part for part in self.parts if part.can_be_met] or list(self.parts)
            return tuple(r for part in ways for r in part.as_way(scene))
        if self.how == "not":
            return ()
        values = {} if self.found is None else {"found": self.found(scene)}
        return (Reason(code="leaf", subject=self.name, label=self.label, values=values),)

    def as_details(self, scene: Scene) -> tuple[Reason, ...]:
        """As a part of another: a leaf speaks for itself, a named group keeps its own sentence."""
        if self.how == "leaf":
            return self._failing(scene)
        if self.how == "all" and not self.name:
            return self._failing(scene)
        values = {"one_of": True} if self.how == "any" else {}
        details = self._failing(scene)
        return (Reason(code="leaf", subject=self.name, label=self.label, values=values, details=details),)

    def as_way(self, scene: Scene) -> tuple[Reason, ...]:
        """As one of several ways: what must hold together is said in one sentence, not as ways of its own."""
        if self.how == "all" and not self.name:
            return (Reason(code="leaf", label=self.label),)
        return self.as_details(scene)

    def _first_wait(self, scene: Scene) -> Any:
        if self.opens_at is not None:
            return self.opens_at(scene)
        if self.how == "all":
            waits = [part._first_wait(scene) for part in self.parts if not part.test(scene)]
            return waits[0] if waits and all(wait is not None for wait in waits) else None
        return None
