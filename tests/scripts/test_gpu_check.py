"""scripts/gpu_check.sh where there is no GPU: it says so; and its code runs on a CPU, without the libraries
that a bare GPU machine lacks. What it would say of a GPU is looked at with findings that are made up."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from glm_tts_api import __version__
from scripts.benchmarks.gpu_page import Finding, from_junit, verdict
from tests.scripts.own_project import REPOSITORY

ABSENT = (
    "fastapi", "uvicorn", "pydantic", "pydantic_settings", "soundfile", "av", "pynini", "tn", "jieba",
    "pypinyin", "emoji", "pronouncing", "kaldi_native_fbank", "onnx", "httpx",
)  # fmt: skip
CHECKS = [
    "A: a prompt of a new length",
    "B: a dead context ends the engine",
    "C: HiFT at a new length",
    "D: TorchScript at a new length",
    "E: DTYPE=bf16 is no slower",
    "F: float32 is exact outside the flow",
    "G: flow and vocoder take what is kept for them",
    "G: the allocator's segments can grow",
    "every test marked gpu",
    "graphs are captured",
]
FAKED_GPU = torch.device("cuda", 0)


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


def rows(text: str, header: str) -> dict[str, list[str]]:
    """A Markdown table's rows by their first cell."""
    _, _, after = text.partition(f"| {header} |")
    lines = after.partition("\n\n")[0].splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines]
    return {first: rest for first, *rest in cells}


@pytest.fixture(scope="module")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """What a run of small sizes on the CPU prints, and its report."""
    folder = tmp_path_factory.mktemp("gpu_check")
    blocked = "import sys\n" + "".join(f"sys.modules[{name!r}] = None\n" for name in ABSENT)
    (folder / "sitecustomize.py").write_text(blocked, encoding="utf-8")
    program = REPOSITORY / "scripts/benchmarks/gpu_check.py"
    done = subprocess.run(
        [sys.executable, program, folder / "report.md", "--device", "cpu", "--size", "mini"],
        env={**os.environ, "PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, (folder / "report.md").read_text(encoding="utf-8")


def test_one_page_names_the_machine_and_the_versions(small_run: tuple[str, str]) -> None:
    page, _ = small_run
    assert len(page.splitlines()) < 50, "a page"
    assert page.startswith("# GPU check\n")
    for words in ("no GPU: this ran on the CPU", "NVIDIA driver ", f"PyTorch {torch.__version__}, CUDA "):
        assert words in page
    assert f"Python {sys.version.split()[0]}, Linux" in page
    assert f"glm-tts-api {__version__}" in page


def test_the_page_has_a_row_for_each_check_and_no_verdict_without_a_gpu(small_run: tuple[str, str]) -> None:
    page, _ = small_run
    found = rows(page, "check | verdict | seen")
    assert list(found) == CHECKS
    if not torch.cuda.is_available():
        assert {cells[0] for cells in found.values()} == {"-"}
        assert page.rstrip().endswith("**NO GPU**: these figures say nothing about one")
        assert "0 passed, " in found["every test marked gpu"][1]
    for what in "ACD":
        (seen,) = (cells[1] for name, cells in found.items() if name.startswith(f"{what}:"))
        once, again = (float(part.split()[0]) for part in seen.split(", "))
        assert min(once, again) > 0
    assert found["graphs are captured"][1].startswith("24 in "), "6 numbers of rows, 4 of keys"


def test_the_page_has_speed_at_1_4_and_16_requests_and_the_time_to_first_audio(
    small_run: tuple[str, str],
) -> None:
    page, _ = small_run
    header = "requests at once | of | RTF p95 | audio s/s | first audio p95 s | latency p50 s"
    loads = rows(page, header)
    assert list(loads) == ["1", "4", "16"]
    for cells in loads.values():
        n_requests, rtf, rate, first_s, latency_s = map(float, cells)
        assert n_requests >= 1
        assert rtf > 0
        assert rate > 0
        assert first_s > 0
        assert latency_s > 0
    one = loads["1"]
    assert float(one[3]) <= float(one[4]), "the first audio of a request is not later than its last"


def test_the_report_has_the_page_and_the_details(small_run: tuple[str, str]) -> None:
    page, report = small_run
    assert report.startswith(page.rstrip())
    for title in ("Tests", "Decode step", "Flow, 2 steps"):
        assert f"\n## {title}" in report
    steps = rows(report, "rows | ms a step | tokens/s | x the published loop | x the floor")
    assert list(steps) == ["1", "4", "8", "16"]
    assert all(float(cell) > 0 for cells in steps.values() for cell in cells)


JUNIT = """<testsuites><testsuite>
<testcase name="test_one"/><testcase name="test_two[a]"/>
<testcase name="test_two[b]"><failure message="no"/></testcase>
<testcase name="test_three"><skipped/></testcase>
</testsuite></testsuites>"""


def test_on_a_faked_gpu_the_verdict_is_that_of_the_findings(tmp_path: Path) -> None:
    (tmp_path / "tests.xml").write_text(JUNIT, encoding="utf-8")
    found = from_junit(
        tmp_path / "tests.xml", FAKED_GPU, rows={"one": "test_one", "two": "test_two", "four": "test_four"}
    )
    assert [(each.what, each.verdict) for each in found] == [
        ("one", "PASS"), ("two", "FAIL"), ("four", "FAIL"), ("every test marked gpu", "FAIL"),
    ]  # fmt: skip
    assert found[-1].seen == "1 passed, 1 skipped, failed: test_two"
    assert verdict(FAKED_GPU, found) == "**FAIL**: two; four; every test marked gpu"
    assert verdict(FAKED_GPU, [Finding("one", "PASS", "")]) == "**PASS**"
