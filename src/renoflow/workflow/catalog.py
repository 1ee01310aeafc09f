"""Where workflow files come from: the bundled ones, a host's own, and a firm's profile over both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from attrs import frozen

from renoflow.definition.lines import line_of
from renoflow.definition.model import ProfileDefinition, WorkflowDefinition
from renoflow.definition.reader import read_profile, read_workflow
from renoflow.errors import DefinitionError, Problem, UnknownName
from renoflow.values import several
from renoflow.workflow.bundled import bundled_folder
from renoflow.workflow.checks import check_together, check_workflow
from renoflow.workflow.profiles import apply_profile, built_on, check_profile

SHARED = ("roles",)
"""Bundled files that other files use and that are no workflows themselves."""

PROFILES = "profiles"
"""The folder of the bundled profiles, beside the workflows."""


@frozen(kw_only=True)
class Source:
    """A file's name as it was given, and its text."""

    name: str
    text: str | bytes


@frozen(kw_only=True)
class Profile:
    """A firm's profile as read, with its file's name and text for the places of problems."""

    definition: ProfileDefinition
    name: str = ""
    text: str = ""


def bundled_sources() -> dict[str, Source]:
    """The bundled files by their stem, in alphabetical order."""
    found = sorted(
        (item for item in bundled_folder().iterdir() if item.name.endswith(".toml")),
        key=lambda item: item.name,
    )
    return {
        item.name.removesuffix(".toml"): Source(name=item.name, text=item.read_text("utf-8"))
        for item in found
    }


def read_definitions(
    sources: Iterable[Source], shared: Mapping[str, str] | None = None
) -> dict[str, WorkflowDefinition]:
    """Checked definitions by id; raises `DefinitionError` with the faults of every file at once.

    A later file of the same id takes the place of an earlier one, so a host's file replaces a bundled one.
    """
    texts = dict(shared) if shared is not None else shared_texts()
    problems: list[Problem] = []
    found: dict[str, WorkflowDefinition] = {}
    for source in sources:
        try:
            definition = read_workflow(source.text, file=source.name, shared=texts)
        except DefinitionError as error:
            problems.extend(error.problems)
            continue
        text = source.text if isinstance(source.text, str) else source.text.decode("utf-8", "replace")
        problems.extend(check_workflow(definition, file=source.name, text=text))
        found[definition.id] = definition
    if not problems:
        problems.extend(check_together(found))
    if problems:
        raise DefinitionError(problems)
    return found


def shared_texts() -> dict[str, str]:
    """The bundled shared files by name, for `uses`."""
    sources = bundled_sources()
    return {name: str(sources[name].text) for name in SHARED if name in sources}


def load_definitions(
    *paths: Path, only: Iterable[str] | None = None, profile: Profile | None = None
) -> dict[str, WorkflowDefinition]:
    """The bundled definitions (or `only` some of them), then the files at `paths`, under a profile."""
    sources = {name: s for name, s in bundled_sources().items() if name not in SHARED}
    if only is not None:
        wanted = (only,) if isinstance(only, str) else tuple(several(only, "workflows"))
        for name in wanted:
            if name not in sources:
                raise UnknownName("workflow", name, sources)
        sources = {name: sources[name] for name in wanted}
    own = [Source(name=str(path), text=path.read_bytes()) for path in paths]
    definitions = read_definitions([*sources.values(), *own])
    if profile is None:
        return definitions
    problems = check_profile(
        profile.definition, definitions, file=profile.name, text=profile.text, known=bundled_sources()
    )
    if problems:
        raise DefinitionError(problems)
    return {name: apply_profile(item, profile.definition) for name, item in definitions.items()}


def bundled_profiles() -> dict[str, Source]:
    """The bundled profiles by their name."""
    found = sorted(
        (item for item in (bundled_folder() / PROFILES).iterdir() if item.name.endswith(".toml")),
        key=lambda item: item.name,
    )
    return {
        item.name.removesuffix(".toml"): Source(name=f"{PROFILES}/{item.name}", text=item.read_text("utf-8"))
        for item in found
    }


def load_profile(where: str | Path) -> Profile:
    """A firm's profile, or a bundled one by its name; raises `DefinitionError` with every fault of the file,
    `UnknownName` for a name that is neither bundled nor a file."""
    bundled = bundled_profiles()
    source = bundled.get(str(where))
    if source is None:
        path = Path(where)
        if not path.suffix and not path.exists():
            raise UnknownName("profile", str(where), bundled)
        source = Source(name=str(path), text=path.read_bytes())
    definition = read_profile(source.text, file=source.name)
    text = source.text if isinstance(source.text, str) else source.text.decode("utf-8", "replace")
    return Profile(definition=extended(definition, file=source.name, text=text), name=source.name, text=text)


def extended(profile: ProfileDefinition, *, file: str = "", text: str = "") -> ProfileDefinition:
    """The profile with the bundled one that it builds on beneath it; raises `DefinitionError` when there is
    none of that name."""
    name = profile.profile.extends
    if name is None:
        return profile
    bundled = bundled_profiles()
    if name not in bundled:
        path = "profile.extends"
        problem = Problem(
            message=f"there is no bundled profile {name!r}",
            path=path,
            file=file,
            line=line_of(text, path) if text else None,
            suggestion=f"bundled are {', '.join(bundled)}",
        )
        raise DefinitionError([problem])
    return built_on(read_profile(bundled[name].text, file=bundled[name].name), profile)
