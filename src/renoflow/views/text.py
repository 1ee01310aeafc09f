"""Text for a terminal: widths in columns, where a Chinese character takes two."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import pendulum

from renoflow.values import Label, Lang

COLON: Mapping[Lang, str] = {"zh": "：", "en": ": "}
SEMICOLON: Mapping[Lang, str] = {"zh": "；", "en": "; "}

# What is not to be broken: a Latin word with what follows it, or one Chinese character with its stops.
_PIECE = re.compile(r"[！-～\u3000-\u303f]*[!-~]+ *|.[，。；：、？！）」》”]* *")


def width(text: str) -> int:
    """Columns on a terminal."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def bracketed(text: str, lang: Lang) -> str:
    """A remark in brackets behind something; nothing where there is none."""
    if not text:
        return ""
    return f"（{text}）" if lang == "zh" else f" ({text})"


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


def wrap(text: str, *, indent: int, columns: int = 100) -> list[str]:
    """A text in lines of so many columns, all but the first one indented; Chinese breaks anywhere but
    before a stop."""
    lines, line = [], ""
    for piece in _PIECE.findall(text):
        if line.strip() and width(line + piece.rstrip()) > columns:
            lines.append(line.rstrip())
            line = " " * indent + piece.lstrip()
        else:
            line += piece
    return [*lines, line.rstrip()]


def distance(at: datetime, now: datetime, lang: Lang) -> str:
    """How far an instant is from now, as people say it: `还有3天`, `3 days left`, `2 hours ago`."""
    words = pendulum.instance(at).diff_for_humans(pendulum.instance(now), absolute=True, locale=lang)
    shown = Label(f"还有{words}", f"{words} left") if at > now else Label(f"已过{words}", f"{words} ago")
    return shown.text(lang)


def length(spent: timedelta, lang: Lang) -> str:
    """A stretch of time in days and hours, never in weeks or months."""
    days, hours = spent.days, spent.seconds // 3600
    parts = [Label(f"{days}天", f"{days} d")] if days else []
    if hours or not days:
        parts.append(Label(f"{hours}小时", f"{hours} h"))
    return " ".join(part.en for part in parts) if lang == "en" else "".join(part.zh for part in parts)
