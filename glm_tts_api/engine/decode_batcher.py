"""The decode batch: sequences join and leave at any step, and one forward moves them all.

Knows sequences, their rows and the LLM; knows neither the order of segments nor the rule by which a request
gets a row. A sequence's tokens do not depend on its neighbours: its prompt is read alone, in chunks of a
fixed size, and it draws from a generator of its own.
"""

from __future__ import annotations

import math

import torch

from glm_tts_api.contracts import DecodeKernels
from glm_tts_api.engine.config import EngineConfig, PrefillPace
from glm_tts_api.engine.device_thread import drop_memory
from glm_tts_api.engine.llm_prompt import PromptLayout
from glm_tts_api.engine.prefix_cache import PrefixCache
from glm_tts_api.engine.request import EngineRequest
from glm_tts_api.model.checkpoint import Models
from glm_tts_api.model.cuda_decode import CudaDecodeStep
from glm_tts_api.model.decode_step import CpuDecodeStep, DecodeStep, Drawn
from glm_tts_api.model.kv_cache import KVCache
from glm_tts_api.model.sequence import SpeechSequence

_OLDEST_EVERY = 4


class DecodeBatcher:
    """Sequences in a slotted cache. A step reads chunks of prompts, one at a time, and draws one token a row.

    `n_draws` counts the tokens drawn so far. `pace`: how much a step reads; None: what suits the device.
    `rests`: whether sequences of requests that give way take no step.
    """

    def __init__(self, models: Models, config: EngineConfig, *, pace: PrefillPace | None = None) -> None:
        llm, tokenizer = models.llm, models.text_tokenizer
        self.layout = PromptLayout(
            audio_start=tokenizer.audio_start,
            begin_of_audio=tokenizer.begin_of_audio,
            slot_length=config.slot_length(llm.config.max_position_embeddings),
        )
        self._llm = llm
        self._chunk = config.chunk_of_a_prompt(llm.device.type)
        self._pace = pace or config.pace_of_prefill(llm.device.type)
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
        self._rows: dict[int, SpeechSequence] = {}  # in the order of joining
        self._reading: list[SpeechSequence] = []  # in the order of joining
        self.rests = False
        self.n_draws = 0
        self._n_steps = 0
        self._n_chunks = 0
        self._prefixes = PrefixCache(self._cache, config.cached_voices)

    @property
    def kernels(self) -> DecodeKernels | None:
        return self._decode_step.kernels

    @property
    def busy(self) -> bool:
        return bool(self._awake())

    @property
    def n_cells_used(self) -> int:
        """The used positions of the KV cache. From any thread."""
        return sum(sequence.n_read for sequence in list(self._rows.values()))

    def join(self, row: int, sequence: SpeechSequence) -> None:
        """The sequence starts with its prompt at the next step."""
        sequence.join(row, torch.Generator(self._llm.device))
        sequence.owner.timings.begin("prefill")
        self._rows[row] = sequence
        self._reading.append(sequence)

    def leave(self, row: int) -> None:
        """Forgets a row whose request is gone, or whose sequence has ended."""
        left = self._rows.pop(row)
        if left in self._reading:
            self._reading.remove(left)
            left.owner.timings.end("prefill")
        else:
            left.owner.timings.end("decode")

    def forget_voices(self) -> None:
        """Drops the transcripts that were kept read."""
        self._prefixes.clear()

    def step(self) -> list[SpeechSequence]:
        """Draws a token for every sequence whose prompt is read. Reads of the others' prompts as much as the
        pace allows. Returns the sequences that ended.

        A fault ends the sequence it happened to. Where that cannot be told (a batch that does not fit the
        memory, say) the one that joined last goes, and the others try again at the next step.
        """
        running = [sequence for sequence in self._awake() if sequence not in self._reading]
        self._n_steps += 1
        if running and self._n_steps % self._pace.every:
            return self._decode(running)
        return [*self._read_prompts(), *self._decode(running)]

    def _awake(self) -> list[SpeechSequence]:
        sequences = list(self._rows.values())
        if not self.rests:
            return sequences
        return [sequence for sequence in sequences if not sequence.owner.asked.gives_way]

    def _read_prompts(self) -> list[SpeechSequence]:
        """Reads chunks. A fault ends its sequence, which is returned, and this step's reading."""
        n_ids = 0
        while n_ids < self._pace.n_ids:
            reading = [sequence for sequence in self._awake() if sequence in self._reading]
            if not reading:
                break
            sequence = self._next_to_read(reading)
            try:
                ids = self._next_chunk(sequence)
                if n_ids and n_ids + len(ids) > self._pace.n_ids:
                    break
                self._read(sequence, ids)
            except Exception as error:
                return [self._end(sequence, drop_memory(error))]
            n_ids += len(ids)
        return []

    def _next_to_read(self, reading: list[SpeechSequence]) -> SpeechSequence:
        """The one that has the fewest chunks left to read, so a short prompt need not wait for long ones, and
        of several the one that is due first; for every fourth chunk the one that has waited longest."""
        if self._n_chunks % _OLDEST_EVERY == _OLDEST_EVERY - 1:
            return reading[0]

        def chunks_and_due(sequence: SpeechSequence) -> tuple[int, float]:
            request: EngineRequest = sequence.owner
            return (len(sequence.prompt_ids) - sequence.n_read) // self._chunk, request.due

        return min(reading, key=chunks_and_due)

    def _next_chunk(self, sequence: SpeechSequence) -> list[int]:
        """Ids of the transcript, as far as nobody has read it before, or of what comes after it."""
        transcript = sequence.prompt_ids[: sequence.n_voice_ids]
        if sequence.n_read == 0:
            sequence.n_read = self._prefixes.recall(transcript, sequence.slot)
        end = len(transcript) if sequence.n_read < len(transcript) else -1
        return sequence.prompt_ids[sequence.n_read : end][: self._chunk]

    def _read(self, sequence: SpeechSequence, ids: list[int]) -> None:
        self._n_chunks += 1
        self._llm.prefill(ids, cache=self._cache, slot=sequence.slot, start=sequence.n_read)
        sequence.n_read += len(ids)
        if sequence.n_read == sequence.n_voice_ids:
            self._prefixes.keep(sequence.prompt_ids[: sequence.n_voice_ids], sequence.slot)
        if sequence.is_read:
            self._reading.remove(sequence)
            sequence.owner.timings.begin("decode")
            sequence.owner.timings.end("prefill")

    def _decode(self, running: list[SpeechSequence]) -> list[SpeechSequence]:
        if not running:
            return []
        try:
            draws = self._decode_step(running)
        except Exception as error:
            return [self._end(running[-1], drop_memory(error))]
        return [
            sequence for sequence, drawn in zip(running, draws, strict=True) if self._take(sequence, drawn)
        ]

    def _take(self, sequence: SpeechSequence, drawn: Drawn) -> bool:
        """A sequence's draw. Whether it ended with that."""
        column = drawn.column
        sequence.n_read += 1
        sequence.log_probs.append(drawn.log_prob)
        if not math.isfinite(drawn.log_prob):
            self._cache.clear(sequence.slot)
            self._end(sequence, ArithmeticError("the LLM's logits are not finite"))
            return True
        self.n_draws += 1
        if column == self._end_column:
            self._end(sequence)
            return True
        sequence.tokens.append(column)
        sequence.next_id = self.layout.audio_start + column
        if len(sequence.tokens) < sequence.max_len:
            return False
        self._end(sequence)
        return True

    def _end(self, sequence: SpeechSequence, error: Exception | None = None) -> SpeechSequence:
        self.leave(sequence.slot)
        sequence.error = error
        return sequence
