"""The public golden vectors, file by file; a failure names its case."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from scripts.parity.components import ALLOWED_SKIPS, MODULES, golden_files, run_file
from scripts.parity.golden import CaseResult

DATA = Path(__file__).parent / "data"


@pytest.mark.parametrize("path", golden_files(DATA), ids=lambda path: path.stem)
def test_golden_file(path: Path) -> None:
    results = list(run_file(path))
    assert results
    if path.stem in ALLOWED_SKIPS:
        pytest.skip(ALLOWED_SKIPS[path.stem])
    not_passed = [result.line() for result in results if result.verdict != "PASS"]
    assert not not_passed, "\n".join(not_passed)


def test_a_skip_that_is_not_on_the_list_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("scripts.parity.lazy")
    module.run = lambda golden: [CaseResult("lazy", "a case", "SKIP", "no time")]  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "scripts.parity.lazy", module)
    monkeypatch.setitem(MODULES, "lazy", "lazy")
    np.savez(tmp_path / "lazy.npz", x=np.zeros(1))
    (result,) = run_file(tmp_path / "lazy.npz")
    assert result.verdict == "FAIL"
    assert "no time" in result.reason
