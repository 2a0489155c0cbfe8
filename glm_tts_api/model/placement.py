"""Where the model runs and how precisely, from what the settings ask for and what the machine has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch

from glm_tts_api.errors import StartupError

Precision = Literal["auto", "fp32", "bf16"]
_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


@dataclass(frozen=True, slots=True)
class Placement:
    """The device of everything, and the LLM's dtype; flow and vocoder are float32."""

    device: torch.device
    llm_dtype: torch.dtype


def choose_placement(device: str, precision: Precision, *, slot: int = 0) -> Placement:
    """`device`: auto, cpu, cuda or cuda:N. auto, and cuda without a number, take GPU `slot` modulo the number
    of GPUs; auto takes the CPU where there is none. Precision auto is bf16 on a GPU and fp32 on the CPU.

    Raises StartupError if the GPU asked for is not there.
    """
    n_gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    chosen = _choose_device(device, n_gpus, slot)
    if precision == "auto":
        precision = "fp32" if chosen.type == "cpu" else "bf16"
    return Placement(chosen, _DTYPES[precision])


def _choose_device(device: str, n_gpus: int, slot: int) -> torch.device:
    if device == "cpu" or (device == "auto" and n_gpus == 0):
        return torch.device("cpu")
    _, _, number = device.partition(":")
    index = int(number) if number else slot % max(n_gpus, 1)
    if index >= n_gpus:
        found = f"PyTorch sees {n_gpus} GPUs" if n_gpus else "PyTorch sees no GPU"
        raise StartupError(f"DEVICE='{device}': {found} here; DEVICE=auto takes what is there")
    return torch.device("cuda", index)
