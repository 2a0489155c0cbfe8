"""Checks whether the installed PyTorch has the private operators that this package calls.

Private operators may disappear, or take other arguments, in any release. So they are tried before the server
starts, and not by the first request.
"""

from __future__ import annotations

import torch

from glm_tts_api.errors import StartupError
from glm_tts_api.model.linear import Int8Linear, PackedLinear
from glm_tts_api.model.placement import Precision, has_bf16_units


def require_operators(device: torch.device, precision: Precision) -> None:
    """Tries the private operators that a model on `device` with this precision needs. Raises StartupError if
    one fails. Does nothing for a GPU."""
    if device.type != "cpu":
        return
    try:
        has_bf16_units()
        for dtype in (torch.float32, torch.bfloat16):
            PackedLinear(torch.eye(32, dtype=dtype))(torch.ones(4, 32, dtype=dtype))
        if precision.int8:
            Int8Linear(torch.eye(32))(torch.ones(4, 32))
    except (AttributeError, RuntimeError, TypeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise StartupError(
            f"PyTorch {torch.__version__} lacks an operator that this version needs ({reason}): install the "
            "versions that it was tested with, pip install -c constraints.txt (docs/getting-started.md)"
        ) from None
