"""The long form of test_kills.py."""

from __future__ import annotations

from pathlib import Path

from tests.longform.test_kills import survives


def test_a_job_goes_on_after_a_hundred_kills(tmp_path: Path) -> None:
    survives(tmp_path, n_kills=100, n_paragraphs=300)
