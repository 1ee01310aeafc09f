"""The rulebook beside what is loaded: which table implements which rule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attrs import evolve

from renoflow.definition.lines import Path, format_path
from renoflow.definition.model import ProfileDefinition
from renoflow.definition.reader import read_profile
from renoflow.engine.workflow import Workflows, load_workflows
from renoflow.workflow.catalog import bundled_profiles
from renoflow.workflow.citations import cited, cites_of, label_of
from renoflow.workflow.rulebook import Citation, FieldFact, Rule, rulebook


def rules(workflows: Workflows | None = None) -> tuple[Rule, ...]:
    """Every rule of the handbooks with what implements it, or why nothing does.

    Without `workflows` the bundled ones; the bundled profiles count in any case.
    """
    places = _places(workflows)
    return tuple(evolve(rule, cited_by=places.get(rule.id, ())) for rule in rulebook().rules.values())


def field_facts(workflows: Workflows | None = None) -> tuple[FieldFact, ...]:
    """Every fact of the field that files may cite, with those that do."""
    places = _places(workflows)
    return tuple(evolve(fact, cited_by=places.get(fact.id, ())) for fact in rulebook().facts.values())


def _places(workflows: Workflows | None) -> dict[str, tuple[Citation, ...]]:
    found: dict[str, list[Citation]] = {}
    for citation, cites in _citations(load_workflows() if workflows is None else workflows):
        for name in dict.fromkeys(cites):
            found.setdefault(name, []).append(citation)
    return {name: tuple(places) for name, places in found.items()}


def _citations(workflows: Workflows) -> Iterator[tuple[Citation, tuple[str, ...]]]:
    for name, flow in workflows.items():
        for path, item in cited(flow.plan.definition):
            if not _replaced(workflows.profile, name, path):
                yield _citation(f"{name}.toml", path, item)
    for file, profile in _profiles(workflows).items():
        for path, item in cited(profile):
            yield _citation(file, path, item)


def _profiles(workflows: Workflows) -> dict[str, ProfileDefinition]:
    """The bundled ones, and the one in force where it is a firm's own."""
    bundled = {one.name: read_profile(one.text, file=one.name) for one in bundled_profiles().values()}
    own = workflows.profile
    return bundled if own is None or own in bundled.values() else {**bundled, f"{own.profile.id}.toml": own}


def _citation(file: str, path: Path, item: Any) -> tuple[Citation, tuple[str, ...]]:
    return Citation(file=file, path=format_path(path), label=label_of(item)), cites_of(item) or ()


def _replaced(profile: ProfileDefinition | None, workflow: str, path: Path) -> bool:
    """Whether a workflow has this table from the profile, which is named as the place then."""
    section, name, *_ = path
    return profile is not None and section == "tables" and name in profile.tables.get(workflow, {})
