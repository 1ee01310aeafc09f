"""renoflow: a renovation company's work as declarative workflows.

Deadlines, guards, required documents and signatures, linked cases and an audit trail.

A workflow file says what may happen. A case is what has happened. Everything else is derived.
"""

from renoflow.engine.explain import Explanation
from renoflow.engine.outlook import Option, RouteStep
from renoflow.engine.tally import Tally
from renoflow.engine.traced import field_facts, rules
from renoflow.engine.workflow import Workflow, Workflows, load_workflows
from renoflow.errors import (
    DefinitionError,
    HistoryMismatch,
    MissingExtra,
    NaiveInstant,
    Problem,
    Refused,
    RenoflowError,
    ScriptError,
    UnknownName,
    UsageError,
)
from renoflow.records import (
    Case,
    ClockStep,
    Command,
    Deadline,
    Decision,
    Document,
    DocumentRecord,
    Effect,
    HistoryEntry,
    LedgerLine,
    LinkedCase,
    Payment,
    Reason,
    Signature,
    Told,
)
from renoflow.script import Line, Replay, StepResult, read_script, run_script
from renoflow.service import CaseService, Outcome
from renoflow.store.memory import MemoryStore
from renoflow.values import Actor, Duration, Label
from renoflow.workflow.rulebook import Citation, FieldFact, Justification, Rule

__all__ = [
    "Actor",
    "Case",
    "CaseService",
    "Citation",
    "ClockStep",
    "Command",
    "Deadline",
    "Decision",
    "DefinitionError",
    "Document",
    "DocumentRecord",
    "Duration",
    "Effect",
    "Explanation",
    "FieldFact",
    "HistoryEntry",
    "HistoryMismatch",
    "Justification",
    "Label",
    "LedgerLine",
    "Line",
    "LinkedCase",
    "MemoryStore",
    "MissingExtra",
    "NaiveInstant",
    "Option",
    "Outcome",
    "Payment",
    "Problem",
    "Reason",
    "Refused",
    "RenoflowError",
    "Replay",
    "RouteStep",
    "Rule",
    "ScriptError",
    "Signature",
    "StepResult",
    "Tally",
    "Told",
    "UnknownName",
    "UsageError",
    "Workflow",
    "Workflows",
    "field_facts",
    "load_workflows",
    "read_script",
    "rules",
    "run_script",
]
