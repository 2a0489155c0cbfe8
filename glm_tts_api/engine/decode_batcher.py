"""The decode batch: rows join and leave at any step, and one forward moves them all.

Knows rows, plans and the LLM; knows nothing of the order of segments or of who gets a row. A row's tokens
do not depend on its neighbours: its prompt is read alone, in chunks of a fixed size, and it draws from a
generator of its own.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from glm_tts_api.engine.config import EngineConfig
from glm_tts_api.engine.job import PromptLayout, RowPlan
from glm_tts_api.engine.memory import check_slots_fit
from glm_tts_api.model.checkpoint import Models
from glm_tts_api.model.kv_cache import KVCache
from glm_tts_api.model.sampling import HISTORY, Columns, Draw, ras, top_k

_CHUNK = {"cpu": 64, "cuda": 256}  # takes about as long as a few decode steps of a full batch


@dataclass(slots=True, eq=False)
class _Row:
    """A row of the batch. `next_id` is fed at the next step, when `n_read` positions are in the cache."""

    slot: int
    plan: RowPlan
    generator: torch.Generator
    next_id: int
    n_read: int = 0
    tokens: list[int] = field(default_factory=list)
    log_probs: list[float] = field(default_factory=list)

    @property
    def ready(self) -> bool:
        """The prompt has been read, all but its last id: that one is the first to be fed."""
        return self.n_read >= len(self.plan.prompt_ids) - 1

    @property
    def may_end(self) -> bool:
        return len(self.tokens) >= self.plan.min_len

    @property
    def window(self) -> list[int]:
        """The last tokens that RAS looks back on; -1 stands for none."""
        recent = self.tokens[-HISTORY:]
        return [-1] * (HISTORY - len(recent)) + recent


@dataclass(frozen=True, slots=True)
class RowResult:
    """What came of a row: speech tokens from 0, or the error that ended it."""

    row: int
    plan: RowPlan
    tokens: list[int]
    mean_log_prob: float
    error: Exception | None = None


class DecodeBatcher:
    """Rows in a slotted cache. A step reads at most one chunk of a prompt and draws one token a row."""

    def __init__(self, models: Models, config: EngineConfig) -> None:
        llm, tokenizer = models.llm, models.text_tokenizer
        self.layout = PromptLayout(
            audio_start=tokenizer.audio_start,
            begin_of_audio=tokenizer.begin_of_audio,
            slot_length=config.slot_length(llm.config.max_position_embeddings),
        )
        check_slots_fit(llm, n_slots=config.n_slots, slot_length=self.layout.slot_length)
        self._llm = llm
        self._chunk = config.prefill_chunk or _CHUNK[llm.device.type]
        self._cache = KVCache(
            llm.config,
            slots=config.n_slots,
            slot_length=self.layout.slot_length,
            dtype=llm.dtype,
            device=llm.device,
        )
        # Column i of the logits is speech token i; the last one ends a segment.
        self._columns = Columns(
            end=len(llm.sampled_ids) - 1, vocab_size=llm.config.vocab_size, ids=llm.sampled_ids
        )
        self._rows: dict[int, _Row] = {}  # in the order of joining
        self._reading: deque[_Row] = deque()

    @property
    def busy(self) -> bool:
        return bool(self._rows)

    def join(self, row: int, plan: RowPlan) -> None:
        """The row starts with its prompt at the next step."""
        generator = torch.Generator(self._llm.device).manual_seed(plan.seed)
        joined = _Row(row, plan, generator, next_id=plan.prompt_ids[-1])
        self._rows[row] = joined
        self._reading.append(joined)

    def leave(self, row: int) -> None:
        """Forgets a row whose job is gone."""
        left = self._rows.pop(row)
        if left in self._reading:
            self._reading.remove(left)

    def step(self) -> list[RowResult]:
        """Reads a chunk of a prompt, draws a token for every row that has read its own; the rows that ended.

        A fault ends the row it happened to. Where that cannot be told (a batch that does not fit the memory,
        say) the row that joined last goes, and the others try again at the next step.
        """
        return [*self._read_chunk(), *self._decode()]

    def _read_chunk(self) -> list[RowResult]:
        if not self._reading:
            return []
        row, started = self._reading[0], time.perf_counter()
        ids = row.plan.prompt_ids[row.n_read : -1][: self._chunk]
        try:
            self._llm.prefill(ids, cache=self._cache, slot=row.slot, start=row.n_read)
        except Exception as error:
            return [self._end(row, error)]
        row.n_read += len(ids)
        row.plan.job.timings.llm_s += time.perf_counter() - started
        if row.ready:
            self._reading.popleft()
        return []

    def _decode(self) -> list[RowResult]:
        rows = [row for row in self._rows.values() if row.ready]
        if not rows:
            return []
        started = time.perf_counter()
        try:
            hidden = self._llm.decode(
                [row.next_id for row in rows],
                cache=self._cache,
                slots=[row.slot for row in rows],
                lengths=[row.n_read for row in rows],
            )
            columns, log_probs = self._draw(rows, self._llm.logits(hidden))
        except Exception as error:
            return [self._end(rows[-1], error)]
        share = (time.perf_counter() - started) / len(rows)
        for row in rows:
            row.plan.job.timings.llm_s += share
        results = [
            self._take(row, column, log_prob)
            for row, column, log_prob in zip(rows, columns.tolist(), log_probs.tolist(), strict=True)
        ]
        return [result for result in results if result is not None]

    def _draw(self, rows: Sequence[_Row], logits: Tensor) -> Draw:
        """The rows of each method together. logits [B, C]."""
        columns = torch.empty(len(rows), dtype=torch.int64, device=logits.device)
        log_probs = torch.empty(len(rows), device=logits.device)
        by_method: dict[str, list[int]] = {}
        for index, row in enumerate(rows):
            by_method.setdefault(row.plan.job.utterance.sampling.method, []).append(index)
        for method, indices in by_method.items():
            draw = self._draw_ras if method == "ras" else self._draw_top_k
            columns[indices], log_probs[indices] = draw([rows[index] for index in indices], logits[indices])
        return Draw(columns, log_probs)

    def _draw_ras(self, rows: Sequence[_Row], logits: Tensor) -> Draw:
        return ras(
            logits,
            self._columns,
            generators=[row.generator for row in rows],
            recent=torch.tensor([row.window for row in rows], device=logits.device),
            may_end=torch.tensor([row.may_end for row in rows], device=logits.device),
        )

    def _draw_top_k(self, rows: Sequence[_Row], logits: Tensor) -> Draw:
        return top_k(
            logits,
            self._columns,
            generators=[row.generator for row in rows],
            k=[row.plan.job.utterance.sampling.top_k for row in rows],
            may_end=torch.tensor([row.may_end for row in rows], device=logits.device),
        )

    def _take(self, row: _Row, column: int, log_prob: float) -> RowResult | None:
        """A row's draw. Returns what came of the row if this was its last."""
        row.n_read += 1
        row.log_probs.append(log_prob)
        if not math.isfinite(log_prob):
            return self._end(row, ArithmeticError("the LLM's logits are not finite"))
        if column == self._columns.end:
            return self._end(row)
        row.tokens.append(column)
        row.next_id = self.layout.audio_start + column
        return self._end(row) if len(row.tokens) == row.plan.max_len else None

    def _end(self, row: _Row, error: Exception | None = None) -> RowResult:
        self.leave(row.slot)
        mean = math.fsum(row.log_probs) / max(1, len(row.log_probs))
        return RowResult(row.slot, row.plan, row.tokens, mean, error)
