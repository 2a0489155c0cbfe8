"""Chooses the device and the precision of the models, from the settings and the machine. Says why PyTorch
can use no GPU, and whether it has the private operators that this package calls."""

from __future__ import annotations

import platform
import re
import warnings
from pathlib import Path
from typing import NamedTuple

import torch

from glm_tts_api.contracts import Dtype
from glm_tts_api.errors import StartupError
from glm_tts_api.model.linear import Fp8Linear, Int8Linear, MakeLinear, PackedLinear, has_amx_units

_CPU = torch.device("cpu")
_8_BITS: dict[Dtype, MakeLinear] = {"int8": Int8Linear, "fp8": Fp8Linear}
_DRIVER = Path("/proc/driver/nvidia/version")
_IS_X86 = platform.machine() == "x86_64"  # the units of other CPUs are not known here
_CACHED_WEIGHTS = 50_000_000  # fewer weights than this stay in a CPU's caches


class Precision(NamedTuple):
    """The precision of the LLM: its dtype, and the products of its layers, which may have 8-bit weights."""

    dtype: torch.dtype
    linear: MakeLinear = PackedLinear


def choose_device(device: str, *, nth: int = 0) -> torch.device:
    """Returns the device for the setting `device`, which is auto, cpu, cuda or cuda:N. auto, and cuda without
    a number, take the GPU with the number `nth` modulo the number of GPUs. auto takes the CPU if there is no
    GPU.

    Raises StartupError if the GPU is not there.
    """
    n = n_gpus()
    if device == "cpu" or (device == "auto" and n == 0):
        return torch.device("cpu")
    _, _, number = device.partition(":")
    index = int(number) if number else nth % max(n, 1)
    if index >= n:
        raise StartupError(f"DEVICE='{device}': {_what_is_there(n)}; DEVICE=auto takes what is there")
    return torch.device("cuda", index)


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
    after each start. "int8" and "fp8" take 8-bit weights, with float32 or bfloat16 between the products.

    Raises StartupError for "int8" on a GPU, and for "bf16" and "fp8" on a GPU without units for them.
    """
    if dtype == "auto":
        reads_memory = device.type == "cuda" or n_weights > _CACHED_WEIGHTS
        dtype = "bf16" if reads_memory and has_bf16_units(device) else "fp32"
    elif dtype == "int8" and device.type != "cpu":
        raise StartupError(f"DTYPE='int8' is for the CPU, and this runs on {device}: set DTYPE=auto")
    elif dtype == "fp8" and not has_fp8_units(device):
        fits = "GPUs with units for FP8 (RTX 40, L4, H100 and newer)"
        raise StartupError(f"DTYPE='fp8' is for {fits}, and {device} is none: set DTYPE=auto")
    elif dtype == "bf16" and device.type == "cuda" and not has_bf16_units(device):
        raise StartupError(
            f"DTYPE='bf16': {torch.cuda.get_device_name(device)} has no units for bfloat16, which GPUs have"
            " from Ampere on: set DTYPE=auto, which takes fp32 there"
        )
    is_bf16 = dtype in ("bf16", "fp8")
    return Precision(torch.bfloat16 if is_bf16 else torch.float32, _8_BITS.get(dtype, PackedLinear))


def flow_in_bf16(dtype: Dtype) -> bool:
    """Returns whether the flow computes its products in bfloat16 with the setting `dtype`. The result is True
    for "bf16" and "fp8", and for "int8" on a CPU that has units for bfloat16."""
    return dtype in ("bf16", "fp8") or (dtype == "int8" and has_bf16_units())


def has_bf16_units(device: torch.device = _CPU) -> bool:
    """Returns whether the device has units for bfloat16. A CPU's units count only if PyTorch may use AVX-512
    (ATEN_CPU_CAPABILITY), which they need."""
    if device.type == "cuda":
        with torch.cuda.device(device):
            return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capability: str = torch.backends.cpu.get_cpu_capability()
    return "AVX512" in capability and bool(torch.cpu._is_avx512_bf16_supported() or has_amx_units())


def has_fp8_units(device: torch.device) -> bool:
    return device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 9)


def _what_is_there(n: int) -> str:
    if n:
        return f"PyTorch sees {n} GPUs here"
    reason = why_no_gpu()
    return f"PyTorch sees no GPU here ({reason})" if reason else "PyTorch sees no GPU here"


def n_gpus() -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about a faulty driver, which `why_no_gpu` reports
        return torch.cuda.device_count() if torch.cuda.is_available() else 0


def why_no_gpu() -> str | None:
    """Returns the reason why PyTorch can use no GPU on a machine that seems to have one. None if nothing
    shows that the machine has a GPU."""
    return explain(cuda=torch.version.cuda, driver=driver_version(), error=_torch_says())


def explain(*, cuda: str | None, driver: str | None, error: str) -> str | None:
    """Returns the reason why PyTorch finds no GPU, as a sentence, or None if the machine seems to have none.
    `cuda` is the CUDA version for which PyTorch is built; None for a build for CPUs. `driver` is the version
    of the kernel's NVIDIA driver; None without a driver. `error` is PyTorch's error when it is asked for a
    GPU."""
    if cuda is None:
        return driver and (
            f"there is an NVIDIA driver ({driver}), but this PyTorch ({torch.__version__}) is built for CPUs:"
            " install one that is built for CUDA"
        )
    old = re.search(r"too old \(found version (\d+)\)", error)
    if old:
        which, found = f" ({driver})" if driver else "", int(old[1])
        return (
            f"the NVIDIA driver{which} goes up to CUDA {found // 1000}.{found % 1000 // 10} and is too old"
            f" for this PyTorch, which is built for CUDA {cuda}: update the driver, or install a PyTorch that"
            " is built for it"
        )
    if driver is None and ("no NVIDIA driver" in error or "No CUDA GPUs" in error):
        return None
    reason = error.partition(". ")[0].strip().rstrip(".")
    return f"PyTorch says: {reason}" + (f" (the NVIDIA driver is {driver})" if driver else "")


def driver_version() -> str | None:
    """Returns the version of the NVIDIA driver; None if the kernel has no such driver. Returns the text "of
    an unknown version" if the driver's file has no version."""
    try:
        text = _DRIVER.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    version = re.search(r"\b\d+\.\d+(\.\d+)?\b", text)
    return version[0] if version else "of an unknown version"


def _torch_says() -> str:
    try:
        torch.cuda.init()
    except Exception as error:  # RuntimeError; AssertionError from a build without CUDA
        return str(error)
    return "it has a GPU after all"


def require_operators(device: torch.device, precision: Precision) -> None:
    """Tries the private operators that a model on `device` with this precision needs, before the server
    starts: they may disappear, or take other arguments, in any release of PyTorch. Raises StartupError if one
    fails. Does nothing for a GPU."""
    if device.type != "cpu":
        return
    try:
        has_bf16_units()
        for dtype in (torch.float32, torch.bfloat16):
            PackedLinear(torch.eye(32, dtype=dtype))(torch.ones(4, 32, dtype=dtype))
        if precision.linear is Int8Linear:
            Int8Linear(torch.eye(32))(torch.ones(4, 32))
    except (AttributeError, RuntimeError, TypeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise StartupError(
            f"PyTorch {torch.__version__} lacks an operator that this version needs ({reason}): install the "
            "versions that it was tested with, pip install -c constraints.txt (docs/getting-started.md)"
        ) from None
