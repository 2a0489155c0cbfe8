"""A table of vectors whose values come from a checkpoint."""

from __future__ import annotations

from torch import nn


class Embedding(nn.Embedding):
    """An embedding that makes no initial values on the meta device. For these values PyTorch would load its
    compiler, which takes 2 s."""

    def reset_parameters(self) -> None:
        if not self.weight.is_meta:
            super().reset_parameters()
