"""Compares the speed of the flow's sampling with the published way, at the official sizes.

The weights are made by rule (scripts/checks/parity/fill.py). The baseline is the published way: two passes of
batch 1 in each step, with token embedding and AdaLN computed in each pass. The server's way computes both
passes in one batch and the constant parts once, with packed weights on a CPU. A GPU takes 4 or 8 segments as
one batch. A CPU renders several segments at a time as the server does, each with a share of the cores.
"""

from __future__ import annotations

import argparse
import copy
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from bench.floor import matmul_flops, synchronize
from bench.synthetic import filled_flow
from glm_tts_api.engine.config import EngineConfig
from glm_tts_api.model.flow.config import FlowConfig
from glm_tts_api.model.flow.sampler import (
    FlowInput,
    FlowMatching,
    cosine_schedule,
    n_frames,
    tokens_to_frames,
)

N_PROMPT, N_NEW = 100, 250
_BATCHES = (1, 4, 8)
_OFFICIAL = FlowConfig()


def segment(seed: int, device: torch.device) -> FlowInput:
    draw = torch.Generator().manual_seed(seed)
    return FlowInput(
        tokens=torch.randint(0, 32768, (N_NEW,), generator=draw),
        speaker=torch.randn(192, generator=draw).to(device),
        noise=draw,
        prompt_tokens=torch.randint(0, 32768, (N_PROMPT,), generator=draw),
        prompt_mel=torch.randn(2 * N_PROMPT, 80, generator=draw).mul(1.5).sub(5).to(device),
    )


@torch.inference_mode()
def published(model: FlowMatching, item: FlowInput, *, steps: int) -> Tensor:
    """Samples the mel of one segment as the published code does (docs/model.md 8.2), [1, 80, T].

    The server's sampling must give the same mel.
    """
    tokens = torch.cat([item.prompt_tokens, item.tokens])
    length = n_frames(len(tokens), model.config)
    device = item.prompt_mel.device
    frames = tokens_to_frames(tokens, length)[None].to(device)
    cond = F.pad(item.prompt_mel[None], (0, 0, 0, length - len(item.prompt_mel)))
    speaker = F.normalize(item.speaker[None], dim=-1)
    assert isinstance(item.noise, torch.Generator)
    x = torch.randn(1, length, 80, generator=item.noise).to(device)
    for t, dt in zip(*(part.to(device) for part in cosine_schedule(steps)), strict=True):
        guided = model.estimator(x, cond, frames, t=t[None], speaker=speaker)
        free = model.estimator(x, cond * 0, frames, t=t[None], speaker=speaker * 0)
        rate = model.config.cfg_rate
        x = x + dt * ((1 + rate) * guided - rate * free)
    return x[:, len(item.prompt_mel) :].transpose(1, 2)


def estimator_flops(config: FlowConfig, n_rows: int, length: int) -> float:
    """Returns the floating-point operations of one estimator call on `n_rows` rows of `length` frames.

    Counts the projections and the attention of the transformer blocks.
    """
    width, inner = config.trans_dim, config.heads * config.dim_head
    per_frame = 2 * config.depth * (4 * width * inner + 2 * config.ff_mult * width * width)
    attention = 4 * config.depth * length * inner
    return float(n_rows * length * (per_frame + attention))


def _side_by_side(model: FlowMatching, items: Sequence[FlowInput], *, steps: int) -> None:
    """Samples each segment by itself; several with as many threads at a time as the server has for
    rendering."""
    config = EngineConfig(threads=torch.get_num_threads())
    share = partial(torch.set_num_threads, config.render_threads if len(items) > 1 else config.threads)
    with ThreadPoolExecutor(config.n_renderers, initializer=share) as threads:
        list(threads.map(lambda item: model.sample(item, steps=steps), items))


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Measures the flow, and prints and returns the seconds for a segment and the ratio to the baseline.

    The error to the published mel is returned too.
    """
    device, steps = torch.device(args.device), args.steps
    model = filled_flow(_OFFICIAL, device)
    on_cpu = device.type == "cpu"
    ours = copy.deepcopy(model).pack() if on_cpu else model

    def seconds(work: Callable[[list[FlowInput]], object], n: int = 1) -> float:
        """Returns the seconds of `work` on `n` segments, for each segment."""
        items, start = [segment(seed, device) for seed in range(n)], time.perf_counter()
        work(items)
        synchronize(device)
        return (time.perf_counter() - start) / n

    baseline_s = min(seconds(lambda items: published(model, items[0], steps=steps)) for _ in range(2))
    flops = estimator_flops(model.config, 2, n_frames(N_PROMPT + N_NEW, model.config)) * steps
    floor_s = flops / matmul_flops(device, torch.float32)
    result: dict[str, Any] = {"baseline_s": baseline_s, "floor_s": floor_s, "steps": steps, "batches": {}}
    for n in _BATCHES if on_cpu else _BATCHES[:1]:
        per_item = min(seconds(partial(_side_by_side, ours, steps=steps), n) for _ in range(2))
        result["batches"][str(n)] = {"s_per_item": per_item, "ratio": baseline_s / per_item}
    wanted = published(model, segment(0, device), steps=steps)
    result["max_error"] = float((wanted - ours.sample(segment(0, device), steps=steps)).abs().max())
    half = model.pack(torch.bfloat16)
    half_s = seconds(lambda items: half.sample(*items, steps=steps))
    error = (wanted - half.sample(segment(0, device), steps=steps)).abs()
    result["bf16"] = {
        "s_per_item": half_s,
        "ratio": baseline_s / half_s,
        "mean_error": float(error.mean()),
        "max_error": float(error.max()),
    }
    _print(result)
    return result


def _print(result: dict[str, Any]) -> None:
    print(f"flow, {N_NEW} new + {N_PROMPT} prompt tokens, {result['steps']} steps, float32")
    print(
        f"baseline (two passes, batch 1): {result['baseline_s']:.2f} s; "
        f"matmul floor {result['floor_s']:.2f} s"
    )
    for n, row in result["batches"].items():
        print(
            f"ours, {n:>2} segments: {row['s_per_item']:.2f} s a segment, {row['ratio']:.2f}x the baseline, "
            f"{row['s_per_item'] / result['floor_s']:.2f}x the floor"
        )
    print(f"largest difference from the baseline's mel: {result['max_error']:.1e}")
    bf16 = result["bf16"]
    print(
        f"in bf16 (DTYPE), 1 segment: {bf16['s_per_item']:.2f} s, {bf16['ratio']:.2f}x the baseline; "
        f"log mel off by {bf16['mean_error']:.4f} in the mean, {bf16['max_error']:.2f} at most"
    )
