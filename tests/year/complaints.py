"""Complaints of every severity: answered, rejected, missed, withdrawn, reopened, taken outside."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from tests.year import visits
from tests.year.plan import END, FIRST, Diary, Year, iso, midnight

WAYS = (
    *["solved"] * 10,
    *["missed"] * 4,
    "missed_twice",
    *["rejected"] * 3,
    *["exhausted"] * 2,
    *["unsolved"] * 2,
    *["reopened"] * 2,
    *["withdrawn"] * 2,
    *["declined"] * 2,
    *["unreachable"] * 2,
    *["authority"] * 2,
)
"""What becomes of the complaints of a year."""

SUPERIOR = {
    "general": "store_manager:tang",
    "major": "department_manager:qiu",
    "urgent": "general_manager:guo",
}
ALL_PARTS = ["apology", "remedy", "compensation", "dates"]


def complaints(year: Year) -> None:
    """Complaints over the year, some from customers of the firm's homes, some from neighbours."""
    ways = list(WAYS)
    year.rng.shuffle(ways)
    homes = [diary for diary in year.of("project") if diary.first("register_enquiry")]
    for number, way in enumerate(ways, 1):
        day = FIRST.date() + timedelta(days=8 + number * 10)
        at = year.later(midnight(day), 0, 5)
        parent = ""
        home = year.rng.choice(homes)
        begun = home.first("register_enquiry")
        case = f"C-{number:02}"
        if begun is not None and begun < at and year.chance(0.5):
            taken = sum(1 for name in year.diaries if name.startswith(f"{home.case}/complaint-"))
            parent, case = home.case, f"{home.case}/complaint-by-hand-{taken + 1}"
        complaint(year, year.diary(case, "complaint", way=way), parent, at)


def complaint(year: Year, diary: Diary, parent: str, at: datetime) -> None:
    """One complaint from its receipt on."""
    rng, known = year.rng, diary.known
    severity = known["severity"] = rng.choice(["urgent", "major", "general", "general"])
    known["opened"] = at
    facts = {"source": "external", "channel": "电话", "matter": "施工质量", "remedy_sought": "返修"}
    early = {"urgent": True} if severity == "urgent" and year.chance(0.7) else {}
    known["said_urgent"] = bool(early)
    diary.do(
        at,
        "front_desk:mei",
        "receive_complaint",
        "complaint_form",
        opens=True,
        parent=parent,
        facts={**facts, **early},
    )
    quick = severity == "urgent"
    known_at = diary.do(
        year.hours(at, 0.3, 3) if quick else year.hours(at, 1, 30), "service:lan", "acknowledge"
    )
    if quick and known["way"] != "declined":
        diary.do(year.hours(at, 2, 8), "inspector:sun", "visit_site")
    at = max(year.hours(at, 0.4, 4) if quick else year.hours(at, 2, 26), known_at + timedelta(minutes=5))
    if known["way"] == "declined":
        diary.do(
            at,
            "service_manager:yan",
            "decline_complaint",
            "rejection_notice",
            refusal_ground="duplicate",
            reason="重复投诉",
        )
        return
    diary.do(at, "service:lan", "classify", "assessment", category="质量", severity=severity, safety=quick)
    at = diary.do(year.hours(at, 0.3, 3), "customer_manager:wang", "report_to_superior", "report_note")
    handle(year, diary, at)


def handle(year: Year, diary: Diary, at: datetime) -> None:
    """What follows the report, by the way that the complaint goes."""
    way = diary.known["way"]
    at = investigate(year, diary, at)
    if way == "withdrawn":
        diary.do(year.hours(at, 1, 20), "complainant", "withdraw_complaint", "withdrawal(complainant)")
        return
    if way == "authority":
        outside(year, diary, at)
        return
    for _ in range({"rejected": 2, "exhausted": 3}.get(way, 0)):
        at = diary.do(offer(year, diary, at), "complainant", "reject_solution", reason="赔偿不足")
    if way == "exhausted":
        diary.do(at, "service:lan", "acknowledge", refused=True)
        at = diary.do(
            year.hours(at, 2, 20), SUPERIOR[diary.known["severity"]], "exhaust_internal", "final_answer"
        )
        diary.do(
            year.later(at, 20, 50), "service_manager:yan", "close_external", "end_notice", outside_ended=True
        )
        return
    for _ in range({"missed": 1, "missed_twice": 2}.get(way, 0)):
        at = miss(year, diary, agree(year, diary, at, year.rng.randint(2, 4)))
    at = finish(year, diary, agree(year, diary, at, year.rng.randint(2, 5)))
    if way == "unsolved":
        at = year.later(at, 1, 3)
        diary.do(at, "service:lan", "report_unsolved", "visit_record")
        at = finish(year, diary, agree(year, diary, find(year, diary, at), 3))
    close(year, diary, at)


def investigate(year: Year, diary: Diary, at: datetime) -> datetime:
    """The superior assigns, the inspector finds; now and then the complainant is asked first."""
    head = SUPERIOR[diary.known["severity"]]
    slow = year.chance(0.25)
    at = diary.do(
        year.later(at, 2, 4) if slow else year.hours(at, 0.5, 6),
        head,
        "assign_investigation",
        "assignment",
        investigator="sun",
    )
    if year.chance(0.25):
        at = diary.do(year.hours(at, 0.5, 3), "inspector:sun", "request_information")
        if year.chance(0.6):
            at = diary.do(year.later(at, 1, 6), "complainant", "supply_information", "evidence")
        else:
            at = midnight(at.date() + timedelta(days=8))
    return find(year, diary, at)


def find(year: Year, diary: Diary, at: datetime) -> datetime:
    """The findings."""
    at = year.hours(at, 2, 60)
    return diary.do(
        at,
        "inspector:sun",
        "record_findings",
        "site_minutes(inspector)",
        cause="工艺不当",
        responsible_dept="工程部",
        responsible_person="zhao",
    )


def offer(year: Year, diary: Diary, at: datetime, days: int = 5) -> datetime:
    """A solution with its date, reviewed and offered; gives back when the complainant answers."""
    head = SUPERIOR[diary.known["severity"]]
    money = year.rng.choice(["0.00", "500.00", "2000.00"])
    at = diary.do(
        year.hours(at, 1, 20), "customer_manager:wang", "draft_solution", "solution",
        solution_has=ALL_PARTS, compensation=money, promised_on=iso(at, days + 4),
    )  # fmt: skip
    diary.known["promised"] = midnight(at.date())
    if year.chance(0.2):
        at = diary.do(year.hours(at, 0.5, 3), head, "refuse_solution", "review_opinion", reason="日期太晚")
        at = diary.do(
            year.hours(at, 1, 5), "customer_manager:wang", "draft_solution", "solution",
            solution_has=ALL_PARTS, compensation=money, promised_on=iso(at, days + 4),
        )  # fmt: skip
    at = diary.do(year.hours(at, 0.5, 5), head, "approve_solution", "review_opinion")
    return year.later(at, 4, 4) if year.chance(0.15) else year.hours(at, 2, 50)


def agree(year: Year, diary: Diary, at: datetime, days: int) -> datetime:
    """An offer that is accepted."""
    at = offer(year, diary, at, days)
    return diary.do(at, "complainant", "accept_solution", "solution_confirmation(complainant)")


def promise(diary: Diary) -> datetime:
    """The end of the day that was promised last."""
    last = diary.done("draft_solution", "settle_external")
    return midnight(date.fromisoformat(last[-1].facts["promised_on"]) + timedelta(days=1))


def miss(year: Year, diary: Diary, at: datetime) -> datetime:
    """The promised day passes; the complaint is with the superior again."""
    missed = max(promise(diary), at)
    diary.known.setdefault("missed", []).append(missed)
    return investigate(year, diary, year.hours(missed, 9, 12))


def finish(year: Year, diary: Diary, at: datetime) -> datetime:
    """Implemented before the promised day has passed."""
    if at >= END:
        return at
    left = promise(diary) - at
    at = (at + left * year.rng.uniform(0.1, 0.95)).replace(second=0, microsecond=0)
    return diary.do(at, "responsible:zhao", "finish_implementation", "handling_record")


def close(year: Year, diary: Diary, at: datetime) -> None:
    """The follow-up: solved, out of reach, or reopened once more."""
    if diary.known["way"] == "unreachable":
        finished = at
        at = visits.in_vain(year, diary, at)
        confirm(diary, at, refused=True)
        confirm(diary, year.later(finished, 15, 18))
        return
    if year.chance(0.3):
        confirm(diary, year.hours(at, 0.2, 2), refused=True, says_solved=True)
    at = year.hours(visits.after_solution(year, diary, year.later(at, 1, 4)), 0.2, 5)
    confirm(diary, at, says_solved=True)
    if diary.known["way"] == "reopened":
        at = diary.do(year.later(at, 5, 20), "complainant", "reopen", same_matter=True)
        at = finish(year, diary, agree(year, diary, investigate(year, diary, at), 4))
        at = visits.after_solution(year, diary, year.later(at, 1, 4))
        confirm(diary, year.hours(at, 0.2, 5), says_solved=True)


def confirm(diary: Diary, at: datetime, *, refused: bool = False, **facts: bool) -> None:
    """Closed, with what was found."""
    diary.do(
        at, "service:lan", "confirm_satisfied", "visit_record", "closing_form",
        refused=refused, money_settled=True, facts=facts,
    )  # fmt: skip


def outside(year: Year, diary: Diary, at: datetime) -> None:
    """An authority writes; the matter is settled there, or ends there."""
    at = diary.do(year.later(at, 1, 3), "authority", "go_external", "authority_letter")
    at = year.later(at, 5, 14)
    diary.do(at, "service_manager:yan", "settle_external", "settlement_deed", promised_on=iso(at, 6))
    at = finish(year, diary, at)
    close(year, diary, at)
