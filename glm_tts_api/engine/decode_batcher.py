"""The decode batch: sequences join and leave it between any two steps, and one forward pass of the LLM draws
one token for each sequence.

This module knows sequences, their rows and the LLM. The module does not know the order of segments, nor the
rule by which a request gets a row. A sequence's tokens do not depend on the other rows: its prompt is read
alone, in chunks of a fixed size, and its tokens are drawn from its own random generator.
"""

from __future__ import annotations

import math
from collections.abc import Sequence, Set
from contextlib import suppress
from functools import partial

import torch
from cachetools import LRUCache
from torch import Tensor

from glm_tts_api.contracts import DecodeKernels
from glm_tts_api.engine.config import EngineConfig, PrefillPace
from glm_tts_api.engine.device_thread import drop_memory
from glm_tts_api.engine.fair_shares import FairShares
from glm_tts_api.engine.llm_prompt import PromptLayout
from glm_tts_api.engine.request import EngineRequest
from glm_tts_api.engine.spare_memory import SpareMemory
from glm_tts_api.model.alignment import Spoken
from glm_tts_api.model.checkpoint import Models
from glm_tts_api.model.cuda_decode import CudaDecodeStep
from glm_tts_api.model.decode_step import CpuDecodeStep, DecodeStep
from glm_tts_api.model.kv_cache import KVCache
from glm_tts_api.model.sequence import SpeechSequence

_LEAST_IDS = 4  # of a transcript that is cached: fewer ids are read as quickly as they are copied
MOST_BYTES = 2**28  # of cached transcripts
_OLDEST_EVERY = 4  # every fourth chunk goes to the client's prompt that has waited longest


class DecodeBatcher:
    """Decodes many sequences at the same time. Each sequence has one row of the batch, and the row has its
    own slot in the KV cache. A step has the LLM read chunks of prompts, one at a time, and draws one token
    for each row whose prompt has been read.

    `n_draws` is the number of tokens drawn so far. `pace` says how much of the prompts a step reads; None
    takes the pace for the device. The sequences of the requests in `paused` take no step.
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
            slots=config.n_rows,
            slot_length=self.layout.slot_length,
            dtype=llm.dtype,
            device=llm.device,
            followed=models.followed,
        )
        self._end_column = len(llm.sampled_ids) - 1  # column i of the logits is speech token i
        on_cpu = partial(CpuDecodeStep, compiled=models.cpu_kernels, fixed_shape=config.deterministic)
        make_step = CudaDecodeStep if llm.device.type == "cuda" else on_cpu
        self._decode_step: DecodeStep = make_step(llm, self._cache, end=self._end_column)
        self.kernels: DecodeKernels = self._decode_step.kernels
        self._rows: dict[int, SpeechSequence] = {}  # in the order of joining
        self._reading: list[SpeechSequence] = []  # in the order of joining
        self.paused: Set[EngineRequest] = frozenset()
        self.n_draws = 0
        self._n_steps = 0
        self._n_chunks = 0
        self._shares = FairShares()  # of the clients in the ids that are read
        self._prefixes = PrefixCache(self._cache, config.cached_voices)
        self._spare_memory = SpareMemory(self._let_free_rows_go)

    @property
    def awake(self) -> list[SpeechSequence]:
        """The sequences that the next steps work on, in the order of joining."""
        return [sequence for sequence in self._rows.values() if sequence.owner not in self.paused]

    @property
    def n_cells_used(self) -> int:
        """The number of used positions in the KV cache. Any thread may ask."""
        return sum(sequence.n_read for sequence in list(self._rows.values()))

    def join(self, row: int, sequence: SpeechSequence) -> None:
        """Puts a sequence into the free row `row`. The next steps read its prompt, then draw its tokens."""
        sequence.slot, sequence.next_id = row, sequence.prompt_ids[-1]
        sequence.generator = torch.Generator(self._llm.device).manual_seed(sequence.sampling.seed)
        sequence.owner.sink.change("prefill", 1)
        self._rows[row] = sequence
        self._reading.append(sequence)

    def leave(self, row: int, error: Exception | None = None) -> SpeechSequence:
        """Removes the sequence of a row, because it has ended, perhaps with an error, or because its request
        is gone. Returns the sequence."""
        left = self._rows.pop(row)
        if left in self._reading:
            self._reading.remove(left)
            left.owner.sink.change("prefill", -1)
        else:
            left.owner.sink.change("decode", -1)
        left.error = error
        self._spare_memory.give_back_if_due()
        return left

    def _let_free_rows_go(self) -> None:
        """Gives the KV cache memory of rows without a sequence back to the system. Does nothing on a GPU.
        When such a row is used again, its memory comes back page by page, which costs a sequence 2 ms, or 10
        ms with the official model."""
        for row in range(self._cache.slots):
            if row not in self._rows:
                self._cache.let_go(row)

    def forget_voices(self) -> None:
        """Drops the cached keys and values of voices' transcripts. Gives the memory of free rows back to the
        system."""
        self._prefixes.clear()
        self._let_free_rows_go()

    def step(self) -> list[SpeechSequence]:
        """Draws a token for every sequence whose prompt has been read. Also reads as much of the other
        prompts as the pace allows (prefill). Returns the sequences that ended.

        A fault ends the sequence that caused it. Where the cause cannot be told (for example, a batch that
        does not fit the memory) the sequence that joined last ends with the error. The others try again at
        the next step.
        """
        running = [sequence for sequence in self.awake if sequence not in self._reading]
        self._n_steps += 1
        ended = [] if running and self._n_steps % self._pace.every else self._read_prompts()
        if not running:
            return ended
        try:
            draws = self._decode_step(running)
        except Exception as error:
            return [*ended, self.leave(running[-1].slot, drop_memory(error))]
        pairs = zip(running, draws, strict=True)
        return [*ended, *(sequence for sequence, drawn in pairs if self._take(sequence, *drawn))]

    def _read_prompts(self) -> list[SpeechSequence]:
        """Has the LLM read chunks of prompts (prefill), as many as the pace allows. Returns an empty list. If
        a chunk fails, ends its sequence with the error, reads no more in this step, and returns the sequence
        in a list."""
        n_ids = 0
        while n_ids < self._pace.n_ids:
            reading = [sequence for sequence in self.awake if sequence in self._reading]
            if not reading:
                break
            sequence = self._next_to_read(reading)
            try:
                ids = self._next_chunk(sequence)
                if n_ids and n_ids + len(ids) > self._pace.n_ids:
                    break
                self._decode_step.prefill(ids, slot=sequence.slot, start=sequence.n_read)
                self._note_read(sequence, len(ids))
            except Exception as error:
                return [self.leave(sequence.slot, drop_memory(error))]
            n_ids += len(ids)
        return []

    def _next_to_read(self, reading: list[SpeechSequence]) -> SpeechSequence:
        """Chooses the sequence whose prompt is read next. Its client is the one for which the fewest ids have
        been read (FairShares). Of that client's sequences, the one with the fewest chunks left is chosen, so
        that a short prompt need not wait for long ones. Of sequences with equally few chunks left, the one
        that is due first is chosen. Every fourth chunk goes to the client's sequence that has waited
        longest."""
        client = min((each.owner.speech.client for each in reading), key=self._shares.turn)
        reading = [sequence for sequence in reading if sequence.owner.speech.client == client]
        if self._n_chunks % _OLDEST_EVERY == _OLDEST_EVERY - 1:
            return reading[0]
        return min(
            reading,
            key=lambda each: ((len(each.prompt_ids) - each.n_read) // self._chunk, each.owner.due),
        )

    def _next_chunk(self, sequence: SpeechSequence) -> list[int]:
        """Returns the ids of the prompt's next chunk. If nothing of the prompt has been read and its voice's
        transcript is in the prefix cache, first copies the transcript into the slot; the chunk then begins
        after the transcript. A chunk ends at the latest where the transcript ends. The prompt's last id is
        left to the first decode step."""
        transcript = sequence.prompt_ids[: sequence.n_voice_ids]
        if sequence.n_read == 0:
            sequence.n_read = self._prefixes.recall(transcript, sequence.slot)
        end = len(transcript) if sequence.n_read < len(transcript) else -1
        return sequence.prompt_ids[sequence.n_read : end][: self._chunk]

    def _note_read(self, sequence: SpeechSequence, n_ids: int) -> None:
        """Notes that `n_ids` more ids of a prompt have been read. Keeps the voice's transcript at its end."""
        self._n_chunks += 1
        self._shares.serve(sequence.owner.speech.client, n_ids)
        sequence.n_read += n_ids
        if sequence.n_read == sequence.n_voice_ids:
            self._prefixes.keep(sequence.prompt_ids[: sequence.n_voice_ids], sequence.slot)
        if sequence.is_read:
            self._reading.remove(sequence)
            sequence.owner.sink.change("decode", 1)
            sequence.owner.sink.change("prefill", -1)

    def _take(self, sequence: SpeechSequence, column: int, log_prob: float) -> bool:
        """Takes the token that was drawn for a sequence. Returns True if the sequence has ended now: by the
        end token, by its length limit, by its owner, or with an error because the logits are not finite."""
        sequence.n_read += 1
        sequence.log_probs.append(log_prob)
        if not math.isfinite(log_prob):
            self._cache.clear(sequence.slot)
            self.leave(sequence.slot, ArithmeticError("the LLM's logits are not finite"))
            return True
        self.n_draws += 1
        goes_on = column != self._end_column
        if goes_on:
            sequence.tokens.append(column)
            sequence.next_id = self.layout.audio_start + column
            goes_on = len(sequence.tokens) < sequence.max_len
            if goes_on and len(sequence.tokens) != sequence.judged_at:
                return False
        if self._cache.followed is not None and sequence.text:
            rows = range(len(sequence.prompt_ids) - 1, sequence.n_read)
            spoken = Spoken.of(self._cache, sequence.slot, rows, sequence.text)
            sequence.spoken = spoken if sequence.kept is None else sequence.kept.then(spoken)
        if goes_on and not sequence.owner.gives_up(sequence):
            return False
        self.leave(sequence.slot)
        return True


class PrefixCache:
    """Keeps the keys and values of the `capacity` transcripts that were used last, 256 MB at most. Every
    prompt of a voice begins with its transcript, which the LLM need not read again. Only the decode thread
    may use it.

    The LLM always reads a transcript by itself, separately from the rest of the prompt. So a cached
    transcript has the same bits as a transcript that is read again.
    """

    def __init__(self, cache: KVCache, capacity: int) -> None:
        self._cache, self._capacity = cache, capacity
        self._kept = LRUCache[tuple[int, ...], tuple[Tensor, Tensor]](
            MOST_BYTES, getsizeof=lambda kept: sum(tensor.nbytes for tensor in kept)
        )

    def recall(self, ids: Sequence[int], slot: int) -> int:
        """Copies the keys and values of the transcript `ids` into the slot `slot`, if they are cached.
        Returns the number of positions that this fills; 0 if the transcript is not cached."""
        if (kept := self._kept.get(tuple(ids))) is None:
            return 0
        self._cache.write(slot, kept)
        return len(ids)

    def keep(self, ids: Sequence[int], slot: int) -> None:
        """Stores a copy of the keys and values of the transcript `ids`, which has just been read into the
        slot `slot`. Does nothing if the transcript is stored already or has fewer than four ids."""
        if len(ids) < _LEAST_IDS or tuple(ids) in self._kept:
            return
        with suppress(ValueError):  # larger than the cache
            self._kept[tuple(ids)] = self._cache.read(slot, len(ids))
        if len(self._kept) > self._capacity:
            self._kept.popitem()

    def clear(self) -> None:
        self._kept.clear()
