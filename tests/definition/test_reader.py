"""Reading workflow files and profiles: what they become, and every fault with its place."""

from __future__ import annotations

import sys
import tomllib
from typing import get_args

import pytest

from renoflow.definition.lines import format_path, line_of, parse_path
from renoflow.definition.model import (
    AllOf,
    DocumentRequirement,
    FactLeaf,
    Notice,
    Opening,
    WorkflowDefinition,
)
from renoflow.definition.reader import MAX_BYTES, read_profile, read_workflow
from renoflow.definition.shapes import LEAVES, STATUSES
from renoflow.errors import DefinitionError, Problem
from renoflow.records import Status
from renoflow.values import Label
from tests.definition.material import (
    BUNDLED,
    BUNDLED_SHARED,
    PROFILE,
    SAMPLES,
    SEEDED,
    SHARED,
    WORKFLOW,
    Seeded,
    each_fault,
    sample_workflow,
)


def problems_of(text: str | bytes, shared: dict[str, str] | None = None) -> tuple[Problem, ...]:
    with pytest.raises(DefinitionError) as caught:
        read_workflow(text, file=WORKFLOW, shared={"people": SAMPLES[SHARED]} if shared is None else shared)
    return caught.value.problems


def replaced(*changes: tuple[str, str]) -> str:
    """The sample with each (found, put) applied; what is found stands there once."""
    text = SAMPLES[WORKFLOW]
    for find, put in changes:
        assert text.count(find) == 1, find
        text = text.replace(find, put)
    return text


# ------------------------------------------------------------------ what a good file becomes


def test_the_sample_uses_every_table_and_every_kind_of_condition() -> None:
    """The sample that the faults are seeded into leaves no part of the grammar out."""
    definition = sample_workflow()
    assert not [name for name in WorkflowDefinition.__annotations__ if not getattr(definition, name)]
    kinds: set[type] = {type(one) for one in definition.conditions.values()}
    inner = definition.conditions["other_hand"]
    assert isinstance(inner, AllOf)
    kinds |= {type(one) for one in inner.all}
    assert len(kinds) >= len(LEAVES) - 1


def test_shorthand_stands_for_the_table_with_one_key() -> None:
    """A bare string in documents, notifies, opens and from reads as the table that it abbreviates."""
    opening, visit = sample_workflow().events["book_visit"], sample_workflow().events["hold_visit"]
    assert opening.from_ == ("@start",)
    assert opening.notifies == (Notice(role="customer"), Notice(role="service", when="alone"))
    assert opening.opens == (Opening(child="claim:found"), Opening(child="claim", when="alone"))
    assert visit.documents[0] == DocumentRequirement(id="visit_record")
    assert visit.from_ == ("booked", "waiting")


def test_an_opening_may_be_written_as_a_list_too() -> None:
    """`["@start"]` and `"@start"` are the same."""
    text = replaced(('from = "@start"', 'from = ["@start"]'))
    assert sample_workflow(text) == sample_workflow()


def test_values_keep_their_types() -> None:
    """Nothing is coerced: true stays true, 1 stays 1, a sum of money stays the string that it was."""
    definition = sample_workflow()
    assert definition.tables["marks"]["1"] == {"zh": "差", "en": "poor", "rank": 1, "worst": True}
    assert definition.parameters["by_phone"].value is False
    assert definition.amounts["fee_due"].terms[0].value == "0.00"
    assert definition.facts["topics"].values == {"1": Label("一", "one"), "2": Label("二", "two")}


def test_a_key_that_is_a_python_word_finds_its_field() -> None:
    """`in`, `from` and `not` are read although no Python name may be so."""
    condition = sample_workflow().conditions["well_marked"]
    assert FactLeaf(fact="mark", in_=("2",)) in condition.any  # type: ignore[union-attr]


def test_shared_files_are_merged_before_the_file_s_own() -> None:
    """What a shared file declares stands in the definition as if it were written there."""
    definition = sample_workflow()
    assert list(definition.roles) == ["customer", "service", "manager"]
    assert list(definition.documents) == ["handbook", "visit_record", "photos"]


def test_bytes_text_windows_line_ends_and_a_byte_order_mark_read_alike() -> None:
    """How an editor saves the file makes no difference."""
    text = SAMPLES[WORKFLOW]
    for variant in (text.encode(), "\ufeff" + text, text.replace("\n", "\r\n").encode("utf-8-sig")):
        assert sample_workflow(variant) == sample_workflow()


@pytest.mark.parametrize("name", sorted(set(BUNDLED) - set(BUNDLED_SHARED)))
def test_a_bundled_file_reads(name: str) -> None:
    """Every workflow that the library brings along is free of faults for the reader."""
    assert read_workflow(BUNDLED[name], file=name, shared=BUNDLED_SHARED).id == name


def test_a_profile_reads() -> None:
    """A profile keeps its parts by workflow, and its calendar by year."""
    profile = read_profile(SAMPLES[PROFILE])
    assert profile.parameters == {"visit": {"answer_limit": "5 days", "tries": 2, "by_phone": True}}
    assert profile.labels["visit"]["events.book_visit"] == Label("预约", "Make an appointment")
    assert list(profile.tables["visit"]["marks"]) == ["1", "9"]
    assert profile.calendar["2027"].rest == ("2027-01-01", "2027-10-01")


def test_the_statuses_are_those_of_a_deadline() -> None:
    """A condition may name the statuses that a running deadline can have, and no other."""
    assert get_args(Status) == STATUSES


# ------------------------------------------------------------------ one fault


def test_the_table_of_faults_is_long_and_has_no_name_twice() -> None:
    """The seeded faults are of a hundred kinds."""
    assert len({one.name for one in SEEDED}) == len(SEEDED) >= 100


@each_fault
def test_a_seeded_fault_is_the_only_one_told_with_its_place_and_a_remedy(seeded: Seeded) -> None:
    """One fault gives one problem: the right file, table path and line, and words that help."""
    (problem,) = seeded.problems()
    said = f"{problem.message} ({problem.suggestion})"
    assert problem.path == seeded.path, said
    assert [word for word in seeded.words if word not in said] == [], said
    assert problem.file == ("people" if seeded.file == SHARED else seeded.file)
    if not seeded.line:
        assert problem.line is None
        return
    assert problem.line is not None, said
    assert seeded.line in seeded.text.split("\n")[problem.line - 1], f"line {problem.line}: {said}"


@each_fault
def test_no_word_of_the_tools_underneath_reaches_the_author(seeded: Seeded) -> None:
    """A message speaks of the file, never of cattrs, attrs or Python."""
    for problem in seeded.problems():
        for word in ("cattrs", "attrs", "dict", "NoneType", "structur", "Exception", "Definition", "class "):
            assert word not in f"{problem.message} {problem.suggestion}"


# ------------------------------------------------------------------ many faults


def test_all_faults_are_told_together_in_the_order_of_the_file() -> None:
    """Faults of many kinds, and those of the shared file, come out of one reading."""
    text = replaced(
        ("version = 1\n", 'version = "1"\n'),
        ('final = true, zh = "结束"', 'finale = true, zh = "结束"'),
        ('type = "date"', 'type = "day"'),
        ('satisfied", equals = true }', 'satisfied" }'),
        ('to = "booked"\n', "to = 5\n"),
        ('gives = ["late_side"]', "give = [1.5]"),
        ('target = "2 days", limit', "target = 2, limit"),
    )
    text += '\n[facts.late]\ntype = "dat"\nzh = "迟"\nen = "late"\n'
    shared = SAMPLES[SHARED].replace('side = "customer"', 'side = "us"')
    found = problems_of(text, {"people": shared})
    assert [(one.file, one.path) for one in found] == [
        (WORKFLOW, "workflow.version"),
        (WORKFLOW, "states.closed.finale"),
        (WORKFLOW, "facts.visited_on.type"),
        (WORKFLOW, "conditions.pleased"),
        (WORKFLOW, "events.book_visit.to"),
        (WORKFLOW, "events.book_visit.give"),
        (WORKFLOW, "deadlines.answer.terms[0].target"),
        (WORKFLOW, "facts.late.type"),
        ("people", "roles.customer.side"),
    ]
    lines = [one.line for one in found if one.file == WORKFLOW and one.line is not None]
    assert len(lines) == 8
    assert lines == sorted(lines)


def test_several_faults_of_one_table_are_all_told() -> None:
    """A table with a wrong value, an unknown key and a missing key has three problems."""
    text = replaced(
        ('fee = { payer = "customer", zh = "上门费", en = "Fee" }', "fee = { payer = 1, zn = 2, en = '' }")
    )
    assert {one.path for one in problems_of(text)} == {
        "payments.fee.payer",
        "payments.fee.zn",
        "payments.fee.zh",
        "payments.fee.en",
    }


def test_a_condition_without_any_label_lacks_both() -> None:
    """Under [conditions] a refused person reads the label, so both languages are needed."""
    text = replaced(('zh = "系统确认", en = "the host agrees", ', ""))
    assert [one.path for one in problems_of(text)] == ["conditions.host_says.zh", "conditions.host_says.en"]


def test_an_empty_file_lacks_its_three_tables() -> None:
    """Nothing at all is still a list of what is missing."""
    assert [one.path for one in problems_of("")] == ["workflow", "states", "events"]


def test_the_fault_of_a_file_without_a_name_is_told_without_one() -> None:
    """`file` may be left out."""
    with pytest.raises(DefinitionError, match=r"1 problem in the definition:\n  1: this is not TOML"):
        read_workflow("=")


# ------------------------------------------------------------------ texts that are no text


@pytest.mark.parametrize(
    ("text", "words", "line"),
    [
        (b'[workflow]\nid = "\xff"\n', "not UTF-8", 2),
        ('[workflow]\nid = "\ud800"\n', "not UTF-8", 2),
        ("[workflow]\n\n\0", "NUL character", 3),
        ("x = 1\ny = " + "1" * 5000, "too many digits", 2),
        ("#" * (MAX_BYTES + 1), "too large", None),
        ("环" * (MAX_BYTES // 2), "too large", None),
        ("x = 1\ny = " + "[" * 5000, "nested too deep", 2),
        ("x = 1\ny = " + "{ a = " * 5000, "nested too deep", 2),
        ("\n[" + "a." * 3000 + "a]", "nested too deep", 2),
        ("\n" + "a." * 100_000 + "a = 1", "nested too deep", 2),
        ("\nx = " + "[" * 60 + "1.5" + "]" * 60, "nested too deep", 2),
        ("[" * 100_000, "", 1),
        ("x = " + '"' * 100_000, "not TOML", 1),
        ('x = """\\', "not TOML", 1),
    ],
    ids=str.split(
        "bytes surrogate nul digits large large-in-bytes lists tables header dotted lists-that-parse "
        "brackets quotes end"
    ),
)
def test_what_is_no_toml_at_all_is_one_problem(text: str | bytes, words: str, line: int | None) -> None:
    """Whatever the bytes are, the answer is one problem that says so, soon."""
    (problem,) = problems_of(text)
    assert words in problem.message
    assert problem.line == line


def test_a_caller_whose_own_stack_is_nearly_full_gets_a_problem_too() -> None:
    """However little room the stack has, running out of it is a problem and not a RecursionError."""
    text = replaced(("version = 1\n", 'version = "1"\n'))

    def answer(left: int) -> str:
        if left > 0:
            return answer(left - 1)
        try:
            sample_workflow(text)
        except DefinitionError as error:
            return error.problems[0].message
        return "it reads"

    used, frame = 0, sys._getframe()
    while frame.f_back is not None:
        used, frame = used + 1, frame.f_back
    answers = [answer(sys.getrecursionlimit() - used - room) for room in range(30, 200, 3)]
    assert "nested too deep" in answers[0]
    assert "expected a whole number" in answers[-1]
    assert {one for one in answers if "nested too deep" not in one} == {answers[-1]}


# ------------------------------------------------------------------ lines

PLACES = """\
title = "x"
a.b.c = 1
[states]
open = { zh = "开", label = { deep = [1, 2] } } # [not.a.header]
"quoted key" = '''
[not.a.header]
to = "nowhere"
'''
[events.go] # = comment
guards = [
  "first", # "no, not this"
  { all = [
    "x",
    { fact = "f = [", in = [1,
      2] } ] },
]
when.ever = \"\"\"a "quoted" \\\"\"\" ] \"\"\"
[[reactions]]
on = ["a"]
[reactions.sets]
x = 1
[[reactions]]
on = ["b"]
steps = [ { a = 1 }, { a = 2 },
  { a = 3 } ]
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("title", 1),
        ("a", 2),
        ("a.b.c", 2),
        ("states", 3),
        ("states.open.label.deep[1]", 4),
        ('states."quoted key"', 5),
        ("events", 9),
        ("events.go", 9),
        ("events.go.missing", 9),
        ("events.go.guards", 10),
        ("events.go.guards[0]", 11),
        ("events.go.guards[1].all", 12),
        ("events.go.guards[1].all[0]", 13),
        ("events.go.guards[1].all[1].fact", 14),
        ("events.go.guards[1].all[1].in[1]", 15),
        ("events.go.guards[2]", 10),
        ("events.go.when.ever", 17),
        ("reactions", 18),
        ("reactions[0]", 18),
        ("reactions[0].on[0]", 19),
        ("reactions[0].sets", 20),
        ("reactions[0].sets.x", 21),
        ("reactions[1].on[0]", 23),
        ("reactions[1].steps[2].a", 25),
        ("events.stop", 9),
        ("nowhere", None),
        ("", None),
    ],
)
def test_a_path_has_the_line_where_it_or_its_table_is_written(path: str, line: int | None) -> None:
    """Strings, comments, lists over several lines and array tables do not mislead the scan."""
    assert line_of(PLACES, path) == line


def test_every_path_of_the_bundled_files_has_a_line_that_holds_its_key() -> None:
    """The scan finds each key of real files on the line where it stands."""
    for text in (*BUNDLED.values(), *SAMPLES.values()):
        lines, waiting = text.split("\n"), list(tomllib.loads(text).items())
        while waiting:
            path, value = waiting.pop()
            line = line_of(text, path)
            assert line is not None, path
            key = parse_path(path)[-1]
            assert isinstance(key, int) or key in lines[line - 1], path
            if isinstance(value, dict):
                waiting.extend((format_path((*parse_path(path), name)), item) for name, item in value.items())
            elif isinstance(value, list):
                waiting.extend((f"{path}[{position}]", item) for position, item in enumerate(value))


@pytest.mark.parametrize(
    "path", [(), ("a",), ("a", 0, "b"), ("l", "x", "events.go", 2), ('say "hi"', "\\"), ("环节",)]
)
def test_a_path_written_out_reads_back(path: tuple[str | int, ...]) -> None:
    """Keys with dots, quotes or other signs are quoted, so that no two paths look alike."""
    assert parse_path(format_path(path)) == path
