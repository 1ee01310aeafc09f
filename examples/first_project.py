"""A first project: load the workflows, open a case, decide, and read what the rules say.

Nothing here reads a clock or stores anything: every instant is an argument, every answer a value.
"""

from __future__ import annotations

from datetime import datetime

import renoflow as rf

WANG = rf.Actor("wang", roles={"customer_manager"})
CHEN = rf.Actor("chen", roles={"designer"})
LI = rf.Actor("li", roles={"customer"})
SIGNED_BY_LI = (rf.Signature("customer", "li"),)

instant = datetime.fromisoformat  # always with its offset: an instant without one is refused


def main() -> None:
    flows = rf.load_workflows()  # the bundled ones, checked and compiled; load once and share
    project = flows["project"]

    # Opening is an event like any other, with facts and papers; `unwrap` gives the case or raises `Refused`.
    case = project.open(
        "P-1",
        actor=WANG,
        at="2026-03-01T10:00:00+08:00",
        facts={"home_area": "128", "home_kind": "flat"},
        documents=["registration_form"],
    ).unwrap()

    case = first_consultation(project, case)

    # The designer agrees a day with the customer; it takes the place of the general window of seven days.
    at = instant("2026-03-04T19:00:00+08:00")
    agreed = rf.Command("contact_customer", CHEN, at, facts={"proposal_agreed_on": "2026-03-08"})
    case = project.decide(case, agreed).unwrap()

    hotline_too_early(project, case)
    what_can_be_done(project, case)
    way_to_the_deposit(project, case)

    print("\nWhy the proposal is due when it is / 出预案的时限是怎么来的")
    explanation = project.explain(case, "proposal")
    print(explanation.text("zh"))
    print(explanation.text("en"))


def first_consultation(project: rf.Workflow, case: rf.Case) -> rf.Case:
    """Refused without the customer's signature, accepted with it. A refusal leaves the case as it was."""
    at = instant("2026-03-02T14:00:00+08:00")
    unsigned = (rf.Document("customer_file"), rf.Document("consultation_record"))
    decision = project.decide(case, rf.Command("start_consultation", CHEN, at, documents=unsigned))
    print("The consultation record is not signed / 咨询记录没有签字")
    show(decision)

    signed = (rf.Document("customer_file"), rf.Document("consultation_record", SIGNED_BY_LI))
    return project.decide(case, rf.Command("start_consultation", CHEN, at, documents=signed)).unwrap()


def hotline_too_early(project: rf.Workflow, case: rf.Case) -> None:
    """Every unmet requirement comes at once, each with a stable code and a sentence in both languages."""
    at = instant("2026-03-06T12:10:00+08:00")
    query = rf.Command("query_overdue_proposal", LI, at, documents=(rf.Document("hotline_note"),))
    print("\nThe hotline, on the fourth day / 第四天拨打热线")
    show(project.decide(case, query))


def show(decision: rf.Decision) -> None:
    for reason in decision.reasons:
        print(f"  {reason.code}")
        print(f"    {reason.text('zh')}")
        print(f"    {reason.text('en')}")


def what_can_be_done(project: rf.Workflow, case: rf.Case) -> None:
    """`needs` can come with the command itself, `lacks` must change first."""
    print("\nWhat the designer can do now / 设计师现在可以办理")
    for option in project.allowed(case, actor=CHEN, at="2026-03-06T12:10:00+08:00"):
        sign = "✓" if option.allowed else "✗"
        print(f"  {sign} {option.label.zh} / {option.label.en}")
        for reason in (*option.needs, *option.lacks):
            print(f"      {reason.text('zh')}")


def way_to_the_deposit(project: rf.Workflow, case: rf.Case) -> None:
    """The shortest way to a state: who acts, and with which papers."""
    print("\nThe way to the deposit / 到交定金还有几步")
    for number, step in enumerate(project.route(case, "deposit_held") or (), 1):
        who, papers = ", ".join(step.roles), ", ".join(step.documents)
        print(f"  {number}. {step.label.zh} / {step.label.en}  [{who}]  {papers}".rstrip())


if __name__ == "__main__":
    main()
