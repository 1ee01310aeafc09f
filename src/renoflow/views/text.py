"""Text for a terminal: widths in columns, where a Chinese character takes two."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence


def width(text: str) -> int:
    """Columns on a terminal."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def pad(text: str, columns: int) -> str:
    return text + " " * max(0, columns - width(text))


def table(rows: Sequence[Sequence[str]], indent: str = "") -> str:
    """Columns lined up, two spaces apart; the last one is left as long as it is."""
    if not rows:
        return ""
    columns = [max(width(row[n]) for row in rows) for n in range(len(rows[0]) - 1)]
    return "\n".join(
        (
            indent
            + "  ".join([*(pad(cell, size) for cell, size in zip(row, columns, strict=False)), row[-1]])
        ).rstrip()
        for row in rows
    )


def wrap(text: str, columns: int, indent: str = "") -> str:
    """Broken at spaces, and between Chinese characters, so that no line is wider than `columns`."""
    lines: list[str] = []
    line = ""
    for char in text:
        if char == "\n" or width(line + char) > columns:
            space = line.rfind(" ")
            if char not in " \n" and char.isascii() and space > columns // 2:
                lines.append(line[:space])
                line = line[space + 1 :]
            else:
                lines.append(line.rstrip())
                line = ""
        if char != "\n" and not (char == " " and not line):
            line += char
    lines.append(line)
    return "\n".join(indent + one for one in lines if one)
