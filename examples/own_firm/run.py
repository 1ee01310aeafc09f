"""A firm's own profile and its own workflow file, and what they change.

The profile sets parameters, words and a calendar; it never touches an event. The workflow file stands
beside the bundled ones and shares their roles.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import renoflow as rf

HERE = Path(__file__).resolve().parent
VISIT = HERE / "showroom_visit.toml"
WANG = rf.Actor("wang", roles={"customer_manager"})
CHEN = rf.Actor("chen", roles={"designer"})
LI = (rf.Signature("customer", "li"),)
SHANGHAI = ZoneInfo("Asia/Shanghai")

instant = datetime.fromisoformat


def main() -> None:
    """Each question is asked twice: of the bundled rules, and of the same rules under the profile."""
    bundled = rf.load_workflows(VISIT)
    own = rf.load_workflows(VISIT, profile=HERE / "profile.toml")

    questions = (
        ("A flat of 128 m², first consultation on 2 March 2026: when is the proposal due?", proposal_due),
        ("A visit on the last working day before the New Year of 2027: when is the call due?", call_due),
        ("Who may note that a customer is lost?", who_may_give_up),
    )
    for question, answer in questions:
        print(question)
        print(f"  bundled   {answer(bundled)}")
        print(f"  own firm  {answer(own)}")

    print("A customer who was expected on 3 February 2027 does not come")
    nobody_came(own["showroom_visit"])
    print("A profile with a warranty of one year")
    under_the_floor()


def proposal_due(flows: rf.Workflows) -> str:
    project = flows["project"]
    case = project.open(
        "P-1",
        actor=WANG,
        at=instant("2026-03-01T10:00:00+08:00"),
        facts={"home_area": "128", "home_kind": "flat"},
        documents=["registration_form"],
    ).unwrap()
    papers = (rf.Document("customer_file"), rf.Document("consultation_record", LI))
    at = instant("2026-03-02T14:00:00+08:00")
    case = project.decide(case, rf.Command("start_consultation", CHEN, at, documents=papers)).unwrap()
    return project.explain(case, "proposal").lines[1].en


def booked(visit: rf.Workflow, on: str) -> rf.Case:
    at = instant("2027-02-01T09:00:00+08:00")
    return visit.open("V-1", actor=WANG, at=at, facts={"visit_on": on}).unwrap()


def call_due(flows: rf.Workflows) -> str:
    """Without a calendar for 2027, Monday to Friday is assumed, and the date says so."""
    visit = flows["showroom_visit"]
    case = booked(visit, "2027-02-04")
    form = (rf.Document("visit_form", LI),)
    at = instant("2027-02-04T15:00:00+08:00")
    case = visit.decide(case, rf.Command("receive_customer", WANG, at, documents=form)).unwrap()
    return " ".join(line.en for line in visit.explain(case, "call").lines[1:])


def who_may_give_up(flows: rf.Workflows) -> str:
    """Refusals and explanations speak in the firm's own words."""
    project = flows["project"]
    at = instant("2026-03-01T10:00:00+08:00")
    case = project.open("P-1", actor=WANG, at=at, documents=["registration_form"]).unwrap()
    reasons = project.decide(case, rf.Command("mark_lost", CHEN, at)).reasons
    return "; ".join(reason.text("zh") for reason in reasons if reason.code == "role_not_allowed")


def nobody_came(visit: rf.Workflow) -> None:
    """What falls due happens at its own instant, whenever one asks."""
    decision = visit.wake(booked(visit, "2027-02-03"), "2027-02-05T09:00:00+08:00")
    for entry in decision.entries:
        at = entry.at.astimezone(SHANGHAI)
        print(f"  {at:%Y-%m-%d %H:%M}  {entry.event}: {entry.source} -> {entry.target}")


def under_the_floor() -> None:
    """Every fault of a file comes with its place; nothing of it is loaded."""
    try:
        rf.load_workflows(profile=HERE / "too_short.toml")
    except rf.DefinitionError as error:
        for problem in error.problems:
            print(f"  not loaded: [{problem.path}] {problem.message}")


if __name__ == "__main__":
    main()
