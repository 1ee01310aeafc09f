"""Main materials of a home: ordered, late, accepted, rejected and replaced, taken back, cancelled."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from tests.year.plan import Diary, Year, iso, midnight

KINDS = {"tiles": (7, 4), "sanitary": (7, 5), "cabinets": (30, 5), "floors": (7, 7), "doors": (40, 6)}
"""Days from the order to the need, and the checkpoint before the installation."""

FOUR = ["customer", "designer", "project_manager", "inspector"]
WAYS = (
    "installed",
    "installed",
    "late",
    "rejected",
    "customer_fault",
    "returned",
    "dropped",
    "cancelled",
    "owner_late",
)


def materials(year: Year, diary: Diary, started: datetime) -> None:
    """Some homes have their materials kept as cases; what is bought is bought once the works have begun."""
    rng = year.rng
    if not year.chance(0.7) or diary.known["course"] in ("terminated", "termination_refused", "suspended"):
        return
    for number in range(1, rng.randint(1, 3) + 1):
        page = year.diary(f"{diary.case}/material-{number}", "material", home=diary.case)
        diary.known["materials"].append(page)
        material(year, diary, page, year.later(started, 1, 4))


def material(year: Year, diary: Diary, page: Diary, at: datetime) -> None:
    """One line of material up to where it is accepted on the site, or falls away."""
    rng, known = year.rng, page.known
    known["way"] = way = rng.choice(WAYS)
    known["kind"] = kind = "tiles" if way in ("cancelled", "owner_late") else rng.choice(list(KINDS))
    known["lead"], known["after"] = KINDS[kind]
    known["owner"] = way == "owner_late"
    known["beside"] = not known["owner"] and year.chance(0.4)
    known["quantity"], known["unit_price"] = (
        Decimal(rng.randint(3, 90)),
        Decimal(rng.randint(2_000, 90_000)) / 100,
    )
    agent = "material_agent:xie"
    facts = {
        "kind": kind, "brand": "甲", "model": "A1", "quantity": str(known["quantity"]),
        "supplied_by": "owner" if known["owner"] else "company",
    }  # fmt: skip
    if not known["owner"]:
        facts |= {"unit_price": str(known["unit_price"])}
    page.do(
        at, agent, "select_material", "selection_form",
        opens=True, parent=diary.case, facts={**facts, "beside_price": known["beside"]},
    )  # fmt: skip
    at = page.do(year.later(at, 1, 2), "customer", "confirm_material", "confirmation(customer)")
    if way == "dropped":
        page.do(year.later(at, 1, 2), "customer", "cancel_material")
        return
    if kind in ("cabinets", "doors"):
        at = year.hours(at, 1, 4)
        page.do(at, agent, "order_material", "purchase_order", refused=True, needed_on=iso(at, 60))
        at = page.do(year.hours(at, 1, 20), agent, "measure_material", "measure_form")
    at = order(year, page, year.hours(at, 1, 20))
    if way == "cancelled":
        page.do(year.hours(at, 2, 20), "customer", "cancel_ordered", "cancellation_form(customer)")
        return
    deliver(year, diary, page, at)


def order(year: Year, page: Diary, at: datetime) -> datetime:
    """Ordered in time for its need; what is not in the contract price is paid first."""
    known = page.known
    known["promised"] = at + timedelta(days=known["lead"] - year.rng.randint(0, 1))
    facts = {"needed_on": iso(at, known["lead"] + 1), "promised_on": iso(known["promised"])}
    if not known["beside"]:
        return page.do(at, "material_agent:xie", "order_material", "purchase_order", facts=facts)
    price = {"material_payment": f"{known['quantity'] * known['unit_price']:.2f}"}
    page.do(at, "material_agent:xie", "order_material", "purchase_order", refused=True, facts=facts)
    at = year.hours(at, 0.5, 3)
    return page.do(
        at, "material_agent:xie", "order_material", "purchase_order", "receipt", paid=price, facts=facts
    )


def deliver(year: Year, diary: Diary, page: Diary, at: datetime) -> None:
    """Treated where it must be, announced two days ahead, and looked at by all four."""
    known, way = page.known, page.known["way"]
    late = year.rng.randint(2, 4) if way in ("late", "owner_late") else -1
    due = midnight(known["promised"].date()) + timedelta(days=late, hours=10)
    if known["kind"] in ("cabinets", "doors", "floors"):
        page.do(year.hours(at, 1, 6), "distribution", "treat_material", "treatment_record")
    sent = due - timedelta(days=3)
    papers = ("certificate", "test_report", "delivery_note")
    page.do(sent, "distribution", "ship_material", *papers[:1], arrives_on=iso(due), refused=True)
    sent = page.do(year.hours(sent, 0.2, 2), "distribution", "ship_material", *papers, arrives_on=iso(due))
    at = arrive(year, diary, page, year.hours(due, 0, 5))
    if way in ("rejected", "customer_fault"):
        fault = "customer" if way == "customer_fault" else "supplier"
        page.do(at, inspector(diary), "reject_material", "material_form", reason="色差")
        at = year.hours(at, 1, 20)
        page.do(
            at, "material_agent:xie", "replace_material", "replacement_form",
            fault_party=fault, promised_on=iso(at, 5), days_lost=3,
        )  # fmt: skip
        again = year.later(at, 3, 7)
        page.do(
            again - timedelta(days=2), "supplier", "reship_material", "delivery_note", arrives_on=iso(again)
        )
        at = arrive(year, diary, page, again)
    if year.chance(0.2):
        page.do(
            at,
            inspector(diary),
            "accept_material",
            "material_form(customer)",
            attendees=FOUR[1:],
            readings=["合格"],
            refused=True,
        )
        at = year.hours(at, 0.1, 0.4)
    at = page.do(
        at, inspector(diary), "accept_material", "material_form(customer)", attendees=FOUR, readings=["合格"]
    )
    known["ready"] = at
    if way == "returned":
        half = str(known["quantity"] / 2)
        page.do(
            year.hours(at, 2, 20),
            lead(diary),
            "return_surplus",
            "return_form",
            returned_quantity=half,
            unopened=True,
        )
        known.pop("ready")


def arrive(year: Year, diary: Diary, page: Diary, at: datetime) -> datetime:
    """Taken in on the site."""
    page.do(at, lead(diary), "arrive_material", "delivery_note(project_manager)", count_checked=True)
    return year.hours(at, 0.3, 2)


def installed(year: Year, diary: Diary, at: datetime) -> datetime:
    """Everything that was accepted is installed once its checkpoint is passed; gives back when all is."""
    for page in diary.known["materials"]:
        if "ready" not in page.known:
            continue
        before = year.diaries[f"{diary.case}/checkpoint-{page.known['after']}"]
        passed = before.first("pass_checkpoint", "waive_checkpoint")
        if passed is None:
            continue
        built = page.do(
            year.later(max(passed, page.known["ready"]), 1, 2),
            lead(diary),
            "install_material",
            "install_form(customer)",
        )
        at = max(at, built)
    return at


def settled(page: Diary) -> tuple[Decimal, Decimal]:
    """What a line adds to the settlement, and what was paid for it."""
    known = page.known
    price = Decimal(0) if known["owner"] else known["quantity"] * known["unit_price"]
    beside = price if known["beside"] else Decimal(0)
    if page.done("cancel_material"):
        return beside - price, Decimal(0)
    if page.done("cancel_ordered"):
        return beside - price + _cents(price * Decimal("0.3")), beside
    if page.done("return_surplus"):
        return beside - _cents(price / 2), beside
    return (beside, beside) if page.done("order_material") else (Decimal(0), Decimal(0))


def _cents(sum_: Decimal) -> Decimal:
    return (sum_ + Decimal("0.005")).quantize(Decimal("0.01"), "ROUND_FLOOR")


def lead(diary: Diary) -> str:
    """Who leads the site."""
    return f"project_manager:{diary.known['lead']}"


def inspector(diary: Diary) -> str:
    """Who inspects it."""
    return f"inspector:{diary.known['inspector']}"
