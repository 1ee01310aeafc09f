"""renoflow among a host's own tables: a case and the host's rows move together, or neither does.

The host has its orders as SQLAlchemy ORM objects and its own transactions. It hands its `Session` to every
write; renoflow writes in that transaction and never commits it. SQLite here; PostgreSQL is the same with
another URL.
"""

from __future__ import annotations

import sys
import tempfile
from decimal import Decimal
from pathlib import Path

from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

import renoflow as rf

WANG = rf.Actor("wang", roles={"customer_manager"})
CHEN = rf.Actor("chen", roles={"designer"})


class Base(DeclarativeBase):
    pass


class Order(Base):
    """The host's own row; it refers to the case by its id."""

    __tablename__ = "orders"
    id: Mapped[str] = mapped_column(primary_key=True)
    address: Mapped[str]
    consultations: Mapped[int] = mapped_column(default=0)
    credit_limit: Mapped[Decimal] = mapped_column(default=Decimal("5000.00"))


class Office:
    """The host's application: one method per thing that its people do, one transaction each."""

    def __init__(self, url: str) -> None:
        self.engine = create_engine(url)
        self.cases = rf.CaseService(rf.load_workflows(), store=rf.SqlStore(self.engine))
        Base.metadata.create_all(self.engine)

    def register(self, name: str, address: str) -> None:
        command = rf.Command(
            "register_enquiry",
            WANG,
            "2026-03-01T10:00:00+08:00",
            facts={"home_area": "128", "home_kind": "flat"},
            documents=["registration_form"],
        )
        with Session(self.engine) as session, session.begin():
            session.add(Order(id=name, address=address))
            self.cases.open("project", name, command, connection=session).unwrap()
