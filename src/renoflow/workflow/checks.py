"""Everything that can be said against a definition before it runs: all faults at once, each with its place.

`check_workflow` looks at one file, `check_together` at what files say of each other. The work is done in
`checks_<what>.py`; `inspection` keeps the faults and the names that were used.
"""

from __future__ import annotations

from renoflow.definition.model import WorkflowDefinition
from renoflow.errors import Problem
from renoflow.workflow.checks_cites import check_cites
from renoflow.workflow.checks_conditions import check_conditions
from renoflow.workflow.checks_data import check_data
from renoflow.workflow.checks_deadlines import check_deadlines
from renoflow.workflow.checks_doings import check_doings
from renoflow.workflow.checks_graph import check_graph
from renoflow.workflow.checks_knowledge import check_knowledge, check_unused
from renoflow.workflow.checks_labels import check_labels
from renoflow.workflow.checks_ledger import check_ledger
from renoflow.workflow.checks_together import check_together
from renoflow.workflow.inspection import Inspection

__all__ = ["check_together", "check_workflow"]


def check_workflow(
    definition: WorkflowDefinition, *, file: str = "", text: str = "", leftovers: bool = True
) -> tuple[Problem, ...]:
    """What is wrong within one file, in its order. `file` is what problems call it; with its `text` they
    have lines. Without `leftovers`, names that nothing uses are no fault."""
    inspection = Inspection(definition)
    check_labels(inspection)
    check_data(inspection)
    check_conditions(inspection)
    check_doings(inspection)
    check_deadlines(inspection)
    check_ledger(inspection)
    check_graph(inspection)
    check_knowledge(inspection)
    check_cites(inspection, definition)
    if leftovers:
        check_unused(inspection)
    return inspection.problems(file, text)
