"""All GPU tests and benchmarks in one run of minutes. Prints one page for an issue; a file has details too.

    python scripts/benchmarks/gpu_check.py [REPORT.md] [--device cuda|cpu] [--size official|mini]

Called by scripts/gpu_check.sh. `--device cpu --size mini` runs the same code where there is no GPU: the tests
are skipped then, and the figures mean nothing.
"""

from __future__ import annotations

import argparse
import gc
import os
import subprocess
import sys
import tempfile
import time
import traceback
from contextlib import nullcontext, redirect_stdout
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from glm_tts_api.engine.config import EngineConfig
from glm_tts_api.engine.precision import full_float32, tf32
from glm_tts_api.engine.torch_flags import set_torch_flags
from glm_tts_api.model.cuda_decode import CudaDecodeStep
from glm_tts_api.model.kv_cache import KVCache
from glm_tts_api.model.llm_runner import LlmRunner
from scripts.benchmarks import flow, gpu_rows
from scripts.benchmarks.decode import baseline_tps, n_weights, prefilled, step_s
from scripts.benchmarks.floor import bandwidth
from scripts.benchmarks.gpu_models import SIZES, Size, models_for, runner_for
from scripts.benchmarks.gpu_page import Finding, found, from_junit, page, table
from scripts.benchmarks.gpu_serving import Load, Serving
from scripts.benchmarks.synthetic import filled_flow, filled_hift, filled_llm

ROOT = Path(__file__).resolve().parents[2]
EXIT_FAILED, EXIT_NO_GPU = 1, 2
ROWS = (1, 4, 8, 16)
BATCHES = (1, 4, 8)
LEVELS = {"official": {1: 3, 4: 12, 16: 48}, "mini": {1: 1, 4: 2, 16: 3}}  # requests at once, and in all
TEST_ROWS = {
    "B: a dead context ends the engine": "test_a_context_that_dies_loses_the_engine_with_its_cause",
    "F: float32 is exact outside the flow": "test_products_are_rounded_inside_and_exact_outside",
}
_GIB = 2**30


class Report:
    """A Markdown file that grows table by table, so that what was measured stays if the rest fails; and the
    findings and figures of the page."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._details = ""
        self.findings: list[Finding] = []
        self.loads: list[Load] = []
        self.memory = ""

    def add(self, title: str, *paragraphs: str) -> None:
        self._details += "\n\n".join([f"\n## {title}", *paragraphs]) + "\n"
        self._path.write_text(self._details, encoding="utf-8")
        print(*paragraphs, sep="\n", file=sys.stderr, flush=True)

    def close(self, device: torch.device, size: str) -> None:
        """The page, printed and put before the details."""
        whole = page(device, size, self.findings, self.loads, self.memory)
        print(whole, flush=True)
        self._path.write_text(f"{whole}\n{self._details}", encoding="utf-8")


def run_tests(report: Report, device: torch.device) -> None:
    """Every test marked gpu in the files that a machine without the service's libraries can import."""
    rooms = (ROOT / "tests/model", ROOT / "tests/engine")
    files = [
        path for room in rooms for path in sorted(room.glob("test_*.py")) if "mark.gpu" in path.read_text()
    ]
    with tempfile.TemporaryDirectory() as folder:
        outcomes = Path(folder) / "tests.xml"
        options = ["-m", "gpu", "-p", "no:cacheprovider", f"--junitxml={outcomes}"]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *options, *map(str, files)],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        if outcomes.exists():
            report.findings += from_junit(outcomes, device, rows=TEST_ROWS)
        else:
            report.findings.append(Finding("every test marked gpu", "FAIL", "pytest did not run"))
    report.add("Tests", f"```\n{done.stdout.strip()}\n{done.stderr.strip()}\n```")


@torch.inference_mode()
def check_decode(report: Report, size: Size, device: torch.device) -> LlmRunner:
    llama = filled_llm(size.llm)
    baseline = baseline_tps(llama, device)
    runner = runner_for(size, llama, device)
    del llama
    slot_length = EngineConfig().slot_length(size.llm.max_position_embeddings)
    cache = prefilled(runner, slots=max(ROWS), slot_length=slot_length)
    started = time.perf_counter()
    decode = CudaDecodeStep(runner, cache, end=len(runner.sampled_ids) - 1)
    made_s = time.perf_counter() - started
    n_graphs = len(decode.shapes)
    report.findings += [
        found("graphs are captured", n_graphs > 0, f"{n_graphs} in {made_s:.1f} s", device=device),
        gpu_rows.attention(runner, cache, size.known_length),
    ]
    floor_s = n_weights(size.llm, len(runner.sampled_ids)) * runner.dtype.itemsize / bandwidth(device)
    steps = {n_rows: step_s(runner, decode, n_rows, size.decode_steps) for n_rows in ROWS}
    report.add(
        "Decode step",
        table(
            ("rows", "ms a step", "tokens/s", "x the published loop", "x the floor"),
            [(n, 1000 * s, n / s, n / s / baseline, s / floor_s) for n, s in steps.items()],
        ),
        f"Published loop (float32, 1 row): {baseline:.1f} tokens/s. Floor (weights read once, at the"
        f" bandwidth measured here): {1000 * floor_s:.2f} ms. Targets: 3 ms at 1 row, 6 ms at 16.",
    )
    return runner


def check_flow(report: Report, size: Size, device: torch.device) -> None:
    gpu = device.type == "cuda"
    with redirect_stdout(sys.stderr), tf32() if gpu else nullcontext():  # the page alone is for stdout
        result = flow.run(device=device, steps=size.flow_steps, batches=BATCHES, config=size.flow)
    model = filled_flow(size.flow, device)
    mels = []
    for precision in (full_float32, tf32):
        with precision() if gpu else nullcontext():
            mels.append(model.sample(flow.inputs(1, device), steps=size.flow_steps)[0])
    report.add(
        f"Flow, {size.flow_steps} steps, {flow.N_NEW} new and {flow.N_PROMPT} prompt tokens",
        table(
            ("segments", "s a segment", "x two passes of batch 1"),
            [(n, row["s_per_item"], row["ratio"]) for n, row in result["batches"].items()],
        ),
        f"TF32 moves the log mel by at most {float((mels[0] - mels[1]).abs().max()):.1e}.",
    )
    report.findings.append(gpu_rows.bf16_flow(model, device, steps=size.flow_steps))


def check_render(report: Report, size: Size, device: torch.device) -> None:
    model, hift = filled_flow(size.flow, device), filled_hift(size.hift, device)
    report.findings += [
        gpu_rows.hift_lengths(hift, size.known_length),
        gpu_rows.torchscript(size.known_length, device),
        gpu_rows.kept_memory(model, hift, size.limits, device),
        gpu_rows.growable_segments(device, os.environ),
    ]


def check_serving(report: Report, size: Size, runner: LlmRunner, levels: dict[int, int]) -> None:
    """`levels`: concurrency -> requests."""
    config = EngineConfig(flow_steps=size.flow_steps)
    serving = Serving(size, models_for(size, runner), config)
    try:
        held = torch.cuda.memory_allocated(runner.device) if runner.device.type == "cuda" else 0
        serving.measure(concurrency=1, n_requests=1)
        for level, n_requests in levels.items():
            report.loads.append(serving.measure(concurrency=level, n_requests=n_requests))
    finally:
        serving.close()
    report.memory = (
        f"A request: {size.n_segments} segments of {size.ids_per_segment} ids, in order. Targets: RTF 0.05"
        " at 1, 40 audio s/s at 16, 8 GiB."
    )
    if runner.device.type == "cuda":
        positions = config.n_slots * config.slot_length(size.llm.max_position_embeddings)
        cache = positions * KVCache.bytes_per_position(size.llm, runner.dtype)
        peak = torch.cuda.max_memory_reserved(runner.device)
        report.memory += (
            f" Memory: {held / _GIB:.2f} GiB for all weights and the cache ({config.n_slots} slots,"
            f" {cache / _GIB:.2f} GiB of it); {peak / _GIB:.2f} GiB reserved at most."
        )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("report", type=Path, nargs="?", default=Path("gpu_check.md"), metavar="REPORT.md")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--size", choices=SIZES, default="official")
    return parser.parse_args()


def main() -> int:
    args = _arguments()
    if args.device == "cuda" and not torch.cuda.is_available():
        print("No GPU: PyTorch sees none here, and these checks are about nothing else.", file=sys.stderr)
        return EXIT_NO_GPU
    device, size, report = torch.device(args.device), SIZES[args.size], Report(args.report)
    set_torch_flags(device, os.environ)
    started = time.perf_counter()
    try:
        run_tests(report, device)
        runner = check_decode(report, size, device)
        _release(device)
        check_flow(report, size, device)
        _release(device)
        check_render(report, size, device)
        _release(device)
        check_serving(report, size, runner, LEVELS[args.size])
    except Exception as error:
        report.findings.append(Finding("the check itself", "FAIL", f"{type(error).__name__}: {error}"))
        traceback.print_exc()
    report.memory += f" The whole check took {time.perf_counter() - started:.0f} s."
    report.close(device, args.size)
    return EXIT_FAILED if any(each.verdict == "FAIL" for each in report.findings) else 0


def _release(device: torch.device) -> None:
    """What one check leaves behind must not count in the next."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)


if __name__ == "__main__":
    sys.exit(main())
