"""What must have come of a year, reckoned from its plan alone: dates, sums and plain rules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tests.year import (
    reckon_complaint,
    reckon_conduct,
    reckon_leads,
    reckon_project,
    reckon_shop,
    reckon_supply,
    reckon_visits,
)
from tests.year.plan import Diary, Year
from tests.year.runs import Run


@dataclass(frozen=True)
class Reckoning:
    """Every running of every deadline, by case and name; and the level of every complaint."""

    runs: dict[str, dict[str, list[Run]]]
    levels: dict[str, int]

    def last(self) -> dict[tuple[str, str], tuple[datetime, str]]:
        """How each deadline stands at the end: its due instant and its status."""
        return {
            (case, name): (runs[-1].due, runs[-1].status)
            for case, clocks in self.runs.items()
            for name, runs in clocks.items()
            if runs
        }

    def passed(self) -> set[tuple[str, str, datetime]]:
        """Everything that passed over the year, whatever came of it later."""
        return {
            (case, name, run.passed)
            for case, clocks in self.runs.items()
            for name, runs in clocks.items()
            for run in runs
            if run.passed
        }


def reckon(year: Year) -> Reckoning:
    """The whole year."""
    complaints = [*year.of("complaint"), *opened_by_themselves(year)]
    runs = {diary.case: reckon_complaint.complaint(diary) for diary in complaints}
    for diary in year.of("project"):
        runs[diary.case] = reckon_project.project(year, diary)
    for diary in year.of("checkpoint"):
        home = year.diaries[diary.case.split("/")[0]]
        runs[diary.case] = reckon_project.checkpoint(diary, home.first("approve_termination"))
    for diary in year.of("patrol"):
        runs[diary.case] = reckon_project.patrol(diary)
    for diary in year.of("change_order"):
        runs[diary.case] = reckon_project.change_order(diary)
    for diary in year.of("stage_payment"):
        runs[diary.case] = reckon_supply.stage_payment(year, diary)
    for diary in year.of("material"):
        runs[diary.case] = reckon_supply.material(diary)
    for diary in year.of("warranty_claim"):
        runs[diary.case] = reckon_supply.claim(year, diary)
    for diary in year.of("ledger"):
        runs[diary.case] = reckon_conduct.ledger(diary.acts[0].at)
    for diary in conducts(year):
        runs[diary.case] = reckon_conduct.conduct(diary)
    for diary in year.of("store"):
        runs[diary.case] = reckon_shop.store(diary)
    for diary in year.of("staff"):
        runs[diary.case] = reckon_shop.staff(diary)
    for diary in year.of("lead"):
        runs[diary.case] = reckon_leads.lead(year, diary)
    for plan in reckon_visits.planned(year):
        runs[plan.case] = reckon_visits.visit(year, plan)
    for home in year.of("project"):
        runs[home.case]["warranty_visit"] = reckon_visits.warranty_visits(home)
    return Reckoning(runs=runs, levels={diary.case: reckon_complaint.level(diary) for diary in complaints})


def conducts(year: Year) -> list[Diary]:
    """All conduct cases: those that people deal with, and those that rules of counting open."""
    untouched = [
        Diary(
            case=case.id,
            workflow="conduct",
            known={"opened": case.at, "rule": case.rule, "employee": case.employee, "kind": case.kind},
        )
        for case in reckon_conduct.opened(year)
        if case.id not in year.diaries
    ]
    for page in year.of("staff"):
        for case, rule, at in reckon_shop.appraised(page):
            kind = "reward" if rule == "d16_34" else "discipline"
            known = {"opened": at, "rule": rule, "employee": page.known["employee"], "kind": kind}
            untouched.append(Diary(case=case, workflow="conduct", known=known))
    return [*year.of("conduct"), *untouched]


def opened_by_themselves(year: Year) -> list[Diary]:
    """Complaints that the firm's cases open themselves, and that nobody takes up: deposits not returned in
    time, disputed settlements, and repairs that failed twice."""
    begun: list[tuple[str, list[datetime]]] = []
    for home in year.of("project"):
        late = [run.passed for run in reckon_project.project(year, home).get("refund", ()) if run.passed]
        late += [act.at for act in home.done("dispute_settlement")]
        for page in year.of("return_visit"):
            if page.case.startswith(f"{home.case}/return_visit"):
                late += [act.at for act in page.done("raise_complaint")]
        for claim in year.of("warranty_claim"):
            if claim.known["home"] == home.case:
                late += [act.at for act in claim.done("reject_repair")][1:2]
        begun.append((home.case, sorted(late)))
    return [
        Diary(
            case=f"{case}/complaint-{number}",
            workflow="complaint",
            known={"opened": at, "said_urgent": False},
        )
        for case, instants in begun
        for number, at in enumerate(instants, 1)
    ]
