"""Decoding on a GPU. One CUDA graph computes a whole step of the decode batch, from the tokens that are fed
to the LLM to the tokens that are drawn.

Row i of the graph is slot i of the KV cache, whose keys and values are read in place. There is one shape for
any number of rows, so a row's bits do not depend on the other rows. With Triton's kernels each row reads only
its own positions. Where Triton does not work, PyTorch's operators read all positions under a mask. A step
consists of one copy to the GPU, the graph, and one copy back; only the copy back is waited for. Once in many
steps a kernel also makes new noise for a row.

Other graphs read prompts. A chunk of a prompt is padded to the next of a few lengths. The slot and the first
position are numbers that the graph reads.
"""

from __future__ import annotations

import logging
import struct
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor

from glm_tts_api.contracts import DecodeKernels
from glm_tts_api.model.decode_step import Drawn
from glm_tts_api.model.graphs import GraphPool
from glm_tts_api.model.kv_cache import KVCache
from glm_tts_api.model.llm import LlmConfig
from glm_tts_api.model.llm_runner import LlmRunner
from glm_tts_api.model.sampling import HISTORY, MAX_CANDIDATES
from glm_tts_api.model.sequence import SpeechSequence
from glm_tts_api.model.static_draw import DrawNoise, Rules, chances, draw

logger = logging.getLogger(__name__)

Run = Callable[[], None]
PROMPT_SIZES = (64, 128, 256, 512, 1024)  # ids
# The fields of a row: token, length, limit, nucleus, may_end, place of the noise, and the last draws.
_ROW = struct.Struct(f"{6 + HISTORY}q")
_HEAD = 3  # numbers in front of a prompt's ids: the slot, the first position, and how many ids there are


class CudaDecodeStep:
    """The decode step on a GPU. Making it captures the CUDA graphs, which takes seconds and keeps their
    memory.

    Make and call it under torch.inference_mode, from one thread and on one CUDA stream. On a CPU the same
    tensor code runs without graphs, for tests. `end` is the logits' column that ends a segment. `kernels`
    None takes the fastest kernels that work here. The plain kernels also read masked positions, so the whole
    cache must then hold finite numbers.
    """

    def __init__(
        self, llm: LlmRunner, cache: KVCache, *, end: int, kernels: DecodeKernels | None = None
    ) -> None:
        self._llm = llm
        self._cache = cache
        self._end = end
        self.kernels: DecodeKernels = kernels or fastest_kernels(llm, cache)
        device, self._on_gpu = llm.device, llm.device.type == "cuda"
        # With plain kernels a slot without a row writes to its last position. That does no harm: a row that
        # reaches the position writes it before it reads it.
        no_length = -1 if self.kernels == "triton" else cache.slot_length - 1
        self._idle = [0, no_length, 1, 0, 1, 0, *[-1] * HISTORY]
        self._host_input = self._pinned(torch.tensor([self._idle] * cache.slots))
        self._host_output = self._pinned(torch.zeros(cache.slots, 2))  # column and log-probability
        self._input = self._host_input.to(device, copy=True)
        self._output = self._host_output.to(device, copy=True)
        self._fields: Any = self._host_input.numpy()
        self._with_row = frozenset[int]()  # the slots that had a row in the last step
        self._prompt = torch.zeros(_HEAD + PROMPT_SIZES[-1], dtype=torch.int64, device=device)
        self._noise = DrawNoise(cache.slots, len(llm.sampled_ids), device)
        self._run: Run = self._compute
        self._read = {n: cast(Run, partial(self._read_prompt, n)) for n in reversed(PROMPT_SIZES)}
        if self._on_gpu:
            self._capture()

    def __call__(self, rows: Sequence[SpeechSequence]) -> list[Drawn]:
        """Runs one decode step. Returns the draw of each row, in the order of `rows`. Raises ValueError for a
        row whose slot is full."""
        self._llm.require_room(self._cache, [row.n_read for row in rows])
        self._write(rows)
        self._input.copy_(self._host_input, non_blocking=True)
        self._run()
        self._host_output.copy_(self._output, non_blocking=True)
        if self._on_gpu:
            torch.cuda.current_stream(self._llm.device).synchronize()
        drawn = self._host_output.tolist()
        return [Drawn(int(drawn[row.slot][0]), drawn[row.slot][1]) for row in rows]

    def prefill(self, ids: Sequence[int], *, slot: int, start: int) -> None:
        """Reads the next ids of a prompt, as `LlmRunner.prefill` does. Does not wait for the GPU."""
        n = len(ids)
        if self.kernels == "plain" or n > PROMPT_SIZES[-1]:
            self._llm.prefill(ids, cache=self._cache, slot=slot, start=start)
            return
        self._llm.require_room(self._cache, [start + n - 1])
        given = self._pinned(torch.tensor([slot, start, n, *ids]))  # not used again before it is copied
        self._prompt[: len(given)].copy_(given, non_blocking=True)
        self._read[min(size for size in PROMPT_SIZES if size >= n)]()

    def _pinned(self, tensor: Tensor) -> Tensor:
        return tensor.pin_memory() if self._on_gpu else tensor

    def _write(self, rows: Sequence[SpeechSequence]) -> None:
        """Writes the fields of the rows, and of the slots that have lost their row, to the pinned memory."""
        before, self._with_row = self._with_row, frozenset(row.slot for row in rows)
        for slot in before - self._with_row:
            _ROW.pack_into(self._fields, slot * _ROW.size, *self._idle)
        for row in rows:
            nucleus = row.sampling.method == "ras"
            limit = MAX_CANDIDATES if nucleus else row.sampling.top_k
            fields = row.next_id, row.n_read, limit, nucleus, row.may_end, self._noise.place(row)
            _ROW.pack_into(self._fields, row.slot * _ROW.size, *fields, *row.recent)

    def _compute(self) -> None:
        """Computes a decode step: reads the input tensor and the noise, and writes the drawn columns and
        their log-probabilities to the output tensor."""
        token, length, limit, nucleus, may_end, place = self._input[:, :-HISTORY].unbind(1)
        if self.kernels == "triton":
            from glm_tts_api.model import draw_kernels, triton_decode

            hidden = triton_decode.decode_slots(self._llm, token, length, cache=self._cache)
            p = chances(self._llm.logits(hidden), self._end, barred=nucleus > may_end)
            draw_kernels.draw(p, self._input, self._noise.values, self._output, end=self._end)
            return
        hidden = self._llm.decode_slots(token, length, cache=self._cache)
        rules = Rules(limit, nucleus.bool(), may_end.bool(), self._input[:, -HISTORY:])
        noise = self._noise.values[torch.arange(len(place), device=place.device), place]
        drawn = draw(self._llm.logits(hidden), rules, end=self._end, noise=noise)
        self._output[:, 0], self._output[:, 1] = drawn

    def _read_prompt(self, n: int) -> None:
        """Reads the prompt tensor's first ids, padded to `n` ids."""
        from glm_tts_api.model import triton_decode

        slot, start, n_ids = self._prompt[:_HEAD]
        row = torch.arange(n, device=self._llm.device)
        lengths = torch.where(row < n_ids, row + start, -1).to(torch.int32)
        ids = self._prompt[_HEAD : _HEAD + n]
        triton_decode.prefill_slot(self._llm, ids, lengths, slot, cache=self._cache)

    def _capture(self) -> None:
        """Captures the graphs, the largest first. A decode step's kernels run before those of the flow."""
        pool = GraphPool(self._llm.device, priority=-1)
        with pool.open():
            if self.kernels == "triton":
                self._read = {n: pool.capture(read)[1] for n, read in self._read.items()}
            self._run = pool.capture(self._compute)[1]


def prompt_bytes(config: LlmConfig, dtype: torch.dtype) -> int:
    """Estimates the bytes of the largest graph of a prompt: those of hidden states and feed-forward."""
    return PROMPT_SIZES[-1] * (5 * config.hidden_size + 3 * config.intermediate_size) * dtype.itemsize


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
            "Triton does not work here (%s). PyTorch's operators are used instead: they are slower."
            " Triton needs its Python package, a C compiler and Python's headers: pip install triton,"
            " apt install gcc python3-dev",
            f"{type(error).__name__}: {error}",
        )
        return "plain"
    logger.info("Decoding takes Triton's kernels, in one graph of all %d slots", cache.slots)
    return "triton"
