"""A step of the decode batch on the CPU: one forward pass of the LLM for all rows, then a draw for each
row."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from glm_tts_api.contracts import DecodeKernels
from glm_tts_api.model import cpu_decode
from glm_tts_api.model.cpu_kernels import CpuKernels
from glm_tts_api.model.kv_cache import KVCache
from glm_tts_api.model.llm_runner import LlmRunner
from glm_tts_api.model.sampling import Columns, Draw, ras, top_k
from glm_tts_api.model.sequence import SpeechSequence


class Drawn(NamedTuple):
    """The column of the logits that was drawn for a row, and the logarithm of its probability."""

    column: int
    log_prob: float


class DecodeStep(Protocol):
    @property
    def kernels(self) -> DecodeKernels:
        """The kind of kernels that compute what lies between the products."""

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
        compiled = compiled if cpu_decode.can_decode(llm) else None
        self.kernels: DecodeKernels = "c" if compiled else "plain"
        self.forward = partial(cpu_decode.decode, llm, compiled) if compiled else llm.decode
        multiple, self._most = llm.row_multiple, llm.most_rows
        fixed = -(-min(cache.slots, self._most) // multiple) * multiple
        self._row_multiple = fixed if fixed_shape else multiple
        self._llm = llm
        self._cache = cache
        self._columns = Columns(end=end, vocab_size=llm.config.vocab_size, ids=llm.sampled_ids)

    def __call__(self, rows: Sequence[SpeechSequence]) -> list[Drawn]:
        groups = [rows[first : first + self._most] for first in range(0, len(rows), self._most)]
        logits = torch.cat([self._logits(group) for group in groups])
        columns = torch.empty(len(rows), dtype=torch.int64)
        log_probs = torch.empty(len(rows))
        for method, draw in (("ras", self._draw_ras), ("topk", self._draw_top_k)):
            indices = [i for i, row in enumerate(rows) if row.sampling.method == method]
            if indices:
                columns[indices], log_probs[indices] = draw([rows[i] for i in indices], logits[indices])
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

    def _draw_ras(self, rows: Sequence[SpeechSequence], logits: Tensor) -> Draw:
        return ras(
            logits,
            self._columns,
            generators=[row.generator for row in rows],
            recent=torch.tensor([row.recent for row in rows]),
            may_end=torch.tensor([row.may_end for row in rows]),
        )

    def _draw_top_k(self, rows: Sequence[SpeechSequence], logits: Tensor) -> Draw:
        return top_k(
            logits,
            self._columns,
            generators=[row.generator for row in rows],
            k=[row.sampling.top_k for row in rows],
            may_end=torch.tensor([row.may_end for row in rows]),
        )
