"""A step of the decode batch on a GPU. One CUDA graph computes the whole step, from the tokens that are fed
to the LLM to the tokens that are drawn.

With Triton's kernels there is one graph for all slots, in which each row reads only its own positions. So a
row's bits do not depend on the other rows. Where Triton does not work, PyTorch's operators read the first
slots and positions under a mask, and a few sizes have a graph each. Row i of a graph is slot i of the KV
cache, whose keys and values are read in place. A step consists of one copy to the GPU, the graph, and one
copy back; only the copy back is waited for. Once in many steps a kernel also makes new noise for a row.
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
from glm_tts_api.model.graphs import captured, no_garbage_collection
from glm_tts_api.model.kv_cache import KVCache
from glm_tts_api.model.llm_runner import LlmRunner
from glm_tts_api.model.sampling import HISTORY, MAX_CANDIDATES
from glm_tts_api.model.sequence import SpeechSequence
from glm_tts_api.model.static_draw import DrawNoise, Rules, draw

logger = logging.getLogger(__name__)

_ATTENTION = [SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]
_FIRST_KEYS = 512
_ROW_STEP = 4
Shape = tuple[int, int]


def row_buckets(n_slots: int) -> list[int]:
    """Returns the numbers of rows for which a graph is captured: 1, 2, the multiples of 4 below `n_slots`,
    and `n_slots`."""
    return sorted({1, min(2, n_slots), *range(_ROW_STEP, n_slots, _ROW_STEP), n_slots})


def key_buckets(slot_length: int) -> list[int]:
    """Returns the numbers of keys for which a graph is captured: 512 and its doubles below `slot_length`, and
    `slot_length`."""
    buckets = []
    n_keys = _FIRST_KEYS
    while n_keys < slot_length:
        buckets.append(n_keys)
        n_keys *= 2
    return [*buckets, slot_length]


class CudaDecodeStep:
    """The decode step on a GPU. Making it captures the CUDA graphs, which takes seconds and keeps their
    memory.

    Make and call it under torch.inference_mode, from one thread, on the CUDA stream that also prefills. On a
    CPU the same tensor code runs without graphs, for tests.

    `end` is the logits' column that ends a segment. `kernels` None takes the fastest kernels that work here.
    The plain kernels also read masked positions, so the whole cache must then hold finite numbers. With the
    plain kernels, `fixed_shape` captures only the largest graph, so that a row's bits do not depend on other
    rows.
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
        # The fields of a row: token, length, limit, nucleus, may_end, place of the noise, and the last draws.
        # With plain kernels a slot without a row writes to its last position. That does no harm: a row that
        # reaches the position writes it before it reads it.
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
        """Runs one decode step. Returns the draw of each row, in the order of `rows`. Raises ValueError for a
        row whose slot is full."""
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
        """The numbers of rows and keys of each graph."""
        return list(self._run)

    def shape_for(self, rows: Sequence[SpeechSequence]) -> Shape:
        """Returns the numbers of rows and keys of the smallest graph that holds the `rows`. Raises ValueError
        for a row whose slot is full."""
        last_slot, longest = max(row.slot for row in rows), max(row.n_read for row in rows)
        if longest >= self._cache.slot_length:
            raise ValueError(f"{longest + 1} positions do not fit a slot of {self._cache.slot_length}")
        n_rows = next(bucket for bucket in self._row_buckets if bucket > last_slot)
        return n_rows, next(bucket for bucket in self._key_buckets if bucket > longest)

    def _compute(self, shape: Shape) -> None:
        """Computes a decode step for the first rows and keys: reads the input tensor and the noise, and
        writes the drawn columns and their log-probabilities to the output tensor."""
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
        """Captures a graph for each shape, the largest first. Returns a function for each shape that runs its
        graph.

        The graphs share a memory pool. The graphs run one after the other, and the contents of the pool are
        not used after a graph's run. Captured kernels keep the priority of their stream: a decode step's
        kernels run before those of the flow.
        """
        device = self._llm.device
        stream = torch.cuda.Stream(device, priority=-1)
        pool = torch.cuda.graph_pool_handle()
        stream.wait_stream(torch.cuda.current_stream(device))
        replays: dict[Shape, Callable[[], None]] = {}
        # The fused kernel takes a mask in any dtype. The plain one is for head sizes that the fused one
        # refuses.
        with torch.cuda.stream(stream), sdpa_kernel(_ATTENTION), no_garbage_collection():
            for shape in sorted(shapes, reverse=True):
                _, replays[shape] = captured(partial(self._compute, shape), stream=stream, pool=pool)
        torch.cuda.current_stream(device).wait_stream(stream)
        return replays


def fastest_kernels(llm: LlmRunner, cache: KVCache) -> DecodeKernels:
    """Returns "triton" on a GPU for which Triton can compile its kernels, which is tried with a step without
    rows. Returns "plain" (PyTorch's operators) otherwise. Raises torch.OutOfMemoryError if the memory runs
    out during the trial."""
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
