"""Whether the decode slots fit the machine, told before they are allocated."""

from __future__ import annotations

from pathlib import Path

import torch

from glm_tts_api.errors import StartupError
from glm_tts_api.model.kv_cache import KVCache
from glm_tts_api.model.llm_runner import LlmRunner

_SHARE = 0.9  # of the free memory; the rest is for activations
_GIB = 2**30


def check_slots_fit(llm: LlmRunner, *, n_slots: int, slot_length: int) -> None:
    """Raises StartupError, naming the number of slots that would fit."""
    free = _free_bytes(llm.device)
    a_slot = slot_length * KVCache.bytes_per_position(llm.config, llm.dtype)
    if free is None or n_slots * a_slot <= _SHARE * free:
        return
    raise StartupError(
        f"{n_slots} requests at once need {n_slots * a_slot / _GIB:.1f} GiB for the decoder's cache"
        f" ({slot_length} positions each) and {free / _GIB:.1f} GiB are free:"
        f" SHORT_TEXT_CONCURRENCY + LONG_TEXT_CONCURRENCY can be at most {int(_SHARE * free // a_slot)}"
    )


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
