"""Computes how many decode rows fit the machine, before they are allocated, and reports the GPU memory in
use."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace

import psutil
import torch

from glm_tts_api.engine.config import EngineConfig
from glm_tts_api.engine.decode_batcher import MOST_BYTES
from glm_tts_api.errors import StartupError
from glm_tts_api.model.buckets import FLOW_GRAPHS, HIFT_GRAPHS
from glm_tts_api.model.checkpoint import Models
from glm_tts_api.model.cuda_decode import prompt_bytes
from glm_tts_api.model.flow import FRAMES_PER_TOKEN, FlowConfig
from glm_tts_api.model.kv_cache import KVCache
from glm_tts_api.model.static_draw import noise_bytes
from glm_tts_api.model.vocoder import Vocoder

logger = logging.getLogger(__name__)
_SHARE = 0.9  # part of the free memory that may be used; the rest is for libraries and other uncounted things
_FLOAT = 4  # bytes
_FEWEST = 2  # rows: one for short texts and one for long texts
_GIB = 2**30


def fit_rows(models: Models, config: EngineConfig) -> EngineConfig:
    """Returns `config`, with fewer decode rows (`n_rows`) if the free memory does not hold all of them. On
    a GPU the memory for the other stages is taken off first, and 1 GiB stays free.

    If not all rows fit, `config.fewer_rows` must allow fewer, and at least two rows must fit (one for
    short texts and one for long texts). Raises StartupError otherwise.
    """
    llm, config = models.llm, config.on(models.llm.device.type)
    free = _free_bytes(llm.device, n_engines=models.n_engines)
    slot_length = config.slot_length(llm.config.max_position_embeddings)
    a_row = slot_length * KVCache.bytes_per_position(llm.config, llm.dtype)
    kept, usable = 0, int(_SHARE * free)
    if llm.device.type != "cpu":
        a_row, usable = a_row + noise_bytes(len(llm.sampled_ids)), min(usable, free - _GIB)
        kept = render_bytes(models.flow.config, models.vocoders.values(), config)
        kept += MOST_BYTES + prompt_bytes(llm.config, llm.dtype)
    n_fit = max(0, usable - kept) // a_row
    if config.n_rows <= n_fit:
        return config
    if config.fewer_rows and n_fit >= _FEWEST:
        logger.warning(why_fewer(config.n_rows, n_fit))
        return replace(config, n_rows=n_fit)
    needed = (
        f"{config.n_rows} requests at once need {config.n_rows * a_row / _GIB:.1f} GiB for the decoder's"
        f" cache ({slot_length} positions each) and {free / _GIB:.1f} GiB are free"
    )
    kept_for = f", {kept / _GIB:.1f} of them kept for flow and vocoder" if kept else ""
    n_engines = models.n_engines if kept else 1  # the memory of a CPU is not divided among the engines
    shared = f" for each of the {n_engines} engines (WORKERS) on it" if n_engines > 1 else ""
    advice = (
        f"SHORT_TEXT_CONCURRENCY + LONG_TEXT_CONCURRENCY can be at most {n_fit}"
        if n_fit >= _FEWEST
        else "end what else holds the memory, or choose another DEVICE"
    )
    raise StartupError(f"{needed}{shared}{kept_for}: {advice}")


def why_fewer(n_asked: int, n_rows: int) -> str:
    """Returns the warning that the memory holds only `n_rows` of `n_asked` rows, for the log and for
    /api/v1/health."""
    return (
        f"The memory holds {n_rows} requests at once, not {n_asked}: the lanes have fewer places."
        f" SHORT_TEXT_CONCURRENCY + LONG_TEXT_CONCURRENCY of at most {n_rows} says that this is meant."
    )


def share_of_a_gpu(free: int, *, total: int, held: int, n_engines: int) -> int:
    """Returns how many bytes of a GPU's `free` memory one of its `n_engines` engines may use. Each engine may
    use an equal part of the `total`; the bytes that the engine already has (`held`) count towards that part.
    The engines load at the same time, so each of them sees the same free memory."""
    return max(0, min(free, total // n_engines - held))


def render_bytes(flow: FlowConfig, vocoders: Iterable[Vocoder], config: EngineConfig) -> int:
    """Estimates the bytes that flow and vocoder need on a GPU: for their CUDA graphs, which share all memory
    but their outputs, and for rendering the longest segment."""
    graphs = 2 * flow_bytes(flow, n_frames=FLOW_GRAPHS[-1])
    alone = flow_bytes(flow, n_frames=FRAMES_PER_TOKEN * (config.longest_segment + config.longest_prompt))
    return graphs + alone + max(vocoder.call_bytes(n_frames=HIFT_GRAPHS[-1]) for vocoder in vocoders)


def flow_bytes(config: FlowConfig, *, n_frames: int) -> int:
    """Estimates the bytes that one flow step takes for `n_frames` mel frames, in both passes of the
    guidance. The result is at least the measured value, and at most twice that value."""
    floats = (6 + 2 * config.ff_mult) * config.trans_dim + 4 * config.text_emb_dim
    return 2 * n_frames * floats * _FLOAT


def gpu_bytes(device: torch.device) -> tuple[int, int] | None:
    """Returns two numbers of bytes: the GPU memory that all processes together use, and the GPU's total
    memory. None if `device` is a CPU or the GPU no longer answers."""
    if device.type != "cuda":
        return None
    try:
        free, total = torch.cuda.mem_get_info(device)
    except RuntimeError:
        return None
    return total - free, total


def _free_bytes(device: torch.device, *, n_engines: int) -> int:
    """Returns the bytes that this engine could allocate on the device now."""
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        held = torch.cuda.memory_reserved(device)
        return share_of_a_gpu(free, total=total, held=held, n_engines=n_engines)
    return int(psutil.virtual_memory().available)
