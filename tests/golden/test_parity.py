"""The public golden vectors, file by file; a failure names its case."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.checks.parity.components import golden_files, run_file

DATA = Path(__file__).parent / "data"
# Half a minute and more; e2e computes what the other files check part by part.
LONG = ("e2e", "flow_official", "llm_official_dims_2layer", "tok_official_dims_2layer")
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
