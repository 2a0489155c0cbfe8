"""Matrix products in which the result of a row does not depend on the number of rows.

On CPUs, plain float32 products use other kernels, which round differently, for other numbers of rows.
oneDNN's kernels for packed weights give a row the same bits for any number of rows from 2 on (measured on a
Xeon for 2 to 500). These kernels are also up to four times as fast with 4 to 16 rows.

On CPUs with AMX units this holds in bfloat16 for at most 32 rows. With more rows, oneDNN cuts a product into
other blocks for other numbers of rows and of threads. Such products run on one thread: their bits then depend
on the number of rows alone. (Without AMX, oneDNN would give the same bits for any number of rows and threads,
and take three times as long.)
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from glm_tts_api.model.threads import at_most

MOST_ALIKE = 32  # the most rows for which AMX units give a row the same bits
ROW_MULTIPLE = 4  # callers of PackedLinear pad batches to a multiple of 4; a single row uses another kernel
_TYPICAL_ROWS = 16
_ALIGNED_COLUMNS = 64
_INT8_MAX, _UINT8_ZERO = 127, 128
_BLOCK = 128  # rows of a weight that are rounded at once: this number fits into a core's cache


Linear = Callable[[Tensor], Tensor]  # x [rows, k] -> x @ weight.T [rows, n], for inference
MakeLinear = Callable[[Tensor], Linear]  # of a weight [n, k]


class PackedLinear:
    """Computes x @ weight.T + bias in the weight's dtype, with packed weights where the CPU supports them.
    The weight is copied, not shared."""

    def __init__(
        self, weight: Tensor, bias: Tensor | None = None, *, typical_rows: int = _TYPICAL_ROWS
    ) -> None:
        """`weight` [n, k] and `bias` [n] must have their final device and dtype. `typical_rows` is the number
        of rows for which oneDNN packs the weight."""
        self.packed = weight.device.type == "cpu" and can_pack(weight.dtype)
        self._rounds_by_blocks = self.packed and rounds_by_blocks(weight.dtype)
        self._bias = bias
        self._weight = (
            torch.ops.mkldnn._reorder_linear_weight(weight.contiguous(), typical_rows)
            if self.packed
            else weight.clone(memory_format=torch.contiguous_format)
        )

    def __call__(self, x: Tensor) -> Tensor:
        if not self.packed:
            return F.linear(x, self._weight, self._bias)
        rounds_by_threads = self._rounds_by_blocks and x[..., 0].numel() > MOST_ALIKE
        with at_most(1) if rounds_by_threads else nullcontext():
            out: Tensor = torch.ops.mkldnn._linear_pointwise(x, self._weight, self._bias, "none", [], "")
        return out


class AlignedHead:
    """Computes logits on a GPU: x @ weight.T as float32, for weights of any dtype. (Of logits that are
    rounded to bfloat16, many would be equal.) The product is computed with a multiple of 64 columns, because
    cuBLAS's fast kernels need aligned columns. The extra columns are cut off.
    """

    def __init__(self, weight: Tensor) -> None:
        """`weight` [n, k] must have its final device and dtype."""
        self._n = len(weight)
        self._weight = F.pad(weight, (0, 0, 0, -self._n % _ALIGNED_COLUMNS)).T

    def __call__(self, x: Tensor) -> Tensor:
        """Returns the logits of x [rows, k], as [rows, n] float32. Each row of the result begins at an
        aligned address."""
        if x.device.type == "cpu":  # a CPU has no product with a result in another dtype
            return (x.float() @ self._weight.float())[:, : self._n]
        return torch.mm(x, self._weight, out_dtype=torch.float32)[:, : self._n]


class Int8Linear:
    """Computes x @ weight.T with 8-bit integers, on the CPU only. Each output of the weight has its own
    scale, and so has each row of x.

    Values are rounded symmetrically to the nearest integer; the largest magnitude gives the scale (LLM.int8's
    vector-wise scheme, Dettmers et al. 2022, without its outlier columns). Sums of integers are exact, so a
    row's bits depend neither on other rows nor on the number of threads.

    The kernels take x as unsigned bytes. A CPU without VNNI adds two neighbouring products in 16 bits, and
    2 * 255 * 127 does not fit into 16 bits. There each row is replaced by two rows whose bytes add up to it,
    none above 128.
    """

    def __init__(self, weight: Tensor) -> None:
        """`weight` [n, k] may have any floating dtype. The weight is rounded to 8 bits here."""
        integers, scale = torch.empty(weight.shape, dtype=torch.int8), torch.empty(len(weight), 1)
        for values, whole, step in zip(*(x.split(_BLOCK) for x in (weight, integers, scale)), strict=True):
            step.copy_(_scale(values.float()))
            whole.copy_((values / step).round_())
        self._weight = _PackedIntegers(integers, scale[:, 0])

    def __call__(self, x: Tensor) -> Tensor:
        values = x.float()
        scale = _scale(values)
        integers = (values / scale).round().add_(_UINT8_ZERO)
        if self.reads_pairs():
            low = integers.clamp(max=_INT8_MAX)
            both = self.of_integers(torch.cat([low, integers - low]))
            out = both[: len(x)] + both[len(x) :]
        else:
            out = self.of_integers(integers)
        return (out * scale).to(x.dtype)

    def of_integers(self, integers: Tensor) -> Tensor:
        """Returns the float32 product of x that was rounded already: whole numbers from 0 to 255, of which
        128 stands for zero. With `reads_pairs` each row is two rows [2 * rows, k], whose sum is the row, and
        the sum of whose products is the row's product."""
        return self._weight.product(integers, zero=_UINT8_ZERO // 2 if self.reads_pairs() else _UINT8_ZERO)

    @staticmethod
    def reads_pairs() -> bool:
        """Returns whether each row of x must be replaced by two rows."""
        return _sums_of_pairs_saturate()


class Fp8Linear:
    """Computes x @ weight.T with a weight that is rounded to 8-bit floating point (E4M3). Each of its outputs
    has its own scale, a power of two, so the rounded weight is a bfloat16 weight too. A call converts the
    whole weight; on a GPU triton_kernels.py computes the product from the 8 bits."""

    def __init__(self, weight: Tensor) -> None:
        """`weight` [n, k] must have its final device and dtype."""
        fp8 = torch.float8_e4m3fn
        _, exponent = torch.frexp(weight.abs().amax(1).float() / torch.finfo(fp8).max)
        self.scale = torch.ldexp(torch.ones_like(exponent, dtype=torch.float32), exponent).to(weight.dtype)
        self.weight = (weight / self.scale[:, None]).to(fp8)

    def __call__(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight.to(x.dtype)) * self.scale


class _PackedIntegers:
    """A weight of integers, packed for oneDNN's integer kernels."""

    def __init__(self, integers: Tensor, scale: Tensor) -> None:
        """`integers` [n, k] int8 lie between -127 and 127. `scale` [n] is the value of one integer step."""
        typical = [_TYPICAL_ROWS, integers.shape[1]]
        self._packed = torch.ops.onednn.qlinear_prepack(integers, typical)
        self._scale, self._no_zero = scale, torch.zeros(len(scale), dtype=torch.int64)

    def product(self, x: Tensor, *, zero: int) -> Tensor:
        """Returns (x - zero) @ weight.T in float32. x [rows, k] holds integers from 0 to 255, in any
        dtype."""
        out: Tensor = torch.ops.onednn.qlinear_pointwise(
            x.to(torch.uint8), 1.0, zero, self._packed, self._scale, self._no_zero,
            None, 1.0, 0, torch.float32, "none", [], "",
        )  # fmt: skip
        return out


@cache
def _sums_of_pairs_saturate() -> bool:
    """Returns whether the integer kernels cut off sums that do not fit into 16 bits. The answer comes from a
    trial product and not from the CPU's flags: there are two kinds of VNNI, and oneDNN may be told to use
    neither (ONEDNN_MAX_CPU_ISA)."""
    k = 64
    weight = _PackedIntegers(torch.full((k, k), _INT8_MAX, dtype=torch.int8), torch.ones(k))
    sums = weight.product(torch.full((_TYPICAL_ROWS, k), 255), zero=0)
    return bool((sums != 255 * _INT8_MAX * k).any())


def _scale(rows: Tensor) -> Tensor:
    """Returns the value of one integer step for each of the rows [n, k], as [n, 1]."""
    return rows.abs().amax(1, keepdim=True).clamp_min(torch.finfo(torch.float32).tiny) / _INT8_MAX


def can_pack(dtype: torch.dtype) -> bool:
    if not torch.backends.mkldnn.is_available():
        return False
    if dtype == torch.bfloat16:
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    return dtype == torch.float32


def rounds_by_blocks(dtype: torch.dtype) -> bool:
    """Returns whether a packed product in `dtype` of more than MOST_ALIKE rows has other bits for another
    number of rows or of threads. That is so in bfloat16 on a CPU with AMX units."""
    return dtype == torch.bfloat16 and has_amx_units()


def has_amx_units() -> bool:
    """Returns whether the CPU has units for products of bfloat16 matrices (AMX)."""
    return bool(torch.cpu._is_amx_tile_supported())
