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
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.gpu_models import Bench
from bench.gpu_page import Figures, Line, describe, failed, on_a_fake, page
from bench.gpu_serving import Serving, SteadyServing
from bench.gpu_stages import Decoding, Rendering
from glm_tts_api.engine.torch_flags import set_torch_flags
from glm_tts_api.model.allocator import allocator_variables

ROOT = Path(__file__).resolve().parents[1]
EXIT_FAILED, EXIT_NO_GPU = 1, 2
_WHOLE_S, _TESTS_S = 570.0, 180.0  # of the whole check and of the tests; no measurement is cut off


class Row(NamedTuple):
    """A measurement of the page: `measure` takes the stage of its group. The other fields are a Line's."""

    what: str
    measure: Callable[[Any], Figures]
    goal: Mapping[str, str] | None = None
    must: bool = False
    real: bool = True


STREAMS = {
    1: {"first audio ms p50": "<= 150", "RTF at most": "<= 0.07", "longest gap ms": "<= 0"},
    4: {"longest gap ms": "<= 0"},
    16: {"audio s/s": ">= 40", "longest gap ms": "<= 0"},
}
SAME = dict.fromkeys(("again", "in slot 1 beside another", "beside 15"), "same")
KEYS, DECODE = (512, 1024, 3776), {"1 rows": "<= 2.3"}
# The rows of the page, in the order of measuring. Those of a group share what its first item makes.
GROUPS: list[tuple[Callable[[Bench], Any], list[Row]]] = [
    (Rendering, [
        Row("best rates of the card", Rendering.rates),
        Row("HiFT ms, first call then second", Rendering.hift_ms),
        Row("flow step ms", Rendering.flow_steps, {"312 frames": "<= 3", "600 frames": "<= 5"}),
        Row("decode step ms beside windows", Rendering.beside_decoding),
        Row("new voices ms, 5 s", Rendering.new_voice_ms),
        Row("start: flow and vocoder", Rendering.start, {"graphs of an Euler step": "16"}, real=False),
    ]),
    (Decoding, [
        *(Row(f"decode step ms, {n} keys", partial(Decoding.step_ms, n_keys=n), DECODE) for n in KEYS),
        Row("prefill ms", Decoding.prefill_ms),
        Row("start: LLM", Decoding.start, {"kernels": "triton"}, real=False),
    ]),
    (Serving, [
        *(Row(f"streams at {n}", partial(Serving.load, at_once=n), goal) for n, goal in STREAMS.items()),
        Row("whole at 1", partial(Serving.load, at_once=1, streams=False), {"RTF at most": "<= 0.07"}),
        Row("whole at 16", partial(Serving.load, at_once=16, streams=False), {"audio s/s": ">= 40"}),
        Row("burst of 16, first audio ms", Serving.burst, {"last": "<= 450"}),
        Row("waits of one request", Serving.waits),
        Row("same bytes", Serving.same_bytes, SAME),
        Row("memory and start of an engine", Serving.memory, {"peak GiB": "<= 12"}),
    ]),
    (SteadyServing, [Row("same bytes, DETERMINISTIC=1", Serving.same_bytes, SAME, must=True)]),
]  # fmt: skip


def run_tests() -> tuple[Line, str]:
    """Runs the tests marked gpu. Returns their line of the page, and the output of pytest."""
    what = "tests marked gpu"
    if on_a_fake():
        return Line(what, {"left out": "a fake GPU computes nothing"}), ""
    options = ["-m", "gpu", "-p", "no:cacheprovider", "--continue-on-collection-errors"]
    command = [sys.executable, "-m", "pytest", *options, "tests/model", "tests/engine"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=_TESTS_S)
    except subprocess.TimeoutExpired as error:
        return failed(what, error), f"{error}"
    said = done.stdout.strip()
    figures = {"exit code": str(done.returncode), "pytest": said.rpartition("\n")[2]}
    return Line(what, figures, {"exit code": "0"}, must=True), f"{said}\n{done.stderr.strip()}"


def measure(bench: Bench, tell: Callable[[Line], None], *, until: float) -> None:
    """Measures each row and calls `tell` with its line, which shows the error of a row that raises. After
    the time `until` (of time.perf_counter) the remaining rows are left out, and their lines say so."""
    for make, rows in GROUPS:
        stage: Any = None
        for row in rows:
            if time.perf_counter() > until:
                tell(Line(row.what, {"left out": "the time is over"}))
                continue
            try:
                stage = stage or make(bench)
                tell(Line(row.what, row.measure(stage), row.goal or {}, row.must, row.real))
            except Exception as error:
                traceback.print_exc()
                tell(failed(row.what, error))
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
