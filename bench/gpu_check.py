"""Runs all GPU tests and measurements in at most ten minutes, and prints one page to paste into an issue.

    python bench/gpu_check.py [REPORT.md]

Called by scripts/gpu_check.sh. REPORT.md gets the page and the output of pytest.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.gpu_models import CONFIG, Bench
from bench.gpu_page import Figures, Line, describe, failed, on_a_fake, page
from bench.gpu_serving import Serving
from bench.gpu_stages import Decoding, Rendering
from glm_tts_api.engine.torch_flags import set_torch_flags
from glm_tts_api.model.allocator import allocator_variables

ROOT = Path(__file__).resolve().parents[1]
EXIT_FAILED, EXIT_NO_GPU = 1, 2
_WHOLE_S, _TESTS_S = 570.0, 180.0  # of the whole check and of the tests; no measurement is cut off
STREAMS = {
    1: {"first audio ms p50": "<= 150", "RTF at most": "<= 0.07", "longest gap ms": "<= 0"},
    4: {"longest gap ms": "<= 0"},
    16: {"audio s/s": ">= 40", "longest gap ms": "<= 0"},
}
SAME = dict.fromkeys(("again", "in slot 1 beside another", "beside 15"), "same")
BF16 = {"312 frames": "<= 1.5", "log mel off by": "<= 0.02"}
KEYS, DECODE = (512, 1024, 3776), {"1 rows": "<= 2.3"}
# The rows of the page, in the order of measuring. Those of a group share what its first item makes.
Row = tuple[Callable[[Any], Figures], Line]
GROUPS: list[tuple[Callable[[Bench], Any], list[Row]]] = [
    (Rendering, [
        (Rendering.rates, Line("best rates of the card")),
        (Rendering.hift_ms, Line("HiFT ms, first call then second")),
        (Rendering.flow_steps, Line("flow step ms", {"312 frames": "<= 3", "600 frames": "<= 5"})),
        (Rendering.bf16_flow, Line("flow step ms, DTYPE=bf16", BF16)),
        (Rendering.beside_decoding, Line("decode step ms beside windows")),
        (Rendering.fp8_weights, Line("decode step ms, DTYPE=fp8", {"1 rows": "<= 1.6"})),
        (Rendering.new_voice_ms, Line("new voices ms, 5 s")),
        (Rendering.start, Line("start: flow and vocoder", {"graphs of an Euler step": "16"}, real=False)),
    ]),
    (Decoding, [
        *((partial(Decoding.step_ms, n_keys=n), Line(f"decode step ms, {n} keys", DECODE)) for n in KEYS),
        (Decoding.prefill_ms, Line("prefill ms")),
        (Decoding.start, Line("start: LLM", {"kernels": "triton"}, real=False)),
    ]),
    (Serving, [
        *((partial(Serving.load, at_once=n), Line(f"streams at {n}", goal)) for n, goal in STREAMS.items()),
        (partial(Serving.load, at_once=1, streams=False), Line("whole at 1", {"RTF at most": "<= 0.07"})),
        (partial(Serving.load, at_once=16, streams=False), Line("whole at 16", {"audio s/s": ">= 40"})),
        (Serving.burst, Line("burst of 16, first audio ms", {"last": "<= 450"})),
        (Serving.same_bytes, Line("same bytes", SAME)),
        (Serving.memory, Line("memory and start of an engine", {"peak GiB": "<= 12"})),
    ]),
    (partial(Serving, config=replace(CONFIG, deterministic=True)), [
        (Serving.same_bytes, Line("same bytes, DETERMINISTIC=1", SAME, must=True)),
    ]),
]  # fmt: skip


def run_tests() -> tuple[Line, str]:
    """Runs the tests marked gpu. Returns their line of the page, and the output of pytest."""
    what = "tests marked gpu"
    if on_a_fake():
        return Line(what, figures={"left out": "a fake GPU computes nothing"}), ""
    options = ["-m", "gpu", "-p", "no:cacheprovider", "--continue-on-collection-errors"]
    command = [sys.executable, "-m", "pytest", *options, "tests/model", "tests/engine"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=_TESTS_S)
    except subprocess.TimeoutExpired as error:
        return failed(what, error), f"{error}"
    said = done.stdout.strip()
    figures = {"exit code": str(done.returncode), "pytest": said.rpartition("\n")[2]}
    return Line(what, {"exit code": "0"}, must=True, figures=figures), f"{said}\n{done.stderr.strip()}"


def measure(bench: Bench, tell: Callable[[Line], None], *, until: float) -> None:
    """Measures each row and calls `tell` with its line, which shows the error of a row that raises. After
    the time `until` (of time.perf_counter) the remaining rows are left out, and their lines say so."""
    for make, rows in GROUPS:
        stage: Any = None
        for measured, line in rows:
            if time.perf_counter() > until:
                tell(Line(line.what, figures={"left out": "the time is over"}))
                continue
            try:
                stage = stage or make(bench)
                tell(replace(line, figures=measured(stage)))
            except Exception as error:
                traceback.print_exc()
                tell(failed(line.what, error))
        if stage is not None:
            stage.close()
        bench.release()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", type=Path, nargs="?", default=Path("gpu_check.md"), metavar="REPORT.md")
    report = parser.parse_args().report
    os.environ.update(allocator_variables(os.environ))  # PyTorch reads them when CUDA begins
    if not torch.cuda.is_available():
        print("No GPU: PyTorch sees none here, and these checks are about nothing else.", file=sys.stderr)
        return EXIT_NO_GPU
    device = torch.device("cuda", 0)
    started = time.perf_counter()
    set_torch_flags(device, os.environ)
    tested, details = run_tests()
    lines = [tested]

    def tell(line: Line) -> None:
        """Adds `line` to the report and writes it, so that an abort loses no measurement."""
        lines.append(line)
        print(f"{time.perf_counter() - started:.0f} s: {line.what}", file=sys.stderr, flush=True)
        took = f"The check took {time.perf_counter() - started:.0f} s."
        whole = f"{page(describe(device), lines, took)}\n\n```\n{details}\n```\n"
        report.write_text(whole, encoding="utf-8")

    measure(Bench(device), tell, until=started + _WHOLE_S)
    print(report.read_text(encoding="utf-8").partition("\n\n```\n")[0])
    return EXIT_FAILED if any(line.verdict == "FAIL" for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main())
