"""The documentation as something that runs: its blocks, in their order, and what they print.

On a page the blocks of one kind mean one thing:

- `python` runs, all blocks of a page in one namespace and one folder of their own;
- `text` right after it is what it printed;
- `console` holds commands (`$ renoflow ...`, the only ones that run) and what each printed;
- any block under `<!-- file: NAME -->` is a file of that name in that folder.

A line `...` stands for any number of lines; under a command empty lines do not count. `python -m tests.pages`
runs every page and writes anew what it prints, so that only the words of a page are written by hand, and
makes the pages of the rulebook (`tests.rules_page`).
"""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import re
import runpy
import shlex
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from renoflow import cli
from tests import rules_page

ROOT = Path(__file__).resolve().parents[1]
_FENCE = re.compile(r"(`{3,})(\w*)")
_FILE = re.compile(r"<!-- file: (\S+) -->")


@frozen(kw_only=True)
class Block:
    """A fenced block: its kind, its lines, the number of the first one, and the file it stands for."""

    kind: str
    lines: tuple[str, ...]
    first: int
    file: str = ""

    @property
    def text(self) -> str:
        return "".join(f"{line}\n" for line in self.lines)


@frozen
class Printed:
    """What one block printed, beside what the page says; `block` is the one that says it."""

    block: Block
    said: tuple[str, ...]
    found: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        said, found = ("\n".join(lines) + "\n" for lines in (self.said, self.found))
        return doctest.OutputChecker().check_output(said, found, doctest.ELLIPSIS)


def pages() -> list[Path]:
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(text: str) -> Iterator[Block]:
    """The fenced blocks of a page, in their order."""
    fence, kind, file, first = "", "", "", 0
    inside: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        opened = _FENCE.fullmatch(line.strip())
        if fence:
            if line.strip() == fence:
                yield Block(kind=kind, lines=tuple(inside), first=first, file=file)
                fence, file, inside = "", "", []
            else:
                inside.append(line)
        elif opened is not None:
            fence, kind, first = opened[1], opened[2], number + 1
        elif line.strip():
            named = _FILE.fullmatch(line.strip())
            file = named[1] if named is not None else ""


# ------------------------------------------------------------------ running


def printed(page: Path, folder: Path) -> Iterator[Printed]:
    """Run a page in a folder; whatever a page says is printed comes out beside what was."""
    namespace: dict[str, Any] = {}
    last: tuple[str, ...] | None = None
    for block in blocks(page.read_text("utf-8")):
        if block.file:
            (folder / block.file).write_text(block.text, "utf-8")
        elif block.kind == "python":
            with _in(folder), contextlib.redirect_stdout(io.StringIO()) as out:
                namespace = _run(block, page, folder, namespace)
            last = tuple(out.getvalue().splitlines())
            continue
        elif block.kind == "console":
            said, found = [line for line in block.lines if line], list(_commands(block, folder))
            yield Printed(block, tuple(said), tuple(found))
        elif block.kind == "text" and last is not None:
            yield Printed(block, block.lines, last)
        last = None


def _run(block: Block, page: Path, folder: Path, namespace: dict[str, Any]) -> dict[str, Any]:
    # As a file, so that a traceback shows the page's own line.
    script = folder / f"{page.stem}_{block.first}.py"
    script.write_text("\n" * (block.first - 1) + block.text, "utf-8")
    return {**namespace, **runpy.run_path(str(script), init_globals=namespace)}


def _commands(block: Block, folder: Path) -> Iterator[str]:
    for line in block.lines:
        if not line.startswith("$ "):
            continue
        yield line
        words = shlex.split(line.removeprefix("$ "))
        if words[0] != "renoflow":
            continue
        with _in(folder), contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(out):
            cli.main(words[1:])
        yield from (one for one in out.getvalue().splitlines() if one)


@contextlib.contextmanager
def _in(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


# ------------------------------------------------------------------ writing anew


def rewritten(page: Path, folder: Path) -> str:
    """The page with what its blocks print now; what it shortens with `...` is left to the writer."""
    lines = page.read_text("utf-8").split("\n")
    for one in reversed(list(printed(page, folder))):
        if one.agrees or "..." in one.said:
            continue
        start = one.block.first - 1
        lines[start : start + len(one.block.lines)] = _spaced(one)
    return "\n".join(lines)


def _spaced(one: Printed) -> Sequence[str]:
    """Commands are set apart by an empty line."""
    if one.block.kind != "console":
        return one.found
    spaced: list[str] = []
    for line in one.found:
        spaced += ["", line] if line.startswith("$ ") and spaced else [line]
    return spaced


def main() -> None:
    for lang, made in rules_page.PAGES.items():
        made.write_text(rules_page.page(lang), "utf-8")
    for page in pages():
        with tempfile.TemporaryDirectory() as name:
            text = rewritten(page, Path(name))
        page.write_text(text, "utf-8")
        with tempfile.TemporaryDirectory() as name:
            wrong = [one.block.first for one in printed(page, Path(name)) if not one.agrees]
        sys.stdout.write(f"{page.relative_to(ROOT)}: {'look at lines ' + str(wrong) if wrong else 'good'}\n")


if __name__ == "__main__":
    main()
