"""What a command must bring and satisfy; every unmet requirement becomes a reason, all at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from renoflow.engine.step import Step
from renoflow.errors import UnknownName, nearest
from renoflow.records import (
    Document,
    DocumentRecord,
    FactValue,
    Payment,
    Reason,
    Signature,
)
from renoflow.values import SYSTEM, ZERO, Label, parse_money
from renoflow.workflow.plan import EventPlan, PaperPlan, TransitionPlan
from renoflow.workflow.statements import joined


def transition_for(step: Step, event: EventPlan) -> TransitionPlan | None:
    """The event's transition from where the case stands; `@history` goes to what was remembered."""
    state = step.state
    found = event.transitions.get(state)
    if found is None and event.histories:
        origin = step.remembered.get(state)
        if origin is not None:
            return event.histories.get((state, origin))
    return found


def holds(step: Step, transition: TransitionPlan) -> bool:
    """Whether the guards hold as the case stands; for offers that bring nothing and need no reasons."""
    for test in transition.tests:  # noqa: SIM110 - a generator would cost more than the guards
        if not test(step):
            return False
    return True


def unmet(
    step: Step,
    event: EventPlan,
    transition: TransitionPlan | None,
    facts: Mapping[str, Any],
    documents: tuple[Document, ...],
    payments: tuple[Payment, ...],
) -> tuple[list[Reason], dict[str, FactValue]]:
    """Merges what was brought into the step and returns what is unmet, and the facts as kept.

    The step is left merged: on a refusal the caller throws it away or goes back to its mark.
    """
    reasons: list[Reason] = []
    if transition is None:
        reasons.append(_wrong_state(step, event))
    if event.by.isdisjoint(step.actor.roles):
        reasons.append(
            Reason(code="role_not_allowed", subject=event.name, label=event.label,
                   values={"allowed": event.by_label, "roles": tuple(sorted(step.actor.roles))})
        )  # fmt: skip
        reasons.extend(_unknown_roles(step))
    kept: dict[str, FactValue] = {}
    if facts:
        kept = _read_facts(step, event, facts, reasons)
        if kept:
            step.facts = {**step.facts, **kept}
    for name in event.gives:
        if name not in kept and name not in facts:
            reasons.append(Reason(code="fact_missing", subject=name, label=step.plan.facts[name].label))
    if documents:
        _bring_documents(step, documents, reasons)
    if payments:
        _bring_payments(step, payments, reasons)
    if event.papers:
        there = step.documents
        for paper in event.papers:
            record = there.get(paper.id)
            # What is there and signed, and new where it repeats, is in order whatever its conditions say.
            if record is None or not record.signed or (paper.repeats and not _brought(paper.id, documents)):
                _check_paper(step, paper, documents, reasons)
    for name, label, wanted in event.payments:
        _check_payment(step, name, label, wanted(step), reasons)
    if transition is None or not holds(step, transition):
        unpaid = {reason.subject for reason in reasons if reason.code == "payment_missing"}
        for guard in event.guards if transition is None else transition.guards:
            # A payment that is asked for already is not asked for again by a guard on the same one.
            if guard.payment not in unpaid and not guard.test(step):
                reasons.append(guard.reason(step))
    return reasons, kept


def _unknown_roles(step: Step) -> Iterator[Reason]:
    """A role that is refused because it is misspelt."""
    known = step.plan.roles
    for role in step.actor.sorted_roles:
        if role not in known:
            near = nearest(role, known)
            hint = Label(f"，是否为 {near}？", f"; did you mean {near}?") if near else Label("", "")
            values = {"found": role, "hint": hint}
            yield Reason(code="unknown_role", subject=role, values=values)


def _wrong_state(step: Step, event: EventPlan) -> Reason:
    ended = step.state in step.plan.finals
    opened = not event.sources_label.zh
    return Reason(
        code="already_open" if opened else "case_closed" if ended else "wrong_state",
        subject=event.name,
        label=event.label,
        values={
            "state": step.plan.state_labels.get(step.state, Label("未开立", "not opened")),
            "allowed": event.sources_label,
            "found": step.state,
            "states": event.sources,
        },
    )


# ------------------------------------------------------------------ facts


def _read_facts(
    step: Step, event: EventPlan, facts: Mapping[str, Any], reasons: list[Reason]
) -> dict[str, FactValue]:
    kept: dict[str, FactValue] = {}
    for name, value in facts.items():
        plan = event.accepts.get(name)
        if plan is None:
            reasons.append(_not_allowed(step, event, name))
            continue
        if plan.told_by is not None and step.actor.id != SYSTEM and _is_linked(step, plan.told_by):
            # The linked case tells this, through the system; nobody makes his own guard true.
            reasons.append(_not_allowed(step, event, name))
            continue
        try:
            kept[name] = plan.read(value)
        except (ValueError, RecursionError) as error:
            reasons.append(
                Reason(code="fact_invalid", subject=name, label=plan.label,
                       values={"found": short(value), "wanted": plan.wanted, "why": str(error)})
            )  # fmt: skip
    return kept


def _not_allowed(step: Step, event: EventPlan, name: str) -> Reason:
    known = step.plan.facts.get(name)
    if known is None:
        raise UnknownName("fact", name, step.plan.facts)
    return Reason(code="fact_not_allowed", subject=name, label=known.label, values={"event": event.label})


def _is_linked(step: Step, workflow: str) -> bool:
    """Whether a case of that workflow is linked, as a parent, a peer or a child."""
    if any(case.workflow == workflow for case in step.links.values()):
        return True
    return any(
        cases and step.plan.children[name].workflow == workflow for name, cases in step.children.items()
    )


def short(value: object) -> str:
    """What was found, short enough for a sentence."""
    try:
        text = repr(value) if not isinstance(value, (str, Decimal)) else str(value)
    except (ValueError, RecursionError):
        # A number of thousands of digits, or a value nested too deeply, cannot even be written out.
        return "…"
    return text if len(text) <= 60 else f"{text[:57]}…"


# ------------------------------------------------------------------ documents


def _bring_documents(step: Step, documents: tuple[Document, ...], reasons: list[Reason]) -> None:
    plan = step.plan
    merged = dict(step.documents)
    for document in documents:
        name = document.id
        signers = plan.signers.get(name)
        if signers is None:
            raise UnknownName("document", name, plan.signers)
        signatures = _signatures(step, document) if document.signed_by else ()
        for signature in signatures:
            if signature.role not in plan.roles:
                paper = plan.definition.documents[name]
                reasons.append(
                    Reason(code="unknown_signer", subject=name, label=Label(paper.zh, paper.en),
                           values={"found": signature.role})
                )  # fmt: skip
                break
        else:
            copies, signed_copies = 1, 0
            if name in merged:
                old = merged[name]
                if name in plan.repeating:
                    copies, signed_copies = old.copies + 1, old.signed_copies
                else:
                    signatures = _put_together(old.signatures, signatures)
            complete = not signers or _complete(signers, signatures)
            merged[name] = DocumentRecord(copies, signed_copies + complete, complete, step.at, signatures)
    step.documents = merged


def _signatures(step: Step, document: Document) -> tuple[Signature, ...]:
    """A bare role stands for the actor himself when he has that role."""
    actor, at = step.actor, step.at
    found = []
    for signed in document.signed_by:
        if isinstance(signed, str):
            found.append(Signature(signed, actor.id if signed in actor.roles else None, at))
        else:
            found.append(signed if signed.at is not None else Signature(signed.role, signed.actor, at))
    return tuple(found)


def _put_together(old: tuple[Signature, ...], new: tuple[Signature, ...]) -> tuple[Signature, ...]:
    """The signatures of one paper, each role's latest."""
    later = {signature.role for signature in new}
    return (*(signature for signature in old if signature.role not in later), *new)


def _complete(signers: tuple[str, ...], signatures: tuple[Signature, ...]) -> bool:
    """Whether everyone has signed. Two loops: there are few, and a set or a list would cost more."""
    if len(signers) > len(signatures):
        return False
    for role in signers:
        for signature in signatures:
            if signature.role == role:
                break
        else:
            return False
    return True


def _brought(name: str, documents: tuple[Document, ...]) -> bool:
    for document in documents:  # noqa: SIM110 - a generator would cost more than the comparison
        if document.id == name:
            return True
    return False


def _check_paper(
    step: Step, paper: PaperPlan, documents: tuple[Document, ...], reasons: list[Reason]
) -> None:
    if paper.when is not None and not paper.when(step):
        return
    record = step.documents.get(paper.id)
    if record is None or (paper.repeats and not _brought(paper.id, documents)):
        reasons.append(Reason(code="document_missing", subject=paper.id, label=paper.label))
        return
    if record.signed or (paper.unsigned_when is not None and paper.unsigned_when(step)):
        return
    there = {signature.role for signature in record.signatures}
    missing = [n for n, role in enumerate(paper.signers) if role not in there]
    reasons.append(
        Reason(code="signature_missing", subject=paper.id, label=paper.label,
               values={"signers": joined([paper.signer_labels[n] for n in missing]),
                       "roles": tuple(paper.signers[n] for n in missing)})
    )  # fmt: skip


# ------------------------------------------------------------------ payments


def _bring_payments(step: Step, payments: tuple[Payment, ...], reasons: list[Reason]) -> None:
    merged = dict(step.payments)
    known = step.plan.definition.payments
    for payment in payments:
        definition = known.get(payment.id)
        if definition is None:
            raise UnknownName("payment", payment.id, known)
        try:
            amount = parse_money(payment.amount)
        except ValueError:
            amount = ZERO
        if amount <= ZERO:
            reasons.append(
                Reason(code="payment_invalid", subject=payment.id,
                       label=Label(definition.zh, definition.en), values={"found": short(payment.amount)})
            )  # fmt: skip
            continue
        merged[payment.id] = merged.get(payment.id, ZERO) + amount
    step.payments = merged


def _check_payment(
    step: Step, name: str, label: Label, wanted: Decimal | None, reasons: list[Reason]
) -> None:
    found = step.payments.get(name, ZERO)
    if (wanted is not None and found < wanted) or (wanted is None and found <= ZERO):
        reasons.append(
            Reason(code="payment_missing", subject=name, label=label,
                   values={"wanted": "…" if wanted is None else wanted, "found": found})
        )  # fmt: skip
