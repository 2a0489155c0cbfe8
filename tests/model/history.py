"""What repetition-aware sampling looks back on, as a batch."""

from __future__ import annotations

import torch
from torch import Tensor

from glm_tts_api.model.sampling import HISTORY


def no_history(rows: int) -> Tensor:
    """The window of rows that have drawn nothing yet: [rows, HISTORY] int64."""
    return torch.full((rows, HISTORY), -1, dtype=torch.int64)


def remember(recent: Tensor, drawn: Tensor) -> Tensor:
    """The window after another draw; recent [B, HISTORY], drawn [B]."""
    return torch.cat((recent[:, 1:], drawn[:, None]), 1)
