"""All GPU tests and benchmarks in one run of minutes; the figures go to a Markdown file as they come.

    python scripts/benchmarks/gpu_check.py [REPORT.md] [--device cuda|cpu] [--size official|mini]

Called by scripts/gpu_check.sh. `--device cpu --size mini` runs the same code where there is no GPU: the tests
are skipped then, and the figures mean nothing.
"""

from __future__ import annotations

import argparse
import gc
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from glm_tts_api.engine.config import EngineConfig
from glm_tts_api.engine.precision import full_float32, tf32
from glm_tts_api.model.cuda_decode import CudaDecodeStep
from glm_tts_api.model.kv_cache import KVCache
from glm_tts_api.model.llm_runner import LlmRunner
from scripts.benchmarks import flow
from scripts.benchmarks.decode import baseline_tps, n_weights, prefilled, step_s
from scripts.benchmarks.floor import bandwidth
from scripts.benchmarks.gpu_models import SIZES, Size, models_for, runner_for
from scripts.benchmarks.gpu_serving import Serving
from scripts.benchmarks.synthetic import filled_flow, filled_llm

ROOT = Path(__file__).resolve().parents[2]
EXIT_FAILED, EXIT_NO_GPU = 1, 2
ROWS = (1, 4, 8, 16)
BATCHES = (1, 4, 8)
_GIB = 2**30


class Report:
    """A Markdown file that grows table by table, so that what was measured stays if the rest fails."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.write_text("# GPU check\n", encoding="utf-8")

    def add(self, text: str) -> None:
        print(text, flush=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(f"\n{text}\n")

    def table(self, title: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        lines = [header, ["---"] * len(header), *([_cell(value) for value in row] for row in rows)]
        self.add("\n".join([f"## {title}", "", *(f"| {' | '.join(line)} |" for line in lines)]))


def _cell(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def run_tests(report: Report) -> bool:
    """Every test marked gpu in the files that a machine without the service's libraries can import."""
    rooms = (ROOT / "tests/model", ROOT / "tests/engine")
    files = [
        path for room in rooms for path in sorted(room.glob("test_*.py")) if "mark.gpu" in path.read_text()
    ]
    command = [sys.executable, "-m", "pytest", "-m", "gpu", "-p", "no:cacheprovider", *map(str, files)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    print(done.stdout, done.stderr, flush=True)
    passed = done.returncode == 0
    summary = "".join(done.stdout.strip().splitlines()[-1:])
    report.add(f"## Tests\n\n{'passed' if passed else 'FAILED'}: {summary}")
    return passed


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
    floor_s = n_weights(size.llm, len(runner.sampled_ids)) * runner.dtype.itemsize / bandwidth(device)
    steps = {n_rows: step_s(runner, decode, n_rows, size.decode_steps) for n_rows in ROWS}
    report.table(
        "Decode step",
        ("rows", "ms a step", "tokens/s", "x the published loop", "x the floor"),
        [(n, 1000 * s, n / s, n / s / baseline, s / floor_s) for n, s in steps.items()],
    )
    report.add(
        f"Published loop (float32, 1 row): {baseline:.1f} tokens/s. Floor (weights read once, at the"
        f" bandwidth measured here): {1000 * floor_s:.2f} ms. Targets: 3 ms at 1 row, 6 ms at 16. The graphs"
        f" were made in {made_s:.1f} s."
    )
    return runner


def check_flow(report: Report, size: Size, device: torch.device) -> None:
    gpu = device.type == "cuda"
    with tf32() if gpu else nullcontext():
        result = flow.run(device=device, steps=size.flow_steps, batches=BATCHES, config=size.flow)
    report.table(
        f"Flow, {size.flow_steps} steps, {flow.N_NEW} new and {flow.N_PROMPT} prompt tokens",
        ("segments", "s a segment", "x two passes of batch 1"),
        [(n, row["s_per_item"], row["ratio"]) for n, row in result["batches"].items()],
    )
    model = filled_flow(size.flow, device)
    mels = []
    for precision in (full_float32, tf32):
        with precision() if gpu else nullcontext():
            mels.append(model.sample(flow.inputs(1, device), steps=size.flow_steps)[0])
    report.add(f"TF32 moves the log mel by at most {float((mels[0] - mels[1]).abs().max()):.1e}.")


def check_serving(report: Report, size: Size, runner: LlmRunner, levels: dict[int, int]) -> None:
    """`levels`: concurrency -> requests."""
    config = EngineConfig(flow_steps=size.flow_steps)
    serving = Serving(size, models_for(size, runner), config)
    try:
        held = torch.cuda.memory_allocated(runner.device) if runner.device.type == "cuda" else 0
        serving.measure(concurrency=1, n_requests=1)
        loads = [serving.measure(concurrency=n, n_requests=levels[n]) for n in levels]
    finally:
        serving.close()
    report.table(
        f"End to end: {size.n_segments} segments of {size.ids_per_segment} ids each, in order",
        ("concurrency", "requests", "RTF p95", "audio s/s", "latency p50 s", "first audio p95 s"),
        [
            (load.concurrency, load.n_requests, load.rtf_p95, load.audio_s_per_s, load.latency_p50,
             load.first_audio_p95)
            for load in loads
        ],
    )  # fmt: skip
    report.add("Targets: RTF 0.08 at concurrency 1, 40 audio s/s at 16.")
    if runner.device.type == "cuda":
        positions = config.n_slots * config.slot_length(size.llm.max_position_embeddings)
        cache = positions * KVCache.bytes_per_position(size.llm, runner.dtype)
        peak = torch.cuda.max_memory_reserved(runner.device)
        report.add(
            f"Memory: {held / _GIB:.2f} GiB for all weights and the cache ({config.n_slots} slots,"
            f" {cache / _GIB:.2f} GiB of it); {peak / _GIB:.2f} GiB reserved at most. Target: 8 GiB."
        )


def _describe(device: torch.device) -> str:
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    return f"{name}, PyTorch {torch.__version__}, CUDA {torch.version.cuda}"


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
    report.add(f"{_describe(device)}; sizes: {args.size}.")
    passed = run_tests(report)
    started = time.perf_counter()
    runner = check_decode(report, size, device)
    _release(device)
    check_flow(report, size, device)
    _release(device)
    check_serving(report, size, runner, {1: 3, 16: 48} if args.size == "official" else {1: 1, 16: 3})
    report.add(f"The benchmarks took {time.perf_counter() - started:.0f} s.")
    return 0 if passed else EXIT_FAILED


def _release(device: torch.device) -> None:
    """What one check leaves behind must not count in the next."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)


if __name__ == "__main__":
    sys.exit(main())
