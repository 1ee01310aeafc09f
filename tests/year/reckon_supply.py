"""The deadlines of instalments, materials and warranty claims."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from tests.year.almanac import DAY, end_of_day
from tests.year.plan import END, Diary, Year, midnight
from tests.year.runs import Run, Span, moved

Runs = dict[str, list[Run]]


def stage_payment(year: Year, page: Diary) -> Runs:
    """Three days from the milestone; a milestone is reached when all checkpoints up to it are done."""
    home = year.diaries[page.known["home"]]
    reached = _milestone(year, home, page.known["milestone"])
    ended = home.first("approve_termination")
    if reached is None or (ended is not None and reached >= ended):
        return {}
    begun = max(reached, page.known["planned"])
    return {"pay": [Run(due=end_of_day(begun, 3), done=page.first("record_payment"), dropped=ended)]}


def _milestone(year: Year, home: Diary, milestone: str) -> datetime | None:
    if milestone == "start":
        return home.first("grant_permit")
    if milestone == "acceptance":
        return home.first("accept_works", "deem_accepted")
    pages = [year.diaries.get(f"{home.case}/checkpoint-{n}") for n in range(1, int(milestone[-1]) + 1)]
    done = [page.first("pass_checkpoint", "waive_checkpoint") if page else None for page in pages]
    return None if None in done else max(moment for moment in done if moment is not None)


# ------------------------------------------------------------------ materials


def material(page: Diary) -> Runs:
    """By the day that the supplier promised; each further day of the owner's delay is a wait of its own."""
    found: Runs = {}
    runs = []
    for act in page.done("order_material", "replace_material"):
        promised = date.fromisoformat(act.facts["promised_on"])
        runs.append(
            Run(
                due=midnight(promised + DAY),
                done=page.after(act.at, "arrive_material"),
                dropped=page.after(act.at, "cancel_ordered"),
            )
        )
    if runs:
        found["supply"] = runs
    days = [
        Run(due=at + DAY, dropped=page.first("arrive_material"), kind="wait") for at, _ in _days_late(page)
    ]
    return found | ({"late_day": days} if days else {})


def _days_late(page: Diary) -> list[tuple[datetime, int]]:
    """The midnights at which the owner's goods were late."""
    if not page.known["owner"]:
        return []
    found = []
    for act in page.done("order_material"):
        at = midnight(date.fromisoformat(act.facts["promised_on"]) + DAY)
        arrived = page.first("arrive_material") or END + DAY
        while at <= min(arrived, END):
            found.append((at, 1))
            at += DAY
    return found


def days_of_customer(page: Diary) -> list[tuple[datetime, int]]:
    """By how many days, and when, a line of material makes the duration longer."""
    replaced = [
        (act.at, act.facts["days_lost"])
        for act in page.done("replace_material")
        if act.facts["fault_party"] == "customer"
    ]
    return _days_late(page) + replaced


# ------------------------------------------------------------------ claims


def claim(year: Year, page: Diary) -> Runs:
    """First response, repair, confirmation, answer to a quotation, and the time of the firm's proof."""
    opened = page.known["opened"]
    if opened >= END:
        return {}
    over = page.first("reject_claim", "decline_paid_quote", "refer_to_vendor")
    found = {
        "first_response": [
            Run(
                due=opened + timedelta(hours=6 if page.known["urgent"] else 24),
                done=page.first("check_coverage"),
            )
        ],
        "answer": [
            Run(due=end_of_day(act.at, 7), done=page.after(act.at, "accept_paid_quote", "decline_paid_quote"))
            for act in page.done("quote_paid_repair")
        ],
        "repair": _repairs(page, opened, over),
        "confirm": [
            Run(due=end_of_day(act.at, 3), done=page.after(act.at, "confirm_repair", "reject_repair"))
            for act in page.done("finish_repair")
        ],
        "burden": [Run(due=_six_months(_accepted(year, page)), begun=opened, kind="period")],
    }
    return {name: runs for name, runs in found.items() if runs}


def _repairs(page: Diary, opened: datetime, over: datetime | None) -> list[Run]:
    """Three days, ten where it is complicated; it stands still while the customer has a quotation."""
    quoted = [
        Span(act.at, page.after(act.at, "accept_paid_quote", "decline_paid_quote"))
        for act in page.done("quote_paid_repair")
    ]
    checked = page.first("check_coverage")
    due = end_of_day(opened, 3)
    if page.known["way"] == "complicated" and checked is not None and checked < due:
        due = end_of_day(opened, 10)
    done = page.first("finish_repair")
    due, still = moved(due, opened, quoted, done=done or over)
    runs = [Run(due=due, done=done, dropped=over, stands_still=still)]
    days = 10 if page.known["way"] == "complicated" else 3
    for act in page.done("reject_repair"):
        runs.append(Run(due=end_of_day(act.at, days), done=page.after(act.at, "finish_repair")))
    return runs


def _accepted(year: Year, page: Diary) -> date:
    act = year.diaries[page.known["home"]].done("accept_works", "deem_accepted")[0]
    return date.fromisoformat(act.facts.get("accepted_on", act.at.date().isoformat()))


def _six_months(day: date) -> datetime:
    """24:00 of the matching day half a year on, or of the month's last day."""
    year, month = (day.year, day.month + 6) if day.month <= 6 else (day.year + 1, day.month - 6)
    first_after = date(year + month // 12, month % 12 + 1, 1)
    last = (first_after - DAY).day
    return midnight(date(year, month, min(day.day, last)) + DAY)
