"""What a computation asks of a device, seen without one: its operators on the meta device, which has shapes
and no values. An operator that needs a value of the device on the host fails there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

_ATTENTION = "aten::scaled_dot_product_attention"  # one kernel on a GPU, many where it is taken apart
_WAITS = {  # the host would wait for values, were they there
    "aten::_local_scalar_dense", "aten::is_nonzero", "aten::equal", "aten::nonzero", "aten::masked_select",
}  # fmt: skip
_FREE = {"aten::empty", "aten::new_empty", "aten::empty_like", "aten::empty_strided"}


@dataclass(frozen=True)
class Call:
    """An operator that was called. `launches`: a GPU has something to do; `waits`: and the host waits for it,
    for a value, the size of a mask, or a copy between devices; `cast_of`: the storage that it converts."""

    name: str
    launches: bool
    waits: bool
    cast_of: int | None


class Dispatched(TorchDispatchMode):
    """A context that lists the operators called inside, and the bytes that what they made took at most."""

    def __init__(self) -> None:
        TorchDispatchMode.__init__(self)
        self.calls: list[Call] = []
        self.peak_bytes = 0
        self._live: dict[int, tuple[StorageWeakRef, int]] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func._schema.name != _ATTENTION:
            with self:
                out = func.decompose(*args, **kwargs)
            if out is not NotImplemented:
                return out
        out = func(*args, **kwargs)
        inputs, outputs = (
            [x for x in tree_leaves(t) if isinstance(x, Tensor)] for t in ((args, kwargs), out)
        )
        self.calls.append(_call(func, inputs, outputs))
        self._count(inputs, outputs)
        return out

    @property
    def n_kernels(self) -> int:
        return sum(call.launches for call in self.calls)

    def _count(self, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        given = {tensor.untyped_storage()._cdata for tensor in inputs}
        for tensor in outputs:
            storage = tensor.untyped_storage()
            if tensor.device.type == "meta" and storage._cdata not in given:
                self._live[storage._cdata] = StorageWeakRef(storage), storage.nbytes()
        self._live = {key: held for key, held in self._live.items() if not held[0].expired()}
        self.peak_bytes = max(self.peak_bytes, sum(n_bytes for _, n_bytes in self._live.values()))


def _tensors(tree: object) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)]


def _call(func: Any, inputs: list[Tensor], outputs: list[Tensor]) -> Call:
    name = func._schema.name
    places = {tensor.device.type for tensor in [*inputs, *outputs] if tensor.ndim}
    by_mask = name.startswith("aten::index") and any(tensor.dtype == torch.bool for tensor in inputs[1:])
    converts = name == "aten::_to_copy" and inputs[0].dtype != outputs[0].dtype
    return Call(
        name,
        launches="meta" in places and not func.is_view and name not in _FREE,
        waits=name in _WAITS or by_mask or len(places) > 1,
        cast_of=inputs[0].untyped_storage()._cdata if converts else None,
    )
