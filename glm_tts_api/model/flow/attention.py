"""Attention of all frames over all frames.

PyTorch's fused kernel multiplies through MKL, which was seen on an AMD EPYC at the same rate in bfloat16 as
in float32. oneDNN was seen to be quicker. In bfloat16 the heads therefore go through oneDNN one by one:
scores and softmax are float32, weights are rounded to bfloat16, as in the fused kernel. In float32 the
fused kernel stays, since another one would change the bits of each sound.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from glm_tts_api.model.linear import can_pack

_FEWEST_FRAMES = 128  # of fewer the fused kernel is quicker


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
    """q, k, v [B, H, T, D], mask [B, 1, 1, T] or [B, 1, T, T] bool -> [B, H, T, D]."""
    by_heads = mask is None and q.device.type == "cpu" and q.dtype == torch.bfloat16
    if by_heads and q.shape[2] >= _FEWEST_FRAMES and can_pack(q.dtype) and not torch.is_grad_enabled():
        return _attend_by_heads(q, k, v)
    return F.scaled_dot_product_attention(q, k, v, mask)


def _attend_by_heads(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    n_rows, n_heads, length, width = q.shape
    out = q.new_empty(n_rows, length, n_heads, width).transpose(1, 2)
    queries, keys = (q.float() * width**-0.5).contiguous(), k.float().contiguous()
    product = torch.ops.mkldnn._linear_pointwise
    for row in range(n_rows):
        for head in range(n_heads):
            scores = product(queries[row, head], keys[row, head], None, "none", [], "")  # [T, T]
            weights = scores.softmax(-1).to(v.dtype)
            torch.mm(weights, v[row, head], out=out[row, head])
    return out
