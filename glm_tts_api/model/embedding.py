"""A table of vectors that takes its values from a checkpoint."""

from __future__ import annotations

from torch import nn


class Embedding(nn.Embedding):
    """On the meta device it draws no first values: PyTorch would load its compiler for them in 2 s."""

    def reset_parameters(self) -> None:
        if not self.weight.is_meta:
            super().reset_parameters()
