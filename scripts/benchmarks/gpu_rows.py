"""What a GPU was feared to do, looked for on a real one. Each limit is far below what was feared."""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from functools import partial

import torch
from torch import Tensor, nn

from glm_tts_api.engine.config import EngineConfig
from glm_tts_api.engine.memory import TYPICAL_FRAMES, flow_bytes, render_bytes
from glm_tts_api.engine.precision import tf32
from glm_tts_api.engine.torch_flags import ALLOCATOR_VARIABLES
from glm_tts_api.model.flow import FlowInput, FlowMatching
from glm_tts_api.model.kv_cache import KVCache
from glm_tts_api.model.llm_runner import LlmRunner
from glm_tts_api.model.vocoder import HiFT
from scripts.benchmarks import flow
from scripts.benchmarks.gpu_page import Finding, found

_MS, _MIB = 1000.0, 2**20


def new_lengths(
    what: str, work: Callable[[int], object], known: int, *, limit_ms: float, device: torch.device
) -> Finding:
    """Whether the first call at a length somewhat below a `known` one takes longer than the second."""
    work(known)
    first, again = [], []
    for length in range(known - 62, known, 9):
        first.append(_seconds(partial(work, length), device))
        again.append(_seconds(partial(work, length), device))
    once, twice = statistics.median(first) * _MS, statistics.median(again) * _MS
    seen = f"{once:.1f} ms at a length not seen before, {twice:.1f} ms again"
    return found(what, once - twice < limit_ms, seen, device=device)


def attention(runner: LlmRunner, cache: KVCache, known: int) -> Finding:
    def read(length: int) -> Tensor:
        return runner.prefill(torch.arange(length), cache=cache, slot=0)

    return new_lengths("A: a prompt of a new length", read, known, limit_ms=10, device=runner.device)


def hift_lengths(hift: HiFT, known: int) -> Finding:
    device = hift.window.device

    def speak(length: int) -> Tensor:
        mel = torch.full((1, 80, length), -5.0, device=device)
        wave: Tensor = hift(mel, noise=0)
        return wave

    return new_lengths("C: HiFT at a new length", speak, known, limit_ms=20, device=device)


class _Pointwise(nn.Module):
    """What a fuser would make kernels of, as in Vocos2D: between two products."""

    def __init__(self) -> None:
        super().__init__()
        self.up, self.down = nn.Linear(80, 512), nn.Linear(512, 640)

    def forward(self, frames: Tensor) -> Tensor:
        y = self.up(frames)
        return torch.tanh(self.down(y * torch.sigmoid(y) + torch.sin(y) * 0.5)).flatten(1)


def torchscript(known: int, device: torch.device) -> Finding:
    module = torch.jit.script(_Pointwise().eval().to(device))
    return new_lengths(
        "D: TorchScript at a new length",
        lambda length: module(torch.ones(1, length, 80, device=device)),
        known,
        limit_ms=20,
        device=device,
    )


def bf16_flow(model: FlowMatching, device: torch.device, *, steps: int) -> Finding:
    """Against TF32, which has the same products and need not cast either."""
    halved = copy.deepcopy(model).pack(torch.bfloat16)
    seconds = []
    for flows, precision in ((model, tf32 if device.type == "cuda" else nullcontext), (halved, nullcontext)):
        with precision():
            flows.sample(flow.inputs(1, device), steps=steps)
            work = [
                _seconds(lambda: flows.sample(flow.inputs(1, device), steps=steps), device)  # noqa: B023
                for _ in range(3)
            ]
        seconds.append(min(work))
    seen = f"{seconds[1] * _MS:.0f} ms a segment, {seconds[0] * _MS:.0f} ms in TF32"
    return found("E: DTYPE=bf16 is no slower", seconds[1] < 1.1 * seconds[0], seen, device=device)


@torch.inference_mode()
def kept_memory(model: FlowMatching, hift: HiFT, config: EngineConfig, device: torch.device) -> Finding:
    """What a full batch, the longest segment and its vocoder call really take, against what is kept."""
    n_rows, typical = config.rows_of_a_flow_batch("cuda"), TYPICAL_FRAMES // 2
    longest = config.longest_prompt + config.longest_segment
    frames = 2 * config.longest_segment
    mel = torch.full((1, 80, frames), -5.0, device=device)
    taken = {
        f"{n_rows} segments": (
            _peak(lambda: _step(model, [typical] * n_rows, device), device),
            flow_bytes(model.config, n_rows=n_rows, n_frames=2 * typical),
        ),
        "the longest segment": (
            _peak(lambda: _step(model, [longest], device), device),
            flow_bytes(model.config, n_rows=1, n_frames=2 * longest),
        ),
        "its vocoder": (
            _peak(lambda: hift(mel, noise=0), device),
            hift.call_bytes(n_frames=frames),
        ),
    }
    kept = render_bytes(model.config, [hift], config)
    return found(
        "G: flow and vocoder take what is kept for them",
        all(peak <= limit for peak, limit in taken.values()),
        ", ".join(f"{name} {p / _MIB:.0f} of {limit / _MIB:.0f} MiB" for name, (p, limit) in taken.items())
        + f"; {kept / _MIB:.0f} MiB kept",
        device=device,
    )


def growable_segments(device: torch.device, environ: Mapping[str, str]) -> Finding:
    asked = next((environ[name] for name in ALLOCATOR_VARIABLES if environ.get(name)), "nothing")
    segments = torch.cuda.memory_snapshot() if device.type == "cuda" else []
    n_growable = sum(bool(segment.get("is_expandable")) for segment in segments)
    return found(
        "G: the allocator's segments can grow",
        n_growable > 0 or "expandable_segments:True" not in asked,
        f"{n_growable} of {len(segments)}; asked for: {asked}",
        device=device,
    )


def _step(model: FlowMatching, lengths: Sequence[int], device: torch.device) -> None:
    """One Euler step over segments of so many tokens."""
    segments = [
        FlowInput(
            tokens=torch.zeros(length, dtype=torch.int64),
            speaker=torch.ones(192),
            noise=0,
        )
        for length in lengths
    ]
    with tf32() if device.type == "cuda" else nullcontext():
        model.sampler(segments, steps=1).step()


def _seconds(work: Callable[[], object], device: torch.device) -> float:
    started = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - started


def _peak(work: Callable[[], object], device: torch.device) -> int:
    """Bytes beyond what was there, libraries' own excepted; 0 on a CPU, where nobody counts."""
    work()
    if device.type == "cpu":
        return 0
    torch.cuda.synchronize(device)
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats(device)
    before = torch.cuda.memory_allocated(device)
    work()
    torch.cuda.synchronize(device)
    return torch.cuda.max_memory_allocated(device) - before
