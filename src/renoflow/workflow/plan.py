"""A workflow made ready to run: immutable, shared by all its cases and all threads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Literal

from attrs import field, frozen

from renoflow.definition.model import DeadlineKind, Period, WorkflowDefinition
from renoflow.values import Duration, Label
from renoflow.workflow.condition import Condition
from renoflow.workflow.facts import FactPlan
from renoflow.workflow.operands import Getter, Test
from renoflow.workflow.scene import Scene

# ------------------------------------------------------------------ effects


@frozen(kw_only=True)
class GivenPlan:
    """Facts handed on with an effect, those not known left out. `ready` has them where all are literals."""

    facts: tuple[tuple[str, Getter], ...]
    ready: Mapping[str, object] | None


@frozen(kw_only=True)
class NoticePlan:
    """`role` is a name, or a function that finds it (`@level.role`); `why` is what `when` says."""

    role: str | Getter
    when: Test | None
    why: Label | None


@frozen(kw_only=True)
class OpeningPlan:
    child: str
    workflow: str
    reason: str
    when: Test | None
    facts: GivenPlan
    each: tuple[Mapping[str, object], ...]
    once: bool


@frozen(kw_only=True)
class PeerPlan:
    """A peer to be opened under the name of a link."""

    link: str
    workflow: str
    when: Test | None
    facts: GivenPlan


@frozen(kw_only=True)
class KeyPlan:
    """What a linked case is found by: the parts of its id after the workflow's, None for what is not known.
    `facts` are those of its opening."""

    workflow: str
    parts: tuple[Getter, ...]
    facts: GivenPlan


@frozen(kw_only=True)
class TellingPlan:
    """`relation` is link or child, `name` the link or the child's name; with no event, facts are told."""

    relation: str
    name: str
    event: str | None
    when: Test | None
    facts: GivenPlan
    documents: tuple[str, ...]
    key: KeyPlan | None


@frozen(kw_only=True)
class AskingPlan:
    host: str
    amount: Getter | None
    when: Test | None


@frozen(kw_only=True)
class ExtensionPlan:
    """`by` gives a duration, or a whole number of days, or None for nothing."""

    clock: str
    by: Getter
    sign: int
    when: Test | None


@frozen(kw_only=True)
class EffectsPlan:
    """`touched` names the facts that are added to or set."""

    adds: tuple[tuple[str, Getter, int | None], ...] = ()
    sets: tuple[tuple[str, FactPlan, Getter], ...] = ()
    notifies: tuple[NoticePlan, ...] = ()
    opens: tuple[OpeningPlan | PeerPlan, ...] = ()
    tells: tuple[TellingPlan, ...] = ()
    asks: tuple[AskingPlan, ...] = ()
    extends: tuple[ExtensionPlan, ...] = ()
    touched: tuple[str, ...] = field(init=False)

    @touched.default
    def _touched(self) -> tuple[str, ...]:
        return (*[name for name, _, _ in self.adds], *[name for name, _, _ in self.sets])

    @property
    def inward(self) -> bool:
        return bool(self.adds or self.sets)

    @property
    def outward(self) -> bool:
        return bool(self.notifies or self.opens or self.tells or self.asks or self.extends)


@frozen(kw_only=True)
class ReactionPlan:
    when: Test | None
    effects: EffectsPlan


# ------------------------------------------------------------------ the ledger


@frozen(kw_only=True)
class AccumulationPlan:
    """So many lines (`at_least`) of one month or year, or an unbroken run of them. With `after`, of a period
    in which that one was met. `decides` says whether more follows from it than a notice."""

    name: str
    label: Label
    when: Test | None
    counts: frozenset[str]
    none_of: frozenset[str]
    except_rules: frozenset[str]
    after: str | None
    period: Literal["month", "year", "run"]
    at_least: int
    running: Duration | None
    at_period_end: bool
    effects: EffectsPlan
    decides: bool


@frozen(kw_only=True)
class LedgerPlan:
    """What makes a line, and what is counted; `keeps` is in whole years before the present one."""

    entry: str
    dated_by: str
    rule: str | None
    source: str | None
    enters: frozenset[str]
    strikes: frozenset[str]
    keeps: int
    accumulations: tuple[AccumulationPlan, ...]


# ------------------------------------------------------------------ clocks


@frozen(kw_only=True, eq=False)
class TermPlan:
    """`limit` and `until` look their value up when the term is chosen; None means not given. `length` is the
    limit of a term that always has the same one. Each belongs to one clock, and equals only itself."""

    name: str
    label: Label | None
    test: Test | None
    target: Duration | None
    length: Duration | None
    limit: Callable[[Scene], Duration | None]
    until: Callable[[Scene], date | None] | None
    every: Period | None
    floor: Duration | None


@frozen(kw_only=True)
class AlertPlan:
    """A warning before (`sign` -1) or an escalation after (`sign` 1) the due instant."""

    length: Duration
    sign: int
    notify: tuple[str, ...]


@frozen(kw_only=True)
class PausePlan:
    states: frozenset[str]
    unless: Test | None


@frozen(kw_only=True)
class ClockPlan:
    """One deadline rule, or one part of it. `alerts` are in the order in which they come. `only_term` is set
    where every start takes the same term."""

    name: str
    rule: str
    label: Label
    owner: str
    side: str
    kind: DeadlineKind
    statutory: bool
    terms: tuple[TermPlan, ...]
    only_term: TermPlan | None
    counts_from: Callable[[Scene], date | None] | None
    pauses: tuple[PausePlan, ...]
    stops_when: Test | None
    warnings: tuple[AlertPlan, ...]
    escalations: tuple[AlertPlan, ...]
    extended_by: frozenset[str]

    @property
    def mark(self) -> str:
        """What its passing is called: breached, open or expired."""
        return {"limit": "breached", "wait": "open", "period": "expired"}[self.kind]


@frozen(kw_only=True)
class ClockOp:
    """What one happening does to one clock. `entry` is the state entered, for the pause clauses; `name` is
    the clock's, `begins` says whether it may start one that never ran."""

    clock: ClockPlan
    cancel: bool = False
    stop: bool = False
    rechoose: bool = False
    start: bool = False
    restart: bool = False
    entry: str | None = None
    name: str = field(init=False)
    begins: bool = field(init=False)

    @name.default
    def _name(self) -> str:
        return self.clock.name

    @begins.default
    def _begins(self) -> bool:
        return self.start or self.restart


# ------------------------------------------------------------------ events


@frozen(kw_only=True)
class PaperPlan:
    """A required document: who must sign, when it is required, when it needs no signature."""

    id: str
    label: Label
    signers: tuple[str, ...]
    signer_labels: tuple[Label, ...]
    repeats: bool
    when: Test | None
    unsigned_when: Test | None


@frozen(kw_only=True)
class TransitionPlan:
    """One event from one state. `guards` are the machine's, as compiled conditions."""

    event: str
    source: str
    target: str
    enters: bool
    ends: bool
    guards: tuple[Condition, ...]
    tests: tuple[Test, ...]
    ops: tuple[ClockOp, ...]
    followers: tuple[str, ...]
    reactions: tuple[ReactionPlan, ...]


@frozen(kw_only=True)
class EventPlan:
    name: str
    label: Label
    by: frozenset[str]
    by_label: Label
    sources: tuple[str, ...]
    sources_label: Label
    guards: tuple[Condition, ...]
    gives: tuple[str, ...]
    accepts: Mapping[str, FactPlan]
    papers: tuple[PaperPlan, ...]
    payments: tuple[tuple[str, Label, Getter], ...]
    effects: EffectsPlan
    changes_facts: bool
    hands_out: bool
    transitions: Mapping[str, TransitionPlan]
    histories: Mapping[tuple[str, str], TransitionPlan]
    tracked: int
    tracks_actor: bool
    cites: tuple[str, ...]


@frozen(kw_only=True)
class Invariant:
    name: str
    label: Label
    test: Test


@frozen(kw_only=True)
class ChildPlan:
    """A kind of child; `watched` are the states whose entering or leaving is told to the parent."""

    name: str
    workflow: str
    loaded: bool
    hears: frozenset[str]
    reads: tuple[str, ...]
    watched: frozenset[str]
    forgets: bool
    next_fact: str
    next_states: frozenset[str]
    order: tuple[str, ...]


@frozen(kw_only=True, eq=False)
class Plan:
    """Everything that deciding needs, with every name resolved. `links` are those that are followed,
    `listens` the states of each that the file reads, or None for every one. It equals only itself."""

    definition: WorkflowDefinition
    id: str
    version: int
    label: Label
    events: Mapping[str, EventPlan]
    openings: tuple[str, ...]
    facts: Mapping[str, FactPlan]
    clocks: Mapping[str, ClockPlan]
    conditions: Mapping[str, Condition]
    amounts: Mapping[str, Getter]
    signers: Mapping[str, tuple[str, ...]]
    repeating: frozenset[str]
    finals: frozenset[str]
    remembering: frozenset[str]
    state_labels: Mapping[str, Label]
    role_labels: Mapping[str, Label]
    roles: frozenset[str]
    children: Mapping[str, ChildPlan]
    links: Mapping[str, str]
    listens: Mapping[str, frozenset[str] | None]
    fired: Mapping[str, tuple[str, ...]]
    reactions: Mapping[str, tuple[ReactionPlan, ...]]
    ledger: LedgerPlan | None
    tracked: Mapping[str, int]
    invariants: Mapping[str, tuple[Invariant, ...]]
    ops: Callable[[tuple[str, ...]], tuple[ClockOp, ...]]
    relatives: Mapping[str, WorkflowDefinition]

    def names_of(self, workflow: str) -> tuple[str, ...]:
        """The names that the file has for a linked workflow."""
        return tuple(name for name, target in self.links.items() if target == workflow)

    def link_names(self, workflow: str) -> tuple[str, ...]:
        """The names under which this plan links a workflow; the workflow's own name when it declares none."""
        return self.names_of(workflow) or (workflow,)
