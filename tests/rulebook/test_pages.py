"""The pages about the rules say what the files cite today."""

from __future__ import annotations

from typing import get_args

import pytest

from renoflow.values import Lang
from tests import rules_page


@pytest.mark.parametrize("lang", get_args(Lang))
def test_the_page_of_the_rules_is_not_stale(lang: Lang) -> None:
    """`python -m tests.pages` writes it anew."""
    assert rules_page.PAGES[lang].read_text("utf-8") == rules_page.page(lang)
