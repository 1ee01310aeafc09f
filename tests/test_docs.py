"""The documentation is true: it runs, prints what it says, quotes what is there, links to what exists."""

from __future__ import annotations

import difflib
import re
import tomllib
from pathlib import Path

import pytest
from attrs import fields, has

import renoflow as rf
from renoflow.definition import model
from renoflow.definition.faults import keys_of
from renoflow.definition.model import WorkflowDefinition
from renoflow.views.describe import describe_text
from renoflow.wording import REASONS
from renoflow.workflow.catalog import bundled_sources
from renoflow.workflow.statements import STATUS_LABELS
from tests.pages import ROOT, blocks, pages, printed

PAGES = pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
_LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]*)(?:#([^)\s]+))?\)")
_NAMED = re.compile(r"`(\w+)` ([\u4e00-\u9fff/]+)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@PAGES
def test_a_page_runs_and_prints_what_it_says(page: Path, tmp_path: Path) -> None:
    """Every Python block and every `renoflow` command runs, in order; what is shown is what is printed."""
    wrong = []
    for one in printed(page, tmp_path):
        if not one.agrees:
            wrong.append(f"{page.name}:{one.block.first} (python -m tests.pages writes it anew)")
            wrong += difflib.unified_diff(
                one.said, one.found, "the page", "what was printed", lineterm="", n=1
            )
    assert not wrong, "\n".join(wrong)


@PAGES
def test_links_lead_somewhere(page: Path) -> None:
    """Every page, picture and heading that a page links to exists."""
    text = page.read_text("utf-8")
    broken = []
    for target, anchor in _LINK.findall(text):
        if "://" in target or not (target == "" or target.endswith((".md", ".svg"))):
            continue
        other = page if target == "" else page.parent / target
        if not other.is_file():
            broken.append(target)
        elif anchor and anchor not in {_slug(one) for one in _HEADING.findall(other.read_text("utf-8"))}:
            broken.append(f"{target}#{anchor}")
    assert broken == []


def _slug(heading: str) -> str:
    """A heading as it is linked to."""
    kept = re.sub(r"[^\w\- ]", "", heading.strip().lower())
    return kept.replace(" ", "-")


def test_every_reason_is_on_the_page_of_the_command_line() -> None:
    """Whoever branches on a code finds what it means."""
    table = _section("cli.md", "Reasons")
    assert {code for code in REASONS if f"`{code}`" not in table} == set()


def test_the_personal_facts_are_on_the_page_of_the_stores() -> None:
    """Whoever is asked to remove a person's data finds where the bundled workflows have some, there and in
    what `describe` says."""
    text = _section("durability.md", "Personal data")
    for name, flow in rf.load_workflows().items():
        personal = [fact for fact, plan in flow.plan.facts.items() if plan.personal]
        assert [fact for fact in personal if f"`{fact}`" not in text] == []
        assert not personal or f"`{name}`" in text
        assert describe_text(flow, "en").count("(personal)") == len(personal)


def _section(page: str, heading: str) -> str:
    text = (ROOT / "docs" / page).read_text("utf-8")
    return text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def test_the_format_quotes_the_bundled_files() -> None:
    """Every line of an example in the format reference stands in a bundled workflow file."""
    bundled = {line for source in bundled_sources().values() for line in str(source.text).splitlines()}
    strange = [
        line
        for block in blocks((ROOT / "docs" / "format.md").read_text("utf-8"))
        if block.kind == "toml" and not block.file
        for line in block.lines
        if line not in bundled
    ]
    assert strange == []


@PAGES
def test_toml_on_a_page_is_toml(page: Path) -> None:
    """Every TOML example can be read."""
    for block in blocks(page.read_text("utf-8")):
        if block.kind == "toml":
            tomllib.loads(block.text)


def test_the_format_explains_every_table() -> None:
    """Each table that a workflow file may have is a heading of the format reference."""
    text = (ROOT / "docs" / "format.md").read_text("utf-8")
    missing = [
        one.name
        for one in fields(WorkflowDefinition)
        if not re.search(rf"^#+ .*\[+{one.name}\b", text, re.MULTILINE)
    ]
    assert missing == []


def test_the_format_explains_every_key() -> None:
    """Each key that the reader accepts stands in the format reference."""
    text = (ROOT / "docs" / "format.md").read_text("utf-8")
    keys = {
        key
        for cls in vars(model).values()
        if has(cls) and cls.__module__ == model.__name__
        for key in keys_of(cls)
    }
    assert sorted(key for key in keys if not re.search(rf"`\[*{key}\b|{key} = ", text)) == []


@pytest.mark.parametrize("workflow", sorted(rf.load_workflows()))
def test_the_tour_names_every_state_and_deadline(workflow: str) -> None:
    """What a bundled workflow has is on the page about it."""
    text = (ROOT / "docs" / "workflows.md").read_text("utf-8")
    section = next(part for part in text.split("\n## ") if part.startswith(f"{workflow}:"))
    definition = rf.load_workflows()[workflow].plan.definition
    parts = [part.name for rule in definition.deadlines.values() for part in rule.parts]
    missing = [
        name for name in (*definition.states, *definition.deadlines, *parts) if f"`{name}`" not in section
    ]
    assert missing == []


@pytest.mark.parametrize("workflow", sorted(rf.load_workflows()))
def test_the_tour_calls_a_state_by_its_label(workflow: str) -> None:
    """Behind a state's name on the page stands its Chinese label, with or without what is in brackets."""
    text = (ROOT / "docs" / "workflows.md").read_text("utf-8")
    section = next(part for part in text.split("\n## ") if part.startswith(f"{workflow}:"))
    states = rf.load_workflows()[workflow].plan.definition.states
    wrong = {
        name: label
        for name, label in _NAMED.findall(section)
        if name in states and label not in (states[name].zh, states[name].zh.partition("（")[0])
    }
    assert wrong == {}


def test_the_glossary_gives_the_statuses_as_they_are_shown() -> None:
    """A deadline's status has the same words in the glossary and in every answer."""
    text = (ROOT / "docs" / "glossary.md").read_text("utf-8")
    rows = {f"| `{name}` | {label.en} | {label.zh} |" for name, label in STATUS_LABELS.items()}
    assert rows - set(text.splitlines()) == set()


def test_the_architecture_names_every_module() -> None:
    """A module that is new, or has moved, is on the page that says where things are."""
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    modules = {path.stem for path in Path(rf.__file__).parent.rglob("*.py")} - {"__init__"}
    assert sorted(name for name in modules if f"`{name}`" not in text) == []
