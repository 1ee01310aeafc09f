"""renoflow: a renovation company's work as declarative workflows.

Deadlines, guards, required documents and signatures, linked cases and an audit trail.

A workflow file says what may happen. A case is what has happened. Everything else is derived.
"""

import typing

from renoflow.delivery import Delivery
from renoflow.engine.explain import Explanation
from renoflow.engine.outlook import Option, RouteStep
from renoflow.engine.tally import Tally
from renoflow.engine.traced import field_facts, rules
from renoflow.engine.workflow import Workflow, Workflows, load_workflows
from renoflow.errors import (
    DefinitionError,
    HistoryMismatch,
    KeyReused,
    MissingExtra,
    NaiveInstant,
    Problem,
    Refused,
    RenoflowError,
    SchemaMismatch,
    ScriptError,
    StoreBusy,
    StoredDataError,
    StoreError,
    StoreFull,
    StoreReadOnly,
    StoreUnreachable,
    UnknownName,
    UsageError,
)
from renoflow.outcome import Outcome
from renoflow.queries import CaseReader
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
from renoflow.roster import RosterGap, Shift, roster_gaps
from renoflow.script import Line, Replay, StepResult, read_script, run_script
from renoflow.service import CaseService
from renoflow.store.memory import MemoryStore
from renoflow.store.protocol import OutboxItem, Postponed
from renoflow.store.questions import BreachCount, CaseSummary, Page, WorkItem
from renoflow.values import Actor, Duration, Label
from renoflow.workflow.rulebook import Citation, FieldFact, Justification, Rule

if typing.TYPE_CHECKING:
    from renoflow.store.sql import SqlStore

__all__ = [
    "Actor",
    "BreachCount",
    "Case",
    "CaseReader",
    "CaseService",
    "CaseSummary",
    "Citation",
    "ClockStep",
    "Command",
    "Deadline",
    "Decision",
    "DefinitionError",
    "Delivery",
    "Document",
    "DocumentRecord",
    "Duration",
    "Effect",
    "Explanation",
    "FieldFact",
    "HistoryEntry",
    "HistoryMismatch",
    "Justification",
    "KeyReused",
    "Label",
    "LedgerLine",
    "Line",
    "LinkedCase",
    "MemoryStore",
    "MissingExtra",
    "NaiveInstant",
    "Option",
    "OutboxItem",
    "Outcome",
    "Page",
    "Payment",
    "Postponed",
    "Problem",
    "Reason",
    "Refused",
    "RenoflowError",
    "Replay",
    "RosterGap",
    "RouteStep",
    "Rule",
    "SchemaMismatch",
    "ScriptError",
    "Shift",
    "Signature",
    "SqlStore",
    "StepResult",
    "StoreBusy",
    "StoreError",
    "StoreFull",
    "StoreReadOnly",
    "StoreUnreachable",
    "StoredDataError",
    "Tally",
    "Told",
    "UnknownName",
    "UsageError",
    "WorkItem",
    "Workflow",
    "Workflows",
    "field_facts",
    "load_workflows",
    "read_script",
    "roster_gaps",
    "rules",
    "run_script",
]


def __getattr__(name: str) -> typing.Any:
    """`SqlStore` is loaded when it is first asked for, since SQLAlchemy is an extra and takes its time."""
    if name != "SqlStore":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from renoflow.store.sql import SqlStore
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("renoflow"):
            raise
        raise MissingExtra(error.name, "sql") from None
    return SqlStore
