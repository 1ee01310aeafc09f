"""`renoflow describe` says how a workflow's cases stand to others: what opens them, what is told to whom."""

from __future__ import annotations

import pytest

import renoflow as rf
from renoflow.values import Lang
from renoflow.views.describe import describe_text

SAID: tuple[tuple[str, Lang, str], ...] = (
    ("project", "zh", "### lead → lead（平级案卷）"),
    ("project", "en", "  opened with: trigger = sale_done, judged = @designer (after sign_contract)"),
    ("project", "en", "  is told: mark_signed (after sign_contract)"),
    ("project", "en", "  tells this case: designer_accepted"),
    ("project", "en", "  one for each: number = 1, 2, 3, 4, 5, 6, 7, 8"),
    ("stage_payment", "en", "### project → project (the case that this one belongs to)"),
    ("conduct", "en", "  found by its key: ledger/employee/@employee"),
    ("lead", "zh", "  告知对方：designer_accepted = true（随 accept_dispatch；当 已关联工程）"),
)


@pytest.mark.parametrize(("workflow", "lang", "line"), SAID)
def test_linked_cases_are_described(workflow: str, lang: Lang, line: str) -> None:
    """Each line says what is exchanged, after what, and under which condition."""
    assert line in describe_text(rf.load_workflows()[workflow], lang).splitlines()


def test_every_telling_and_opening_is_described() -> None:
    """Nothing that a bundled workflow opens or tells is left out of its description."""
    for flow in rf.load_workflows().values():
        lines = describe_text(flow, "en").splitlines()
        own = flow.plan.definition
        doings = (*own.events.values(), *own.reactions, *own.accumulations.values())
        opened = [
            line for line in lines if line.startswith(("  opened with: ", "  opened (")) and "after" in line
        ]
        told = [line for line in lines if line.startswith("  is told: ")]
        assert len(opened) == sum(len(item.opens) for item in doings)
        assert len(told) == sum(len(item.tells) for item in doings)
