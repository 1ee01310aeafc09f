"""When return visits are planned, when they fall due, and by when they are made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from tests.year.almanac import DAY, end_of_day
from tests.year.plan import END, Diary, Year, midnight
from tests.year.runs import Run

Runs = dict[str, list[Run]]

TIMETABLE: dict[str, tuple[int, int]] = {
    "first_plan_meeting": (0, 3), "sale_done": (0, 3), "start": (10, 3), "interim_payment": (0, 3),
    "completion": (0, 10), "complaint_solved": (0, 3), "claim_repaired": (0, 3), "claim_referred": (7, 3),
    "warranty_timetable": (0, 10),
}  # fmt: skip
"""How many days later a visit falls due, and how many days there are for it then."""


@dataclass(frozen=True)
class Planned:
    """A visit: what for, since when, and when it was no longer needed."""

    case: str
    trigger: str
    opened: datetime
    falls_due: datetime
    gone: datetime | None


def planned(year: Year) -> list[Planned]:
    """All visits of homes, complaints and claims, numbered by what they belong to."""
    found = [plan for home in year.of("project") for plan in planned_at(year, home)]
    for diary in year.of("complaint"):
        for number, act in enumerate(diary.done("finish_implementation"), 1):
            over = diary.after(act.at, "report_unsolved")
            found.append(_planned(f"{diary.case}/return_visit-{number}", "complaint_solved", act.at, over))
    for claim in year.of("warranty_claim"):
        for number, act in enumerate(claim.done("confirm_repair"), 1):
            over = claim.after(act.at, "pass_revisit")
            found.append(_planned(f"{claim.case}/return_visit-{number}", "claim_repaired", act.at, over))
    return found


def planned_at(year: Year, home: Diary) -> list[Planned]:
    """The visits of one home; a silent customer is visited again only if he was not yet."""
    gone, found = _gone(home), []
    for number, (at, trigger) in enumerate(sorted(_of_home(year, home)), 1):
        after = next((moment for moment in gone if moment >= at), None)
        found.append(_planned(f"{home.case}/return_visit-{number}", trigger, at, after))
    return found


def _planned(case: str, trigger: str, at: datetime, gone: datetime | None) -> Planned:
    later = TIMETABLE.get(trigger, (0, 0))[0]
    falls_due = midnight(at.date() + later * DAY) if later else at
    return Planned(case, trigger, at, falls_due, gone)


def _gone(home: Diary) -> list[datetime]:
    """When a home's visits are no longer needed: dormant, lost, cancelled, ended."""
    found = [act.at for act in home.done("mark_lost", "settle_deposit", "approve_termination")]
    since = home.known.get("asleep")
    return sorted([*found, since] if since is not None and since < END else found)


def _of_home(year: Year, home: Diary) -> Iterator[tuple[datetime, str]]:
    """What plans a visit in a home."""
    for event, trigger in (
        ("present_proposal", "first_plan_meeting"), ("sign_contract", "sale_done"),
        ("start_construction", "start"), ("complete_works", "completion"),
        ("accept_works", "final_acceptance"),
    ):  # fmt: skip
        yield from ((act.at, trigger) for act in home.done(event))
    for act in home.done("revive"):
        if not _first_visit_made(year, home):
            yield act.at, "first_plan_meeting"
    for number in range(3, 8):
        page = year.diaries.get(f"{home.case}/checkpoint-{number}")
        if page is not None:
            yield from ((act.at, "stage_acceptance") for act in page.done("pass_checkpoint"))
    for name, page in home.known.get("instalments", {}).items():
        if name.startswith("checkpoint"):
            yield from ((act.at, "interim_payment") for act in page.done("record_payment"))
    for claim in year.of("warranty_claim"):
        if claim.known["home"] == home.case:
            yield from ((act.at, "claim_referred") for act in claim.done("refer_to_vendor"))
    yield from ((run.due, "warranty_timetable") for run in warranty_visits(home) if run.passed)


def _first_visit_made(year: Year, home: Diary) -> bool:
    page = year.diaries.get(f"{home.case}/return_visit-1")
    return page is not None and bool(page.done("record_no_issue", "record_issue"))


def warranty_visits(home: Diary) -> list[Run]:
    """Every three months of the first year, from the acceptance and then from the visit before."""
    card = home.first("issue_warranty_card")
    if card is None:
        return []
    accepted = home.done("accept_works", "deem_accepted")[0]
    day = date.fromisoformat(accepted.facts.get("accepted_on", accepted.at.date().isoformat()))
    runs: list[Run] = []
    while not runs or runs[-1].due <= END:
        day = _months_on(day, 3)
        runs.append(Run(due=midnight(day), kind="wait"))
    return runs


def _months_on(day: date, months: int) -> date:
    year, month = day.year + (day.month + months - 1) // 12, (day.month + months - 1) % 12 + 1
    last = (date(year + month // 12, month % 12 + 1, 1) - DAY).day
    return date(year, month, min(day.day, last))


# ------------------------------------------------------------------ clocks


def visit(year: Year, plan: Planned) -> Runs:
    """The deadlines of one visit."""
    page = year.diaries.get(plan.case) or Diary(case=plan.case, workflow="return_visit")
    last = page.first("record_no_issue", "record_issue", "give_up")
    gone = plan.gone if plan.gone is not None and (last is None or plan.gone <= last) else None
    made = [act.at for act in page.done("record_no_issue", "record_issue", "retry_later", "give_up")]
    over = _next([*page_ends(page), *([gone] if gone else [])], plan.opened)
    found: Runs = {}
    waits: list[Run] = []
    if plan.falls_due > plan.opened:
        waits.append(Run(due=plan.falls_due, dropped=over, kind="wait"))
    runs = []
    if plan.falls_due <= END and (gone is None or gone > plan.falls_due):
        runs.append(Run(due=_within(plan), done=_next(made, plan.falls_due), dropped=over))
    for act in page.done("retry_later"):
        again = midnight(date.fromisoformat(act.facts["retry_on"]))
        waits.append(Run(due=again, dropped=_next([over] if over else [], act.at), kind="wait"))
        if again <= END:
            runs.append(Run(due=again + DAY, done=_next(made, again), dropped=over))
    if waits:
        found["falls_due"] = waits
    if runs:
        found["visit"] = runs
    records = [
        Run(due=end_of_day(act.at, 0), done=_next(made, act.at), dropped=over)
        for act in page.done("contact_customer")
    ]
    return found | ({"record": records} if records else {}) | _fix(page)


def _within(plan: Planned) -> datetime:
    if plan.trigger in ("stage_acceptance", "final_acceptance"):
        return plan.falls_due + timedelta(hours=24)
    return end_of_day(plan.falls_due, TIMETABLE[plan.trigger][1])


def page_ends(page: Diary) -> list[datetime]:
    """When a visit is over."""
    return [act.at for act in page.done("record_no_issue", "give_up", "confirm_fixed", "raise_complaint")]


def _next(moments: list[datetime], since: datetime) -> datetime | None:
    return min((moment for moment in moments if moment >= since), default=None)


def _fix(page: Diary) -> Runs:
    runs = []
    for act in page.done("start_fixing", "agree_new_fix_date"):
        due = midnight(date.fromisoformat(act.facts["fix_on"]) + DAY)
        dropped = page.after(act.at, "agree_new_fix_date", "raise_complaint")
        if act.event == "agree_new_fix_date":
            dropped = page.after(act.at, "raise_complaint")
        runs.append(Run(due=due, done=page.after(act.at, "confirm_fixed"), dropped=dropped))
    return {"fix": runs} if runs else {}
