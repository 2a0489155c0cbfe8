"""Copies tensors between the CPU and a GPU through pinned memory, so that the CPU need not wait for each
copy."""

from __future__ import annotations

import torch
from torch import Tensor


def to_device(tensor: Tensor, device: torch.device) -> Tensor:
    """Returns the tensor on `device`; the tensor itself if it is there already. A copy to a GPU runs in the
    order of the current CUDA stream, and the CPU does not wait for it."""
    if tensor.device.type == "cpu" and device.type == "cuda":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


def to_host(tensor: Tensor) -> Tensor:
    """Returns the tensor in the CPU's memory; the tensor itself if it is there already. Waits until the GPU
    has computed and copied it."""
    if tensor.device.type == "cpu":
        return tensor
    host = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
    host.copy_(tensor, non_blocking=True)
    torch.cuda.current_stream(tensor.device).synchronize()
    return host
