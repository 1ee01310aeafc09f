"""The deadlines of a complaint and its level, by the table of severities."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from tests.year.almanac import DAY, end_of_day, end_of_working_day, midnights, working_midnights
from tests.year.plan import END, Act, Diary, midnight
from tests.year.runs import Run

Runs = dict[str, list[Run]]

TERMS = {
    "acknowledge": {"urgent": ("hours", 2), "major": ("hours", 12), "general": ("hours", 24)},
    "plan": {"urgent": ("hours", 24), "major": ("working", 2), "general": ("working", 3)},
    "investigate": {"urgent": ("hours", 12), "major": ("working", 1), "general": ("working", 2)},
    "resolve": {"urgent": ("days", 3), "major": ("working", 5), "general": ("days", 10)},
}
RAISING = ("acknowledge", "on_site", "superior_answer", "investigate", "plan", "resolve")
START_LEVEL = {"urgent": 3, "major": 2, "general": 1}
DONE = {"acknowledge": "acknowledge", "plan": "draft_solution", "resolve": "finish_implementation"}


def after(start: datetime, term: tuple[str, int]) -> datetime:
    """When a term from `start` is over."""
    unit, count = term
    if unit == "hours":
        return start + timedelta(hours=count)
    return end_of_working_day(start, count) if unit == "working" else end_of_day(start, count)


def later(due: datetime, term: tuple[str, int], first: datetime, last: datetime) -> datetime:
    """A due instant after a standstill, moved in the term's own unit; no term ends while it stands still."""
    unit = term[0]
    if unit == "hours":
        return due + (last - first)
    if unit == "days":
        return due + midnights(first, last) * DAY
    moved = due - DAY
    for _ in range(working_midnights(first, last)):
        moved = end_of_working_day(moved, 1) - DAY
    return max(moved + DAY, end_of_day(last, 0))


def ended(diary: Diary, since: datetime) -> datetime | None:
    """When it was over, for good or until it was reopened."""
    return diary.after(
        since, "decline_complaint", "withdraw_complaint", "close_external", "confirm_satisfied"
    )


def complaint(diary: Diary) -> Runs:
    """All deadlines of a complaint."""
    found = {
        "acknowledge": [_from_receipt(diary, "acknowledge")],
        "plan": [_from_receipt(diary, "plan")],
        "resolve": [_from_receipt(diary, "resolve"), *_again(diary)],
        "on_site": _on_site(diary),
        "superior_answer": _superior(diary),
        "investigate": _investigations(diary),
        "answer": [
            Run(due=end_of_day(act.at, 3), done=diary.after(act.at, "accept_solution", "reject_solution"))
            for act in diary.done("approve_solution")
        ],
        "implement": _promises(diary),
        "supply": [
            Run(
                due=end_of_day(first, 7),
                done=diary.after(first, "supply_information"),
                dropped=_earliest(ended(diary, first), outside(diary)),
            )
            for first, _ in waits(diary)
        ],
        "unreachable": _unreachable(diary),
        "reopening": [
            Run(due=end_of_day(act.at, 30), dropped=diary.after(act.at, "reopen"), kind="period")
            for act in diary.done("confirm_satisfied")
        ],
        "authority_accept": [
            Run(
                due=end_of_working_day(act.at, 7),
                done=diary.after(act.at, "settle_external", "close_external"),
            )
            for act in diary.done("go_external", "exhaust_internal")
        ],
    }
    return {name: runs for name, runs in found.items() if runs}


def level(diary: Diary) -> int:
    """The level by severity, one more for each breach, rejection, missed promise and vain follow-up."""
    classified = diary.done("classify")
    severity = (
        classified[0].facts["severity"] if classified else "urgent" if diary.known["said_urgent"] else ""
    )
    runs = complaint(diary)
    breaches = sum(1 for name in RAISING for run in runs.get(name, ()) if run.passed)
    missed = sum(1 for run in runs.get("implement", ()) if run.passed)
    others = len(diary.done("reject_solution", "report_unsolved", "reopen"))
    return min(3, START_LEVEL.get(severity, 0) + breaches + missed + others)


# ------------------------------------------------------------------ one formula each


def waits(diary: Diary) -> list[tuple[datetime, datetime | None]]:
    """While the complainant was asked; seven days at most, then it goes on without him."""
    found: list[tuple[datetime, datetime | None]] = []
    for act in diary.done("request_information"):
        until = diary.after(act.at, "supply_information")
        latest = end_of_day(act.at, 7)
        over = latest if until is None or until >= latest else until
        gone = ended(diary, act.at)
        found.append((act.at, None if over > END or (gone is not None and gone < over) else over))
    return found


def outside(diary: Diary) -> datetime | None:
    return diary.first("go_external", "exhaust_internal")


def _earliest(*moments: datetime | None) -> datetime | None:
    return min((moment for moment in moments if moment is not None), default=None)


def _from_receipt(diary: Diary, name: str) -> Run:
    """Counted from the receipt by what was known then, and again by what the assessment found."""
    opened, terms = diary.known["opened"], TERMS[name]
    term = terms["urgent" if diary.known["said_urgent"] else "general"]
    due, done = after(opened, term), diary.first(DONE[name])
    for act in diary.done("classify"):
        if due > act.at and (done is None or done > act.at):
            term = terms[act.facts["severity"]]
            due = max(after(opened, term), act.at)
    dropped = _earliest(ended(diary, opened), None if name == "acknowledge" else outside(diary))
    still = False
    if name != "acknowledge":
        due, still = _stood(diary, due, term, opened, done)
    if dropped is not None and done is not None and done > dropped:
        done = None
    return Run(due=due, done=done, dropped=dropped, stands_still=still)


def _stood(
    diary: Diary, due: datetime, term: tuple[str, int], begun: datetime, done: datetime | None
) -> tuple[datetime, bool]:
    """What is owed stands still while the complainant is asked."""
    for first, last in waits(diary):
        if first < begun or first >= due or (done is not None and done <= first):
            continue
        if last is None:
            return due, ended(diary, first) is None
        due = later(due, term, first, last)
    return due, False


def _severity(diary: Diary) -> str:
    return str(diary.done("classify")[0].facts["severity"])


def _again(diary: Diary) -> list[Run]:
    """A new time to resolve it after a vain follow-up, and after a reopening."""
    runs = []
    for act in diary.done("report_unsolved", "reopen"):
        term = TERMS["resolve"][_severity(diary)]
        done = diary.after(act.at, "finish_implementation")
        due, still = _stood(diary, after(act.at, term), term, act.at, done)
        runs.append(Run(due=due, done=done, stands_still=still))
    return runs


def _on_site(diary: Diary) -> list[Run]:
    """Six hours for what is urgent, from when that is known."""
    visit = diary.first("visit_site")
    if diary.known["said_urgent"]:
        return [
            Run(
                due=diary.known["opened"] + timedelta(hours=6),
                done=visit,
                dropped=ended(diary, diary.known["opened"]),
            )
        ]
    for act in diary.done("classify"):
        if act.facts["severity"] == "urgent" and (visit is None or visit > act.at):
            return [Run(due=act.at + timedelta(hours=6), done=visit, dropped=ended(diary, act.at))]
    return []


def _superior(diary: Diary) -> list[Run]:
    """One working day for the superior, each time that it is with him."""
    begun = [act.at for act in diary.done("report_to_superior", "reopen")]
    begun += [run.due for run in _promises(diary) if run.passed]
    return [
        Run(due=end_of_working_day(at, 1), done=diary.after(at, "assign_investigation"))
        for at in sorted(begun)
    ]


def _investigations(diary: Diary) -> list[Run]:
    runs = []
    for act in diary.done("assign_investigation", "report_unsolved"):
        term = TERMS["investigate"][_severity(diary)]
        done = diary.after(act.at, "record_findings")
        due, still = _stood(diary, after(act.at, term), term, act.at, done)
        dropped = _earliest(_next(diary, act, "withdraw_complaint"), _next(diary, act, "go_external"))
        runs.append(Run(due=due, done=done, dropped=dropped, stands_still=still))
    return runs


def _next(diary: Diary, act: Act, event: str) -> datetime | None:
    return diary.after(act.at, event)


def _promises(diary: Diary) -> list[Run]:
    """The promised day itself is the limit."""
    runs = []
    for act in diary.done("accept_solution", "settle_external"):
        said = [one for one in diary.done("draft_solution", "settle_external") if one.at <= act.at][-1]
        due = midnight(date.fromisoformat(said.facts["promised_on"]) + DAY)
        done = diary.after(act.at, "finish_implementation")
        runs.append(Run(due=due, done=done if done is None or done < due else None))
    return runs


def _unreachable(diary: Diary) -> list[Run]:
    """Fifteen days in which he may still be reached; over when it is closed or goes on."""
    return [
        Run(
            due=midnight(act.at.date() + 15 * DAY),
            dropped=diary.after(act.at, "confirm_satisfied", "report_unsolved"),
            kind="wait",
        )
        for act in diary.done("finish_implementation")
    ]
