"""The deadlines of leads: registered the same day, dispatched, accepted, followed up by the class."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.year.almanac import end_of_day, end_of_working_day
from tests.year.plan import END, Diary, Year
from tests.year.reckon_shop import Ends, next_month, next_week, periods
from tests.year.runs import Run

Runs = dict[str, list[Run]]
EVERY = {1: 2, 2: 3, 3: 7, 4: 15}
"""Days between two contacts, by the class of the customer."""


def lead(year: Year, page: Diary) -> Runs:
    """All deadlines of a lead."""
    home = year.diaries.get(page.known["home"])
    opened: datetime = page.known["opened"]
    if opened >= END:
        return {}
    over = _over(page, home)
    registered = opened if home else page.first("register_lead")
    found = {"register": [Run(due=end_of_day(opened, 0), done=registered)]}
    left = _recycled(page, home)
    found["dispatch"] = [
        Run(due=end_of_working_day(at, 1), done=page.after(at, "dispatch"), dropped=over)
        for at in sorted([*_pooled(page, home), *left])
    ]
    found["accept"] = [
        Run(due=act.at + timedelta(hours=2), done=_answer(page, act.at), dropped=over)
        for act in page.done("dispatch")
    ]
    follow = _following(page, home)
    if follow is not None:
        stop = min([moment for moment in (over, *left, *_reassigned(page)) if moment], default=None)
        by = _neglected(page)[1] if home is None else ""
        found["week_end"] = _ticks(follow, next_week, stop, once_more=by == "week")
        found["month_end"] = _ticks(follow, next_month, stop, once_more=by == "month")
    found["follow_up"] = _follow_ups(page, home, follow, left)
    return {name: runs for name, runs in found.items() if runs}


def _ticks(first: datetime, end: Ends, stop: datetime | None, *, once_more: bool) -> list[Run]:
    """The ends of weeks or months while it is followed up. One that itself sends the lead back to the
    pool has begun the next by then."""
    return [
        Run(due=due, dropped=stop, kind="wait")
        for begun, due in periods(first, end)
        if stop is None or begun < stop or (once_more and begun == stop)
    ]


def _over(page: Diary, home: Diary | None) -> datetime | None:
    """Signed or failed."""
    signed = home.first("sign_contract") if home else None
    return signed or page.first("mark_failed")


def _following(page: Diary, home: Diary | None) -> datetime | None:
    return home.first("start_consultation") if home else page.first("first_contact")


def _reassigned(page: Diary) -> list[datetime]:
    return [at for at in page.known.get("reassigned", []) if at < END]


def _pooled(page: Diary, home: Diary | None) -> list[datetime]:
    return [act.at for act in page.done("queue_lead", "requeue")] + _reassigned(page)


def _answer(page: Diary, at: datetime) -> datetime | None:
    answer = page.after(at, "accept_dispatch", "refuse_dispatch")
    return answer if answer is not None and answer < at + timedelta(hours=2) else None


def _recycled(page: Diary, home: Diary | None) -> list[datetime]:
    """When it goes back to the pool: with a lost home, by the store manager, or neglected."""
    found = [act.at for act in page.done("recycle")]
    if home is not None:
        return found + [act.at for act in home.done("mark_lost")]
    neglected = _neglected(page)[0]
    return found + ([neglected] if neglected is not None and neglected <= END else [])


def _last_contact(page: Diary) -> datetime | None:
    acts = page.done("first_contact", "follow_up")
    return acts[-1].at if acts else None


def _neglected(page: Diary) -> tuple[datetime | None, str]:
    """After one missed period at the next end of a week or month, or after two; and which of them it was."""
    last = _last_contact(page)
    if last is None:
        return None, ""
    first = end_of_day(last, EVERY[page.known["class"]])
    second = end_of_day(first, EVERY[page.known["class"]])
    week = min(over for _, over in periods(last, next_week) if over >= first or over > END)
    month = min(over for _, over in periods(last, next_month) if over >= first or over > END)
    gone = min(second, week, month)
    failed = page.first("mark_failed")
    if failed is not None and failed < gone:
        return None, ""
    return gone, "second" if gone == second else "week" if gone == week else "month"


def _follow_ups(page: Diary, home: Diary | None, follow: datetime | None, left: list[datetime]) -> list[Run]:
    """While no project is under way: a contact in every period of the class."""
    if follow is None:
        return []
    days = EVERY[page.known["class"]]
    if home is None:
        begun = [act.at for act in page.done("first_contact", "follow_up")]
        stop = min([moment for moment in (page.first("mark_failed"), *left) if moment], default=None)
        return _chain(begun, days, stop)
    if page.known.get("reassigned"):
        return []
    # As a home is signed or lost its lead would be followed up again; but it ends, or goes back to the pool.
    ends = [at for at in (home.first("sign_contract"), home.first("mark_lost")) if at]
    runs = [Run(due=end_of_day(at, days), dropped=at) for at in ends if not _sleeps(home, at)]
    since = home.known.get("asleep")
    if since is not None and since < END:
        stop = home.after(since, "revive", "mark_lost")
        runs = _chain([since, *[act.at for act in page.done("follow_up")]], days, stop) + runs
    cancelled = home.first("settle_deposit")
    return runs + (_chain([cancelled], days, page.first("mark_failed")) if cancelled else [])


def _sleeps(home: Diary, at: datetime) -> bool:
    """Whether the customer is silent at that time."""
    since = home.known.get("asleep")
    return since is not None and since < at and home.after(since, "revive") is None


def _chain(begun: list[datetime], days: int, stop: datetime | None) -> list[Run]:
    """Each contact begins a period anew, and so does each period that is missed."""
    runs = []
    for place, at in enumerate(begun):
        again = begun[place + 1] if place + 1 < len(begun) else None
        due = end_of_day(at, days)
        runs.append(Run(due=due, dropped=again or stop))
        while again is None and due <= END and (stop is None or due <= stop):
            due = end_of_day(due, days)
            runs.append(Run(due=due, dropped=stop))
    return runs
