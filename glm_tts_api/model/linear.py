"""Matrix products whose rows do not depend on how many rows there are.

On CPUs, plain float32 GEMMs choose other kernels for other row counts, and with them other roundings.
oneDNN's kernels on weights packed beforehand give each row the same bits for any count from 2 up (measured
on a Xeon for 2 to 500), and are up to four times as fast at 4 to 16 rows.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

ROW_MULTIPLE = 4  # callers pad batches to it; a single row takes a kernel of its own
_TYPICAL_ROWS = 16
_ALIGNED_COLUMNS = 64
_INT8_MAX, _UINT8_ZERO = 127, 128


Linear = Callable[[Tensor], Tensor]  # x [rows, k] -> x @ weight.T [rows, n], for inference


class PackedLinear:
    """A product in the weight's own dtype, plus a bias. The weight is copied, not shared."""

    def __init__(
        self, weight: Tensor, bias: Tensor | None = None, *, typical_rows: int = _TYPICAL_ROWS
    ) -> None:
        """weight [n, k], bias [n], on their final device, in their final dtype."""
        self.packed = weight.device.type == "cpu" and can_pack(weight.dtype)
        self._bias = bias
        self._weight = (
            torch.ops.mkldnn._reorder_linear_weight(weight.contiguous(), typical_rows)
            if self.packed
            else weight.clone(memory_format=torch.contiguous_format)
        )

    def __call__(self, x: Tensor) -> Tensor:
        if not self.packed:
            return F.linear(x, self._weight, self._bias)
        out: Tensor = torch.ops.mkldnn._linear_pointwise(x, self._weight, self._bias, "none", [], "")
        return out


class AlignedHead:
    """A product for a GPU with a float32 result from weights of any dtype: logits that are rounded to
    bfloat16 have many equals. The product has a multiple of 64 columns, since cuBLAS's fast kernels take
    aligned ones; those behind the weight's own are cut off.
    """

    def __init__(self, weight: Tensor) -> None:
        """weight [n, k] on its final device, in its final dtype."""
        self._n = len(weight)
        self._weight = F.pad(weight, (0, 0, 0, -self._n % _ALIGNED_COLUMNS)).T

    def __call__(self, x: Tensor) -> Tensor:
        """x [rows, k] -> [rows, n] float32, each row with an aligned beginning."""
        if x.device.type == "cpu":  # which has no product with a result in another dtype
            return (x.float() @ self._weight.float())[:, : self._n]
        return torch.mm(x, self._weight, out_dtype=torch.float32)[:, : self._n]


class Int8Linear:
    """A product of integers: weights in 8 bits with a scale for each output, inputs with one for each row.

    Symmetric, rounded to nearest; the largest magnitude gives the scale (LLM.int8's vector-wise scheme,
    Dettmers et al. 2022, without its outlier columns). Sums of integers are exact, so a row's bits depend on
    neither its neighbours nor the number of threads. CPU only.

    Inputs are unsigned bytes to the kernels. Without VNNI a CPU adds the products of two neighbours in 16
    bits, which 2 * 255 * 127 does not fit; there each row is given as two whose bytes add up to it, none
    above 128.
    """

    def __init__(self, weight: Tensor) -> None:
        """weight [n, k] of any floating dtype."""
        weight = weight.float()
        scale = _scale(weight)
        self._weight = _PackedIntegers((weight / scale).round(), scale[:, 0])

    def __call__(self, x: Tensor) -> Tensor:
        values = x.float()
        scale = _scale(values)
        integers = (values / scale).round().add_(_UINT8_ZERO)
        if _sums_of_pairs_saturate():
            low = integers.clamp(max=_INT8_MAX)
            both = self._weight.product(torch.cat([low, integers - low]), zero=_UINT8_ZERO // 2)
            out = both[: len(x)] + both[len(x) :]
        else:
            out = self._weight.product(integers, zero=_UINT8_ZERO)
        return (out * scale).to(x.dtype)


class _PackedIntegers:
    """A weight as oneDNN's kernels for integers take it."""

    def __init__(self, integers: Tensor, scale: Tensor) -> None:
        """integers [n, k] from -127 to 127 of any dtype; scale [n]: what one step is worth."""
        typical = [_TYPICAL_ROWS, integers.shape[1]]
        self._packed = torch.ops.onednn.qlinear_prepack(integers.to(torch.int8), typical)
        self._scale, self._no_zero = scale, torch.zeros(len(scale), dtype=torch.int64)

    def product(self, x: Tensor, *, zero: int) -> Tensor:
        """(x - zero) @ weight.T in float32; x [rows, k] of integers from 0 to 255, of any dtype."""
        out: Tensor = torch.ops.onednn.qlinear_pointwise(
            x.to(torch.uint8), 1.0, zero, self._packed, self._scale, self._no_zero,
            None, 1.0, 0, torch.float32, "none", [], "",
        )  # fmt: skip
        return out


@cache
def _sums_of_pairs_saturate() -> bool:
    """Whether the kernels for integers cut off what does not fit 16 bits. Asked of them, not of the CPU's
    flags: there are two kinds of VNNI, and oneDNN may be told to use neither (ONEDNN_MAX_CPU_ISA)."""
    k = 64
    weight = _PackedIntegers(torch.full((k, k), _INT8_MAX), torch.ones(k))
    sums = weight.product(torch.full((_TYPICAL_ROWS, k), 255), zero=0)
    return bool((sums != 255 * _INT8_MAX * k).any())


def _scale(rows: Tensor) -> Tensor:
    """The value of one step of a row's integers, [n, 1]."""
    return rows.abs().amax(1, keepdim=True).clamp_min(torch.finfo(torch.float32).tiny) / _INT8_MAX


def can_pack(dtype: torch.dtype) -> bool:
    if not torch.backends.mkldnn.is_available():
        return False
    if dtype == torch.bfloat16:
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    return dtype == torch.float32
