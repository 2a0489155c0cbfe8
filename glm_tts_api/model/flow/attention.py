"""The flow's attention: each frame attends to all frames.

PyTorch's fused kernel multiplies through MKL. On an AMD EPYC, MKL was no faster in bfloat16 than in float32,
and oneDNN was faster. So in bfloat16 each head is multiplied by oneDNN. Scores and softmax are float32, and
the weights are rounded to bfloat16, as in the fused kernel. On a CPU with AMX units the fused kernel takes
two fifths of that time. In float32 it stays as well: another kernel would change the bits of all audio.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from glm_tts_api.model.linear import can_pack, has_amx_units

_FEWEST_FRAMES = 128  # with fewer frames the fused kernel is faster


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
    """Computes the attention of q, k, v [B, H, T, D] (rows, heads, frames, head size), as [B, H, T, D].
    `mask`, [B, 1, 1, T] or [B, 1, T, T] bool, is True where a frame may be attended to."""
    by_heads = mask is None and q.device.type == "cpu" and q.dtype == torch.bfloat16
    by_heads = by_heads and q.shape[2] >= _FEWEST_FRAMES and can_pack(q.dtype) and not has_amx_units()
    if by_heads and not torch.is_grad_enabled():
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
