"""Matrix products whose rows do not depend on how many rows there are.

On CPUs, plain float32 GEMMs choose other kernels for other row counts, and with them other roundings.
oneDNN's kernels on weights packed beforehand give each row the same bits for any count from 2 up (measured
on a Xeon for 2 to 500), and are up to four times as fast at 4 to 16 rows.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

ROW_MULTIPLE = 4  # what callers pad batches to; a single row takes a kernel of its own
_TYPICAL_ROWS = 16


class PackedLinear:
    """x [rows, k] -> x @ weight.T [rows, n], for inference. The weight is copied, not shared."""

    def __init__(self, weight: Tensor) -> None:
        """weight [n, k] on its final device, in its final dtype."""
        self.packed = weight.device.type == "cpu" and _can_pack(weight.dtype)
        self._weight = (
            torch.ops.mkldnn._reorder_linear_weight(weight.contiguous(), _TYPICAL_ROWS)
            if self.packed
            else weight.clone(memory_format=torch.contiguous_format)
        )

    def __call__(self, x: Tensor) -> Tensor:
        if not self.packed:
            return F.linear(x, self._weight)
        out: Tensor = torch.ops.mkldnn._linear_pointwise(x, self._weight, None, "none", [], "")
        return out


def _can_pack(dtype: torch.dtype) -> bool:
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return False
    if dtype == torch.bfloat16:
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    return dtype == torch.float32
