"""The decode batch: rows join and leave at any step, and one forward moves them all.

Knows rows, plans and the LLM; knows nothing of the order of segments or of who gets a row. A row's tokens
do not depend on its neighbours: its prompt is read alone, in chunks of a fixed size, and it draws from a
generator of its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch

from glm_tts_api.contracts import Stage
from glm_tts_api.engine.config import EngineConfig
from glm_tts_api.engine.device_thread import drop_memory
from glm_tts_api.engine.job import PromptLayout, RowPlan
from glm_tts_api.engine.memory import check_slots_fit
from glm_tts_api.engine.transcripts import Transcripts
from glm_tts_api.model.checkpoint import Models
from glm_tts_api.model.cuda_decode import CudaDecodeStep
from glm_tts_api.model.decode_step import CpuDecodeStep, DecodeStep, Drawn, RowStep
from glm_tts_api.model.kv_cache import KVCache
from glm_tts_api.model.sampling import HISTORY

_STEPS_A_CHUNK = 3
_OLDEST_EVERY = 4


@dataclass(slots=True, eq=False)
class _Row:
    """A row of the batch. `next_id` is fed at the next step, when `n_read` positions are in the cache."""

    slot: int
    plan: RowPlan
    generator: torch.Generator
    next_id: int
    n_read: int = 0
    stage: Stage = "prefill"
    log_probs: list[float] = field(default_factory=list)

    @property
    def ready(self) -> bool:
        """The prompt has been read, all but its last id: that one is the first to be fed."""
        return self.n_read >= len(self.plan.prompt_ids) - 1

    def step(self) -> RowStep:
        recent = self.plan.tokens[-HISTORY:]
        sampling = self.plan.job.utterance.sampling
        return RowStep(
            slot=self.slot,
            token=self.next_id,
            length=self.n_read,
            may_end=len(self.plan.tokens) >= self.plan.min_len,
            top_k=None if sampling.method == "ras" else sampling.top_k,
            recent=[-1] * (HISTORY - len(recent)) + recent,
            generator=self.generator,
        )


@dataclass(frozen=True, slots=True)
class RowResult:
    """What came of a row: its plan holds the speech tokens, from 0; or the error that ended it."""

    row: int
    plan: RowPlan
    mean_log_prob: float
    error: Exception | None = None


class DecodeBatcher:
    """Rows in a slotted cache. A step reads at most one chunk of a prompt and draws one token a row.

    `n_draws` counts the tokens drawn so far.
    """

    def __init__(self, models: Models, config: EngineConfig) -> None:
        llm, tokenizer = models.llm, models.text_tokenizer
        self.layout = PromptLayout(
            audio_start=tokenizer.audio_start,
            begin_of_audio=tokenizer.begin_of_audio,
            slot_length=config.slot_length(llm.config.max_position_embeddings),
        )
        check_slots_fit(models, config, slot_length=self.layout.slot_length)
        self._llm = llm
        self._chunk = config.chunk_of_a_prompt(llm.device.type)
        self._cache = KVCache(
            llm.config,
            slots=config.n_slots,
            slot_length=self.layout.slot_length,
            dtype=llm.dtype,
            device=llm.device,
        )
        self._end_column = len(llm.sampled_ids) - 1  # column i of the logits is speech token i
        make_step = CudaDecodeStep if llm.device.type == "cuda" else CpuDecodeStep
        self._decode_step: DecodeStep = make_step(
            llm, self._cache, end=self._end_column, fixed_shape=config.deterministic
        )
        self._rows: dict[int, _Row] = {}  # in the order of joining
        self._reading: list[_Row] = []  # in the order of joining
        self.n_draws = 0
        self._n_steps = 0
        self._n_chunks = 0
        self._transcripts = Transcripts(self._cache, config.cached_voices)

    @property
    def busy(self) -> bool:
        return bool(self._rows)

    def join(self, row: int, plan: RowPlan) -> None:
        """The row starts with its prompt at the next step."""
        generator = torch.Generator(self._llm.device).manual_seed(plan.seed)
        joined = _Row(row, plan, generator, next_id=plan.prompt_ids[-1])
        plan.job.timings.begin(joined.stage)
        self._rows[row] = joined
        self._reading.append(joined)

    def leave(self, row: int) -> None:
        """Forgets a row whose job is gone."""
        left = self._rows.pop(row)
        left.plan.job.timings.end(left.stage)
        if left in self._reading:
            self._reading.remove(left)

    def forget_voices(self) -> None:
        """Drops the transcripts that were kept read."""
        self._transcripts.clear()

    def step(self) -> list[RowResult]:
        """Draws a token for every row that has read its prompt. Every few steps, or while there is no such
        row, reads a chunk of a prompt as well. Returns the rows that ended.

        A fault ends the row it happened to. Where that cannot be told (a batch that does not fit the memory,
        say) the row that joined last goes, and the others try again at the next step.
        """
        running = [row for row in self._rows.values() if row.ready]
        self._n_steps += 1
        if running and self._n_steps % _STEPS_A_CHUNK:
            return self._decode(running)
        return [*self._read_chunk(), *self._decode(running)]

    def _read_chunk(self) -> list[RowResult]:
        if not self._reading:
            return []
        row = self._next_to_read()
        transcript = row.plan.prompt_ids[: row.plan.n_voice_ids]
        try:
            if row.n_read == 0:
                row.n_read = self._transcripts.recall(transcript, row.slot)
            end = len(transcript) if row.n_read < len(transcript) else -1
            ids = row.plan.prompt_ids[row.n_read : end][: self._chunk]
            self._llm.prefill(ids, cache=self._cache, slot=row.slot, start=row.n_read)
            row.n_read += len(ids)
            if row.n_read == len(transcript):
                self._transcripts.keep(transcript, row.slot)
        except Exception as error:
            return [self._end(row, drop_memory(error))]
        if row.ready:
            self._reading.remove(row)
            row.plan.job.timings.begin("decode")
            row.plan.job.timings.end(row.stage)
            row.stage = "decode"
        return []

    def _next_to_read(self) -> _Row:
        """The row that has the fewest chunks left to read, so a short prompt need not wait for long ones, and
        of several the one that is due first; every fourth time the one that has waited longest."""
        self._n_chunks += 1
        if self._n_chunks % _OLDEST_EVERY == 0:
            return self._reading[0]

        def chunks_and_due(row: _Row) -> tuple[int, float]:
            return (len(row.plan.prompt_ids) - row.n_read) // self._chunk, row.plan.job.due

        return min(self._reading, key=chunks_and_due)

    def _decode(self, rows: list[_Row]) -> list[RowResult]:
        if not rows:
            return []
        try:
            draws = self._decode_step([row.step() for row in rows])
        except Exception as error:
            return [self._end(rows[-1], drop_memory(error))]
        results = [self._take(row, drawn) for row, drawn in zip(rows, draws, strict=True)]
        return [result for result in results if result is not None]

    def _take(self, row: _Row, drawn: Drawn) -> RowResult | None:
        """A row's draw. Returns what came of the row if this was its last."""
        column = drawn.column
        row.n_read += 1
        row.log_probs.append(drawn.log_prob)
        if not math.isfinite(drawn.log_prob):
            self._cache.clear(row.slot)
            return self._end(row, ArithmeticError("the LLM's logits are not finite"))
        self.n_draws += 1
        if column == self._end_column:
            return self._end(row)
        row.plan.tokens.append(column)
        row.next_id = self.layout.audio_start + column
        return self._end(row) if len(row.plan.tokens) == row.plan.max_len else None

    def _end(self, row: _Row, error: Exception | None = None) -> RowResult:
        self.leave(row.slot)
        mean = math.fsum(row.log_probs) / max(1, len(row.log_probs))
        return RowResult(row.slot, row.plan, mean, error)
