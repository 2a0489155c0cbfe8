"""Where the model runs and how precisely, from what the settings ask for and what the machine has."""

from __future__ import annotations

import platform
from dataclasses import dataclass

import torch

from glm_tts_api.contracts import Dtype
from glm_tts_api.errors import StartupError
from glm_tts_api.model.gpus import n_gpus, why_no_gpu

_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}
_CPU = torch.device("cpu")
_IS_X86 = platform.machine() == "x86_64"  # of other CPUs' units nothing is known here
_CACHED_WEIGHTS = 50_000_000  # fewer than these are held by a CPU's caches rather than read from memory


@dataclass(frozen=True, slots=True)
class Precision:
    """How the LLM computes: its dtype, and whether its products read 8-bit weights."""

    dtype: torch.dtype
    int8: bool = False


def choose_device(device: str, *, nth: int = 0) -> torch.device:
    """`device`: auto, cpu, cuda or cuda:N. auto, and cuda without a number, take GPU `nth` modulo the number
    of GPUs; auto takes the CPU where there is none.

    Raises StartupError if the GPU asked for is not there.
    """
    return _choose_device(device, n_gpus(), nth)


def n_sharing(device: torch.device, asked: str, *, n_engines: int) -> int:
    """The number of a server's engines on `device`, which choose_device has found for one of them from
    `asked`."""
    if device.type != "cuda" or ":" in asked:
        return n_engines
    return len(range(device.index, n_engines, n_gpus()))


def placement_warnings(device: str, *, dtype: Dtype) -> list[str]:
    """Warnings about DEVICE and DTYPE on this machine, for the person who starts the server."""
    warnings = []
    reason = why_no_gpu() if device == "auto" and n_gpus() == 0 else None
    if reason:
        warnings.append(f"DEVICE=auto takes the CPU: {reason}. DEVICE=cpu says that this is meant.")
    if dtype == "bf16" and choose_device(device).type == "cpu" and _IS_X86 and not has_bf16_units():
        warnings.append(
            "DTYPE=bf16 is several times slower than fp32 on this CPU, which has no units for bfloat16 "
            "(avx512_bf16 or amx_bf16): set DTYPE=auto."
        )
    return warnings


def choose_precision(device: torch.device, *, n_weights: int, dtype: Dtype) -> Precision:
    """auto is bf16 on a GPU with bf16 units, and on a CPU with such units for an LLM of so many weights that
    reading them is what takes the time; fp32 otherwise. A table rather than a measurement: a seed gives the
    same sound after every start. int8 is 8-bit weights, and float32 for all else.

    Raises StartupError for 8-bit weights on a GPU, and for bf16 on one without units for it.
    """
    if dtype == "int8":
        if device.type != "cpu":
            raise StartupError(f"DTYPE='int8' is for the CPU, and this runs on {device}: set DTYPE=auto")
        return Precision(torch.float32, int8=True)
    if dtype == "auto":
        reads_memory = device.type == "cuda" or n_weights > _CACHED_WEIGHTS
        dtype = "bf16" if reads_memory and has_bf16_units(device) else "fp32"
    elif dtype == "bf16" and device.type == "cuda" and not has_bf16_units(device):
        raise StartupError(
            f"DTYPE='bf16': {torch.cuda.get_device_name(device)} has no units for bfloat16, which GPUs have"
            " from Ampere on: set DTYPE=auto, which takes fp32 there"
        )
    return Precision(_DTYPES[dtype])


def has_bf16_units(device: torch.device = _CPU) -> bool:
    """Whether a GPU has them; or the CPU, and PyTorch may use AVX-512, which they need
    (ATEN_CPU_CAPABILITY)."""
    if device.type == "cuda":
        with torch.cuda.device(device):
            return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capability: str = torch.backends.cpu.get_cpu_capability()
    return "AVX512" in capability and bool(
        torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    )


def _choose_device(device: str, n: int, nth: int) -> torch.device:
    if device == "cpu" or (device == "auto" and n == 0):
        return torch.device("cpu")
    _, _, number = device.partition(":")
    index = int(number) if number else nth % max(n, 1)
    if index >= n:
        raise StartupError(f"DEVICE='{device}': {_what_is_there(n)}; DEVICE=auto takes what is there")
    return torch.device("cuda", index)


def _what_is_there(n: int) -> str:
    if n:
        return f"PyTorch sees {n} GPUs here"
    reason = why_no_gpu()
    return f"PyTorch sees no GPU here ({reason})" if reason else "PyTorch sees no GPU here"
