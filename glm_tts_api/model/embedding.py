"""A table of vectors that takes its values from a checkpoint."""

from __future__ import annotations

from torch import nn


class Embedding(nn.Embedding):
    """An embedding that draws no initial values on the meta device: PyTorch would load its compiler for them
    in 2 s."""

    def reset_parameters(self) -> None:
        if not self.weight.is_meta:
            super().reset_parameters()
