"""scripts/gpu_check.sh where there is no GPU: it says so; and its code runs on a CPU, without the libraries
that a bare GPU machine lacks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from own_project import REPOSITORY

ABSENT = (
    "fastapi", "uvicorn", "pydantic", "pydantic_settings", "soundfile", "av", "pynini", "tn", "jieba",
    "pypinyin", "emoji", "pronouncing", "kaldi_native_fbank", "onnx", "httpx",
)  # fmt: skip


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_says_so(tmp_path: Path) -> None:
    done = subprocess.run(
        ["bash", REPOSITORY / "scripts/gpu_check.sh", tmp_path / "report.md"],
        env={**os.environ, "PYTHON": sys.executable},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert "No GPU" in done.stderr
    assert not (tmp_path / "report.md").exists()


def test_the_same_code_measures_a_small_model_on_a_cpu(tmp_path: Path) -> None:
    blocked = "import sys\n" + "".join(f"sys.modules[{name!r}] = None\n" for name in ABSENT)
    (tmp_path / "sitecustomize.py").write_text(blocked, encoding="utf-8")
    report = tmp_path / "report.md"
    program = REPOSITORY / "scripts/benchmarks/gpu_check.py"
    done = subprocess.run(
        [sys.executable, program, report, "--device", "cpu", "--size", "mini"],
        env={**os.environ, "PYTHONPATH": str(tmp_path), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    text = report.read_text(encoding="utf-8")
    assert "passed: " in text
    assert "skipped" in text or torch.cuda.is_available()
    for title in ("Decode step", "Flow, 2 steps", "End to end"):
        assert f"## {title}" in text
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| ")]
    figures = [float(cell.strip("| ")) for row in rows if row[0][2:].isdigit() for cell in row]
    assert len(figures) == 4 * 5 + 3 * 3 + 2 * 6
    assert all(figure > 0 for figure in figures)
