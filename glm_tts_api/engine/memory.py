"""Whether the decode slots fit the machine, told before they are allocated; what of a GPU is in use."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import torch

from glm_tts_api.engine.config import EngineConfig
from glm_tts_api.errors import StartupError
from glm_tts_api.model.checkpoint import Models
from glm_tts_api.model.flow import FlowConfig
from glm_tts_api.model.kv_cache import KVCache
from glm_tts_api.model.vocoder import Vocoder

_SHARE = 0.9  # of the free memory; the rest is for what nobody counts, such as libraries and graphs
TYPICAL_FRAMES = 1000  # ten seconds of prompt and ten of speech
_FRAMES_PER_TOKEN = 2
_FLOAT = 4
_GIB = 2**30


def check_slots_fit(models: Models, config: EngineConfig, *, slot_length: int) -> None:
    """Raises StartupError, naming the number of slots that would fit beside flow and vocoder."""
    llm = models.llm
    free = _free_bytes(llm.device)
    if free is None:
        return
    a_slot = slot_length * KVCache.bytes_per_position(llm.config, llm.dtype)
    vocoders = models.vocoders.values()
    kept = 0 if llm.device.type == "cpu" else render_bytes(models.flow.config, vocoders, config)
    n_fit = n_slots_that_fit(free, kept=kept, a_slot=a_slot)
    if config.n_slots <= n_fit:
        return
    needed = (
        f"{config.n_slots} requests at once need {config.n_slots * a_slot / _GIB:.1f} GiB for the decoder's"
        f" cache ({slot_length} positions each) and {free / _GIB:.1f} GiB are free"
    )
    kept_for = f", {kept / _GIB:.1f} of them kept for flow and vocoder" if kept else ""
    advice = (
        f"SHORT_TEXT_CONCURRENCY + LONG_TEXT_CONCURRENCY can be at most {n_fit}"
        if n_fit > 1
        else "end what else holds the memory, or choose another DEVICE"
    )
    raise StartupError(f"{needed}{kept_for}: {advice}")


def n_slots_that_fit(free: int, *, kept: int, a_slot: int) -> int:
    """Slots of `a_slot` bytes in the share of `free` that may be taken, less what is `kept` for others."""
    return max(0, int(_SHARE * free - kept) // a_slot)


def render_bytes(flow: FlowConfig, vocoders: Iterable[Vocoder], config: EngineConfig) -> int:
    """What flow and vocoder hold on a GPU: a full batch of common segments or one of the longest, whichever
    is more (a batch that does not fit is divided), and the longest through a vocoder."""
    longest = _FRAMES_PER_TOKEN * config.longest_segment
    with_prompt = longest + _FRAMES_PER_TOKEN * config.longest_prompt
    batch = flow_bytes(flow, n_rows=config.rows_of_a_flow_batch("cuda"), n_frames=TYPICAL_FRAMES)
    alone = flow_bytes(flow, n_rows=1, n_frames=with_prompt)
    return max(batch, alone) + max(vocoder.call_bytes(n_frames=longest) for vocoder in vocoders)


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


def _free_bytes(device: torch.device) -> int | None:
    """Memory that could be had now; None where the system does not say."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    fields = dict(line.split(":", 1) for line in lines)
    return int(fields["MemAvailable"].split()[0]) * 1024 if "MemAvailable" in fields else None
