"""What comes in wrong: each gets a clear answer, and everything is afterwards as it was.

Three ways in are tried: the library, the replay script, and the command line. A misuse of the library is an
exception, a business "no" a refusal; a script that cannot be read is told with its line and not run at all.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

import renoflow as rf
from renoflow import cli
from tests.engine.small import Desk, load
from tests.vectors.table import beginning, workflows

DATA = Path(__file__).parent / "data"
DAY0 = "2026-03-01"
NOW = "2026-03-02T12:00:00+08:00"


@pytest.fixture
def service() -> rf.CaseService:
    """A project in consultation; the proposal is due at the end of 2026-03-09."""
    flows = workflows("")
    return rf.run_script(rf.read_script(beginning("consulting", DAY0), flows), flows).service


def command(
    event: str = "record_consultation", at: Any = NOW, role: str = "designer", **more: Any
) -> rf.Command:
    return rf.Command(event, rf.Actor("chen", frozenset((role,))), at, **more)


def snapshot(service: rf.CaseService) -> bytes:
    return msgspec.json.encode([[case, service.history(case.id)] for case in service.cases()])


@pytest.fixture
def unchanged(service: rf.CaseService) -> Any:
    """Holds the service's cases and histories against what they were before the test."""
    before = snapshot(service)
    yield
    assert snapshot(service) == before


# ------------------------------------------------------------------ instants


@pytest.mark.parametrize(
    ("at", "error"),
    [
        (datetime(2026, 3, 2, 12), rf.NaiveInstant),  # noqa: DTZ001 - that is the point
        ("2026-03-02T12:00:00", rf.NaiveInstant),
        ("2026-03-02", rf.NaiveInstant),
        ("yesterday", rf.UsageError),
        ("", rf.UsageError),
        ("2026-02-30T12:00:00+08:00", rf.UsageError),
        ("2026-03-02T25:00:00+08:00", rf.UsageError),
        (date(2026, 3, 2), rf.UsageError),
        (1772424000, rf.UsageError),
        (None, rf.UsageError),
        (datetime(1, 1, 1, tzinfo=UTC) + timedelta(0), None),
        ("0001-01-01T00:00:00+14:00", rf.UsageError),
        ("9999-12-31T23:59:59-12:00", rf.UsageError),
    ],
)
@pytest.mark.usefixtures("unchanged")
def test_an_instant_has_a_zone_and_exists(at: Any, error: type[Exception] | None) -> None:
    """A command without a real instant is not made; a time zone is never guessed."""
    if error is None:
        assert command(at=at).at == at
        return
    with pytest.raises(error) as caught:
        command(at=at)
    assert (
        "2026-03-01T10:00:00+08:00" in str(caught.value)
        or "years 1 to 9999" in str(caught.value)
        or repr(at) in str(caught.value)
    )


@pytest.mark.usefixtures("unchanged")
def test_every_way_in_asks_for_a_zone(service: rf.CaseService) -> None:
    """Opening, sweeping, waking, asking and explaining take no naive instant."""
    flow, case = service.workflows["project"], service.case("P-1")
    naive = datetime(2026, 3, 2, 12)  # noqa: DTZ001 - that is the point
    calls: list[Callable[[], object]] = [
        lambda: service.sweep(naive),
        lambda: flow.wake(case, naive),
        lambda: flow.allowed(case, at=naive),
        lambda: flow.open("P-2", actor=rf.Actor("li", frozenset({"front_desk"})), at=naive),
        lambda: flow.time_by_side(service.history("P-1"), naive),
        lambda: (
            rf.Signature("customer", "li", naive)
            and command(documents=(rf.Document("floor_plan"),), at=naive)
        ),
    ]
    for call in calls:
        with pytest.raises(rf.NaiveInstant):
            call()


@pytest.mark.usefixtures("unchanged")
def test_time_does_not_run_backwards(service: rf.CaseService) -> None:
    """A command from before the case's last entry is refused, and says both instants."""
    outcome = service.send("P-1", command(at="2026-03-02T09:59:59+08:00"))
    (reason,) = outcome.reasons
    assert reason.code == "time_runs_backwards"
    assert (reason.values["found"], reason.values["last"]) == (
        datetime(2026, 3, 2, 1, 59, 59, tzinfo=UTC), datetime(2026, 3, 2, 2, 0, tzinfo=UTC),
    )  # fmt: skip


# ------------------------------------------------------------------ names that nobody declared

UNKNOWN: Mapping[str, Callable[[rf.CaseService], object]] = {
    "fact": lambda service: service.send("P-1", command(facts={"home_aera": "80"})),
    "document": lambda service: service.send("P-1", command(documents=(rf.Document("consultation_recrd"),))),
    "payment": lambda service: service.send("P-1", command(payments=(rf.Payment("depposit", "5.00"),))),
    "workflow": lambda service: service.open("projekt", "P-2", command("register_enquiry")),
    "case": lambda service: service.case("P-2"),
    "deadline": lambda service: service.workflows["project"].explain(service.case("P-1"), "propsal"),
    "state": lambda service: service.workflows["project"].route(service.case("P-1"), "bilding"),
}


@pytest.mark.parametrize("kind", UNKNOWN)
@pytest.mark.usefixtures("unchanged")
def test_an_unknown_name_is_told_with_what_is_near(service: rf.CaseService, kind: str) -> None:
    """A name that the files do not declare is an exception which says its kind and what was meant."""
    with pytest.raises(rf.UnknownName) as caught:
        UNKNOWN[kind](service)
    assert caught.value.kind == kind
    assert "did you mean" in str(caught.value) or "known are" in str(caught.value)


@pytest.mark.usefixtures("unchanged")
def test_an_unknown_event_case_or_role_is_refused(service: rf.CaseService) -> None:
    """What may come in from outside with a name nobody knows is a refusal."""
    assert [one.code for one in service.send("P-1", command("mesure_site")).reasons] == ["unknown_event"]
    assert [one.code for one in service.send("P-9", command()).reasons] == ["unknown_case"]
    outcome = service.send(
        "P-1", command(role="desinger", documents=(rf.Document("consultation_record", ("customer",)),))
    )
    assert sorted(one.code for one in outcome.reasons) == ["role_not_allowed", "unknown_role"]


@pytest.mark.parametrize(
    "event", ["deadline.proposal.breached", "child.patrol.start_patrol", "link.lead.told", "state.x.entered"]
)
@pytest.mark.usefixtures("unchanged")
def test_nobody_sends_what_is_the_engines_to_say(service: rf.CaseService, event: str) -> None:
    """Names with a dot belong to the engine; sent by a person, or by somebody who calls himself system, they
    are unknown."""
    for role in ("designer", "system"):
        assert [one.code for one in service.send("P-1", command(event, role=role)).reasons] == [
            "unknown_event"
        ]


@pytest.mark.usefixtures("unchanged")
def test_a_case_of_another_workflow_is_a_wrong_call(service: rf.CaseService) -> None:
    """A project is not decided by the rules of a complaint."""
    with pytest.raises(rf.UsageError):
        service.workflows["complaint"].decide(service.case("P-1"), command())


@pytest.mark.parametrize(
    "make",
    [
        lambda: rf.Actor(""),
        lambda: workflows("")["project"].open("", actor=rf.Actor("li"), at=NOW),
    ],
)
def test_an_empty_name_is_no_name(make: Callable[[], object]) -> None:
    """Actors and cases have ids."""
    with pytest.raises(rf.UsageError):
        make()


# ------------------------------------------------------------------ facts of the wrong type

WRONG_VALUES: Mapping[str, list[Any]] = json.loads((DATA / "wrong_values.json").read_text("utf-8"))
"""For each type of fact, values as JSON has them that are none of it."""

CARRIERS: Mapping[str, tuple[str, str, str, str]] = {
    "decimal": ("project", "start_consultation", "home_area", "designer"),
    "whole": ("project", "sign_contract", "contract_days", "customer"),
    "yes_no": ("project", "pay_deposit", "satisfied", "customer"),
    "text": ("project", "mark_lost", "reason", "customer_manager"),
    "texts": ("project", "return_contract", "defects", "reviewer"),
    "enum": ("project", "start_consultation", "home_kind", "designer"),
    "set": ("project", "submit_contract_review", "draft_contains", "customer_manager"),
    "money": ("project", "pay_deposit", "deposit_amount", "customer"),
    "percent": ("project", "withdraw_after_deposit", "unperformed_share", "customer"),
    "date": ("project", "complete_works", "acceptance_on", "project_manager"),
    "instant": ("project", "record_consultation", "next_appointment", "designer"),
    "duration": ("project", "sign_contract", "contract_warranty_general", "customer"),
    "actor": ("complaint", "assign_investigation", "investigator", "store_manager"),
}
"""For each type: a workflow, an event, a fact of that type that it may bring, and who may do it."""

# What only the library can bring.
OTHER_VALUES: tuple[tuple[str, Any], ...] = (
    ("whole", Decimal(60)),
    ("date", datetime(2026, 3, 2, tzinfo=UTC)),
    ("instant", date(2026, 3, 2)),
    ("decimal", float("nan")),
    ("text", b"text"),
)
ROWS = [*((kind, value) for kind, values in WRONG_VALUES.items() for value in values), *OTHER_VALUES]


@pytest.mark.parametrize(("kind", "value"), ROWS, ids=[f"{kind}-{str(value)[:20]}" for kind, value in ROWS])
def test_a_value_of_the_wrong_type_is_refused_with_what_is_wanted(kind: str, value: Any) -> None:
    """Nothing is coerced: `"60"` is no whole number, 1.5 no exact one, -5 m² no area."""
    workflow, event, fact, role = CARRIERS[kind]
    flow = workflows("")[workflow]
    case = _some_case(workflow)
    decision = flow.decide(
        case, rf.Command(event, rf.Actor("x", frozenset((role,))), NOW, facts={fact: value})
    )
    assert decision.case is case
    reasons = {reason.code: reason for reason in decision.reasons if reason.subject == fact}
    # A value that is wrong is not a value that is missing.
    assert list(reasons) == ["fact_invalid"]
    text = reasons["fact_invalid"].text("en")
    assert "expected" in text
    assert len(text) < 400


def _some_case(workflow: str) -> rf.Case:
    flows = workflows("")
    script = beginning("consulting" if workflow == "project" else "complaint", DAY0)
    return rf.run_script(rf.read_script(script, flows), flows).cases()[0]


def test_every_type_of_fact_is_tried() -> None:
    """The tables above leave no type out but counts, which nobody brings."""
    types = {fact.type for flow in workflows("").values() for fact in flow.plan.facts.values()}
    assert types - {"count"} <= set(CARRIERS) == set(WRONG_VALUES)


@pytest.mark.parametrize(
    "fact",
    ["deposit_amount", "refund_amount", "handed_over", "accepted_on", "stop_side"],
)
@pytest.mark.usefixtures("unchanged")
def test_a_fact_that_an_event_may_not_bring_is_refused(service: rf.CaseService, fact: str) -> None:
    """Neither another event's facts nor the engine's own may come with a consultation record."""
    brought = command(facts={fact: "1.00"}, documents=(rf.Document("consultation_record", ("customer",)),))
    assert [(one.code, one.subject) for one in service.send("P-1", brought).reasons] == [
        ("fact_not_allowed", fact)
    ]


@pytest.mark.usefixtures("unchanged")
def test_a_refused_command_drops_all_that_it_brought(service: rf.CaseService) -> None:
    """One wrong value among good ones, papers and payments: none of them stays."""
    brought = command(
        facts={"home_area": "80", "home_kind": "castle"},
        documents=(rf.Document("consultation_record", ("customer",)), rf.Document("floor_plan")),
        payments=(rf.Payment("deposit", "5000.00"),),
    )
    assert [one.code for one in service.send("P-1", brought).reasons] == ["fact_invalid"]


# ------------------------------------------------------------------ things of the wrong kind

PAPER = "registration_form"


def opened(**given: Any) -> rf.Decision:
    asked: dict[str, Any] = {"actor": rf.Actor("wang", "customer_manager"), "at": NOW, "documents": [PAPER]}
    return workflows("")["project"].open("P-7", **(asked | given))


def some(thing: Any) -> Any:
    """Where None is allowed, something else that is nothing."""
    return 0 if thing is None else thing


WRONG_KINDS: Mapping[str, Callable[[Any], object]] = {
    "actor": lambda thing: opened(actor=thing),
    "actor of a redaction": lambda thing: workflows("")["project"].redact(
        _some_case("project"), facts=None, notes=True, actor=thing, at=NOW, reason="asked for"
    ),
    "roles": lambda thing: rf.Actor("wang", roles=thing),
    "role": lambda thing: rf.Actor("wang", roles=[thing]),
    "event": lambda thing: rf.Command(thing, rf.Actor("wang"), NOW),
    "facts": lambda thing: opened(facts=thing),
    "fact": lambda thing: opened(facts={thing: "1"}),
    "documents": lambda thing: opened(documents=thing),
    "document": rf.Document,
    "signers": lambda thing: rf.Document(PAPER, signed_by=thing),
    "signer": lambda thing: rf.Document(PAPER, signed_by=[thing]),
    "signer's role": rf.Signature,
    "signed at": lambda thing: rf.Signature("customer", "li", some(thing)),
    "payments": lambda thing: opened(payments=thing),
    "note": lambda thing: opened(note=thing),
    "case id": lambda thing: workflows("")["project"].open(thing, actor=rf.Actor("wang"), at=NOW),
    "case": lambda thing: workflows("")["project"].decide(thing, command()),
    "command": lambda thing: workflows("")["project"].decide(_some_case("project"), thing),
    "workflows": rf.CaseService,
    "store": lambda thing: rf.CaseService(workflows(""), some(thing)),
    "tenant": lambda thing: rf.CaseService(workflows(""), tenant=thing),
    "key": lambda thing: rf.CaseService(workflows("")).send("P-1", command(), key=some(thing)),
    "command of a service": lambda thing: rf.CaseService(workflows("")).send("P-1", thing),
    "links": lambda thing: rf.CaseService(workflows("")).open("project", "P-1", command(), links=thing),
    "limit": lambda thing: rf.CaseService(workflows("")).outbox(limit=thing),
    "handler": lambda thing: rf.CaseService(workflows("")).deliver(thing),
    "JSON": workflows("")["project"].case_from_json,
}


@pytest.mark.parametrize("thing", [None, 3.5], ids=str)
@pytest.mark.parametrize("kind", WRONG_KINDS)
def test_a_thing_of_the_wrong_kind_is_told_at_once(kind: str, thing: Any) -> None:
    """Nothing that is no actor, paper, event or store gets any further, nor ends in an error of Python's."""
    with pytest.raises(rf.UsageError) as caught:
        WRONG_KINDS[kind](thing)
    text = str(caught.value)
    assert "found" in text or repr(thing) in text or repr(some(thing)) in text


def test_a_url_is_no_store() -> None:
    """Who gives the URL itself is told what to give, and the URL is not shown, as it may hold a password."""
    with pytest.raises(rf.UsageError, match=r"a store is rf\.SqlStore") as caught:
        rf.CaseService(workflows(""), "postgresql://me:secret@host/firm")  # type: ignore[arg-type]
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("status", ["pending", "", None])
def test_an_outbox_of_an_unknown_status_is_not_empty(status: Any) -> None:
    """A misspelt status is told, and does not look like an outbox with nothing in it."""
    with pytest.raises(rf.UnknownName, match="waiting"):
        rf.CaseService(workflows("")).outbox(status)


def test_one_alone_needs_no_list() -> None:
    """One paper, one signer, one payment, one workflow: a text is not taken for a list of its letters."""
    assert rf.Document("contract", "customer").signed_by == ("customer",)
    assert rf.Document("contract", rf.Signature("customer")).signed_by == (rf.Signature("customer"),)
    assert command(documents=PAPER).documents == command(documents=rf.Document(PAPER)).documents
    assert command(payments=rf.Payment("deposit", "5.00")).payments[0].id == "deposit"
    assert list(rf.load_workflows(only="lead")) == ["lead"]


def test_a_signature_has_a_real_instant() -> None:
    """A date or a local time on a signature would make a case that can never be read again."""
    for at in ("2026-03-01", "2026-03-01T10:00:00", datetime(2026, 3, 1)):  # noqa: DTZ001 - that is the point
        with pytest.raises(rf.NaiveInstant):
            rf.Signature("customer", "li", at)
    signed = rf.Signature("customer", "li", "2026-03-01T10:00:00+08:00")
    assert signed.at == datetime(2026, 3, 1, 2, tzinfo=UTC)
    case = opened(documents=[rf.Document(PAPER, signed)]).unwrap()
    flow = workflows("")["project"]
    assert flow.case_from_json(flow.to_json(case)) == case


# ------------------------------------------------------------------ papers and money


@pytest.mark.usefixtures("unchanged")
def test_a_signature_by_an_unknown_role_is_refused(service: rf.CaseService) -> None:
    """A paper signed by a role that nobody has is not taken."""
    brought = command(documents=(rf.Document("consultation_record", ("customer", "custommer")),))
    assert [one.code for one in service.send("P-1", brought).reasons] == ["unknown_signer"]


@pytest.mark.parametrize(
    "amount",
    ["0", "0.00", "-0.01", "-5000", "0.001", "5000.005", "five", "", "NaN", "Infinity", "1e15", "9" * 30,
     "1e-400",      0, -1, True, None, 1.5, [], {}],
)  # fmt: skip
@pytest.mark.usefixtures("unchanged")
def test_a_payment_is_a_positive_sum_in_yuan_and_cents(service: rf.CaseService, amount: Any) -> None:
    """Nothing, less than nothing, parts of a cent and things that are no sum are refused."""
    brought = command(
        documents=(rf.Document("consultation_record", ("customer",)),),
        payments=(rf.Payment("deposit", amount),),
    )
    outcome = service.send("P-1", brought)
    assert [(one.code, one.subject) for one in outcome.reasons] == [("payment_invalid", "deposit")]


def test_sums_are_exact(service: rf.CaseService) -> None:
    """Ten payments of ten cents are one yuan."""
    for _ in range(10):
        paid = command(
            documents=(rf.Document("consultation_record", ("customer",)),),
            payments=(rf.Payment("deposit", "0.10"),),
        )
        assert service.send("P-1", paid).accepted
    assert str(service.case("P-1").payments["deposit"]) == "1.00"


# ------------------------------------------------------------------ enormous things


def test_an_enormous_text_is_kept_or_refused_but_never_quoted_whole(service: rf.CaseService) -> None:
    """A megabyte in a text is a text; where it is wrong the refusal shows the beginning only."""
    large = "长" * 1_000_000
    loss = rf.Document("loss_record", ("store_manager",))
    manager = {"role": "customer_manager"}
    assert service.send(
        "P-1", command("mark_lost", facts={"reason": large}, documents=(loss,), **manager)
    ).accepted
    refused = service.workflows["project"].decide(_some_case("project"), command(facts={"home_kind": large}))
    assert all(len(one.text("zh")) < 1000 for one in refused.reasons)


@pytest.mark.parametrize("fact", ["home_area", "home_kind", "measured_free"])
def test_an_enormous_whole_number_is_refused(fact: str) -> None:
    """A number with more digits than Python writes out is a wrong value like any other."""
    decision = workflows("")["project"].decide(
        _some_case("project"), command("start_consultation", facts={fact: 10**5000})
    )
    assert "fact_invalid" in [one.code for one in decision.reasons]


ENDLESS = """
[states]
open = {}
done = { final = true }
[facts]
length = { type = "duration" }
days   = { type = "whole", above = 0 }
until  = { type = "date" }
[conditions]
by_days = { fact = "days", known = true }
[events.begin]
from = "@start"
to = "open"
may_give = ["length", "days", "until"]
[events.end]
from = ["open"]
to = "done"
[deadlines.work]
starts = ["begin"]
stops = ["end"]
extended_by = ["worker"]
terms = [ { until = "@until" }, { when = "by_days", limit = "@days" }, { limit = "@length" } ]
"""


@pytest.mark.parametrize(
    "facts",
    [{"length": "999999 years"}, {"length": "999999 months"}, {"length": "999999 weeks"}, {"days": 10**7},
     {"days": 10**30}, {"until": "9999-12-31"}],
)  # fmt: skip
def test_a_term_that_never_ends_is_refused(tmp_path: Path, facts: dict[str, Any]) -> None:
    """A due date beyond the calendar is a business "no" to the command that asks for it."""
    desk = Desk(load(tmp_path, job=ENDLESS))
    assert desk.open("2026-03-02 10:00", **facts) == ["date_out_of_range"]
    assert desk.service.find("J-1") is None


@pytest.mark.parametrize("length", ["999999 years", "999999 months", "999999 weeks"])
def test_an_extension_that_never_ends_is_refused(tmp_path: Path, length: str) -> None:
    """An extension beyond the calendar is refused, and the date stays."""
    desk = Desk(load(tmp_path, job=ENDLESS))
    desk.open("2026-03-02 10:00", length="3 days")
    reasons = desk.extend("work", "2026-03-02 11:00", length, role="worker")
    assert reasons == ["date_out_of_range"]
    assert desk.due() == "2026-03-05 24:00"


HALF = "\ud800"
NO_UNICODE: Mapping[str, Callable[[rf.CaseService], object]] = {
    "fact": lambda service: service.send(
        "P-1",
        command(
            "mark_lost",
            role="customer_manager",
            facts={"reason": HALF},
            documents=(rf.Document("loss_record", ("store_manager",)),),
        ),
    ),
    "note": lambda service: service.send("P-1", command("contact_customer", note=HALF)),
    "actor": lambda service: service.send(
        "P-1", rf.Command("contact_customer", rf.Actor(HALF, frozenset({"designer"})), NOW)
    ),
    "signer": lambda service: service.send(
        "P-1",
        command(documents=(rf.Document("consultation_record", (rf.Signature("customer", HALF),)),)),
    ),
    "reason of an extension": lambda service: service.send(
        "P-1",
        command("deadline.proposal.extend", role="store_manager", facts={"by": "1 day", "reason": HALF}),
    ),
    "case": lambda service: service.open(
        "project",
        HALF,
        command("register_enquiry", role="front_desk", documents=(rf.Document("registration_form"),)),
    ),
}


@pytest.mark.parametrize("place", sorted(NO_UNICODE))
def test_a_text_that_is_no_unicode_is_not_kept(service: rf.CaseService, place: str) -> None:
    """What JSON escapes can say and UTF-8 cannot is refused, or the case could never be stored."""
    before = snapshot(service)
    with suppress(rf.UsageError):
        NO_UNICODE[place](service)
    assert snapshot(service) == before


@pytest.mark.parametrize(
    "facts",
    [
        {"by": None, "reason": "rain"}, {"by": 3, "reason": "rain"}, {"by": [], "reason": "rain"},
        {"by": "3", "reason": "rain"}, {"by": "-3 days", "reason": "rain"}, {"by": 10**400, "reason": "rain"},
        {"by": "1.5 days", "reason": "rain"}, {"by": "3 days"}, {"by": "3 days", "reason": ""},
        {"by": "3 days", "reason": 5}, {"reason": "rain"}, {},
    ],
)  # fmt: skip
@pytest.mark.usefixtures("unchanged")
def test_an_extension_needs_a_length_and_a_reason(service: rf.CaseService, facts: dict[str, Any]) -> None:
    """Anything else than a duration and a text is refused."""
    asked = command("deadline.proposal.extend", role="store_manager", facts=facts)
    codes = {one.code for one in service.send("P-1", asked).reasons}
    assert codes
    assert codes <= {"fact_invalid", "fact_missing"}


def test_an_extension_by_an_enormous_number_is_refused(service: rf.CaseService) -> None:
    """A number with more digits than Python writes out is no duration, and no exception."""
    facts = {"by": 10**5000, "reason": "rain"}
    asked = command("deadline.proposal.extend", role="store_manager", facts=facts)
    assert [one.code for one in service.send("P-1", asked).reasons] == ["fact_invalid"]


def test_an_extension_brings_nothing_else(service: rf.CaseService) -> None:
    """A fact that has nothing to do with it is refused as with any other event."""
    facts = {"by": "1 day", "reason": "rain", "home_area": "80"}
    outcome = service.send("P-1", command("deadline.proposal.extend", role="store_manager", facts=facts))
    assert [(one.code, one.subject) for one in outcome.reasons] == [("fact_not_allowed", "home_area")]


# ------------------------------------------------------------------ hosts that fail

HOSTED = """
[states]
open = {}
done = { final = true }
[conditions]
agreed = { registered = "ask_host" }
[events.begin]
from = "@start"
to = "open"
[events.end]
from = ["open"]
to = "done"
guards = ["agreed"]
[deadlines.work]
starts = ["begin"]
stops = ["end"]
terms = [ { limit = "1 day" } ]
escalations = [ { after = "0 days", notify = ["boss"] } ]
"""


def test_a_hosts_predicate_that_fails_leaves_the_case_as_it_was(tmp_path: Path) -> None:
    """Its exception reaches the host, and nothing of the command is kept."""

    def fails(scene: object) -> bool:
        raise RuntimeError("the host's database is away")

    desk = Desk(load(tmp_path, job=HOSTED, predicates={"ask_host": fails}))
    desk.open("2026-03-02 10:00")
    before = snapshot(desk.service)
    with pytest.raises(RuntimeError, match="away"):
        desk.do("end", "2026-03-02 11:00")
    assert snapshot(desk.service) == before


def test_a_wrong_call_loses_no_effect_of_what_fell_due(service: rf.CaseService) -> None:
    """Notices that a failing call came across are still handed out, by it or by the next one."""
    late = "2026-03-20T00:00:00+08:00"
    with pytest.raises(rf.UnknownName):
        service.send("P-1", command(at=late, facts={"no_such_fact": 1}))
    about = [effect.about for effect in service.sweep(late).effects]
    assert about.count("deadline.proposal.escalation") == 2


# ------------------------------------------------------------------ scripts that cannot be read

OPEN, SEND = (DATA / "sound_lines.jsonl").read_text("utf-8").splitlines()
"""A line that opens P-1, and one that is sent to it the day after."""


def _table(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = tomllib.loads((DATA / name).read_text("utf-8"))["line"]
    return rows


def with_key(**changes: Any) -> str:
    """The sending line with some keys replaced, or taken out by None."""
    data = {**json.loads(SEND), **changes}
    return json.dumps({key: value for key, value in data.items() if value is not None})


def with_area(text: str) -> str:
    """The sending line with an area as it is written here."""
    return SEND.replace("}", f', "facts": {{"home_area": {text}}}}}')


MALFORMED: Mapping[str, str | bytes] = {
    **{row["name"]: f"{OPEN}\n{row['text']}" for row in _table("malformed_lines.toml")},
    "too long a line": f"{OPEN}\n" + with_key(note="x" * 1_000_001),
    "a number of many digits": f"{OPEN}\n" + with_area("9" * 5000),
    "nested too deeply": f"{OPEN}\n" + with_area("[" * 50_000 + "]" * 50_000),
    "not UTF-8": OPEN.encode() + b"\n" + b'{"case": "\xff"}',
    "UTF-16": OPEN.encode() + b"\n" + SEND.encode("utf-16"),
    "binary": OPEN.encode() + b"\n" + bytes(range(128, 256)),
}
"""Scripts whose second line is wrong, by what is wrong with it."""


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_script_is_told_with_its_line_and_not_run(name: str) -> None:
    """The second line is wrong in some way; nothing of the first is run either."""
    with pytest.raises(rf.ScriptError) as caught:
        rf.read_script(MALFORMED[name], workflows(""))
    assert caught.value.line == 2
    assert caught.value.reason
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 1000


def test_a_script_may_be_empty_or_hold_remarks_only() -> None:
    """No lines are no steps."""
    flows = workflows("")
    for text in ("", "\n\n", "# nothing yet\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf# with a mark\r\n\r\n"):
        replay = rf.run_script(rf.read_script(text, flows), flows)
        assert (replay.steps, replay.cases(), replay.at) == ((), (), None)


def test_what_stands_before_the_wrong_line_is_lost_to_nobody() -> None:
    """Reading is apart from running: the lines before a wrong one can be read and run on their own."""
    flows = workflows("")
    lines = rf.read_script(f"{OPEN}\n{SEND}\n", flows)
    assert [step.accepted for step in rf.run_script(lines, flows).steps] == [True, True]


def _read_or_nested_too_deeply(text: str) -> tuple[rf.Line, ...] | None:
    try:
        return rf.read_script(text, workflows(""))
    except rf.ScriptError as error:
        return None if "nested" in error.reason else ()


def test_a_nested_value_is_refused_or_malformed_at_any_depth() -> None:
    """However deep a value is nested, it is a line that cannot be read or a fact that is not valid."""
    flows = workflows("")
    for depth in range(10, 1010, 10):
        nested = "[" * depth + "]" * depth
        text = f"{OPEN}\n{with_area(nested)}"
        lines = _read_or_nested_too_deeply(text)
        if lines is None:
            continue
        steps = rf.run_script(lines, flows).steps
        assert [reason.code for reason in steps[1].reasons] == ["fact_invalid"]


# ------------------------------------------------------------------ lines that are refused

REFUSED = {row["name"]: row for row in _table("refused_lines.toml")}


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_line_leaves_all_as_it_was_and_the_rest_goes_on(name: str) -> None:
    """Its step says why; the case is as it was, and the next line is run."""
    flows = workflows("")
    line, codes = REFUSED[name]["text"], REFUSED[name]["codes"]
    last = SEND.replace("2026-03-02", "2026-03-03")
    steps = rf.run_script(rf.read_script(f"{OPEN}\n{line}\n{last}", flows), flows).steps
    assert sorted(one.code for one in steps[1].reasons) == sorted(codes)
    assert [step.accepted for step in steps] == [True, False, True]
    without = rf.run_script(rf.read_script(f"{OPEN}\n{last}", flows), flows)
    again = rf.run_script(rf.read_script(f"{OPEN}\n{line}\n{last}", flows), flows)
    assert snapshot(again.service) == snapshot(without.service)


# ------------------------------------------------------------------ the command line


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "script.jsonl"
    path.write_text(beginning("consulting", DAY0), "utf-8")
    return path


def complaint_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What the command complains about: exit code 2, one line, no traceback, nothing printed as an answer."""
    assert cli.main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("renoflow: ")
    assert err.endswith("\n")
    assert err.count("\n") == 1
    assert "Traceback" not in err
    return err


def test_a_missing_file_or_a_folder_is_no_script(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each says what is wrong with the path, in one line."""
    assert "missing.jsonl" in complaint_of(capsys, "replay", str(tmp_path / "missing.jsonl"))
    assert str(tmp_path) in complaint_of(capsys, "replay", str(tmp_path))
    assert "missing.toml" in complaint_of(
        capsys, "replay", str(tmp_path), "--profile", str(tmp_path / "missing.toml")
    )
    assert str(tmp_path) in complaint_of(capsys, "check", str(tmp_path))


@pytest.mark.parametrize(
    "name",
    ["cut off in the middle", "not UTF-8", "nested too deeply", "a naive instant", "NaN", "too long a line"],
)
def test_a_malformed_script_is_told_with_file_and_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """The file, the line and the reason; with --json also as data."""
    text = MALFORMED[name]
    path = tmp_path / "script.jsonl"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert f"{path}: line 2: " in complaint_of(capsys, "replay", str(path))
    assert cli.main(["replay", str(path), "--json"]) == 2
    found = json.loads(capsys.readouterr().out)
    assert found["line"] == 2
    assert found["reason"]


def test_unknown_names_in_options_are_told(script: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A case, a deadline, a role, a workflow and an instant that do not exist."""
    path = str(script)
    assert "P-7" in complaint_of(capsys, "explain", path, "--case", "P-7", "--deadline", "proposal")
    assert "did you mean 'proposal'" in complaint_of(
        capsys, "explain", path, "--case", "P-1", "--deadline", "propsal"
    )
    assert "did you mean 'designer'" in complaint_of(
        capsys, "allowed", path, "--case", "P-1", "--role", "desinger"
    )
    assert "did you mean 'project'" in complaint_of(capsys, "describe", "projekt")
    assert "time zone" in complaint_of(capsys, "replay", path, "--at", "2026-03-13T00:00:00")
    assert "soon" in complaint_of(capsys, "replay", path, "--at", "soon")


def test_an_empty_script_is_replayed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing happened, and that is the answer."""
    path = tmp_path / "empty.jsonl"
    path.write_bytes(b"")
    assert cli.main(["replay", str(path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["steps"], found["cases"], found["effects"]) == ([], {}, [])


def test_a_faulty_profile_or_file_is_told_with_every_fault(
    tmp_path: Path, script: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 1, every problem with its place, no traceback."""
    profile = tmp_path / "firm.toml"
    profile.write_text(
        '[profile]\nid = "x"\nlabel = { zh = "甲", en = "X" }\n'
        '[parameters.project]\nearnest_cap = "30%"\nair_test_wait = "3 days"\n', "utf-8",
    )  # fmt: skip
    assert cli.main(["replay", str(script), "--profile", str(profile)]) == 1
    err = capsys.readouterr().err
    assert "earnest_cap" in err
    assert "air_test_wait" in err
    assert f"{profile}:5" in err
    broken = tmp_path / "own.toml"
    broken.write_bytes(b"\xff\xfe[workflow]")
    assert cli.main(["check", str(broken)]) == 1
    assert str(broken) in capsys.readouterr().err


def test_a_refused_line_is_no_failure_of_the_command(
    script: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is 0; the refusal stands in the answer."""
    with script.open("a", encoding="utf-8") as lines:
        lines.write(with_key(at="2026-03-03T10:00:00+08:00", facts={"home_area": "-1"}) + "\n")
    assert cli.main(["replay", str(script), "--json"]) == 0
    last = json.loads(capsys.readouterr().out)["steps"][-1]
    assert (last["accepted"], last["state"]) == (False, "consulting")


def test_a_strange_value_is_no_traceback(script: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A list of objects where a list of names is wanted is refused like any other value."""
    with script.open("a", encoding="utf-8") as lines:
        lines.write(with_key(event="submit_contract_review", facts={"draft_contains": [{"a": 1}]}) + "\n")
    assert cli.main(["replay", str(script), "--json"]) == 0
    assert "fact_invalid" in capsys.readouterr().out


# The same in a process of its own: exit code and streams as a shell sees them.


BUFFERED = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
"""The environment of a program that writes its answer when it ends, as programs do by themselves."""


def run(*arguments: str, given: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "renoflow.cli", *arguments], input=given, capture_output=True, check=False
    )


def test_a_shell_sees_one_line_and_exit_code_2(tmp_path: Path) -> None:
    """A missing file, a folder and a script cut off on standard input."""
    for arguments, given in (
        (["replay", str(tmp_path / "missing.jsonl")], None),
        (["replay", str(tmp_path)], None),
        (["replay", "-"], f"{OPEN}\n{SEND[:40]}".encode()),
    ):
        done = run(*arguments, given=given)
        assert done.returncode == 2
        assert done.stdout == b""
        assert done.stderr.startswith(b"renoflow: ")
        assert done.stderr.count(b"\n") == 1


def test_a_call_without_a_command_shows_the_usage() -> None:
    """Exit code 2, the usage, no traceback."""
    for arguments in ([], ["replay"], ["no-such-command"], ["replay", "x", "--no-such-option"]):
        done = run(*arguments)
        assert done.returncode == 2
        assert b"usage: renoflow" in done.stderr
        assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [["check"], ["replay", "-"], ["rules", "--json"], ["--help"]])
def test_a_reader_that_has_gone_is_no_fault(arguments: list[str]) -> None:
    """Where nobody reads the answer any more (`renoflow ... | head`), nothing is said and the code is 0."""
    ours, its = os.pipe()
    os.close(ours)
    command = [sys.executable, "-m", "renoflow.cli", *arguments]
    done = subprocess.run(
        command, input=f"{OPEN}\n".encode(), stdout=its, stderr=subprocess.PIPE, env=BUFFERED, check=False
    )
    os.close(its)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
@pytest.mark.parametrize("arguments", [["check"], ["schema"], ["rules", "--json"]])
def test_an_answer_that_cannot_be_written_is_told(arguments: list[str]) -> None:
    """A full disk under the answer is exit code 2 and one line, whether the answer is short or long."""
    with Path("/dev/full").open("wb") as full:
        command = [sys.executable, "-m", "renoflow.cli", *arguments]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, env=BUFFERED, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(b"renoflow: ")
    assert done.stderr.count(b"\n") == 1


def test_an_interruption_ends_it_quietly(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C is exit code 130, without a traceback."""

    class Terminal:
        """A standard input at which somebody presses Ctrl-C."""

        @property
        def buffer(self) -> Any:
            return self

        def read(self) -> bytes:
            raise KeyboardInterrupt

    monkeypatch.setattr(sys, "stdin", Terminal())
    assert cli.main(["replay", "-"]) == 130
    assert capsys.readouterr() == ("", "")


def test_a_file_is_no_folder_to_write_to(tmp_path: Path) -> None:
    """`demo --out` says that it takes a folder, and leaves the file alone."""
    path = tmp_path / "taken"
    path.write_text("mine", "utf-8")
    done = run("demo", "--out", str(path))
    assert done.returncode == 2
    assert "文件夹" in done.stderr.decode()
    assert path.read_text("utf-8") == "mine"
