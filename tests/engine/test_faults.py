"""A fault ends the request it happened to; the others sound as if nothing had been."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from glm_tts_api.engine.engine import Engine
from glm_tts_api.errors import InternalFault, Unavailable
from glm_tts_api.model.checkpoint import Models
from glm_tts_api.model.kv_cache import KVCache
from glm_tts_api.model.llm_runner import LlmRunner
from speech_text import Reading
from tests.engine import tiny

POISON = ord("~")


class BrittleRunner(LlmRunner):
    """Cannot read "~", and has memory for four rows."""

    def prefill(self, ids: Sequence[int] | Tensor, *, cache: KVCache, slot: int, start: int = 0) -> Tensor:
        if POISON in list(ids):
            raise RuntimeError("unreadable")
        return super().prefill(ids, cache=cache, slot=slot, start=start)

    def decode(
        self,
        ids: Sequence[int] | Tensor,
        *,
        cache: KVCache,
        slots: Sequence[int],
        lengths: Sequence[int],
        row_multiple: int | None = None,
    ) -> Tensor:
        if len(slots) > 4:
            raise torch.OutOfMemoryError("out of memory")
        return super().decode(ids, cache=cache, slots=slots, lengths=lengths, row_multiple=row_multiple)


class UnsureRunner(LlmRunner):
    """Has no opinion about what follows in the first slot, once `unsure` is set."""

    unsure = False

    def logits(self, hidden: Tensor, *, row_multiple: int | None = None) -> Tensor:
        logits = super().logits(hidden, row_multiple=row_multiple)
        if self.unsure:
            logits[0] = torch.nan
        return logits


class BrittleVocoder:
    """Speaks once."""

    sample_rate, hop = 32000, 640
    n_calls = 0

    def __call__(self, mel: Tensor, *, noise: int) -> Tensor:
        self.n_calls += 1
        if self.n_calls > 1:
            raise RuntimeError("worn out")
        return torch.zeros(mel.shape[-1] * self.hop)


class MoodyVocoder(BrittleVocoder):
    """Fails every other time, and always in the same way."""

    def __call__(self, mel: Tensor, *, noise: int) -> Tensor:
        self.n_calls += 1
        if self.n_calls % 2 == 0:
            raise RuntimeError("moody")
        return torch.zeros(mel.shape[-1] * self.hop)


async def spoken_or_not(engine: Engine, texts: Sequence[str], **options: Any) -> list[Any]:
    """For each text its audio, or the error; all at once. Nothing may be held afterwards."""
    freed = [asyncio.Event() for _ in texts]
    streams = [tiny.speak(engine, tiny.asked(text, **options)) for text in texts]
    for stream, event in zip(streams, freed, strict=True):
        stream.on_freed(event.set)
    results = await asyncio.gather(*(tiny.pcm(stream) for stream in streams), return_exceptions=True)
    for event in freed:
        await asyncio.wait_for(event.wait(), 10)
    return results


async def scene(models: Models, texts: Sequence[str], **options: Any) -> tuple[list[Any], Any]:
    """What becomes of `texts`, and of the first of them when it is asked for again, alone."""
    async with tiny.engine_of(load=lambda: models) as engine:
        if isinstance(models.llm, UnsureRunner):
            models.llm.unsure = True
        results = await spoken_or_not(engine, texts, **options)
        if isinstance(models.llm, UnsureRunner):
            models.llm.unsure = False
        (again,) = await spoken_or_not(engine, texts[:1])
        return results, again


async def test_a_prompt_that_cannot_be_read_fails_alone() -> None:
    results, again = await scene(tiny.tiny_models(BrittleRunner), ["ab", "a~b", "cd"])
    assert [isinstance(result, InternalFault) for result in results] == [False, True, False]
    assert np.array_equal(results[0], again)


async def test_a_batch_that_does_not_fit_the_memory_shrinks_from_its_newest_row() -> None:
    results, again = await scene(tiny.tiny_models(BrittleRunner), ["abcd"] * 6)
    assert 1 <= sum(isinstance(result, Unavailable) for result in results) <= 2
    assert all(np.array_equal(result, again) for result in results if not isinstance(result, Unavailable))


async def test_logits_that_are_not_numbers_fail_their_row_alone() -> None:
    results, again = await scene(tiny.tiny_models(UnsureRunner), ["ab"])
    assert [isinstance(result, InternalFault) for result in results] == [True]
    assert len(again)


async def test_a_vocoder_fault_fails_the_request_and_its_later_segments() -> None:
    models = tiny.with_vocoder(tiny.tiny_models(), BrittleVocoder())
    results, again = await scene(models, ["ab/cd/ef", "gh"], sample_rate=32000)
    assert all(isinstance(result, InternalFault) for result in results)
    assert len(again)


@pytest.mark.parametrize("texts", [["a~", "b"], ["a", "b"]], ids=["decode", "render"])
async def test_a_fault_that_comes_back_does_not_end_an_engine_that_speaks_in_between(
    texts: list[str],
) -> None:
    models = tiny.with_vocoder(tiny.tiny_models(BrittleRunner), MoodyVocoder())
    sample_rate = 24000 if "a~" in texts else 32000
    async with tiny.engine_of(load=lambda: models) as engine:
        for text in texts * 4:
            (result,) = await spoken_or_not(engine, [text], sample_rate=sample_rate)
            assert isinstance(result, InternalFault) == (text == texts[0])
        assert engine.state.status == "ready"


async def test_the_fault_is_logged_with_the_request_id(caplog: pytest.LogCaptureFixture) -> None:
    await scene(tiny.tiny_models(BrittleRunner), ["ab", "a~b"])
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert getattr(record, "request_id", None) == "test"
    assert record.exc_info is not None


def test_what_a_fault_of_the_text_front_end_quotes_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    class Confused(tiny.SentenceFrontend):
        def read(self, text: str, *_: Any) -> Reading:
            raise ValueError(f"what is {text}?")

    async def run() -> None:
        engine = await tiny.ready(tiny.tiny_engine(frontend=Confused))
        with pytest.raises(InternalFault):
            await tiny.pcm(tiny.speak(engine, tiny.asked("ab rhinoceros")))
        engine.close()

    asyncio.run(run())
    assert "in read" in caplog.text
    assert "ValueError; LOG_TEXT=1" in caplog.text
    assert "rhinoceros" not in caplog.text
