"""The host's own rows and its cases move together, or neither does."""

from __future__ import annotations

import pytest
from sqlalchemy import ForeignKey, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

import renoflow as rf
from tests.store.errands import ask, at, give_back, note, take
from tests.store.places import Place, count


class Base(DeclarativeBase):
    pass


class Order(Base):
    """A row of the host's."""

    __tablename__ = "orders"
    id: Mapped[str] = mapped_column(primary_key=True)
    visits: Mapped[int] = mapped_column(default=0)


class Visit(Base):
    __tablename__ = "visits"
    id: Mapped[int] = mapped_column(primary_key=True)
    order: Mapped[str] = mapped_column(ForeignKey("orders.id"))


class Host:
    """An application with ORM objects of its own, and cases beside them."""

    def __init__(self, place: Place) -> None:
        assert place.engine is not None
        self.engine = place.engine
        self.cases = place.service()
        Base.metadata.create_all(self.engine)

    def session(self) -> Session:
        return Session(self.engine)

    def orders(self) -> list[tuple[str, int]]:
        with self.session() as session:
            return [(order.id, order.visits) for order in session.scalars(select(Order).order_by(Order.id))]


@pytest.fixture
def host(database: Place) -> Host:
    return Host(database)


def test_a_row_and_a_case_begin_together(host: Host) -> None:
    """What one session commits is there, the order and its case."""
    with host.session() as session, session.begin():
        session.add(Order(id="E-1"))
        assert host.cases.open("errand", "E-1", ask(), connection=session).accepted
    assert host.orders() == [("E-1", 0)]
    assert host.cases.case("E-1").state == "waiting"


def test_neither_begins_when_the_host_fails(host: Host) -> None:
    """An error of the host's after the opening takes the case back, and everything of it."""

    def fail() -> None:
        with host.session() as session, session.begin():
            session.add(Order(id="E-1"))
            host.cases.open("errand", "E-1", ask(), connection=session, key="k")
            host.cases.send("E-1", take(at(1)), connection=session, key="k-1")
            raise ArithmeticError("the price is wrong")

    with pytest.raises(ArithmeticError):
        fail()
    assert host.orders() == []
    assert host.cases.find("E-1") is None
    for table in ("cases", "history", "deadlines", "keys", "outbox"):
        assert count(host.engine, f"renoflow_{table}") == 0


def test_nothing_is_committed_but_by_the_host(host: Host) -> None:
    """Until the host commits, nobody else sees the move; what it does itself does."""
    host.cases.open("errand", "E-1", ask())
    with host.session() as session:
        session.add(Order(id="E-1"))
        host.cases.send("E-1", take(at(1)), connection=session)
        assert host.cases.case("E-1").state == "waiting"
        assert host.cases.case("E-1", connection=session).state == "working"
        assert [entry.event for entry in host.cases.history("E-1", connection=session)] == ["ask", "take"]
        session.rollback()
    assert host.cases.case("E-1").state == "waiting"
    assert host.orders() == []


def test_several_calls_share_one_transaction(host: Host) -> None:
    """Each call sees what the one before it did, and all of them are kept at once."""
    with host.session() as session, session.begin():
        host.cases.open("errand", "E-1", ask(), connection=session)
        for command in (take(at(1)), note(at(2)), give_back(at(3))):
            assert host.cases.send("E-1", command, connection=session).accepted
            session.add(Order(id=command.event))
    assert host.cases.case("E-1").version == 4
    assert len(host.orders()) == 3


def test_a_refusal_leaves_the_hosts_transaction_alone(host: Host) -> None:
    """After a no the host goes on with its own rows as it likes."""
    host.cases.open("errand", "E-1", ask())
    with host.session() as session, session.begin():
        session.add(Order(id="E-1"))
        session.flush()
        assert host.cases.send("E-1", give_back(at(1)), connection=session).refused
        session.add(Visit(order="E-1"))
    assert host.orders() == [("E-1", 0)]


def test_an_error_leaves_the_hosts_transaction_alone(host: Host) -> None:
    """A call that raises takes back itself and nothing of what the host did before."""
    host.cases.open("errand", "E-1", ask())
    host.cases.send("E-1", note(at(1)), key="k")
    with host.session() as session, session.begin():
        session.add(Order(id="E-1"))
        session.flush()
        with pytest.raises(rf.KeyReused):
            host.cases.send("E-1", take(at(2)), key="k", connection=session)
        assert host.cases.send("E-1", take(at(3)), connection=session).accepted
    assert host.orders() == [("E-1", 0)]
    assert host.cases.case("E-1").state == "working"


def test_a_savepoint_of_the_hosts_takes_the_move_with_it(host: Host) -> None:
    """The host may take back a part of its transaction, with the moves in it."""
    host.cases.open("errand", "E-1", ask())
    with host.session() as session, session.begin():
        host.cases.send("E-1", note(at(1)), connection=session)
        with session.begin_nested() as part:
            session.add(Order(id="E-1"))
            host.cases.send("E-1", take(at(2)), connection=session)
            part.rollback()
        host.cases.send("E-1", note(at(3)), connection=session)
    assert [entry.event for entry in host.cases.history("E-1")] == ["ask", "note", "note"]
    assert host.orders() == []


def test_a_core_connection_will_do(host: Host) -> None:
    """A plain connection is as good as a session."""
    with host.engine.connect() as connection:
        connection.execute(text("insert into orders (id, visits) values ('E-1', 1)"))
        host.cases.open("errand", "E-1", ask(), connection=connection)
        connection.commit()
        host.cases.send("E-1", take(at(1)), connection=connection)
        connection.rollback()
    assert host.orders() == [("E-1", 1)]
    assert host.cases.case("E-1").state == "waiting"


def test_a_connection_that_has_done_nothing_yet_will_do(host: Host) -> None:
    """A move may be the first thing in a transaction, and is taken back with it all the same."""
    host.cases.open("errand", "E-1", ask())
    with host.engine.connect() as connection:
        host.cases.send("E-1", take(at(1)), connection=connection)
        connection.rollback()
        assert host.cases.case("E-1").state == "waiting"
        host.cases.send("E-1", take(at(1)), connection=connection)
        connection.commit()
    assert host.cases.case("E-1").state == "working"


def test_a_sweep_may_be_part_of_it(host: Host) -> None:
    """Deadlines fired inside the host's transaction are taken back with it, and fire again later."""
    host.cases.open("errand", "E-1", ask())
    with host.session() as session:
        session.add(Order(id="E-1"))
        assert host.cases.sweep(at(days=5), connection=session).entries
        session.rollback()
    assert [entry.event for entry in host.cases.history("E-1")] == ["ask"]
    assert len(host.cases.sweep(at(days=5)).entries) == 3


def test_a_key_is_forgotten_with_the_transaction(host: Host) -> None:
    """A command that was taken back may be sent again under its key, and happens then."""
    host.cases.open("errand", "E-1", ask())
    with host.session() as session:
        host.cases.send("E-1", note(at(1)), key="k", connection=session)
        session.rollback()
    again = host.cases.send("E-1", note(at(1)), key="k")
    assert not again.repeated
    assert host.cases.case("E-1").facts["notes"] == 1


def test_what_is_no_connection_is_an_error(host: Host) -> None:
    """The wrong thing in `connection` is named, and so is the wrong database."""
    host.cases.open("errand", "E-1", ask())
    with pytest.raises(rf.UsageError, match="Connection or Session; found str"):
        host.cases.send("E-1", take(at(1)), connection="sqlite://")
