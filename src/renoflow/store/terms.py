"""What a case is found by: the facts that its file calls searchable, the words of those that are texts, and
the words of its id.

A term is a name and a value, both text: `project.home_kind` and `flat`, or `WORDS` and `park road 8`.
One more says of which facts a case's terms were made: `layout project` and what `layout_of` the plan is.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from hashlib import sha256
from itertools import islice

from attrs import frozen

from renoflow.records import Case, FactValue
from renoflow.workflow.facts import FactPlan
from renoflow.workflow.plan import Plan

Term = tuple[str, str]

WORDS = "words"
"""The name of terms that are words; a fact's has a dot in it."""

LONGEST = 40
"""So much of a text is compared, from each beginning of a word on."""

MOST_WORDS = 200
"""A longer text is found by its first words."""

_LONGEST_VALUE = 64
_TEXTS = ("text", "texts")
_NUL = "\0"
"""PostgreSQL keeps no text with it."""

_FORM = "1"
"""Of the terms themselves; another one has all cases indexed anew."""


@frozen(kw_only=True, eq=False)
class Searched:
    """The facts that a workflow's cases are found by, each with the name of its terms."""

    facts: Mapping[str, tuple[str, FactPlan]]
    layout: str


@lru_cache(maxsize=256)
def searched(plan: Plan) -> Searched:
    facts = {name: (f"{plan.id}.{name}", fact) for name, fact in plan.facts.items() if fact.searchable}
    said = [_FORM, *(f"{name} {fact.type}" for name, (_, fact) in sorted(facts.items()))]
    return Searched(facts=facts, layout=sha256("\n".join(said).encode()).hexdigest()[:16])


def layout_of(plan: Plan) -> str:
    """Stands for all that terms take from a workflow's file."""
    return searched(plan).layout


def layout_name(workflow: str) -> str:
    """Of the term that says which layout a case's terms are of."""
    return f"layout {workflow}"


def terms_of(plan: Plan, case: Case) -> frozenset[Term]:
    """All terms of a case."""
    known = searched(plan).facts
    facts = (_fact_terms(*known[name], value) for name, value in case.facts.items() if name in known)
    return frozenset(_word_terms(case.id)).union(((layout_name(plan.id), layout_of(plan)),), *facts)


def changed_terms(plan: Plan, before: Case, case: Case) -> tuple[frozenset[Term], frozenset[Term]]:
    """The terms that are no longer so, and those that are new."""
    known = searched(plan).facts
    if not known or before.facts is case.facts:
        return frozenset(), frozenset()
    gone: set[Term] = set()
    come: set[Term] = set()
    for name, (term, fact) in known.items():
        old, new = before.facts.get(name), case.facts.get(name)
        if old is new or old == new:
            continue
        gone.update(() if old is None else _fact_terms(term, fact, old))
        come.update(() if new is None else _fact_terms(term, fact, new))
    if any(name == WORDS for name, _ in gone):
        # Another text may have the same word.
        gone -= terms_of(plan, case)
    return frozenset(gone - come), frozenset(come - gone)


def wanted_terms(name: str, value: FactValue) -> tuple[Term, ...]:
    """The terms that a case has whose fact is this; of a set or a list, those of each that it is to hold."""
    values = value if isinstance(value, tuple) else (value,)
    return tuple((name, _value_term(one)) for one in values)


def _fact_terms(name: str, fact: FactPlan, value: FactValue) -> Iterable[Term]:
    yield from wanted_terms(name, value)
    if fact.type in _TEXTS:
        for text in value if isinstance(value, tuple) else (value,):
            yield from _word_terms(str(text))


def _value_term(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        value = value.normalize() + 0  # which is no negative zero
        text = f"{value:f}" if value.adjusted() > -_LONGEST_VALUE else str(value)
    else:
        text = value.isoformat() if isinstance(value, date) else str(value)
    if len(text) <= _LONGEST_VALUE and _NUL not in text:
        return text
    return f"sha256:{sha256(text.encode()).hexdigest()}"


# ------------------------------------------------------------------ words


def folded(text: str) -> str:
    """Without what makes no difference to somebody who looks for it: case, width, kinds of space."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().replace(_NUL, " ").split())


def wanted_words(text: str) -> str:
    """What is looked for, from the first letter or digit on; empty when there is none."""
    wanted = folded(text)
    first = next((place for place, char in enumerate(wanted) if char.isalnum()), len(wanted))
    return wanted[first:]


def _word_terms(text: str) -> Iterable[Term]:
    return ((WORDS, word) for word in islice(_words(folded(text)), MOST_WORDS))


def _words(text: str) -> Iterable[str]:
    """The text from each place on where somebody may begin to look for it: a Latin word or a number, any
    character of a script that has no spaces."""
    before = ""
    for place, char in enumerate(text):
        kind = _kind(char)
        if kind and (kind == "other" or kind != before):
            yield text[place : place + LONGEST]
        before = kind


def _kind(char: str) -> str:
    if not char.isalnum():
        return ""
    if char.isdigit():
        return "digit"
    return "letter" if char < "\u0590" else "other"
