"""Streamed requests: they begin early, sound as when alone, and wait for a listener who is slow."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import numpy as np
import pytest

from glm_tts_api.contracts import AudioChunk, Float32
from glm_tts_api.engine.engine import Engine
from tests.engine import tiny

TEXT = "abcdefgh/ijklmnop/qrs"


async def chunks_of(engine: Engine, text: str = TEXT, **options: Any) -> list[AudioChunk]:
    async with tiny.speak(engine, tiny.asked(text, streams=True, **options)) as stream:
        return [chunk async for chunk in stream]


def joined(chunks: list[AudioChunk]) -> Float32:
    return np.concatenate([chunk.pcm for chunk in chunks])


@pytest.mark.parametrize("rate", [24000, 32000])
@pytest.mark.parametrize("use_cache", [True, False])
async def test_a_streamed_utterance_is_as_long_as_the_whole_and_in_order(
    engine: Engine, rate: int, use_cache: bool
) -> None:
    options: dict[str, Any] = {"sample_rate": rate, "use_cache": use_cache}
    whole = await tiny.pcm(tiny.speak(engine, tiny.asked(TEXT, **options)))
    chunks = await chunks_of(engine, timestamps="segment", **options)
    assert len(joined(chunks)) == len(whole)
    segments = [chunk.segment for chunk in chunks]
    assert segments == sorted(segments)
    assert set(segments) == {0, 1, 2}
    assert [chunk.segment for chunk in chunks if chunk.ends_segment] == [0, 1, 2]
    assert len(chunks) > 3
    assert all(chunk.written is not None for chunk in chunks)


async def test_a_streamed_utterance_is_the_same_alone_again_and_among_others(engine: Engine) -> None:
    alone = joined(await chunks_of(engine, seed=3))
    others = (chunks_of(engine, text, seed=seed) for seed, text in enumerate(("ab/cd", "x" * 12, "hello")))
    whole = (tiny.pcm(tiny.speak(engine, tiny.asked("other/texts", seed=seed))) for seed in range(3))
    again = (chunks_of(engine, seed=3) for _ in range(2))
    *_, second, third = await asyncio.gather(*whole, *others, *again)
    async with tiny.engine_of() as other:
        fourth = await chunks_of(other, seed=3)
    for chunks in (second, third, fourth):
        assert np.array_equal(alone, joined(cast(list[AudioChunk], chunks)))


async def test_several_candidates_stream_once_the_best_is_known(engine: Engine) -> None:
    chunks = await chunks_of(engine, beam_size=2)
    assert [chunk.segment for chunk in chunks if chunk.ends_segment] == [0, 1, 2]


async def test_no_more_is_made_than_a_slow_listener_may_have_waiting(engine: Engine) -> None:
    """Thirty segments and a buffer of a fraction of one: the decoder rests until something is taken."""
    asked = tiny.asked("/".join(["abcd"] * 30), streams=True)
    async with tiny.speak(engine, asked, buffer_s=0.1) as stream:
        first = await anext(stream)
        while tiny.rows_active(engine):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        assert tiny.rows_active(engine) == 0
        made = stream.timings.audio_s
        assert made < 10 * first.seconds + 10
        rest = [chunk async for chunk in stream]
    assert sum(chunk.ends_segment for chunk in rest) >= 29
    assert stream.timings.audio_s > 3 * made


async def test_a_listener_who_leaves_a_stream_frees_its_row(engine: Engine) -> None:
    freed = asyncio.Event()
    async with tiny.speak(engine, tiny.asked("/".join(["abcd"] * 40), streams=True)) as stream:
        stream.on_freed(freed.set)
        await anext(stream)
    await asyncio.wait_for(freed.wait(), 10)
    assert tiny.rows_active(engine) == 0
