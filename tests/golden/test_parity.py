"""The public golden vectors, file by file; a failure names its case."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.checks.parity.components import golden_files, run_file

DATA = Path(__file__).parent / "data"
LONG = ("e2e", "flow_official")  # half a minute; e2e computes what the other files check part by part
FILES = [
    pytest.param(path, id=path.stem, marks=[pytest.mark.long] if path.stem in LONG else [])
    for path in golden_files(DATA)
]
pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("path", FILES)
def test_golden_file(path: Path) -> None:
    results = list(run_file(path))
    assert results
    not_passed = [result.line() for result in results if result.verdict != "PASS"]
    assert not not_passed, "\n".join(not_passed)
