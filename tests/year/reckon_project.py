"""The deadlines of a home, its checkpoints, patrols and changes, each by its own plain formula."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from tests.year import reckon_supply
from tests.year.almanac import (
    DAY,
    end_of_day,
    end_of_statutory_day,
    end_of_working_day,
    end_of_years,
)
from tests.year.plan import END, Diary, Year, midnight
from tests.year.runs import Run, Span, moved

Runs = dict[str, list[Run]]


def project(year: Year, diary: Diary) -> Runs:
    """All deadlines of a home."""
    ended = diary.first("mark_lost", "settle_deposit", "approve_termination")
    found = _offers(diary, ended) | _contract(diary, ended) | _site(year, diary, ended) | _end(diary)
    return {name: runs for name, runs in found.items() if runs}


def large(diary: Diary) -> bool:
    """200 square metres and more, duplexes and villas."""
    return Decimal(diary.known["area"]) >= 200 or diary.known["kind"] in ("duplex", "villa")


def spans(diary: Diary, stop: str, *goes_on: str) -> list[Span]:
    """From each doing of one event to the next doing of the others."""
    return [Span(act.at, diary.after(act.at, *goes_on)) for act in diary.done(stop)]


def asleep(diary: Diary) -> list[Span]:
    """While the customer was silent."""
    since = diary.known.get("asleep")
    return [] if since is None or since > END else [Span(since, diary.after(since, "revive"))]


# ------------------------------------------------------------------ up to the contract


def _offers(diary: Diary, ended: datetime | None) -> Runs:
    refunding = spans(diary, "withdraw_after_deposit", "withdraw_refund_request")
    return {
        "proposal": _proposal(diary, ended),
        "adjust": [
            _standing(
                end_of_day(act.at, 5),
                act.at,
                refunding,
                diary.after(act.at, "resubmit_proposal", "resubmit_design"),
                ended,
            )
            for act in diary.done("reject_proposal", "request_design_change")
        ],
        "answer": _answers(diary, ended, refunding),
        "silence": [
            Run(due=end_of_day(act.at, 7), done=diary.after(act.at, "present_proposal"), dropped=ended)
            for act in diary.done("contact_customer")
        ],
        "design": [
            _standing(
                end_of_day(act.at, 14 if large(diary) else 7),
                act.at,
                refunding,
                diary.first("present_design"),
                ended,
            )
            for act in diary.done("pay_deposit")
        ],
        "refund": [
            Run(
                due=end_of_statutory_day(act.at, 15),
                done=diary.after(act.at, "settle_deposit"),
                dropped=diary.after(act.at, "withdraw_refund_request"),
            )
            for act in diary.done("withdraw_after_deposit")
        ],
    }


def _standing(
    due: datetime, begun: datetime, stops: list[Span], done: datetime | None, ended: datetime | None
) -> Run:
    due, still = moved(due, begun, stops, done=done)
    return Run(due=due, done=done, dropped=ended, stands_still=still)


def _proposal(diary: Diary, ended: datetime | None) -> list[Run]:
    first = diary.first("start_consultation")
    if first is None:
        return []
    due = end_of_day(first, 10 if large(diary) else 7)
    for act in diary.done("record_consultation"):
        if "proposal_agreed_on" in act.facts:
            due = midnight(date.fromisoformat(act.facts["proposal_agreed_on"]) + DAY)
    return [Run(due=due, done=diary.first("present_proposal"), dropped=ended)]


def _answers(diary: Diary, ended: datetime | None, refunding: list[Span]) -> list[Run]:
    offers = diary.done(
        "present_proposal", "resubmit_proposal", "present_design", "resubmit_design", "submit_quotation",
        "return_contract", "revive",
    )  # fmt: skip
    runs = []
    for act in offers:
        done = diary.after(
            act.at, "reject_proposal", "pay_deposit", "request_design_change", "approve_design",
            "submit_contract_review",
        )  # fmt: skip
        again = diary.after(act.at, "revive") if act.event != "revive" else None
        if again is not None and (done is None or again < done):
            runs.append(Run(due=end_of_day(act.at, 7), dropped=again))
        else:
            runs.append(_standing(end_of_day(act.at, 7), act.at, refunding + asleep(diary), done, ended))
    return runs


def _contract(diary: Diary, ended: datetime | None) -> Runs:
    signed = diary.first("sign_contract")
    if signed is None:
        return {}
    done = diary.first("hand_over_to_engineering")
    return {"hand_over": [Run(due=end_of_working_day(signed, 1), done=done, dropped=ended)]}


# ------------------------------------------------------------------ the site


def _site(year: Year, diary: Diary, ended: datetime | None) -> Runs:
    started = diary.first("start_construction")
    if started is None:
        return {}
    ending = spans(diary, "request_termination", "refuse_termination")
    stopped = spans(diary, "suspend", "resume")
    told = diary.done("report_problem")
    return {
        "duration": [_duration(year, diary, started, stopped, ending, ended)],
        "unpaid_stop": [
            Run(due=midnight(act.at.date() + 10 * DAY), dropped=diary.after(act.at, "resume"), kind="wait")
            for act in diary.done("suspend")
            if act.facts["stop_cause"] == "unpaid"
        ],
        "patrol": _patrol(year, diary, started, stopped + ending, ended),
        "problem_notice": [
            _standing(
                end_of_working_day(act.at, 1),
                act.at,
                stopped + ending,
                next((one.at for one in told if one.at > act.at and one.facts.get("customer_told")), None),
                ended,
            )
            for act in told
            if not act.facts.get("customer_told")
        ],
    }


def _duration(
    year: Year,
    diary: Diary,
    started: datetime,
    stopped: list[Span],
    ending: list[Span],
    ended: datetime | None,
) -> Run:
    """The contract's days; longer by what others caused and by signed changes."""
    company = any(act.facts["stop_cause"] == "company" for act in diary.done("suspend"))
    waiting = spans(diary, "complete_works", "accept_works", "deem_accepted")
    eighth = year.diaries[f"{diary.case}/checkpoint-8"]
    failed, again = eighth.first("fail_checkpoint"), eighth.first("start_checkpoint_reinspection")
    if failed is not None:
        waiting = [Span(waiting[0].first, failed)]
        if again is not None:
            waiting.append(Span(again, diary.first("accept_works")))
    longer = []
    for number in range(1, 9):
        for act in year.diaries[f"{diary.case}/checkpoint-{number}"].done("rebook_checkpoint"):
            longer.append((act.at, act.facts["delay_days"]))
    order = year.diaries.get(f"{diary.case}/change_order-1")
    if order is not None and order.done("sign_change"):
        days = order.done("price_change")[0].facts["day_delta"]
        longer += [(act.at, days) for act in order.done("sign_change")]
        longer += [(act.at, -days) for act in order.done("cancel_change")]
    for page in year.of("material"):
        if page.known["home"] == diary.case:
            longer += reckon_supply.days_of_customer(page)
    done = diary.first("accept_works", "deem_accepted")
    due = end_of_day(started, diary.known["days"])
    stops = [*([] if company else stopped), *ending, *waiting]
    due, still = moved(due, started, stops, longer, done)
    return Run(due=due, done=done, dropped=ended, stands_still=still)


def _patrol(
    year: Year, diary: Diary, started: datetime, stopped: list[Span], ended: datetime | None
) -> list[Run]:
    """Five days after the start and after each patrol, one day after a stop."""
    begun = [(started, 5)] + [(act.at, 1) for act in diary.done("resume")]
    for page in year.of("patrol"):
        if page.case.startswith(f"{diary.case}/"):
            begun += [(act.at, 5) for act in page.done("start_patrol")]
    begun.sort()
    done = diary.first("complete_works")
    runs = []
    for place, (at, days) in enumerate(begun):
        again = begun[place + 1][0] if place + 1 < len(begun) else None
        due, still = moved(end_of_day(at, days), at, stopped, done=again or done)
        runs.append(Run(due=due, done=None if again else done, dropped=again or ended, stands_still=still))
    return runs


# ------------------------------------------------------------------ acceptance and after


def _end(diary: Diary) -> Runs:
    found: Runs = {}
    complete = diary.first("complete_works")
    if complete is not None:
        held = diary.first("convene_acceptance", "deem_accepted")
        found["acceptance"] = [Run(due=end_of_day(complete, 7), done=held)]
        found["air_test"] = [Run(due=midnight(complete.date() + 7 * DAY), kind="wait")]
    for act in diary.done("start_settlement"):
        disputed = spans(diary, "dispute_settlement", "revise_settlement")
        card = diary.first("issue_warranty_card")
        found["settlement"] = [_standing(end_of_day(act.at, 7), act.at, disputed, card, None)]
    return found | _warranty(diary)


def _warranty(diary: Diary) -> Runs:
    """From the day of acceptance, to the matching day; what the contract promises less is raised."""
    day, begun, parts = None, None, {"general", "waterproof", "wiring", "heating", "equipment"}
    for act in diary.done("accept_works", "deem_accepted", "approve_termination"):
        begun = act.at
        day = date.fromisoformat(act.facts.get("accepted_on", act.at.date().isoformat()))
        parts &= set(act.facts.get("finished_parts", parts))
    if day is None:
        return {}
    years = {
        "general": max(2, int(diary.known["general"].split()[0])),
        "waterproof": max(5, int(diary.known["waterproof"].split()[0])),
        "wiring": 2,
        "heating": 2,
    }
    ends = {part: end_of_years(day, count) for part, count in years.items()}
    ends["equipment"] = midnight(date.fromisoformat(diary.known["equipment_until"]) + DAY)
    return {f"warranty.{part}": [Run(due=ends[part], begun=begun, kind="period")] for part in parts}


# ------------------------------------------------------------------ what belongs to a home


def checkpoint(diary: Diary, ended: datetime | None) -> Runs:
    """Three days for a rework."""
    runs = [
        Run(due=end_of_day(act.at, 3), done=diary.after(act.at, "report_rework"), dropped=ended)
        for act in diary.done("start_rework")
    ]
    return {"rework": runs} if runs else {}


def patrol(diary: Diary) -> Runs:
    """Two days to rectify, one where safety is concerned; a failed re-inspection begins them anew."""
    issued = diary.done("issue_rectification")
    if not issued:
        return {}
    days = 1 if issued[0].facts["grade"] == "safety" else 2
    return {
        "rectify": [
            Run(
                due=end_of_day(act.at, days),
                done=diary.after(act.at, "report_rectified", "resolve_escalation"),
            )
            for act in diary.done("issue_rectification", "fail_reinspection")
        ]
    }


def change_order(diary: Diary) -> Runs:
    """Seven days for the customer's answer."""
    return {
        "answer": [
            Run(
                due=end_of_day(act.at, 7),
                done=diary.after(act.at, "sign_change", "refuse_change", "cancel_change"),
            )
            for act in diary.done("offer_change")
        ]
    }
