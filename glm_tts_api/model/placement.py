"""Chooses the device and the precision of the models, from the settings and the machine."""

from __future__ import annotations

import platform
from dataclasses import dataclass

import torch

from glm_tts_api.contracts import Dtype
from glm_tts_api.errors import StartupError
from glm_tts_api.model.gpus import n_gpus, why_no_gpu
from glm_tts_api.model.linear import has_amx_units

_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}
_CPU = torch.device("cpu")
_IS_X86 = platform.machine() == "x86_64"  # the units of other CPUs are not known here
_CACHED_WEIGHTS = 50_000_000  # fewer weights than this stay in a CPU's caches


@dataclass(frozen=True, slots=True)
class Precision:
    """The precision of the LLM: its dtype, and whether its products use 8-bit weights."""

    dtype: torch.dtype
    int8: bool = False


def choose_device(device: str, *, nth: int = 0) -> torch.device:
    """Returns the device for the setting `device`, which is auto, cpu, cuda or cuda:N. auto, and cuda without
    a number, take the GPU with the number `nth` modulo the number of GPUs. auto takes the CPU if there is no
    GPU.

    Raises StartupError if the GPU is not there.
    """
    return _choose_device(device, n_gpus(), nth)


def n_sharing(device: torch.device, asked: str, *, n_engines: int) -> int:
    """Returns how many of a server's `n_engines` engines run on `device`. `asked` is the setting from which
    choose_device has chosen the device."""
    if device.type != "cuda" or ":" in asked:
        return n_engines
    return len(range(device.index, n_engines, n_gpus()))


def placement_warnings(device: str, *, dtype: Dtype) -> list[str]:
    """Returns warnings about the settings DEVICE and DTYPE on this machine, for the person who starts the
    server."""
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
    """Returns the precision of an LLM with `n_weights` weights on `device`. `dtype` is the setting DTYPE.

    "auto" takes bf16 on a GPU with units for bfloat16. "auto" also takes bf16 on a CPU with such units, if
    the LLM has more than 50 million weights: reading these from memory then takes most of the time. Otherwise
    "auto" takes fp32. The choice follows fixed rules and no measurement, so that a seed gives the same audio
    after each start. "int8" takes 8-bit weights, with float32 between the products.

    Raises StartupError for "int8" on a GPU, and for "bf16" on a GPU without units for bfloat16.
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


def flow_in_bf16(dtype: Dtype) -> bool:
    """Returns whether the flow computes its products in bfloat16 with the setting `dtype`. The result is True
    for "bf16", and for "int8" on a CPU that has units for bfloat16."""
    return dtype == "bf16" or (dtype == "int8" and has_bf16_units())


def has_bf16_units(device: torch.device = _CPU) -> bool:
    """Returns whether the device has units for bfloat16. A CPU's units count only if PyTorch may use AVX-512
    (ATEN_CPU_CAPABILITY), which they need."""
    if device.type == "cuda":
        with torch.cuda.device(device):
            return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capability: str = torch.backends.cpu.get_cpu_capability()
    return "AVX512" in capability and bool(torch.cpu._is_avx512_bf16_supported() or has_amx_units())


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
