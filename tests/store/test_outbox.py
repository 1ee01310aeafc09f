"""Effects are delivered at least once each, in their order, and those that cannot be are put aside."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

import renoflow as rf
from tests.store.errands import ask, at, give_back, note, take
from tests.store.places import Place, count

DAY = timedelta(days=1)


def moved(place: Place, *names: str) -> rf.CaseService:
    """Cases with one effect each: the boss is told that the errand was taken."""
    service = place.service()
    for minutes, name in enumerate(names):
        service.open("errand", name, ask())
        service.send(name, take(at(minutes + 1)))
    return service


def failing(*keys: str) -> Callable[[rf.Effect], None]:
    def handler(effect: rf.Effect) -> None:
        if not keys or effect.key in keys:
            raise ConnectionError("the message service is down")

    return handler


def test_every_effect_is_delivered_in_its_order(place: Place) -> None:
    """What came first goes out first, once, and is known as delivered."""
    service = moved(place, "E-1", "E-2")
    service.send("E-1", give_back(at(9)))
    found: list[rf.Effect] = []
    delivery = service.deliver(found.append, at=at(10))
    keys = ["E-1:2:take:1", "E-2:2:take:1", "E-1:3:give_back:1"]
    assert [effect.key for effect in found] == keys
    assert list(delivery.delivered) == keys
    assert [item.effect for item in service.outbox("delivered")] == found
    assert service.deliver(found.append, at=at(11)).delivered == ()


def test_an_effect_says_what_to_do(place: Place) -> None:
    """What the handler gets is the effect of the step, as the step's outcome had it."""
    service = place.service()
    service.open("errand", "E-1", ask())
    outcome = service.send("E-1", take(at(1)))
    found: list[rf.Effect] = []
    place.service().deliver(found.append, at=at(2))
    assert tuple(found) == outcome.effects
    assert (found[0].kind, found[0].to, found[0].case) == ("notify", "boss", "E-1")


def test_one_that_fails_comes_again_later(place: Place) -> None:
    """A failure keeps its effect, with the reason, for later; the others go out."""
    service = moved(place, "E-1", "E-2")
    delivery = service.deliver(failing("E-1:2:take:1"), at=at(10))
    assert (delivery.failed, delivery.delivered) == (("E-1:2:take:1",), ("E-2:2:take:1",))
    [waiting] = service.outbox()
    assert (waiting.attempts, waiting.failure) == (1, "ConnectionError: the message service is down")
    found: list[rf.Effect] = []
    assert service.deliver(found.append, at=at(10)).delivered == ()
    assert service.deliver(found.append, at=at(10) + DAY).delivered == ("E-1:2:take:1",)


def test_one_that_always_fails_is_dead_in_the_end(place: Place) -> None:
    """After eight attempts an effect waits for a person, who sees it and may have it tried anew."""
    service = moved(place, "E-1")
    for attempt in range(1, 9):
        delivery = service.deliver(failing(), at=at(10) + attempt * DAY)
        assert bool(delivery.dead) == (attempt == 8)
    assert service.deliver(failing(), at=at(10) + 30 * DAY) == rf.Delivery(delivered=(), failed=(), dead=())
    [dead] = service.outbox("dead")
    assert (dead.effect.key, dead.attempts) == ("E-1:2:take:1", 8)
    assert service.revive("E-1:2:take:1", at(10) + 31 * DAY)
    assert not service.revive("E-1:2:take:1", at(10) + 31 * DAY)
    assert service.deliver(lambda effect: None, at=at(10) + 32 * DAY).delivered == ("E-1:2:take:1",)


def test_a_limit_takes_so_many(place: Place) -> None:
    """A delivery may be told to do no more than so many."""
    service = moved(place, "E-1", "E-2", "E-3")
    assert len(service.deliver(lambda effect: None, at=at(10), limit=2).delivered) == 2
    assert len(service.deliver(lambda effect: None, at=at(10), limit=2).delivered) == 1


def test_a_handler_may_move_cases(place: Place) -> None:
    """No row is held while the handler works, so it may call the service itself."""
    service = moved(place, "E-1")

    def handler(effect: rf.Effect) -> None:
        if effect.about == "take":
            assert service.send(effect.case, note(at(20)), key=effect.key).accepted

    delivery = service.deliver(handler, at=at(30))
    assert delivery.delivered == ("E-1:2:take:1", "E-1:3:note:1")
    assert service.case("E-1").facts["notes"] == 1


def test_a_handler_that_ends_the_process_gets_it_again(place: Place) -> None:
    """What no answer came to is delivered again: at least once, never not at all."""
    service = moved(place, "E-1")

    def pulled(effect: rf.Effect) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        service.deliver(pulled, at=at(10))
    assert place.service().deliver(lambda effect: None, at=at(10) + DAY).delivered == ("E-1:2:take:1",)


def test_one_effect_is_one_row(database: Place) -> None:
    """A key repeated, a command retried, a sweep made twice: the outbox has each effect once."""
    service = moved(database, "E-1")
    service.send("E-1", note(at(2)), key="k")
    service.send("E-1", note(at(2)), key="k")
    service.sweep(at(days=30))
    service.sweep(at(days=30))
    assert database.engine is not None
    assert count(database.engine, "renoflow_outbox") == len(service.outbox()) == 4


# ------------------------------------------------------------------ what is no longer asked for


def test_a_purge_removes_old_answers_and_delivered_effects_only(place: Place) -> None:
    """What waits, what is younger and what another tenant has stays; so do cases and histories."""
    service = place.service()
    other = place.service(tenant="other")
    for one in (service, other):
        one.open("errand", "E-1", ask(), key="k-1")
        one.send("E-1", take(at(1)), key="k-2")
        one.deliver(lambda effect: None, at=at(2))
        one.send("E-1", give_back(at(days=1)), key="k-3")
    before = service.case("E-1"), service.history("E-1")
    assert service.purge(at(days=0.5)) == 3
    assert service.purge(at(days=0.5)) == 0
    assert (service.case("E-1"), service.history("E-1")) == before
    assert [item.effect.about for item in service.outbox()] == ["give_back"]
    assert service.outbox("delivered") == []
    assert len(other.outbox("delivered")) == 1
    assert other.send("E-1", take(at(1)), key="k-2").repeated
    assert service.send("E-1", give_back(at(days=1)), key="k-3").repeated


def test_a_key_that_was_purged_is_new_again(place: Place) -> None:
    """The command happens, or is refused, as if it had never been sent."""
    service = place.service()
    service.open("errand", "E-1", ask())
    service.send("E-1", note(at(1)), key="k-1")
    assert service.purge(at(2)) == 1
    again = service.send("E-1", note(at(3)), key="k-1")
    assert again.accepted
    assert not again.repeated
    assert service.case("E-1").facts["notes"] == 2
