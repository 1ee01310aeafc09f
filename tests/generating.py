"""Runs of a renovation for the property tests: a beginning from the tables of vectors, then chance.

The generator asks `workflow.allowed` what can be done, brings what the event needs most of the time, and
sometimes something that makes no sense. What it did is kept, so that the same run can be had again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from attrs import field, frozen

import renoflow as rf
from tests.vectors.table import ZONE, beginning

MAIN = "P-1"
DAYS = ("2026-01-10", "2026-09-10", "2026-11-20")
"""From here the beginnings run, so that Spring Festival, National Day, and the turn to a year whose
calendar is not published lie on the way."""

BEGINNINGS = (
    "enquiry", "consulting", "presented", "held", "design_presented", "contract_review", "handed_over",
    "ready_to_start", "building", "change_offered", "inspected", "accepting", "eighth_passed", "settling",
    "warranty", "plan_made", "inspected_by_plan", "accepted_by_plan", "claim_reported", "claim_repaired",
    "material_confirmed", "material_arrived", "material_rejected", "tiles_ordered", "tiles_accepted",
    "claim_checked", "claim_of_equipment", "claim_quoted",
)  # fmt: skip
BESIDE = (
    "complaint", "investigating", "offered", "implementing", "following_up", "complaint_closed",
    "discipline_proposed", "discipline_deciding", "breach_served", "breach_appealed", "major_demerit_final",
    "reward_deciding", "breach_2", "commended_2", "lead_registered", "lead_pooled", "lead_assigned",
    "lead_following", "survey_planned", "survey_analysing", "survey_improving",
    "shop", "shop_open", "trained", "on_post",
)  # fmt: skip
"""Where a project stands at the beginning, and in half of the runs another case beside it."""

RARE = frozenset((
    "mark_lost", "withdraw_after_deposit", "settle_deposit", "request_termination", "approve_termination",
    "refuse_permit", "cancel_change", "refuse_change", "withdraw_complaint", "decline_complaint",
    "go_external", "deem_accepted", "fail_acceptance", "record_consultation", "contact_customer",
    "evaluate_project", "report_problem", "visit_site", "open_claim", "cancel_material", "cancel_ordered",
    "waive_payment",
    "drop_case", "adjust_post", "revoke", "close_ledger", "close_duplicate", "reassign_designer", "recycle",
    "mark_failed", "end_series", "wind_up_store", "close_for_holiday", "turn_down", "leave_post", "promote",
    "go_on_leave",
))  # fmt: skip
"""Events that lead away from the main way, or stay where they are: taken less often."""


@frozen(kw_only=True)
class Doing:
    """One call of the service: an opening, a command, or a sweep."""

    at: datetime
    case: str = ""
    command: rf.Command | None = None
    open: str = ""
    parent: str | None = None

    @property
    def text(self) -> str:
        command = self.command
        if command is None:
            return f"{self.at.astimezone(ZONE):%Y-%m-%d %H:%M:%S} sweep"
        return " ".join((
            f"{command.at.astimezone(ZONE):%Y-%m-%d %H:%M:%S}", self.case, command.event, command.actor.id,
            str(dict(command.facts)), *(one.id for one in command.documents),
            *(f"{one.id}={one.amount}" for one in command.payments),
        ))  # fmt: skip

    def apply(self, service: rf.CaseService) -> rf.Outcome:
        if self.command is None:
            return service.sweep(self.at)
        if self.open:
            return service.open(self.open, self.case, self.command, parent=self.parent)
        return service.send(self.case, self.command)


Watch = Callable[[rf.CaseService, Mapping[str, rf.Case], Doing, rf.Outcome], None]
"""Told after each call: the service, every case as it was before, the call, and what came of it."""


@frozen
class Run:
    """A service and everything that was done with it."""

    flows: rf.Workflows
    service: rf.CaseService
    doings: list[Doing] = field(factory=list)
    watches: Sequence[Watch] = ()

    @property
    def at(self) -> datetime:
        return self.doings[-1].at

    def do(self, doing: Doing) -> rf.Outcome:
        before = {case.id: case for case in self.service.cases()}
        outcome = doing.apply(self.service)
        self.doings.append(doing)
        for watch in self.watches:
            watch(self.service, before, doing, outcome)
        return outcome

    def cases(self) -> list[rf.Case]:
        return list(self.service.cases())


def begun(flows: rf.Workflows, name: str, day0: str, *watches: Watch) -> Run:
    """A run that stands at the end of a beginning."""
    run = Run(flows, rf.CaseService(flows), [], watches)
    _begin(run, name, day0)
    return run


def _begin(run: Run, name: str, day0: str) -> None:
    for line in rf.read_script(beginning(name, day0), run.flows):
        at, command = line.command.at, line.command
        run.do(Doing(at=at))
        run.do(Doing(at=at, case=line.case, command=command, open=line.open or "", parent=line.parent))


def played(
    flows: rf.Workflows, random: Random, steps: int, *watches: Watch, log: list[str] | None = None
) -> Run:
    """A generated run: a beginning and so many calls after it, each with a sweep before it."""
    name, day0 = random.choice(BEGINNINGS), random.choice(DAYS)
    written = [] if log is None else log
    written.append(f"after {name}, day0 {day0}:")
    run = begun(flows, name, day0, *watches)
    if random.randrange(2):
        other, day = random.choice(BESIDE), run.at.astimezone(ZONE).date() + timedelta(days=1)
        written.append(f"after {other}, day0 {day}:")
        _begin(run, other, day.isoformat())
    for _ in range(steps):
        at = run.at + (random.choice(PASSING) if random.randrange(80) else timedelta(days=800))
        run.do(Doing(at=at))
        doing = _next(run, random, at)
        written.append(doing.text)
        run.do(doing)
    return run


def again(flows: rf.Workflows, doings: Sequence[Doing], *, sweeps: bool = True) -> rf.CaseService:
    """The same calls once more, with a service of their own; perhaps without the sweeps, but for those that
    bring forth a case which is then sent to: a host sends to cases that it has seen."""
    service = rf.CaseService(flows)
    for doing in doings:
        if doing.command is not None and not doing.open and service.find(doing.case) is None:
            service.sweep(doing.at)
        if sweeps or doing.command is not None:
            doing.apply(service)
    return service


# ------------------------------------------------------------------ what happens next

PASSING = (
    *(timedelta(),) * 2, *(timedelta(minutes=1),) * 3, *(timedelta(hours=1),) * 4, *(timedelta(hours=9),) * 4,
    *(timedelta(days=1),) * 3, *(timedelta(days=2, hours=14),) * 3, timedelta(days=6), timedelta(days=16),
)  # fmt: skip


def _next(run: Run, random: Random, at: datetime) -> Doing:
    kind = random.randrange(20)
    if kind == 0:
        return _opening(run, random, at)
    case = _some_case(run, random)
    flow = run.flows[case.workflow]
    if kind == 1:
        return Doing(at=at, case=case.id, command=_nonsense(flow, case, random, at))
    if kind == 2 and case.deadlines:
        return Doing(at=at, case=case.id, command=_extension(flow, case, random, at))
    options = [one for one in flow.allowed(case, at=at) if one.allowed or random.randrange(8) == 0]
    if not options:
        return Doing(at=at, case=case.id, command=_nonsense(flow, case, random, at))
    often = [one for one in options if one.event not in RARE]
    option = random.choice(often if often and random.randrange(5) else options)
    return Doing(at=at, case=case.id, command=_answering(flow, case, option, random, at))


def _some_case(run: Run, random: Random) -> rf.Case:
    """The project every other time, else any of its children, the open ones first."""
    if random.randrange(2):
        return run.service.case(MAIN)
    children = [case for case in run.cases() if case.id != MAIN]
    still = [case for case in children if case.state not in run.flows[case.workflow].plan.finals]
    among = still if still and random.randrange(8) else children
    return random.choice(among) if among else run.service.case(MAIN)


OPENED: Mapping[str, tuple[str, Mapping[str, Sequence[Any]]]] = {
    "change_order": ("change_request", {"description": ("more shelves",)}),
    "complaint": (
        "complaint_form",
        {
            "source": ("external",),
            "channel": ("phone",),
            "remedy_sought": ("repair",),
            "urgent": (True, False),
        },
    ),
    "material": (
        "selection_form",
        {
            "kind": ("doors", "tiles", "floors"),
            "brand": ("A",),
            "model": ("B",),
            "quantity": ("3", "2.5"),
            "unit_price": ("33.33",),
            "supplied_by": ("company", "owner"),
            "beside_price": (True, False),
        },
    ),
}
"""What is opened beside the project by hand: with which paper, and with which facts."""


def _opening(run: Run, random: Random, at: datetime) -> Doing:
    workflow = random.choice(tuple(OPENED))
    flow = run.flows[workflow]
    paper, facts = OPENED[workflow]
    command = rf.Command(
        flow.opening,
        _person(random, random.choice(sorted(flow.plan.events[flow.opening].by - {"system"}))),
        at,
        facts={name: random.choice(values) for name, values in facts.items()},
        documents=(rf.Document(paper),),
    )
    case = f"{MAIN}/{workflow}-{random.randrange(20, 30)}"
    return Doing(at=at, case=case, command=command, open=workflow, parent=MAIN)


def _answering(
    flow: rf.Workflow, case: rf.Case, option: rf.Option, random: Random, at: datetime
) -> rf.Command:
    """The event with what it needs, and mostly with what it may bring."""
    event = flow.plan.events[option.event]
    today = at.astimezone(ZONE).date()
    wanted = [
        *event.gives,
        *(n for n in option.may_give if (not random.randrange(8) if n in SELDOM else random.randrange(4))),
    ]
    facts = {name: _value(flow, name, random, today) for name in wanted}
    if "proposal_agreed_on" in facts and random.randrange(4):
        del facts["proposal_agreed_on"]
    documents = tuple(
        rf.Document(paper.id, paper.signers if random.randrange(15) else ()) for paper in event.papers
    )
    return rf.Command(
        option.event,
        _person(random, random.choice([role for role in option.roles if role != "system"] or ["customer"])),
        at,
        facts=facts,
        documents=documents,
        payments=tuple(_payments(option, facts, random)),
    )


def _payments(option: rf.Option, facts: Mapping[str, Any], random: Random) -> Iterator[rf.Payment]:
    if option.event == "start_construction":
        yield rf.Payment("first_stage", "40000.00")
    for need in option.needs:
        if need.code == "payment_missing":
            wanted = facts.get(f"{need.subject}_amount", need.values.get("wanted"))
            amount = wanted if isinstance(wanted, (Decimal, str)) and wanted != "…" else "5000.00"
            yield rf.Payment(need.subject, str(amount) if random.randrange(10) else "0.01")


def _nonsense(flow: rf.Workflow, case: rf.Case, random: Random, at: datetime) -> rf.Command:
    """A command that nobody in his right mind would send; its names are known, but little else fits."""
    event = random.choice([*flow.plan.events, *STRANGE_EVENTS])
    facts = {random.choice(list(flow.plan.facts)): random.choice(ODD) for _ in range(random.randrange(3))}
    back = timedelta(days=random.choice((0, 0, 0, 1, 400)))
    papers = [rf.Document(name, ("customer",)) for name in flow.plan.signers]
    return rf.Command(
        event,
        _person(random, random.choice(sorted(flow.plan.roles))),
        at - back,
        facts=facts,
        documents=(random.choice(papers),) if papers and random.randrange(2) else (),
    )


STRANGE_EVENTS = ("no_such_event", "deadline.proposal.breached", "child.patrol.ended")
ODD: tuple[Any, ...] = (
    None, True, 0, -1, 1.5, "", "flat", "-5", "NaN", "2026-02-30", [], ["customer"], {}, {"a": [1]},
    "x" * 1000,
)  # fmt: skip


def _extension(flow: rf.Workflow, case: rf.Case, random: Random, at: datetime) -> rf.Command:
    name = random.choice(list(case.deadlines))
    roles = sorted(flow.plan.clocks[name].extended_by) or ["boss"]
    length = random.choice(("1 day", "3 days", "2 working days", "6 hours", "1 month", "soon"))
    facts = {"by": length, "reason": "rain"}
    return rf.Command(f"deadline.{name}.extend", _person(random, random.choice(roles)), at, facts=facts)


def _person(random: Random, role: str) -> rf.Actor:
    name = random.choice(KNOWN.get(role, (f"{role}-0", f"{role}-1")))
    return rf.Actor(name, frozenset((role,)))


# ------------------------------------------------------------------ values of facts

LIKELY: Mapping[str, Sequence[Any]] = {
    "home_area": ("80", "199.99", "200", "260"),
    "deposit_amount": ("5000.00", "30000.00"),
    "contract_amount": ("100000.00",),
    "contract_days": (5, 60),
    "delay_days": (0, 3),
    "day_delta": (-3, 0, 10),
    "price_delta": ("-3000.00", "5000.00"),
    "contract_warranty_general": ("1 year", "2 years", "36 months"),
    "contract_warranty_waterproof": ("3 years", "5 years"),
    "water_test_hours": ("48", "24", "2"),
    "unperformed_share": ("100%", "40%"),
    "share_1": ("30%",),
    "share_2": ("35%",),
    "share_3": ("30%",),
    "share_4": ("5%", "5%", "6%"),
    "returned_quantity": ("1", "2.5"),
    "in_contract": (False, False, False, True),
    "grade": ("normal", "safety", "breach", "breach", "demerit", "commendation", "commendation"),
    "new_grade": ("breach",),
    "employee_heard": (True,),
    "exceeds": (True,),
    "month_wage": ("4000.00",),
    "minimum_wage": ("2000.00",),
    "announced_to": ("company",),
    "minutes": (10, 31),
    "entry": ("late", "late", "early", "absent_day", "admonition"),
    "compensation": ("500.00", "2000.01"),
    "in_breach": ([], ["customer"], ["company"]),
    "designer": ("designer-0",),
    "designer_load": (3, 3, 8),
    "score": (85, 70),
    "overall_score": (85, 70),
    "score_after": (70, 85),
    **dict.fromkeys(
        ("design_score", "price_score", "works_score", "schedule_score", "materials_score", "service_score"),
        (90,),
    ),
    "severity": ("general", "general", "major", "urgent"),
    "roster_gaps": (0, 1),
    "blanks": (2,),
    "blanks_counted": (0, 2),
    "cabinets_locked": (True,),
    "contract_complete": (True,),
    "payment_amount": ("5000.00",),
    "receipt_amount": ("5000.00",),
    "result": ("excellent", "good", "poor"),
    "exceptional": (True,),
}
"""Values that lead on, for the facts where any value of the type would not."""

SELDOM = frozenset((
    "compensation", "decided_amount", "excess_percent", "forms", "loss", "loss_conduct", "rule",
    "special_content",
))  # fmt: skip
"""Facts that an event may take and that mostly keep it from being accepted."""

KNOWN: Mapping[str, Sequence[str]] = {
    "employee": ("zhang", "employee-0"),
    "superior": ("wang", "superior-0"),
    "designer": ("chen", "designer-0"),
    "customer_manager": ("wang", "customer_manager-0"),
}
"""Who acts, where a case knows its people by their names."""

AHEAD = frozenset((
    "acceptance_on", "inspection_on", "promised_on", "proposal_agreed_on", "heating_until", "equipment_until",
    "arrives_on", "needed_on", "retry_on", "fix_on", "late_shift_on",
))  # fmt: skip
"""Dates that lie ahead; all others lie behind."""
FAR = {"needed_on": 50}
"""Days by which they lie further ahead."""


def _value(flow: rf.Workflow, name: str, random: Random, today: date) -> Any:
    plan = flow.plan.facts[name]
    likely = [one for one in LIKELY.get(name, ()) if plan.type != "enum" or one in plan.choices]
    if likely:
        return random.choice(likely)
    match plan.type:
        case "yes_no":
            return random.randrange(7) > 0
        case "enum":
            return random.choice(list(plan.choices))
        case "set":
            return list(plan.choices) if random.randrange(7) else list(plan.choices)[1:]
        case "date":
            days = random.choice((2, 3, 4, 1)) if name in AHEAD else -random.choice((0, 0, 1, 5))
            return (today + timedelta(days=days + FAR.get(name, 0))).isoformat()
        case "texts":
            return ["one", "two"]
        case "money":
            return random.choice(("0.01", "500.00", "100000.05"))
        case "instant":
            return f"{today.isoformat()}T10:00:00+08:00"
    return {"decimal": "24", "whole": 1, "percent": "50%", "duration": "2 years"}.get(plan.type, f"{name} 1")
