"""A project folder with settings in its files."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def root(tmp_path: Path) -> Path:
    presets = tmp_path / "configs" / "presets"
    presets.mkdir(parents=True)
    (presets / "night.env").write_text("PORT=7002\nWORKERS=3\nSHORT_TEXT_TIMEOUT=70\n")
    (tmp_path / ".env").write_text("PORT=7003\nWORKERS=4\nQUEUE_MAX_SIZE=5 # per lane\n")
    return tmp_path
