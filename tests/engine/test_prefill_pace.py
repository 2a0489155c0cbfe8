"""How much of the prompts that wait a step reads, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import torch
from torch import Tensor

from glm_tts_api.engine.config import EngineConfig, PrefillPace
from glm_tts_api.engine.decode_batcher import DecodeBatcher
from glm_tts_api.model.kv_cache import KVCache
from glm_tts_api.model.llm_runner import LlmRunner
from tests.engine import tiny
from tests.engine.test_decode_batcher import planned

GPU = EngineConfig().pace_of_prefill("cuda")
CHUNK = 64
Chunk = tuple[int, int]  # slot and number of ids


class SeenRunner(LlmRunner):
    """Notes what it reads, and cannot read "~"."""

    chunks: list[Chunk]

    def prefill(self, ids: Sequence[int] | Tensor, *, cache: KVCache, slot: int, start: int = 0) -> Tensor:
        self.chunks.append((slot, len(ids)))
        if ord("~") in list(ids):
            raise MemoryError
        return super().prefill(ids, cache=cache, slot=slot, start=start)


def steps_of(
    texts: Sequence[str], pace: PrefillPace, *, n_steps: int, before: int = 0
) -> tuple[list[list[Chunk]], int]:
    """What each of so many steps reads of prompts that come at once, and the tokens that they draw. `before`
    steps earlier a row began to speak."""
    models = tiny.tiny_models(SeenRunner)
    seen = cast(SeenRunner, models.llm)
    batcher = DecodeBatcher(models, replace(tiny.CONFIG, prefill_chunk=CHUNK), pace=pace)
    steps: list[list[Chunk]] = []

    def step() -> None:
        seen.chunks = []
        batcher.step()
        steps.append(seen.chunks)

    with torch.inference_mode():
        if before:
            batcher.join(23, planned(batcher, "a longer text", transcript=""))
        for _ in range(before):
            step()
        for row, text in enumerate(texts):
            batcher.join(row, planned(batcher, text, transcript=""))
        n_draws = batcher.n_draws
        for _ in range(n_steps):
            step()
    return steps[before:], batcher.n_draws - n_draws


def test_a_burst_of_16_is_read_in_as_many_steps_as_the_pace_of_the_device_needs_while_others_decode() -> None:
    """A GPU reads a thousand ids in each step, and a CPU a chunk in three."""
    texts = ["some letters"] * 16  # and 20 speech tokens of the voice
    assert PrefillPace(every=1, n_ids=1024) == GPU
    for pace, expected in (
        (GPU, [16, 0]),
        (replace(GPU, n_ids=150), [4, 4, 4, 4, 0]),
        (EngineConfig().pace_of_prefill("cpu"), [1, 0, 0] * 4),
    ):
        steps, n_draws = steps_of(texts, pace, n_steps=len(expected), before=2)
        assert [len(chunks) for chunks in steps] == expected
        assert n_draws >= len(expected)


def test_a_prompt_is_cut_where_it_is_cut_alone_however_much_a_step_has_left() -> None:
    long = "long " * 40
    (alone,) = steps_of([long], replace(GPU, n_ids=10**6), n_steps=1)[0]
    assert len(alone) > 3
    for n_ids in (1, CHUNK + 10, 1000):
        steps, _ = steps_of(["a", long, "bc"], replace(GPU, n_ids=n_ids), n_steps=9)
        assert [n for chunks in steps for slot, n in chunks if slot == 1] == [n for _, n in alone]
        assert all(len(chunks) <= 1 or sum(n for _, n in chunks) <= n_ids for chunks in steps)


def test_short_prompts_go_first_and_every_fourth_chunk_is_of_the_one_that_has_waited_longest() -> None:
    long = "long " * 40
    ((*chunks,),) = steps_of([long, *["a"] * 7], replace(GPU, n_ids=10**6), n_steps=1)[0]
    assert [slot for slot, _ in chunks[:9]] == [1, 2, 3, 0, 4, 5, 6, 0, 7]


def test_a_newcomers_prompt_is_read_next_beside_many_of_another_client() -> None:
    batcher = DecodeBatcher(tiny.tiny_models(), tiny.CONFIG, pace=PrefillPace(every=1, n_ids=1))
    flood = [planned(batcher, "some letters", client="flood") for _ in range(15)]
    newcomer = planned(batcher, "some letters", client="newcomer")
    with torch.inference_mode():
        for row, sequence in enumerate([*flood, newcomer]):
            batcher.join(row, sequence)
            batcher.step()
        before = sum(sequence.is_read for sequence in flood)
        while not newcomer.is_read:
            batcher.step()
    assert sum(sequence.is_read for sequence in flood) - before <= 1
