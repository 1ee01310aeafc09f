"""Where the data that comes with the package lies."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path


def bundled_folder() -> Traversable:
    """`workflows/`: package data in a wheel, beside `src/` in a checkout or an editable install."""
    packaged = files("renoflow") / "workflows"
    if packaged.is_dir():
        return packaged
    return Path(__file__).resolve().parents[3] / "workflows"
