"""The JSON Schemas: valid themselves, true to the real files, and never stricter than the reader."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from renoflow.definition.schema import profile_schema, shared_schema, workflow_schema
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
)

SCHEMAS = {WORKFLOW: workflow_schema(), SHARED: shared_schema(), PROFILE: profile_schema()}
VALIDATORS = {name: Draft202012Validator(schema) for name, schema in SCHEMAS.items()}


def found_in(text: str, kind: str) -> list[str]:
    return [
        f"{error.json_path}: {error.message}" for error in VALIDATORS[kind].iter_errors(tomllib.loads(text))
    ]


def tables_in(schema: Any) -> Iterator[dict[str, Any]]:
    """Every part of a schema that describes a table with known keys."""
    if isinstance(schema, dict):
        if "properties" in schema:
            yield schema
        for part in schema.values():
            yield from tables_in(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from tables_in(part)


@pytest.mark.parametrize("kind", SCHEMAS)
def test_a_schema_is_a_schema(kind: str) -> None:
    """Each obeys JSON Schema 2020-12."""
    Draft202012Validator.check_schema(SCHEMAS[kind])
    assert SCHEMAS[kind]["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("kind", SCHEMAS)
def test_every_table_is_closed_and_every_reference_leads_somewhere(kind: str) -> None:
    """No table takes unknown keys, rows apart, and no definition is missing or unused."""
    schema = SCHEMAS[kind]
    for table in tables_in(schema):
        assert table["additionalProperties"] is False or "cites" in table["properties"]
        assert table["type"] == "object"
    used = {part.split('"')[0] for part in str(schema).replace("'", '"').split("#/$defs/")[1:]}
    assert used == set(schema["$defs"])


def test_a_schema_tells_an_editor_what_a_table_is_for() -> None:
    """Titles are the classes' names and descriptions their docstrings, on one line."""
    event = SCHEMAS[WORKFLOW]["$defs"]["EventDefinition"]
    assert event["title"] == "EventDefinition"
    assert event["description"].startswith("`[events.E]`: from where to where")
    assert event["required"] == ["label", "from", "to", "by"]


@pytest.mark.parametrize("kind", SCHEMAS)
def test_a_schema_accepts_the_sample(kind: str) -> None:
    """The samples use every part of the formats, and shorthand, and have no fault."""
    assert found_in(SAMPLES[kind], kind) == []


@pytest.mark.parametrize("name", sorted(BUNDLED))
def test_the_schema_accepts_the_bundled_files(name: str) -> None:
    """An editor shows no fault in what the library brings along."""
    assert found_in(BUNDLED[name], SHARED if name in BUNDLED_SHARED else WORKFLOW) == []


@each_fault
def test_the_schema_finds_the_seeded_faults_that_a_schema_can_find(seeded: Seeded) -> None:
    """Exactly the marked faults are found by the schema; the reader finds every one of them."""
    try:
        found = found_in(seeded.text, seeded.file)
    except tomllib.TOMLDecodeError:
        found = []
    assert bool(found) is seeded.schema, found
    assert seeded.problems()


def test_most_faults_show_while_the_file_is_written() -> None:
    """Of the seeded faults an editor can show three out of four."""
    assert sum(one.schema for one in SEEDED) >= 0.75 * len(SEEDED)
