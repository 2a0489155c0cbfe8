"""A row's tokens and their exact log-probabilities do not depend on the rows that run beside it."""

from __future__ import annotations

import math
import mmap
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, cast

import pytest
import torch
from torch import Tensor

from glm_tts_api.engine.config import PrefillPace
from glm_tts_api.engine.decode_batcher import DecodeBatcher
from glm_tts_api.engine.event_sink import EventSink
from glm_tts_api.engine.spare_memory import SpareMemory
from glm_tts_api.engine.voice_features import VoicePrompt
from glm_tts_api.model.alignment import Spoken
from glm_tts_api.model.kv_cache import KVCache
from glm_tts_api.model.llm_config import Head
from glm_tts_api.model.llm_runner import LlmRunner
from glm_tts_api.model.sequence import SpeechSequence
from tests.engine import tiny

PROMPT = VoicePrompt([], list(range(0, 60, 3)), torch.zeros(192), torch.zeros(40, 80))
OPTIONS: list[dict[str, Any]] = [
    {"seed": seed, "method": "topk" if seed % 3 == 0 else "ras", "top_k": 3 + seed} for seed in range(9)
]
TEXTS = ["a", "bcd", "efghij", "k", "lm", "nopq", "rs", "t", "uvwxyz"]
HEAD = Head(1, 2)
Outcome = tuple[list[int], float, Spoken | None]


def planned(batcher: DecodeBatcher, text: str, *, transcript: str = "ab ", **options: Any) -> SpeechSequence:
    ids, before = (tiny.LetterTokenizer().encode(each)[0] for each in (text, transcript))
    asked = tiny.asked(text, **options)
    request = tiny.request(asked, [ids], replace(PROMPT, text_ids=before), EventSink())
    return request.next_sequence(batcher.layout)


def outcomes(
    order: list[int],
    *,
    joins_every: int,
    leaver_every: int = 0,
    pace: PrefillPace | None = None,
    followed: Head | None = HEAD,
) -> dict[int, Outcome]:
    """Runs the requests in `order`, one joining every few steps; with `leaver_every`, others come and go."""
    models = replace(tiny.tiny_models(), followed=followed)
    batcher = DecodeBatcher(models, tiny.CONFIG, pace=pace)
    waiting, found = list(order), dict[int, Outcome]()
    guest = 20
    with torch.inference_mode():
        for step in range(100_000):
            if step % joins_every == 0 and waiting:
                index = waiting.pop(0)
                batcher.join(index, planned(batcher, TEXTS[index], **OPTIONS[index]))
            if leaver_every and step % leaver_every == 0:
                batcher.join(guest, planned(batcher, "guest", seed=step))
            for result in batcher.step():
                found[result.slot] = (result.tokens, result.mean_log_prob, result.spoken)
            if leaver_every and step % leaver_every == leaver_every - 2 and guest not in found:
                batcher.leave(guest)
            found.pop(guest, None)
            if len(found) == len(order):
                return found
    raise AssertionError("the rows never ended")


@pytest.fixture(scope="module")
def alone() -> dict[int, Outcome]:
    return {index: outcomes([index], joins_every=1)[index] for index in range(len(TEXTS))}


def test_rows_end_within_their_bounds(alone: dict[int, Outcome]) -> None:
    for index, (tokens, *_) in alone.items():
        assert 2 * len(TEXTS[index]) <= len(tokens) <= 20 * len(TEXTS[index])
        assert all(0 <= token < tiny.N_SPEECH_TOKENS for token in tokens)


@pytest.mark.parametrize(
    ("order", "joins_every", "leaver_every", "pace"),
    [
        pytest.param(list(range(9)), 1, 0, None, id="beside others"),
        pytest.param([5, 2, 8, 0, 3, 7, 1, 6, 4], 2, 5, None, id="in another order, others come and go"),
        pytest.param(list(range(9)), 1, 5, PrefillPace(every=1, n_ids=40), id="several prompts in a step"),
    ],
)
def test_as_alone(
    alone: dict[int, Outcome], order: list[int], joins_every: int, leaver_every: int, pace: PrefillPace | None
) -> None:
    assert outcomes(order, joins_every=joins_every, leaver_every=leaver_every, pace=pace) == alone


def test_a_head_that_is_followed_changes_no_token(alone: dict[int, Outcome]) -> None:
    assert all(
        spoken is not None and len(spoken.attention) == len(TEXTS[at]) for at, (*_, spoken) in alone.items()
    )
    unfollowed = outcomes([*range(len(TEXTS))], joins_every=1, followed=None)
    assert unfollowed == {at: (tokens, log_prob, None) for at, (tokens, log_prob, _) in alone.items()}


@pytest.mark.parametrize("gives_up", [True, False])
def test_a_sequence_ends_where_its_owner_gives_it_up(gives_up: bool, alone: dict[int, Outcome]) -> None:
    batcher = DecodeBatcher(replace(tiny.tiny_models(), followed=HEAD), tiny.CONFIG)
    sequence = planned(batcher, TEXTS[0], **OPTIONS[0])
    sequence.judged_at, sequence.owner.gives_up = 5, lambda asked: gives_up and asked is sequence
    batcher.join(0, sequence)
    with torch.inference_mode():
        while not batcher.step():
            assert sequence.spoken is None or not gives_up
    tokens, _, spoken = alone[0]
    assert sequence.tokens == (tokens[:5] if gives_up else tokens)
    assert gives_up != (sequence.spoken == spoken)


def test_free_rows_give_their_memory_back_and_the_others_speak_on(
    alone: dict[int, Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    let_go: list[int] = []
    let_one_go = KVCache.let_go

    def note(cache: KVCache, slot: int) -> None:
        assert cache.keys[0, slot].nbytes >= mmap.PAGESIZE
        let_go.append(slot)
        let_one_go(cache, slot)

    monkeypatch.setattr(KVCache, "let_go", note)
    monkeypatch.setattr("glm_tts_api.engine.decode_batcher.SpareMemory", partial(SpareMemory, every_s=0))
    assert outcomes(list(range(9)), joins_every=2, leaver_every=5) == alone
    assert {0, 19} <= set(let_go)


def first_to_end(batcher: DecodeBatcher, row: int, text: str, **options: Any) -> tuple[int, SpeechSequence]:
    """Decodes a text in a free row. Returns the number of steps, and the sequence."""
    batcher.join(row, planned(batcher, text, **options))
    with torch.inference_mode():
        for n_steps in range(1, 1000):
            for result in batcher.step():
                return n_steps, result
    raise AssertionError("the row never ended")


def test_a_voices_transcript_is_read_once_while_it_is_kept_and_sounds_as_if_read_again() -> None:
    batcher = DecodeBatcher(tiny.tiny_models(), replace(tiny.CONFIG, cached_voices=1))
    transcript, other = "what the recording of the voice says, ", "and this is what another voice says, "
    n_chunks = math.ceil(len(transcript) / cast(int, tiny.CONFIG.prefill_chunk))
    found = []
    for says in (transcript, transcript, None, transcript, other, transcript):
        if says is None:
            batcher.forget_voices()
        else:
            n_steps, spoken = first_to_end(batcher, 0, "bcd", transcript=says, seed=1)
            if says == transcript:
                found.append((n_steps, spoken.tokens, spoken.mean_log_prob))
    anew, again, forgotten, lost = found
    assert again == (anew[0] - n_chunks, *anew[1:])
    assert anew == forgotten == lost


def test_a_transcript_larger_than_its_cache_is_read_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("glm_tts_api.engine.decode_batcher.MOST_BYTES", 1)
    batcher = DecodeBatcher(tiny.tiny_models(), tiny.CONFIG)
    one, other = (first_to_end(batcher, 0, "bcd", transcript="what it says, ", seed=1) for _ in range(2))
    assert (one[1].error, one[0], one[1].tokens) == (None, other[0], other[1].tokens)


class CertainRunner(LlmRunner):
    """Would end every row at once."""

    def logits(self, hidden: Tensor, *, row_multiple: int | None = None) -> Tensor:
        logits = super().logits(hidden, row_multiple=row_multiple)
        logits[:, -1] = 50.0
        return logits


@pytest.mark.parametrize("method", ["ras", "topk"])
def test_speech_stops_where_the_model_ends_it(method: str) -> None:
    """As soon as the shortest length allows it, not at the longest."""
    batcher = DecodeBatcher(tiny.tiny_models(CertainRunner), tiny.CONFIG)
    _, ended = first_to_end(batcher, 0, "abcd", method=method)
    assert len(ended.tokens) == 2 * len("abcd")


class PoisonedRunner(LlmRunner):
    """Reads a prompt into numbers that are none, and shows the cache that it read into."""

    cache: KVCache

    def prefill(self, ids: Sequence[int] | Tensor, *, cache: KVCache, slot: int, start: int = 0) -> Tensor:
        hidden = super().prefill(ids, cache=cache, slot=slot, start=start)
        cache.keys[:, slot] = cache.values[:, slot] = torch.nan
        self.cache = cache
        return hidden


def test_a_row_that_is_no_number_leaves_nothing_in_its_slot() -> None:
    """On a GPU a row's masked positions are multiplied by zero, and NaN would be heard for ever."""
    models = tiny.tiny_models(PoisonedRunner)
    _, ended = first_to_end(DecodeBatcher(models, tiny.CONFIG), 3, "ab")
    assert isinstance(ended.error, ArithmeticError)
    cache = cast(PoisonedRunner, models.llm).cache
    assert torch.isfinite(cache.keys[:, 3]).all()
    assert torch.isfinite(cache.values[:, 3]).all()
