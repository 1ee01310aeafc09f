"""The sample files and the table of faults that the tests of this folder share."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from attrs import frozen

from renoflow.definition.model import ProfileDefinition, WorkflowDefinition
from renoflow.definition.reader import read_profile, read_workflow
from renoflow.errors import DefinitionError, Problem
from renoflow.workflow.catalog import bundled_sources, shared_texts

WORKFLOW, SHARED, PROFILE = "sample.toml", "sample_people.toml", "sample_profile.toml"

_HERE = Path(__file__).parent
SAMPLES = {name: (_HERE / name).read_text("utf-8") for name in (WORKFLOW, SHARED, PROFILE)}

BUNDLED = {name: str(source.text) for name, source in bundled_sources().items()}
"""The texts of the bundled files by stem, the shared ones included."""

BUNDLED_SHARED = shared_texts()


@frozen(kw_only=True)
class Seeded:
    """One row of `faults.toml`: a sample with one fault, and what is to be said about it."""

    name: str
    file: str = WORKFLOW
    find: str = ""
    put: str
    path: str
    words: list[str]
    at: str | None = None
    schema: bool = False

    @property
    def text(self) -> str:
        """The faulty file."""
        sample = SAMPLES[self.file]
        if not self.find:
            return f"{sample}\n{self.put}\n"
        assert sample.count(self.find) == 1, (
            f"{self.find!r} stands {sample.count(self.find)} times in {self.file}"
        )
        return sample.replace(self.find, self.put)

    @property
    def line(self) -> str:
        """What the reported line holds; empty where no line can be had."""
        return self.put.strip().split("\n")[0] if self.at is None else self.at

    def problems(self) -> tuple[Problem, ...]:
        """What the reader says."""
        with pytest.raises(DefinitionError) as caught:
            self.read()
        return caught.value.problems

    def read(self) -> WorkflowDefinition | ProfileDefinition:
        if self.file == PROFILE:
            return read_profile(self.text, file=self.file)
        if self.file == SHARED:
            return read_workflow(SAMPLES[WORKFLOW], file=WORKFLOW, shared={"people": self.text})
        return sample_workflow(self.text)


def sample_workflow(text: str | bytes = SAMPLES[WORKFLOW]) -> WorkflowDefinition:
    """The sample, or a variant of it, with its shared file."""
    return read_workflow(text, file=WORKFLOW, shared={"people": SAMPLES[SHARED]})


SEEDED = [Seeded(**row) for row in tomllib.loads((_HERE / "faults.toml").read_text("utf-8"))["fault"]]

each_fault = pytest.mark.parametrize("seeded", [pytest.param(one, id=one.name) for one in SEEDED])
