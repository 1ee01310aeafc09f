"""Spoilt files: whatever an author's slip makes of a file, it loads or its faults are told."""

from __future__ import annotations

import random
import re
import tomllib
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from renoflow.definition.model import ProfileDefinition, WorkflowDefinition
from renoflow.definition.reader import read_profile, read_workflow
from renoflow.definition.schema import workflow_schema
from renoflow.definition.structure import structure
from renoflow.errors import DefinitionError
from tests.definition.material import BUNDLED, BUNDLED_SHARED, SAMPLES, SHARED, WORKFLOW

FILES = {
    **{name: text for name, text in BUNDLED.items() if name not in BUNDLED_SHARED},
    "visit": SAMPLES[WORKFLOW],
}
TEXTS = {**BUNDLED_SHARED, "people": SAMPLES[SHARED]}

_TOKEN = re.compile(r'"[^"\n]*"|[\w@$.-]+|[\[\]{}=,]')
_KEY = re.compile(r"\b[a-z_]+(?= *=)")
_VALUE = re.compile(r'(?<== )("[^"\n]*"|\d+|true|false|\[[^\[\]\n]*\])')
_OTHERS = ("7", "1.5", "true", '"x"', "[]", "{}", "2026-03-01", "12:30:00", "[[1]]", "{ a = 1 }", "nan", '""')

Mutation = Callable[[str, random.Random], str | bytes]


def _pick(pattern: re.Pattern[str], text: str, dice: random.Random) -> re.Match[str]:
    """A match somewhere in the text; from a random place on, so that a long file is not searched whole."""
    return pattern.search(text, dice.randrange(len(text))) or next(pattern.finditer(text))


def delete_a_line(text: str, dice: random.Random) -> str:
    lines = text.split("\n")
    del lines[dice.randrange(len(lines))]
    return "\n".join(lines)


def duplicate_a_line(text: str, dice: random.Random) -> str:
    lines = text.split("\n")
    lines.insert(dice.randrange(len(lines)), dice.choice(lines))
    return "\n".join(lines)


def swap_two_tokens(text: str, dice: random.Random) -> str:
    first = _pick(_TOKEN, text, dice)
    second = _TOKEN.search(text, first.end()) or first
    if second is first:
        return text
    return (
        text[: first.start()]
        + second[0]
        + text[first.end() : second.start()]
        + first[0]
        + text[second.end() :]
    )


def change_a_type(text: str, dice: random.Random) -> str:
    found = _pick(_VALUE, text, dice)
    return text[: found.start()] + dice.choice(_OTHERS) + text[found.end() :]


def cut_off(text: str, dice: random.Random) -> bytes:
    raw = text.encode()
    return raw[: dice.randrange(len(raw))]


def insert_bytes(text: str, dice: random.Random) -> bytes:
    raw = text.encode()
    place = dice.randrange(len(raw))
    return raw[:place] + dice.randbytes(dice.randint(1, 6)) + raw[place:]


def insert_a_sign(text: str, dice: random.Random) -> str:
    place = dice.randrange(len(text))
    return text[:place] + dice.choice("[]{}=,.\"'#\\\n\0\t环\u2028") + text[place:]


def rename_a_key(text: str, dice: random.Random) -> str:
    found = _pick(_KEY, text, dice)
    name = dice.choice(
        [found[0] + "s", found[0][1:] or "x", found[0].upper(), '"a b"', '""', "zh", "from.to"]
    )
    return text[: found.start()] + name + text[found.end() :]


def nest_deeply(text: str, dice: random.Random) -> str:
    found = _pick(_VALUE, text, dice)
    depth = dice.choice((1, 5, 30, 300, 3000))
    opening, closing = dice.choice((("[", "]"), ("{ all = [", "] }"), ("{ not = ", " }"), ("{ a = ", " }")))
    return text[: found.start()] + opening * depth + found[0] + closing * depth + text[found.end() :]


MUTATIONS: tuple[Mutation, ...] = (
    delete_a_line, duplicate_a_line, swap_two_tokens, change_a_type, cut_off, insert_bytes, insert_a_sign,
    rename_a_key, nest_deeply,
)  # fmt: skip
ROUNDS, SCHEMA_ROUNDS = 150, 60


def outcome(text: str | bytes) -> str:
    """`read`, `syntax` or `faults`; asserts that every problem says something and has a place."""
    try:
        read_workflow(text, file="spoilt.toml", shared=TEXTS)
    except DefinitionError as error:
        problems = error.problems
    else:
        return "read"
    assert problems
    syntax = len(problems) == 1 and not problems[0].path
    for problem in problems:
        assert problem.message
        assert "Error" not in problem.message
        assert problem.file in ("spoilt.toml", *TEXTS)
        assert syntax or problem.path
        # Only what a whole table is missing from has no line.
        assert problem.line is not None or problem.path in ("workflow", "states", "events"), problem
    return "syntax" if syntax else "faults"


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda one: one.__name__)
def test_a_spoilt_file_reads_or_its_faults_are_told(mutation: Mutation) -> None:
    """Of 150 slips of each kind none makes the reader fail in another way, and most are noticed."""
    dice = random.Random(f"renoflow {mutation.__name__}")
    # Long files take their time and show the same; the short ones come up more often.
    names = sorted(FILES, key=lambda name: len(FILES[name]))
    chances = [1 / len(FILES[name]) for name in names]
    seen = Counter(
        outcome(mutation(FILES[name], dice)) for name in dice.choices(names, weights=chances, k=ROUNDS)
    )
    assert seen.total() == ROUNDS
    assert len(seen) >= 2, seen
    assert seen["read"] < ROUNDS * 0.9, seen


@pytest.mark.parametrize(
    "mutation", [change_a_type, rename_a_key, delete_a_line], ids=lambda one: one.__name__
)
def test_what_the_schema_rejects_the_reader_rejects(mutation: Mutation) -> None:
    """The schema is never stricter than the reader, on spoilt samples as on seeded faults."""
    validator, dice, both = Draft202012Validator(workflow_schema()), random.Random(7), 0
    for _ in range(SCHEMA_ROUNDS):
        text = str(mutation(SAMPLES[WORKFLOW], dice))
        try:
            data = tomllib.loads(text)
        except tomllib.TOMLDecodeError:
            continue
        if not validator.is_valid(data):
            both += 1
            assert outcome(text) == "faults"
    assert both > SCHEMA_ROUNDS / 5


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates() | st.times(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                sorted({*WorkflowDefinition.__annotations__, "fact", "all", "not", "zh", "id", "rest"})
            )
            | st.text(max_size=5),
            inner,
            max_size=5,
        )
    ),
    max_leaves=25,
)


@settings(max_examples=200)
@given(st.fixed_dictionaries({}, optional=dict.fromkeys(WorkflowDefinition.__annotations__, values)))
def test_any_values_under_the_known_tables_are_told_apart(data: dict[str, object]) -> None:
    """Tables of anything at all give faults with paths, never an exception."""
    definition, faults = structure(data, WorkflowDefinition)
    assert (definition is None) is bool(faults)
    assert all(fault.message and fault.at for fault in faults)


@settings(max_examples=100)
@given(st.fixed_dictionaries({}, optional=dict.fromkeys(ProfileDefinition.__annotations__, values)))
def test_any_values_of_a_profile_are_told_apart(data: dict[str, object]) -> None:
    """The same holds for profiles."""
    definition, faults = structure(data, ProfileDefinition)
    assert (definition is None) is bool(faults)


@settings(max_examples=300)
@given(st.text() | st.binary() | st.text(alphabet="[]{}=,.\"'#\n a1-:", max_size=40))
def test_any_text_is_read_or_refused(text: str | bytes) -> None:
    """No text or bytes at all make either reader raise anything but a DefinitionError with a line."""
    for read in (read_workflow, read_profile):
        with pytest.raises(DefinitionError) as caught:
            read(text)
        assert all(problem.line or problem.path for problem in caught.value.problems)
