"""What tests on a GPU need of it."""

from __future__ import annotations

import pytest
import torch


def _from(capability: tuple[int, int], why: str) -> pytest.MarkDecorator:
    older = torch.cuda.is_available() and torch.cuda.get_device_capability() < capability
    return pytest.mark.skipif(older, reason=why)


from_ampere_on = _from((8, 0), "needs units for bfloat16 and TF32, which GPUs have from Ampere on")
with_fp8 = _from((8, 9), "needs units for FP8")
