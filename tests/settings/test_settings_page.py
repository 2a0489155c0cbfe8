"""docs/settings.md and its Chinese twin have a row for each setting, with the code's default."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.make.settings_table import PAGES, with_table

PAGE = PAGES[0].read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_pages_are_as_the_code_has_them(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert with_table(text) == text


def test_a_changed_default_is_written() -> None:
    changed = PAGE.replace("| `PORT` | `8049` | `1–65535` |", "| `PORT` | `80` | any |")
    assert changed != PAGE
    assert with_table(changed) == PAGE


def test_a_setting_without_a_row_and_a_row_without_a_setting_are_named() -> None:
    with pytest.raises(ValueError, match=r"FLOW_STEP, FLOW_STEPS$"):
        with_table(PAGE.replace("| `FLOW_STEPS` |", "| `FLOW_STEP` |"))
