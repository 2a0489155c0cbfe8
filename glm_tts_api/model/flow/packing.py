"""Replaces the estimator's linear layers by products on weights that are stored as the kernels need them.

On a CPU oneDNN packs the weights. PyTorch's own float32 products go through MKL, which leaves half of some
CPUs' vector units idle. Packed products were seen to be twice as fast on an AMD EPYC. In bfloat16 the weights
are cast once, on any device, and not in each step. The operations between the products stay in float32.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from glm_tts_api.model.flow.dit import AdaLayerNorm, DiT
from glm_tts_api.model.linear import PackedLinear
from glm_tts_api.model.threads import WholeVectors

_TYPICAL_ROWS = 1024  # both passes of some ten seconds of prompt and speech


class _PackedLayer(nn.Module):
    """Replaces an nn.Linear for inference: [..., k] of any dtype -> [..., n] in the weight's dtype."""

    def __init__(self, linear: nn.Linear, dtype: torch.dtype) -> None:
        super().__init__()
        self._dtype = dtype
        self._product = PackedLinear(
            linear.weight.detach().to(dtype), linear.bias.detach().to(dtype), typical_rows=_TYPICAL_ROWS
        )

    def forward(self, x: Tensor) -> Tensor:
        return self._product(x.to(self._dtype))


def pack(estimator: DiT, dtype: torch.dtype) -> None:
    """Replaces the linear layers of the estimator's input embedding and blocks by packed products in `dtype`,
    except those of the AdaLN layers. Casts their convolutions and wraps their activations in WholeVectors.
    The changes are made in place and for good. Layers that are packed already stay as they are."""
    for part in (estimator.emb_concator, estimator.transformer_blocks):
        for module in list(part.modules()):
            for name, child in module.named_children():
                if isinstance(child, nn.Conv1d):
                    child.to(dtype)
                elif isinstance(child, (nn.Mish, nn.GELU)) and not isinstance(module, WholeVectors):
                    setattr(module, name, WholeVectors(child))
                elif type(child) is nn.Linear and not isinstance(module, AdaLayerNorm):  # runs once a segment
                    setattr(module, name, _PackedLayer(child, dtype))
