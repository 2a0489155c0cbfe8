"""Runs all GPU tests and measurements in at most ten minutes, and prints one page to paste into an issue.

    python bench/gpu_check.py [REPORT.md]

Called by scripts/gpu_check.sh. REPORT.md gets the page and the output of pytest.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.gpu_models import SIZES, Bench
from bench.gpu_page import Line, describe, failed, from_junit, page
from bench.gpu_rows import ROWS, Row
from glm_tts_api.engine.torch_flags import set_torch_flags
from glm_tts_api.model.allocator import allocator_variables

ROOT = Path(__file__).resolve().parents[1]
EXIT_FAILED, EXIT_NO_GPU = 1, 2
_WHOLE_S, _TESTS_S = 570.0, 180.0  # of the whole check and of the tests; no measurement is cut off


def run_tests(device: torch.device) -> tuple[list[Line], str]:
    """Runs the tests marked gpu. Returns a line of the page for each test file, and the output of pytest."""
    rooms = (ROOT / "tests/model", ROOT / "tests/engine")
    files = [
        path for room in rooms for path in sorted(room.glob("test_*.py")) if "mark.gpu" in path.read_text()
    ]
    with tempfile.TemporaryDirectory() as folder:
        outcomes = Path(folder) / "tests.xml"
        options = ["-m", "gpu", "-p", "no:cacheprovider", "--continue-on-collection-errors"]
        options.append(f"--junitxml={outcomes}")
        command = [sys.executable, "-m", "pytest", *options, *map(str, files)]
        try:
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=_TESTS_S)
        except subprocess.TimeoutExpired as error:
            return [failed("tests marked gpu", error)], f"{error}"
        said = f"{done.stdout.strip()}\n{done.stderr.strip()}"
        if not outcomes.exists():
            return [failed("tests marked gpu", RuntimeError("pytest did not run"))], said
        return from_junit(outcomes), said


def measure(rows: Iterable[Row], bench: Bench, tell: Callable[[Line], None], *, until: float) -> None:
    """Measures each row and calls `tell` with its line.

    The line of a row that raises shows the error. After the time `until` (of time.perf_counter) the remaining
    rows are left out, and their lines say so.
    """
    for row in rows:
        if time.perf_counter() > until:
            tell(Line(row.what, {"left out": "the time is over"}, {}, {}))
            continue
        try:
            tell(row.line(bench))
        except Exception as error:
            traceback.print_exc()
            tell(failed(row.what, error))
    bench.release()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("report", type=Path, nargs="?", default=Path("gpu_check.md"), metavar="REPORT.md")
    report = parser.parse_args().report
    os.environ.update(allocator_variables(os.environ))  # PyTorch reads them when CUDA begins
    if not torch.cuda.is_available():
        print("No GPU: PyTorch sees none here, and these checks are about nothing else.", file=sys.stderr)
        return EXIT_NO_GPU
    device = torch.device("cuda", 0)
    started = time.perf_counter()
    set_torch_flags(device, os.environ)
    lines, details = run_tests(device)

    def tell(line: Line) -> None:
        """Adds `line` to the report and writes it, so that an abort loses no measurement."""
        lines.append(line)
        print(f"{time.perf_counter() - started:.0f} s: {line.what}", file=sys.stderr, flush=True)
        took = f"The check took {time.perf_counter() - started:.0f} s."
        report.write_text(
            f"{page(device, describe(device), lines, took)}\n\n```\n{details}\n```\n", encoding="utf-8"
        )

    try:
        bench = Bench(SIZES["official"], device)
    except Exception as error:
        traceback.print_exc()
        tell(failed("the models on the device", error))
    else:
        measure(ROWS, bench, tell, until=started + _WHOLE_S)
    print(report.read_text(encoding="utf-8").partition("\n\n```\n")[0])
    return EXIT_FAILED if any(line.must and line.missed for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main())
