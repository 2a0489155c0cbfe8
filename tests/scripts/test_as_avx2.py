"""The goldens and the model once more, as a CPU without AVX-512, VNNI and bf16 units runs them: in a run
of pytest of its own, since both switches are read once in a process."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.scripts.own_project import REPOSITORY
from tests.this_cpu import AS_AVX2, HAS_AVX512, HAS_VNNI

# Files and strings alone, kernels of a GPU, or run as another CPU already. And what takes half of the time:
# from text to waveform, the flow of official sizes, the vocoders in pieces; `test.sh long` runs all of it.
LEFT_OUT = (
    "--deselect=tests/golden/test_parity.py::test_golden_file[e2e]",
    "--deselect=tests/golden/test_parity.py::test_golden_file[flow_official]",
    "--ignore=tests/model/test_vocoder_streams.py",
    "--ignore=tests/model/test_checkpoint.py",
    "--ignore=tests/model/test_cpu_kernels.py",
    "--ignore=tests/model/test_cuda_decode.py",
    "--ignore=tests/model/test_instructions.py",
    "--ignore=tests/model/test_tokenizer.py",
    "--ignore=tests/model/test_triton_decode.py",
    "--deselect=tests/golden/test_fill.py",
    "--deselect=tests/golden/test_parity.py::test_golden_file[text_frontend]",
    "--deselect=tests/golden/test_parity.py::test_golden_file[tokenizer]",
    "--deselect=tests/model/test_linear.py::test_on_cpus_with_fewer_instructions_too",
    "--deselect=tests/model/test_placement.py::"
    "test_bf16_on_a_cpu_without_units_for_it_is_a_warning_that_says_what_to_set",
)


@pytest.mark.skipif(
    not (HAS_AVX512 or HAS_VNNI), reason="this CPU has AVX2 alone: the tests themselves ran so"
)
def test_every_number_holds_with_avx2_alone() -> None:
    options = ["-n0", "-p", "no:cacheprovider", "-m", "not long", *LEFT_OUT]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "tests/golden", "tests/model"],
        cwd=REPOSITORY,
        env={**os.environ, **AS_AVX2},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:]
    assert " passed" in done.stdout
