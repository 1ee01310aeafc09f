"""What a condition may look at while a command is being decided."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from renoflow.records import Deadline, DocumentRecord, FactValue, LinkedCase, Told
from renoflow.values import Actor, Duration


class DayCounter(Protocol):
    """The part of the firm's calendar that conditions need; days are proleptic ordinals."""

    def day_of(self, at: datetime) -> int: ...
    def more_than(self, start_day: int, length: Duration) -> datetime: ...


class Scene(Protocol):
    """The case as the command would leave its data, the actor, and the instant.

    Facts, documents and payments already hold what the command brings.
    """

    @property
    def state(self) -> str: ...
    @property
    def facts(self) -> Mapping[str, FactValue]: ...
    @property
    def documents(self) -> Mapping[str, DocumentRecord]: ...
    @property
    def payments(self) -> Mapping[str, Decimal]: ...
    @property
    def deadlines(self) -> Mapping[str, Deadline]: ...
    @property
    def children(self) -> Mapping[str, Mapping[str, LinkedCase]]: ...
    @property
    def links(self) -> Mapping[str, LinkedCase]: ...
    @property
    def happened(self) -> Mapping[str, tuple[datetime, ...]]: ...
    @property
    def actors(self) -> Mapping[str, tuple[str, ...]]: ...
    @property
    def entered_at(self) -> datetime | None: ...
    @property
    def actor(self) -> Actor: ...
    @property
    def at(self) -> datetime: ...
    @property
    def told(self) -> Told | None: ...
    @property
    def calendar(self) -> DayCounter: ...
