"""A step of the decode batch on the CPU: one forward pass of the LLM for all rows, then a draw for each
row."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from glm_tts_api.contracts import DecodeKernels
from glm_tts_api.model.cpu_kernels import LANES, CpuKernels, Numbers, Step
from glm_tts_api.model.kv_cache import KVCache
from glm_tts_api.model.linear import Int8Linear, PackedLinear
from glm_tts_api.model.llm_runner import LlmRunner
from glm_tts_api.model.sampling import Columns, Draw, ras, top_k
from glm_tts_api.model.sequence import SpeechSequence

Product = Callable[[Any, Tensor], Tensor]
_STORED = {torch.float32: Numbers.FLOAT32, torch.bfloat16: Numbers.BFLOAT16}


class Drawn(NamedTuple):
    """The column of the logits that was drawn for a row, and the logarithm of its probability."""

    column: int
    log_prob: float


class DecodeStep(Protocol):
    @property
    def kernels(self) -> DecodeKernels:
        """The kind of kernels that compute what lies between the products."""

    def prefill(self, ids: Sequence[int], *, slot: int, start: int) -> object:
        """Reads the next ids of a prompt, as `LlmRunner.prefill` does."""

    def __call__(self, rows: Sequence[SpeechSequence]) -> list[Drawn]:
        """Feeds each row's `next_id` to the LLM and draws the row's next token. Returns the draws in the
        order of `rows`."""


class CpuDecodeStep:
    """The decode step on a CPU. `end` is the logits' column that ends a segment. Rows are computed in
    groups of at most `llm.most_rows`. `fixed_shape` pads each group to as many rows as it can have, for
    machines whose products round differently for other numbers of rows. Without `compiled` kernels, or if
    they do not fit the model, PyTorch's operators compute the step. `forward` computes the hidden states of a
    step, as `LlmRunner.decode` does."""

    def __init__(
        self,
        llm: LlmRunner,
        cache: KVCache,
        *,
        end: int,
        fixed_shape: bool = False,
        compiled: CpuKernels | None = None,
    ) -> None:
        compiled = compiled if can_decode(llm) else None
        self.kernels: DecodeKernels = "c" if compiled else "plain"
        self.forward = (
            partial(decode, llm, compiled, read=activation_numbers(llm)) if compiled else llm.decode
        )
        multiple, self._most = llm.row_multiple, llm.most_rows
        fixed = -(-min(cache.slots, self._most) // multiple) * multiple
        self._row_multiple = fixed if fixed_shape else multiple
        self._llm = llm
        self._cache = cache
        self.prefill = partial(llm.prefill, cache=cache)
        self._columns = Columns(end=end, vocab_size=llm.config.vocab_size, ids=llm.sampled_ids)

    def __call__(self, rows: Sequence[SpeechSequence]) -> list[Drawn]:
        groups = [rows[first : first + self._most] for first in range(0, len(rows), self._most)]
        logits = torch.cat([self._logits(group) for group in groups])
        columns = torch.empty(len(rows), dtype=torch.int64)
        log_probs = torch.empty(len(rows))
        for method in ("ras", "topk"):
            indices = [i for i, row in enumerate(rows) if row.sampling.method == method]
            if indices:
                columns[indices], log_probs[indices] = self._draw(
                    method, [rows[i] for i in indices], logits[indices]
                )
        return [Drawn(*pair) for pair in zip(columns.tolist(), log_probs.tolist(), strict=True)]

    def _logits(self, rows: Sequence[SpeechSequence]) -> Tensor:
        hidden = self.forward(
            [row.next_id for row in rows],
            cache=self._cache,
            slots=[row.slot for row in rows],
            lengths=[row.n_read for row in rows],
            row_multiple=self._row_multiple,
        )
        return self._llm.logits(hidden, row_multiple=self._row_multiple)

    def _draw(self, method: str, rows: Sequence[SpeechSequence], logits: Tensor) -> Draw:
        generators, may_end = [row.generator for row in rows], torch.tensor([row.may_end for row in rows])
        if method == "ras":
            recent = torch.tensor([row.recent for row in rows])
            return ras(logits, self._columns, generators=generators, recent=recent, may_end=may_end)
        k = [row.sampling.top_k for row in rows]
        return top_k(logits, self._columns, generators=generators, k=k, may_end=may_end)


def can_decode(llm: LlmRunner) -> bool:
    """Returns whether the kernels can run a model of these sizes and this dtype."""
    config = llm.config
    widths = (config.hidden_size, config.intermediate_size, config.head_dim)
    return llm.dtype in _STORED and not any(width % LANES for width in widths)


def decode(
    llm: LlmRunner,
    kernels: CpuKernels,
    ids: Sequence[int],
    *,
    read: Numbers,
    cache: KVCache,
    slots: Sequence[int],
    lengths: Sequence[int],
    row_multiple: int | None = None,
) -> Tensor:
    """Computes what `LlmRunner.decode` computes: oneDNN computes the products, cpu_kernels.c everything
    between them. (PyTorch has some 2,000 operators for that, which take a third of a step at official sizes.)
    Unlike there, all arithmetic between the products is in float32, and so are the hidden states to which a
    layer adds. Keys, values and what the products read are rounded to the dtype. `read` is the result of
    `activation_numbers`. Raises ValueError if a slot is full."""
    llm.require_room(cache, lengths)
    config, n = llm.config, len(ids)
    fed, at_slots, at_lengths = torch.tensor((ids, slots, lengths), dtype=torch.int64)
    of_integers, heads_width = read >= Numbers.INTEGERS, config.num_attention_heads * config.head_dim
    x = F.embedding(fed, llm.embedding).float()
    hidden = torch.empty(n, config.hidden_size, dtype=llm.dtype)
    attended, scale = torch.empty(n, heads_width), torch.empty(n)
    n_padded = n + -n % (row_multiple or llm.row_multiple)
    normed, mixed, gated = (
        torch.zeros(
            2 * n_padded if read is Numbers.PAIRS_OF_INTEGERS else n_padded,
            width,
            dtype=torch.uint8 if of_integers else llm.dtype,
        )
        for width in (config.hidden_size, heads_width, config.intermediate_size)
    )
    step = Step(
        n, n_padded, read, _STORED[llm.dtype],
        config.num_attention_heads, config.num_key_value_heads, config.head_dim, cache.slot_length,
        config.rms_norm_eps,
        *(each.data_ptr() for each in (scale, at_slots, at_lengths, llm.cos, llm.sin)),
        None, cache.followed.number if cache.followed else 0,
    )  # fmt: skip
    at_step = ctypes.addressof(step)
    at_x, at_normed, at_mixed, at_gated = (each.data_ptr() for each in (x, normed, mixed, gated))
    keys, values = cache.keys.data_ptr(), cache.values.data_ptr()
    layer_bytes = cache.keys.stride(0) * cache.keys.itemsize
    product: Product = Int8Linear.of_integers if of_integers else PackedLinear.__call__
    at_added = None
    for index, layer in enumerate(llm.layers):
        is_followed = cache.followed is not None and cache.followed.layer == index
        step.queries = cache.queries.data_ptr() if is_followed else None
        norm = layer.attention_norm.data_ptr()
        kernels.add_and_norm(at_step, config.hidden_size, at_x, at_added, norm, at_normed, read)
        qkv = product(layer.qkv, normed)
        kernels.attend(at_step, qkv.data_ptr(), keys, values, attended.data_ptr(), at_mixed)
        added, norm = product(layer.output, mixed), layer.mlp_norm.data_ptr()
        kernels.add_and_norm(at_step, config.hidden_size, at_x, added.data_ptr(), norm, at_normed, read)
        gate_up = product(layer.gate_up, normed)
        kernels.silu_times(at_step, config.intermediate_size, gate_up.data_ptr(), at_gated)
        added = product(layer.down, gated)
        at_added = added.data_ptr()
        keys, values = keys + layer_bytes, values + layer_bytes
    kernels.add_and_norm(
        at_step, config.hidden_size, at_x, at_added, llm.norm.data_ptr(), hidden.data_ptr(), step.stored
    )
    return hidden


def activation_numbers(llm: LlmRunner) -> Numbers:
    """Returns the kind of numbers in which the matrix products of `llm` take the activations: float32,
    bfloat16, or int8 (in pairs where the CPU's sums of pairs would overflow)."""
    if not isinstance(llm.layers[0].qkv, Int8Linear):
        return _STORED[llm.dtype]
    return Numbers.PAIRS_OF_INTEGERS if Int8Linear.reads_pairs() else Numbers.INTEGERS
