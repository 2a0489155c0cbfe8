"""What tests on a GPU need of it."""

from __future__ import annotations

import pytest
import torch

from_ampere_on = pytest.mark.skipif(
    torch.cuda.is_available() and torch.cuda.get_device_capability() < (8, 0),
    reason="needs units for bfloat16 and TF32, which GPUs have from Ampere on",
)
