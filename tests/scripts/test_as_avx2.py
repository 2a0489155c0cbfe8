"""The goldens once more, as a CPU without AVX-512, VNNI and bf16 units runs them: in a run of pytest of its
own, since both switches are read once in a process."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.scripts.own_project import REPOSITORY
from tests.this_cpu import AS_AVX2, HAS_AVX512, HAS_VNNI

# Files and strings alone, and what takes long: from text to waveform (which tests/frozen has in the same run)
# and the flow of official sizes. `test.sh long` runs all goldens, the model and the engine so.
LEFT_OUT = (
    "--deselect=tests/golden/test_parity.py::test_golden_file[e2e]",
    "--deselect=tests/golden/test_parity.py::test_golden_file[flow_official]",
    "--deselect=tests/golden/test_fill.py",
    "--deselect=tests/golden/test_parity.py::test_golden_file[text_frontend]",
    "--deselect=tests/golden/test_parity.py::test_golden_file[tokenizer]",
)


@pytest.mark.skipif(
    not (HAS_AVX512 or HAS_VNNI), reason="this CPU has AVX2 alone: the tests themselves ran so"
)
def test_the_goldens_hold_with_avx2_alone() -> None:
    options = ["-n0", "-p", "no:cacheprovider", "-m", "not long", *LEFT_OUT]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "tests/golden"],
        cwd=REPOSITORY,
        env={**os.environ, **AS_AVX2},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:]
    assert " passed" in done.stdout
