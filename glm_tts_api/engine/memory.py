"""Computes how many decode slots fit the machine, before they are allocated, and reports the GPU memory in
use."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import torch

from glm_tts_api.engine.config import EngineConfig
from glm_tts_api.engine.token2wav import FLOW_GRAPHS, HIFT_GRAPHS
from glm_tts_api.errors import StartupError
from glm_tts_api.model.checkpoint import Models
from glm_tts_api.model.draw_noise import noise_bytes
from glm_tts_api.model.flow import FRAMES_PER_TOKEN, FlowConfig
from glm_tts_api.model.kv_cache import KVCache
from glm_tts_api.model.vocoder import Vocoder

logger = logging.getLogger(__name__)
_SHARE = 0.9  # of the free memory; the rest is for what nobody counts, such as libraries and graphs
_FLOAT = 4
_FEWEST = 2  # slots: one for each lane
_GIB = 2**30


def fit_slots(models: Models, config: EngineConfig) -> EngineConfig:
    """The config with as many of its slots as fit beside flow and vocoder.

    Raises StartupError where they do not all fit and `fewer_slots` does not allow fewer, or where not even
    one for each lane fits.
    """
    llm = models.llm
    free = _free_bytes(llm.device, n_engines=models.n_engines)
    if free is None:
        return config
    slot_length = config.slot_length(llm.config.max_position_embeddings)
    a_slot = slot_length * KVCache.bytes_per_position(llm.config, llm.dtype)
    kept = 0
    if llm.device.type != "cpu":
        a_slot += noise_bytes(len(llm.sampled_ids))
        kept = render_bytes(models.flow.config, models.vocoders.values(), config)
    n_fit = n_slots_that_fit(free, kept=kept, a_slot=a_slot)
    if config.n_slots <= n_fit:
        return config
    if config.fewer_slots and n_fit >= _FEWEST:
        logger.warning(why_fewer(config.n_slots, n_fit))
        return replace(config, n_slots=n_fit)
    needed = (
        f"{config.n_slots} requests at once need {config.n_slots * a_slot / _GIB:.1f} GiB for the decoder's"
        f" cache ({slot_length} positions each) and {free / _GIB:.1f} GiB are free"
    )
    kept_for = f", {kept / _GIB:.1f} of them kept for flow and vocoder" if kept else ""
    n_engines = models.n_engines if kept else 1  # a CPU's memory is not divided
    shared = f" for each of the {n_engines} engines (WORKERS) on it" if n_engines > 1 else ""
    advice = (
        f"SHORT_TEXT_CONCURRENCY + LONG_TEXT_CONCURRENCY can be at most {n_fit}"
        if n_fit >= _FEWEST
        else "end what else holds the memory, or choose another DEVICE"
    )
    raise StartupError(f"{needed}{shared}{kept_for}: {advice}")


def why_fewer(n_asked: int, n_slots: int) -> str:
    """A sentence for the log and for /api/v1/health."""
    return (
        f"The memory holds {n_slots} requests at once, not {n_asked}: the lanes have fewer places."
        f" SHORT_TEXT_CONCURRENCY + LONG_TEXT_CONCURRENCY of at most {n_slots} says that this is meant."
    )


def n_slots_that_fit(free: int, *, kept: int, a_slot: int) -> int:
    """Slots of `a_slot` bytes in the share of `free` that may be taken, less what is `kept` for others."""
    return max(0, int(_SHARE * free - kept) // a_slot)


def share_of_a_gpu(free: int, *, total: int, held: int, n_engines: int) -> int:
    """The bytes of a GPU's `free` memory that one of the `n_engines` on it may count as its own: those that
    it has `held` since its start belong to its equal part of the `total`. The engines load at the same time,
    so what is free now is free for each of them."""
    return max(0, min(free, total // n_engines - held))


def render_bytes(flow: FlowConfig, vocoders: Iterable[Vocoder], config: EngineConfig) -> int:
    """Bytes of flow and vocoder on a GPU: their graphs, which keep their memory, and the longest segment
    through both."""
    longest = FRAMES_PER_TOKEN * config.longest_segment
    with_prompt = longest + FRAMES_PER_TOKEN * config.longest_prompt
    # All graphs share the largest one's memory between kernels; each has its inputs and outputs.
    graphs = 2 * flow_bytes(flow, n_rows=1, n_frames=FLOW_GRAPHS[-1])
    alone = flow_bytes(flow, n_rows=1, n_frames=with_prompt)
    lengths = longest, HIFT_GRAPHS[-1]
    spoken = max(sum(vocoder.call_bytes(n_frames=length) for length in lengths) for vocoder in vocoders)
    return graphs + alone + spoken


def flow_bytes(config: FlowConfig, *, n_rows: int, n_frames: int) -> int:
    """A flow step, both passes of the guidance: at least what it was measured to take, at most twice that."""
    floats = (6 + 2 * config.ff_mult) * config.trans_dim + 4 * config.text_emb_dim
    return 2 * n_rows * n_frames * floats * _FLOAT


def gpu_bytes(device: torch.device) -> tuple[int, int] | None:
    """The memory of a GPU that anyone uses, and all of it. None without one, or if it no longer answers."""
    if device.type != "cuda":
        return None
    try:
        free, total = torch.cuda.mem_get_info(device)
    except RuntimeError:
        return None
    return total - free, total


def _free_bytes(device: torch.device, *, n_engines: int) -> int | None:
    """Memory that could be had now; None where the system does not say."""
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        held = torch.cuda.memory_reserved(device)
        return share_of_a_gpu(free, total=total, held=held, n_engines=n_engines)
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    fields = dict(line.split(":", 1) for line in lines)
    return int(fields["MemAvailable"].split()[0]) * 1024 if "MemAvailable" in fields else None
