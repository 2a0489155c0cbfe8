"""The environment variables of PyTorch's GPU allocator. PyTorch reads them when CUDA begins in a process, so
they belong in the environment of the process. This module imports no PyTorch."""

from __future__ import annotations

import ctypes
import platform
from collections.abc import Mapping

# PyTorch 2.9 reads the second name, and warns unless the first one is set too; newer versions read the first
# name.
_VARIABLES = ("PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF")


def allocator_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Returns the variables that let the allocator's segments grow. Otherwise segments of many lengths leave
    holes in the GPU's memory into which no later segment fits.

    Returns nothing if `environ` has settings of the user, or if segments cannot grow on this machine.
    """
    if any(environ.get(name) for name in _VARIABLES) or why_fixed():
        return {}
    return dict.fromkeys(_VARIABLES, "expandable_segments:True")


def why_fixed() -> str | None:
    """Returns the reason why the allocator's segments cannot grow on this machine. None if they can."""
    if "microsoft" in platform.release().lower():
        return "some NVIDIA drivers refuse that on WSL2"
    try:
        ctypes.CDLL("libnvidia-ml.so.1")
    except OSError:
        return (
            "libnvidia-ml.so.1 is missing; a container has it with NVIDIA_DRIVER_CAPABILITIES=compute,utility"
        )
    return None
