"""Checks on a real GPU for costs that were feared, such as slow calls at new lengths.

The limit of each cost is far below the feared cost.
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from bench.gpu_models import Bench
from bench.gpu_render import rendering
from bench.gpu_timing import MIB, MS, peak, seconds
from glm_tts_api.engine.memory import render_bytes
from glm_tts_api.engine.torch_flags import ALLOCATOR_VARIABLES
from glm_tts_api.model.flow import FRAMES_PER_TOKEN
from glm_tts_api.model.kv_cache import KVCache

Measured = dict[str, float | str]


def _new_lengths(work: Callable[[int], object], known: int, device: torch.device) -> Measured:
    """Calls `work` twice with each of several new lengths a little below `known`, which is called before.

    Returns the median ms of the first calls, of the second calls, and their difference.
    """
    work(known)
    first, again = [], []
    for length in range(known - 7, known, 2):
        first.append(MS * seconds(partial(work, length), device))
        again.append(MS * seconds(partial(work, length), device))
    once, twice = statistics.median(first), statistics.median(again)
    return {"first": once, "again": twice, "more": once - twice}


@torch.inference_mode()
def new_prompts(bench: Bench) -> Measured:
    known = bench.size.prompts[2]
    cache = KVCache(bench.size.llm, slots=1, slot_length=known, dtype=bench.runner.dtype, device=bench.device)

    def read(length: int) -> Tensor:
        return bench.runner.prefill(torch.arange(length), cache=cache, slot=0)

    return _new_lengths(read, known, bench.device)


class _Pointwise(nn.Module):
    """A module with pointwise operations between two products, as in Vocos2D. TorchScript may fuse them."""

    def __init__(self) -> None:
        super().__init__()
        self.up, self.down = nn.Linear(80, 512), nn.Linear(512, 640)

    def forward(self, frames: Tensor) -> Tensor:
        y = self.up(frames)
        return torch.tanh(self.down(y * torch.sigmoid(y) + torch.sin(y) * 0.5)).flatten(1)


def torchscript(bench: Bench) -> Measured:
    module = torch.jit.script(_Pointwise().eval().to(bench.device))
    return _new_lengths(
        lambda length: module(torch.ones(1, length, 80, device=bench.device)), 960, bench.device
    )


def kept_memory(bench: Bench) -> Measured:
    """Compares the memory that flow and vocoder use with the memory that the engine reserves for them.

    The use is that of the CUDA graphs and of the longest segment. Returns MiB, and the used share.
    """
    render, config = rendering(bench), bench.config
    longest = FRAMES_PER_TOKEN * (config.longest_prompt + config.longest_segment)
    taken = {
        "graphs": render.graph_bytes,
        "the longest": peak(lambda: render.flow_ms(longest), bench.device),
    }
    kept = render_bytes(render.models.flow.config, render.models.vocoders.values(), config)
    figures: Measured = {f"{what}, MiB": held / MIB for what, held in taken.items()}
    return {**figures, "kept, MiB": kept / MIB, "share": sum(taken.values()) / kept}


def growable_segments(bench: Bench) -> Measured:
    asked = next((os.environ[name] for name in ALLOCATOR_VARIABLES if os.environ.get(name)), "nothing")
    segments = torch.cuda.memory_snapshot() if bench.device.type == "cuda" else []
    n_growable = sum(bool(segment.get("is_expandable")) for segment in segments)
    as_asked = n_growable > 0 or "expandable_segments:True" not in asked
    return {
        "as asked": "yes" if as_asked else "no",
        "growable": f"{n_growable} of {len(segments)}",
        "asked": asked,
    }
