"""A step of the decode batch on a GPU: one CUDA graph from the fed tokens to the drawn ones.

With Triton's kernels there is one graph, of all slots, in which each row reads its own positions; a row's
bits do not depend on its neighbours. Where Triton does not work, PyTorch's operators read a rectangle of
slots and positions under a mask, and there is a graph for each rectangle out of a few. Row i of a graph is
slot i of the cache: keys and values are read where they lie. A step costs one copy to the device, the graph,
and one copy back, which is the only wait; and for each row, once in many steps, a kernel of noise.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from itertools import product

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from glm_tts_api.contracts import DecodeKernels
from glm_tts_api.model.decode_step import Drawn
from glm_tts_api.model.draw_noise import DrawNoise
from glm_tts_api.model.graphs import captured, no_garbage_collection
from glm_tts_api.model.kv_cache import KVCache
from glm_tts_api.model.llm_runner import LlmRunner
from glm_tts_api.model.sampling import HISTORY, MAX_CANDIDATES
from glm_tts_api.model.sequence import SpeechSequence
from glm_tts_api.model.static_draw import Rules, draw

logger = logging.getLogger(__name__)

_ATTENTION = [SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]
_FIRST_KEYS = 512
_ROW_STEP = 4
Shape = tuple[int, int]


def row_buckets(n_slots: int) -> list[int]:
    """Numbers of rows that are worth a graph: 1, 2, multiples of 4, and all of them."""
    return sorted({1, min(2, n_slots), *range(_ROW_STEP, n_slots, _ROW_STEP), n_slots})


def key_buckets(slot_length: int) -> list[int]:
    """Numbers of keys that are worth a graph: each twice the one before, and all of a slot."""
    buckets = []
    n_keys = _FIRST_KEYS
    while n_keys < slot_length:
        buckets.append(n_keys)
        n_keys *= 2
    return [*buckets, slot_length]


class CudaDecodeStep:
    """Captures its graphs when it is made, which takes seconds, and holds their memory.

    To be made and called under torch.inference_mode, from one thread; called on the stream that prefills. On
    a device without graphs the same tensor code runs uncaptured, which is how the CPU's tests know it.

    `kernels` are the fastest that work here, if none are named. For the plain ones the cache must hold finite
    numbers everywhere, since they read what is masked; and `fixed_shape` captures their largest graph alone,
    so that a row's bits do not depend on its neighbours.
    """

    def __init__(
        self,
        llm: LlmRunner,
        cache: KVCache,
        *,
        end: int,
        fixed_shape: bool = False,
        kernels: DecodeKernels | None = None,
    ) -> None:
        self._llm = llm
        self._cache = cache
        self._end = end
        self.kernels: DecodeKernels = kernels or fastest_kernels(llm, cache)
        one_shape = fixed_shape or self.kernels == "triton"
        self._row_buckets = [cache.slots] if one_shape else row_buckets(cache.slots)
        self._key_buckets = [cache.slot_length] if one_shape else key_buckets(cache.slot_length)
        device, graphs = llm.device, llm.device.type == "cuda"
        # Token, length, limit, nucleus, may_end, place of the noise, and the last draws. By plain operators a
        # slot without a row writes to its last position: a row that gets there writes it before it reads it.
        no_length = -1 if self.kernels == "triton" else cache.slot_length - 1
        self._idle = [0, no_length, 1, 0, 1, 0, *[-1] * HISTORY]
        pinned = torch.Tensor.pin_memory if graphs else torch.Tensor.clone
        self._host_input = pinned(torch.tensor([self._idle] * cache.slots))
        self._host_output = pinned(torch.zeros(cache.slots, 2))  # column and log-probability
        self._input = self._host_input.to(device, copy=True)
        self._output = self._host_output.to(device, copy=True)
        self._noise = DrawNoise(cache.slots, len(llm.sampled_ids), device)
        shapes = list(product(self._row_buckets, self._key_buckets))
        self._run: dict[Shape, Callable[[], None]] = (
            self._capture(shapes) if graphs else {shape: partial(self._compute, shape) for shape in shapes}
        )

    def __call__(self, rows: Sequence[SpeechSequence]) -> list[Drawn]:
        """The rows' draws. Raises ValueError for a row whose slot is full."""
        shape = self.shape_for(rows)
        n_rows = shape[0]
        fields = [self._idle] * n_rows
        for row in rows:
            nucleus = row.sampling.method == "ras"
            limit = MAX_CANDIDATES if nucleus else row.sampling.top_k
            place = self._noise.place(row)
            fields[row.slot] = [row.next_id, row.n_read, limit, nucleus, row.may_end, place, *row.recent]
        self._host_input[:n_rows] = torch.tensor(fields)
        self._input[:n_rows].copy_(self._host_input[:n_rows], non_blocking=True)
        self._run[shape]()
        self._host_output[:n_rows].copy_(self._output[:n_rows], non_blocking=True)
        if self._llm.device.type == "cuda":
            torch.cuda.current_stream(self._llm.device).synchronize()
        drawn = self._host_output[:n_rows].tolist()
        return [Drawn(int(drawn[row.slot][0]), drawn[row.slot][1]) for row in rows]

    @property
    def shapes(self) -> list[Shape]:
        """Rows and keys of each graph."""
        return list(self._run)

    def shape_for(self, rows: Sequence[SpeechSequence]) -> Shape:
        """Rows and keys of the smallest graph that holds these rows."""
        last_slot, longest = max(row.slot for row in rows), max(row.n_read for row in rows)
        if longest >= self._cache.slot_length:
            raise ValueError(f"{longest + 1} positions do not fit a slot of {self._cache.slot_length}")
        n_rows = next(bucket for bucket in self._row_buckets if bucket > last_slot)
        return n_rows, next(bucket for bucket in self._key_buckets if bucket > longest)

    def _compute(self, shape: Shape) -> None:
        """Computes the output from the input and the noise, for the first rows and keys."""
        n_rows, n_keys = shape
        token, length, limit, nucleus, may_end, place = self._input[:n_rows, :-HISTORY].unbind(1)
        hidden = self._hidden(token, length, n_keys)
        drawn = draw(
            self._llm.logits(hidden),
            Rules(limit, nucleus.bool(), may_end.bool(), self._input[:n_rows, -HISTORY:]),
            end=self._end,
            noise=self._noise.at(place),
        )
        self._output[:n_rows, 0] = drawn.columns
        self._output[:n_rows, 1] = drawn.log_probs

    def _hidden(self, ids: Tensor, lengths: Tensor, n_keys: int) -> Tensor:
        if self.kernels == "plain":
            return self._llm.decode_slots(ids, lengths, cache=self._cache, n_keys=n_keys)
        from glm_tts_api.model import triton_decode

        return triton_decode.decode_slots(self._llm, ids, lengths, cache=self._cache)

    def _capture(self, shapes: Sequence[Shape]) -> dict[Shape, Callable[[], None]]:
        """A graph for each shape, the largest first.

        They share a pool: they run one after the other, and nothing in it outlives its graph's run. Captured
        kernels keep their stream's priority: those of a decode step go before the flow's.
        """
        device = self._llm.device
        stream = torch.cuda.Stream(device, priority=-1)
        pool = torch.cuda.graph_pool_handle()
        stream.wait_stream(torch.cuda.current_stream(device))
        replays: dict[Shape, Callable[[], None]] = {}
        # The fused kernel that takes a mask in any dtype; the plain one for head sizes that it does not take.
        with torch.cuda.stream(stream), sdpa_kernel(_ATTENTION), no_garbage_collection():
            for shape in sorted(shapes, reverse=True):
                _, replays[shape] = captured(partial(self._compute, shape), stream=stream, pool=pool)
        torch.cuda.current_stream(device).wait_stream(stream)
        return replays


def fastest_kernels(llm: LlmRunner, cache: KVCache) -> DecodeKernels:
    """Triton's on a GPU for which it compiles them, which a step without rows shows; plain ones elsewhere."""
    if llm.device.type != "cuda":
        return "plain"
    try:
        from glm_tts_api.model import triton_decode

        ids = torch.zeros(cache.slots, dtype=torch.int64, device=llm.device)
        triton_decode.decode_slots(llm, ids, ids - 1, cache=cache)
        torch.cuda.synchronize(llm.device)
    except torch.OutOfMemoryError:
        raise
    except Exception as error:
        logger.warning(
            "Triton does not work here (%s: %s). PyTorch's operators decode instead: they are slower, and"
            " neighbours may change a row's bits. Triton needs its Python package, a C compiler and Python's"
            " headers: pip install triton, apt install gcc python3-dev",
            type(error).__name__,
            error,
        )
        return "plain"
    logger.info("Decoding takes Triton's kernels, in one graph of all %d slots", cache.slots)
    return "triton"
