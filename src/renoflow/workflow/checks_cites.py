"""What a file cites: a rule that is not in the rulebook is a slip of the pen."""

from __future__ import annotations

from renoflow.definition.lines import Path, format_path
from renoflow.definition.model import ProfileDefinition, WorkflowDefinition
from renoflow.workflow.citations import cited, cites_of
from renoflow.workflow.inspection import Faults, near
from renoflow.workflow.rulebook import rulebook


def check_cites(faults: Faults, definition: WorkflowDefinition | ProfileDefinition) -> None:
    """Every id known that looks like one of ours; a host may cite its own rules by ids of its own."""
    for path, item in cited(definition):
        for position, name in enumerate(cites_of(item) or ()):
            _check_cite(faults, name, (*path, "cites", position))


def _check_cite(faults: Faults, name: str, path: Path) -> None:
    book = rulebook()
    if not book.knows(name):
        faults.fault(format_path(path), f"the rulebook has no {name!r}", near(name, book.alike(name)))
