"""What a workflow file says, as frozen values; names are still strings.

One class per table of the format, one field per key. Nothing is resolved here: `workflow.checks`
says whether the names fit together and `workflow.compile` turns them into a plan.
Where a field's meaning is not plain from its name, `docs/format.md` gives its exact semantics.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from attrs import field, frozen

from renoflow.values import Label

Scalar = str | int | bool
"""A literal, or a reference: `$parameter`, `@fact`, `@amount`, `@fact.column`, `@today`, `@child.fact`."""

Side = Literal["company", "customer", "third", "supplier", "employee", "nobody"]
FactType = Literal[
    "decimal", "whole", "count", "percent", "money", "yes_no", "text", "texts",
    "enum", "set", "date", "instant", "duration", "actor",
]  # fmt: skip
DeadlineKind = Literal["limit", "wait", "period"]
Period = Literal["day", "week", "month", "quarter", "year"]
Quantity = Literal["some", "all", "none"]


# ------------------------------------------------------------------ header, states, people


@frozen(kw_only=True)
class HeaderDefinition:
    """`[workflow]`: who this file is, which shared files it uses, which workflow it may belong to."""

    id: str
    version: int
    label: Label
    uses: tuple[str, ...] = ()
    parent: str | None = None


@frozen(kw_only=True)
class StageDefinition:
    zh: str
    en: str


@frozen(kw_only=True)
class StateDefinition:
    """One line of `[states]`. `waits_for` is a side, or `@fact` naming a fact that holds one."""

    zh: str
    en: str
    stage: str
    waits_for: str = "nobody"
    final: bool = False
    remembers: bool = False


@frozen(kw_only=True)
class RoleDefinition:
    zh: str
    en: str
    side: Side
    superior: str | None = None


# ------------------------------------------------------------------ data


@frozen(kw_only=True)
class ParameterDefinition:
    """A value a firm may set; `at_least` and `at_most` are legal bounds that hold for every profile."""

    zh: str
    en: str
    value: Scalar
    at_least: Scalar | None = None
    at_most: Scalar | None = None
    cites: tuple[str, ...] = ()


@frozen(kw_only=True)
class FactDefinition:
    """One line of `[facts]`. `values` are an enum's or a set's keys; `of` takes them from a table's rows."""

    zh: str
    en: str
    type: FactType
    unit: str | None = None
    values: Mapping[str, Label] | None = None
    of: str | None = None
    at_least: Scalar | None = None
    at_most: Scalar | None = None
    above: Scalar | None = None
    below: Scalar | None = None
    told_by: str | None = None
    set_by: Literal["engine"] | None = None
    personal: bool = False
    searchable: bool = False
    cites: tuple[str, ...] = ()


@frozen(kw_only=True)
class DocumentDefinition:
    """`signers` are roles; `prepared_by` says whose job the paper is and is never enforced."""

    zh: str
    en: str
    signers: tuple[str, ...] = ()
    repeats: bool = False
    prepared_by: str | None = None
    cites: tuple[str, ...] = ()


@frozen(kw_only=True)
class PaymentDefinition:
    zh: str
    en: str
    payer: str


@frozen(kw_only=True)
class AmountTerm:
    """`value`, or `of` x `share` + `plus` - `minus`, kept between `at_least` and `at_most`."""

    when: str | None = None
    value: Scalar | None = None
    of: str | None = None
    share: str | None = None
    plus: tuple[str, ...] = ()
    minus: tuple[str, ...] = ()
    at_most: str | tuple[str, ...] | None = None
    at_least: str | tuple[str, ...] | None = None


@frozen(kw_only=True)
class AmountDefinition:
    """A computed figure; the first term that matches gives it. Money is rounded to the cent, half up, or down
    where the law sets a ceiling; a share is exact."""

    label: Label
    terms: tuple[AmountTerm, ...]
    type: Literal["money", "count", "percent"] = "money"
    rounded: Literal["half up", "down"] = "half up"
    cites: tuple[str, ...] = ()


# ------------------------------------------------------------------ conditions


@frozen(kw_only=True)
class _Labelled:
    zh: str | None = None
    en: str | None = None


@frozen(kw_only=True)
class FactLeaf(_Labelled):
    """About a fact, a column of the row that it names, or an amount."""

    fact: str
    equals: Scalar | None = None
    not_equals: Scalar | None = None
    in_: tuple[Scalar, ...] | None = field(default=None, metadata={"key": "in"})
    known: bool | None = None
    at_least: Scalar | None = None
    at_most: Scalar | None = None
    above: Scalar | None = None
    below: Scalar | None = None
    includes: tuple[str, ...] | None = None
    days_from_now_at_least: Scalar | None = None


@frozen(kw_only=True)
class DocumentLeaf(_Labelled):
    document: str
    present: bool | None = None
    signed: Literal["some", "all"] | None = None


@frozen(kw_only=True)
class DeadlineLeaf(_Labelled):
    """`deadline` may end in `.*` for all parts; `quantity` then says how many must fit."""

    deadline: str
    status: tuple[str, ...] | None = None
    passed_more_than: str | None = None
    quantity: Quantity = "some"


@frozen(kw_only=True)
class PaidLeaf(_Labelled):
    paid: str
    at_least: Scalar | None = None


@frozen(kw_only=True)
class ChildrenLeaf(_Labelled):
    children: str
    where: Mapping[str, tuple[Scalar, ...]] = {}
    state: tuple[str, ...] | None = None
    ended: bool | None = None
    quantity: Quantity = "some"


@frozen(kw_only=True)
class HappenedLeaf(_Labelled):
    """Any of the events happened `at_least` times `since` then, or the last is `passed_more_than` ago."""

    happened: tuple[str, ...]
    since: str | None = None
    at_least: int = 1
    passed_more_than: str | None = None


@frozen(kw_only=True)
class ActorNotLeaf(_Labelled):
    """The actor is none of these: `event.E` stands for everybody who ever fired E, `@fact` for a person."""

    actor_not: tuple[str, ...]


@frozen(kw_only=True)
class ActorSameLeaf(_Labelled):
    actor_same: tuple[str, ...]


@frozen(kw_only=True)
class ActorRoleLeaf(_Labelled):
    actor_role: tuple[str, ...]


@frozen(kw_only=True)
class ParameterLeaf(_Labelled):
    parameter: str
    equals: Scalar | None = None
    at_least: Scalar | None = None
    at_most: Scalar | None = None


@frozen(kw_only=True)
class LinkedLeaf(_Labelled):
    """About the parent or another linked case: whether there is one, and its state."""

    linked: str
    exists: bool | None = None
    state: tuple[str, ...] | None = None
    state_not: tuple[str, ...] | None = None


@frozen(kw_only=True)
class StateLeaf(_Labelled):
    state: tuple[str, ...]


@frozen(kw_only=True)
class RegisteredLeaf(_Labelled):
    """A predicate that the host supplies by this name."""

    registered: str


@frozen(kw_only=True)
class AllOf(_Labelled):
    all: tuple[ConditionNode, ...]


@frozen(kw_only=True)
class AnyOf(_Labelled):
    any: tuple[ConditionNode, ...]


@frozen(kw_only=True)
class NotOf(_Labelled):
    not_: ConditionNode = field(metadata={"key": "not"})


Leaf = (
    FactLeaf | DocumentLeaf | DeadlineLeaf | PaidLeaf | ChildrenLeaf | HappenedLeaf | ActorNotLeaf
    | ActorSameLeaf | ActorRoleLeaf | ParameterLeaf | LinkedLeaf | StateLeaf | RegisteredLeaf
)  # fmt: skip
ConditionDefinition = Leaf | AllOf | AnyOf | NotOf
ConditionNode = str | ConditionDefinition
"""A string names another condition, or a yes/no fact, which is a condition by its own name."""


# ------------------------------------------------------------------ what an event does


@frozen(kw_only=True)
class DocumentRequirement:
    """`unsigned_when` names a condition under which the paper needs no signature."""

    id: str
    when: str | None = None
    unsigned_when: str | None = None


@frozen(kw_only=True)
class Notice:
    """Tell a role; `role` may be `@fact.column`."""

    role: str
    when: str | None = None


@frozen(kw_only=True)
class Opening:
    """Open a child (`child` is a name under `[children]`, with `:reason` where the child has reasons; `facts`
    go over what the reason gives), or a peer under the name of a `link` that nobody stands under yet."""

    child: str | None = None
    link: str | None = None
    when: str | None = None
    facts: Mapping[str, Scalar] = {}


@frozen(kw_only=True)
class Telling:
    """Fire an event in a linked case (`link`), or in every open child of a kind (`child`); without an event,
    tell it facts that are its to be told."""

    event: str | None = None
    link: str | None = None
    child: str | None = None
    when: str | None = None
    facts: Mapping[str, Scalar] = {}
    documents: tuple[str, ...] = ()


@frozen(kw_only=True)
class Asking:
    """Ask the host to do something in the world, by a name the host knows."""

    host: str
    amount: str | None = None
    when: str | None = None


@frozen(kw_only=True)
class Extension:
    """Move a running deadline by a duration, a count of days, or `@child.fact`."""

    deadline: str
    by: Scalar
    sign: Literal["plus", "minus"] = "plus"
    when: str | None = None


@frozen(kw_only=True)
class EffectsDefinition:
    """What may follow: of an event, of a happening, of what was accumulated."""

    sets: Mapping[str, Scalar] = {}
    adds: Mapping[str, Scalar] = {}
    notifies: tuple[Notice, ...] = ()
    opens: tuple[Opening, ...] = ()
    tells: tuple[Telling, ...] = ()
    asks: tuple[Asking, ...] = ()
    extends: tuple[Extension, ...] = ()


@frozen(kw_only=True)
class EventDefinition(EffectsDefinition):
    """`[events.E]`: from where to where, by whom, under which guards, with what, and what follows."""

    label: Label
    from_: tuple[str, ...] = field(metadata={"key": "from"})
    to: str
    by: tuple[str, ...]
    guards: tuple[ConditionNode, ...] = ()
    gives: tuple[str, ...] = ()
    may_give: tuple[str, ...] = ()
    documents: tuple[DocumentRequirement, ...] = ()
    payments: Mapping[str, Scalar] = {}
    fired_by: tuple[str, ...] = ()
    cites: tuple[str, ...] = ()


@frozen(kw_only=True)
class ReactionDefinition(EffectsDefinition):
    """`[[reactions]]`: effects that follow from a happening, with no change of state."""

    on: tuple[str, ...]
    when: str | None = None
    cites: tuple[str, ...] = ()


# ------------------------------------------------------------------ the ledger


@frozen(kw_only=True)
class LedgerDefinition:
    """`[ledger]`: the events that enter a line and strike one out, and the facts that a line is made of.
    `keeps` is for how many whole years before this one lines are kept and may still be entered."""

    entry: str
    dated_by: str
    enters: tuple[str, ...]
    keeps: str
    strikes: tuple[str, ...] = ()
    rule: str | None = None
    source: str | None = None


@frozen(kw_only=True)
class AccumulationDefinition(EffectsDefinition):
    """`[accumulations.A]`: so many lines of a kind within a period, or an unbroken run of them, and what
    follows. What it has counted is used up for it. With `after`, only periods in which that other one was
    met are looked at."""

    label: Label
    counts: tuple[str, ...]
    when: str | None = None
    none_of: tuple[str, ...] = ()
    except_rules: tuple[str, ...] = ()
    after: str | None = None
    within: Literal["calendar month", "calendar year"] | None = None
    at_least: Scalar | None = None
    running: str | None = None
    at: Literal["once", "period end"] = "once"
    cites: tuple[str, ...] = ()


# ------------------------------------------------------------------ deadlines


@frozen(kw_only=True)
class PauseClause:
    in_: tuple[str, ...] = field(metadata={"key": "in"})
    unless: str | None = None


@frozen(kw_only=True)
class TermDefinition:
    """The first term whose `when` holds is taken. `limit` is a duration, `$parameter`, or `@fact`
    (a duration, or a whole number of days); `until` is a date fact, and needs to be known to match
    unless a `limit` stands in for it. In place of both, `every` is a period; it is due at its end."""

    name: str | None = None
    when: str | None = None
    target: str | None = None
    limit: str | None = None
    until: str | None = None
    every: Period | None = None
    at_least: str | None = None


@frozen(kw_only=True)
class PartDefinition:
    """One deadline of its own (`warranty.general`) under the rule that it belongs to."""

    name: str
    zh: str
    en: str
    when: str | None = None
    limit: str | None = None
    until: str | None = None
    at_least: str | None = None


@frozen(kw_only=True)
class WarningDefinition:
    before: str
    notify: tuple[str, ...]


@frozen(kw_only=True)
class EscalationDefinition:
    after: str
    notify: tuple[str, ...]


@frozen(kw_only=True)
class DeadlineDefinition:
    """`[deadlines.D]`; see "Semantics, exactly" 3-8 in `docs/format.md`. With `stops_when` the stops count
    only while that condition holds."""

    label: Label
    owner: str
    kind: DeadlineKind = "limit"
    starts: tuple[str, ...] = ()
    restarts: tuple[str, ...] = ()
    stops: tuple[str, ...] = ()
    stops_when: str | None = None
    cancels: tuple[str, ...] = ()
    pauses: tuple[PauseClause, ...] = ()
    rechosen_by: tuple[str, ...] = ()
    counts_from: str | None = None
    terms: tuple[TermDefinition, ...] = ()
    parts: tuple[PartDefinition, ...] = ()
    warnings: tuple[WarningDefinition, ...] = ()
    escalations: tuple[EscalationDefinition, ...] = ()
    statutory: bool = False
    extended_by: tuple[str, ...] = ()
    cites: tuple[str, ...] = ()


# ------------------------------------------------------------------ linked cases, invariants


@frozen(kw_only=True)
class NextInOrder:
    """When a child ends in one of `states`, the next of its kind is told so in its fact `fact`."""

    fact: str
    states: tuple[str, ...]


@frozen(kw_only=True)
class ChildDefinition:
    """`[children.C]`. `each` opens one child per listed value; `reasons` gives the facts of an opening."""

    workflow: str
    each: Mapping[str, tuple[Scalar, ...]] = {}
    once: bool = False
    reasons: Mapping[str, Mapping[str, Scalar]] = {}
    hears: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    tells_next: NextInOrder | None = None


@frozen(kw_only=True)
class LinkDefinition:
    """`[links.L]`. `facts` are those of the opening, where the linked case is opened from here. With a `key`
    the case is found by it (`ledger/employee/E-7`), and is told things but not followed."""

    workflow: str
    key: tuple[Scalar, ...] = ()
    facts: Mapping[str, Scalar] = {}


@frozen(kw_only=True)
class Always:
    """In these states (in every state when none is named), `implies` holds whenever `when` does."""

    implies: ConditionNode
    state: tuple[str, ...] = ()
    when: str | None = None


@frozen(kw_only=True)
class InvariantDefinition:
    label: Label
    always: Always
    cites: tuple[str, ...] = ()


TableRows = Mapping[str, Mapping[str, Scalar | tuple[str, ...]]]
"""Rows of `[tables.T]` by name; a row has `zh`, `en`, may have `cites`, and further columns of its own."""


@frozen(kw_only=True)
class WorkflowDefinition:
    """A whole file, its shared files merged in."""

    workflow: HeaderDefinition
    stages: Mapping[str, StageDefinition] = {}
    states: Mapping[str, StateDefinition]
    roles: Mapping[str, RoleDefinition] = {}
    parameters: Mapping[str, ParameterDefinition] = {}
    facts: Mapping[str, FactDefinition] = {}
    documents: Mapping[str, DocumentDefinition] = {}
    payments: Mapping[str, PaymentDefinition] = {}
    tables: Mapping[str, TableRows] = {}
    amounts: Mapping[str, AmountDefinition] = {}
    conditions: Mapping[str, ConditionDefinition] = {}
    events: Mapping[str, EventDefinition]
    deadlines: Mapping[str, DeadlineDefinition] = {}
    children: Mapping[str, ChildDefinition] = {}
    links: Mapping[str, LinkDefinition] = {}
    reactions: tuple[ReactionDefinition, ...] = ()
    ledger: LedgerDefinition | None = None
    accumulations: Mapping[str, AccumulationDefinition] = {}
    invariants: Mapping[str, InvariantDefinition] = {}

    @property
    def id(self) -> str:
        return self.workflow.id


def walk_condition(node: ConditionNode) -> Iterator[ConditionNode]:
    """The node itself and everything below it, not following names."""
    yield node
    if isinstance(node, AllOf):
        for child in node.all:
            yield from walk_condition(child)
    elif isinstance(node, AnyOf):
        for child in node.any:
            yield from walk_condition(child)
    elif isinstance(node, NotOf):
        yield from walk_condition(node.not_)


# ------------------------------------------------------------------ shared files, profiles


@frozen(kw_only=True)
class SharedDefinition:
    """What a file named in `uses` may hold; it is merged into every workflow that uses it."""

    stages: Mapping[str, StageDefinition] = {}
    roles: Mapping[str, RoleDefinition] = {}
    parameters: Mapping[str, ParameterDefinition] = {}
    facts: Mapping[str, FactDefinition] = {}
    documents: Mapping[str, DocumentDefinition] = {}
    payments: Mapping[str, PaymentDefinition] = {}
    tables: Mapping[str, TableRows] = {}
    conditions: Mapping[str, ConditionDefinition] = {}


@frozen(kw_only=True)
class ProfileHeader:
    """`[profile]`: whose settings these are, in which zone its days begin and end.

    `unpublished` says what to do with a year whose working calendar the State has not published;
    `extends` names the bundled profile that this one builds on.
    """

    id: str
    label: Label
    extends: str | None = None
    zone: str = "Asia/Shanghai"
    unpublished: Literal["assume", "refuse"] = "assume"


@frozen(kw_only=True)
class CalendarYear:
    """Days that differ from the week, as `"2027-01-01"`: `rest` are off, `work` are worked weekends."""

    rest: tuple[str, ...] = ()
    work: tuple[str, ...] = ()


@frozen(kw_only=True)
class ProfileDefinition:
    """A firm's own settings by workflow id: `[parameters.project] answer_limit = "5 days"`.

    `labels` are keyed by the path of what they rename (`"events.pay_deposit"`), `tables` replace
    whole tables, `accumulations` all those of a workflow, `calendar` is keyed by year.
    """

    profile: ProfileHeader
    parameters: Mapping[str, Mapping[str, Scalar]] = {}
    labels: Mapping[str, Mapping[str, Label]] = {}
    tables: Mapping[str, Mapping[str, TableRows]] = {}
    accumulations: Mapping[str, Mapping[str, AccumulationDefinition]] = {}
    calendar: Mapping[str, CalendarYear] = {}
