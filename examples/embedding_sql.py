"""renoflow among a host's own tables: a case and the host's rows move together, or neither does.

The host has its orders as SQLAlchemy ORM objects, and its own transactions. It hands its `Session` to every
write; renoflow writes in that transaction and never commits it. The URL says where: SQLite here, in earnest
PostgreSQL.
"""

from __future__ import annotations

import tempfile
from datetime import datetime

from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

import renoflow as rf

WANG = rf.Actor("wang", roles={"customer_manager"})
CHEN = rf.Actor("chen", roles={"designer"})


class Base(DeclarativeBase):
    pass


class Order(Base):
    """The host's own row. Of the case it has the id, which is the order's."""

    __tablename__ = "orders"
    id: Mapped[str] = mapped_column(primary_key=True)
    address: Mapped[str]
    meetings: Mapped[int] = mapped_column(default=0)


class Office:
    """The host's application: one method for each thing that its people do, one transaction each."""

    def __init__(self, url: str) -> None:
        self.engine = create_engine(url)
        store = rf.SqlStore(self.engine)
        store.upgrade()
        self.cases = rf.CaseService(rf.load_workflows(), store=store)
        Base.metadata.create_all(self.engine)

    def register(self, order: str, address: str) -> None:
        """A new order and its case."""
        enquiry = rf.Command(
            "register_enquiry",
            WANG,
            "2026-03-01T10:00:00+08:00",
            facts={"home_area": "128", "home_kind": "flat", "designer_accepted": True},
            documents=["registration_form"],
        )
        with Session(self.engine) as session, session.begin():
            session.add(Order(id=order, address=address))
            self.cases.open("project", order, enquiry, connection=session)

    def meet(self, order: str, key: str, *, signed: bool, calendar_is_down: bool = False) -> rf.Outcome:
        """The first consultation: counted in the order, and a step of the case. `key` comes with the request,
        so that a page sent twice is one meeting."""
        record = rf.Document("consultation_record", ("customer",) if signed else ())
        command = rf.Command(
            "start_consultation", CHEN, "2026-03-02T14:00:00+08:00", documents=["customer_file", record]
        )
        with Session(self.engine) as session, session.begin() as transaction:
            row = session.get_one(Order, order)
            row.meetings += 1
            outcome = self.cases.send(order, command, key=key, connection=session)
            if calendar_is_down:
                raise ConnectionError("the office calendar does not answer")
            if outcome.refused or outcome.repeated:
                # The rules said no, or it has all been done before: then the order stays as it is, too.
                transaction.rollback()
        return outcome

    def every_minute(self, now: datetime) -> None:
        """What has fallen due happens; what is to be done goes out."""
        self.cases.sweep(now)
        self.cases.deliver(lambda effect: print(f"  {effect.kind} {effect.to}: {effect.about}"), at=now)

    def morning(self, role: str, now: datetime) -> None:
        """What the people of a role have to do, the soonest first."""
        calendar = self.cases.workflows.calendar
        for item in self.cases.worklist(roles=role, at=now):
            late = "overdue since" if item.overdue else "due by"
            print(f"  {item.label.en}, {item.case}: {late} {calendar.text_of(item.due_at)}")

    def show(self, what: str, order: str) -> None:
        with Session(self.engine) as session:
            meetings = session.get_one(Order, order).meetings
        case = self.cases.case(order)
        print(f"{what}: {meetings} meetings, case in {case.state}, {case.version} lines of history")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        office = Office(f"sqlite:///{folder}/office.db")
        office.register("P-1", "12 Garden Road")
        office.show("registered", "P-1")

        refused = office.meet("P-1", "page-1", signed=False)
        print("refused:", *(reason.text("en") for reason in refused.reasons))
        office.show("after the refusal", "P-1")

        try:
            office.meet("P-1", "page-2", signed=True, calendar_is_down=True)
        except ConnectionError as error:
            print("failed:", error)
        office.show("after the failure", "P-1")

        office.meet("P-1", "page-2", signed=True)
        office.meet("P-1", "page-2", signed=True)
        office.show("sent twice", "P-1")

        print("the night of 10 March:")
        office.every_minute(datetime.fromisoformat("2026-03-10T02:00:00+08:00"))
        office.show("after the night", "P-1")

        print("the designers' morning of 10 March:")
        office.morning("designer", datetime.fromisoformat("2026-03-10T08:00:00+08:00"))
        office.engine.dispose()


if __name__ == "__main__":
    main()
