"""What a computation asks of a device, seen without one: its operators on the meta device, which has shapes
and no values. An operator that needs a value of the device on the host fails there."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

_ATTENTION = "aten::scaled_dot_product_attention"  # one kernel on a GPU, many where it is taken apart
_FREE = {"aten::empty", "aten::new_empty", "aten::empty_like", "aten::empty_strided"}


class Dispatched(TorchDispatchMode):
    """A context that counts the operators called inside, and the bytes that what they made took at most."""

    def __init__(self) -> None:
        TorchDispatchMode.__init__(self)
        self.n_kernels = 0  # that a GPU would run
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
        has_work = not func.is_view and func._schema.name not in _FREE
        self.n_kernels += has_work and any(x.is_meta and x.ndim for x in [*inputs, *outputs])
        self._count(inputs, outputs)
        return out

    def _count(self, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        given = {tensor.untyped_storage()._cdata for tensor in inputs}
        for tensor in outputs:
            storage = tensor.untyped_storage()
            if tensor.device.type == "meta" and storage._cdata not in given:
                self._live[storage._cdata] = StorageWeakRef(storage), storage.nbytes()
        self._live = {key: held for key, held in self._live.items() if not held[0].expired()}
        self.peak_bytes = max(self.peak_bytes, sum(n_bytes for _, n_bytes in self._live.values()))
