"""Streamed requests: they begin early, sound as when alone, and wait for a listener who is slow."""

from __future__ import annotations

import asyncio
from typing import Any

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


async def a_scene(**options: Any) -> list[AudioChunk]:
    engine = await tiny.ready(tiny.tiny_engine())
    try:
        return await chunks_of(engine, **options)
    finally:
        engine.close()


@pytest.mark.parametrize("rate", [24000, 32000])
@pytest.mark.parametrize("use_cache", [True, False])
def test_a_streamed_utterance_is_as_long_as_the_whole_and_in_order(rate: int, use_cache: bool) -> None:
    async def scene() -> tuple[list[AudioChunk], Float32]:
        engine = await tiny.ready(tiny.tiny_engine())
        try:
            options: dict[str, Any] = {"sample_rate": rate, "use_cache": use_cache}
            whole = await tiny.pcm(tiny.speak(engine, tiny.asked(TEXT, **options)))
            return await chunks_of(engine, timestamps="segment", **options), whole
        finally:
            engine.close()

    chunks, whole = asyncio.run(scene())
    assert len(joined(chunks)) == len(whole)
    segments = [chunk.segment for chunk in chunks]
    assert segments == sorted(segments)
    assert set(segments) == {0, 1, 2}
    assert [chunk.segment for chunk in chunks if chunk.ends_segment] == [0, 1, 2]
    assert len(chunks) > 3
    assert all(chunk.written is not None for chunk in chunks)


def test_a_streamed_utterance_is_the_same_alone_again_and_among_others() -> None:
    async def scene() -> tuple[Float32, list[Float32]]:
        engine = await tiny.ready(tiny.tiny_engine())
        try:
            alone = joined(await chunks_of(engine, seed=3))
            others = [
                *(
                    chunks_of(engine, text, seed=seed)
                    for seed, text in enumerate(("ab/cd", "x" * 12, "hello"))
                ),
                *(chunks_of(engine, seed=3) for _ in range(2)),
            ]
            whole = [tiny.speak(engine, tiny.asked("other/texts", seed=seed)) for seed in range(3)]
            results, _ = await asyncio.gather(
                asyncio.gather(*others), asyncio.gather(*(tiny.pcm(stream) for stream in whole))
            )
            return alone, [joined(result) for result in results[3:5]]
        finally:
            engine.close()

    alone, again = asyncio.run(scene())
    assert all(np.array_equal(alone, other) for other in again)
    assert np.array_equal(alone, joined(asyncio.run(a_scene(seed=3))))  # in another engine, too


def test_several_candidates_stream_once_the_best_is_known() -> None:
    chunks = asyncio.run(a_scene(beam_size=2))
    assert [chunk.segment for chunk in chunks if chunk.ends_segment] == [0, 1, 2]


def test_no_more_is_made_than_a_slow_listener_may_have_waiting() -> None:
    """Thirty segments and a buffer of a fraction of one: the decoder rests until something is taken."""

    async def scene() -> None:
        engine = await tiny.ready(tiny.tiny_engine())
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
        engine.close()

    asyncio.run(asyncio.wait_for(scene(), 300))


def test_a_listener_who_leaves_a_stream_frees_its_row() -> None:
    async def scene() -> None:
        engine = await tiny.ready(tiny.tiny_engine())
        freed = asyncio.Event()
        async with tiny.speak(engine, tiny.asked("/".join(["abcd"] * 40), streams=True)) as stream:
            stream.on_freed(freed.set)
            await anext(stream)
        await asyncio.wait_for(freed.wait(), 10)
        assert tiny.rows_active(engine) == 0
        engine.close()

    asyncio.run(scene())
