"""The engine from the outside: requests in, audio or one clear error out, and nothing left behind."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
import torch

from glm_tts_api.engine.engine import Engine
from glm_tts_api.model.kv_cache import KVCache
from tests.engine import tiny


@pytest.mark.parametrize("rate", [24000, 32000])
@pytest.mark.parametrize("use_cache", [True, False])
async def test_a_streamed_utterance_is_as_long_as_the_whole_and_in_order(
    engine: Engine, rate: int, use_cache: bool
) -> None:
    text, options = "abcdefgh/ijklmnop/qrs", {"sample_rate": rate, "use_cache": use_cache}
    whole = await tiny.pcm(tiny.speak(engine, tiny.asked(text, **options)))
    asked = tiny.asked(text, streams=True, timestamps="segment", **options)
    async with tiny.speak(engine, asked) as stream:
        chunks = [chunk async for chunk in stream]
    assert sum(len(chunk.pcm) for chunk in chunks) == len(whole)
    assert [chunk.segment for chunk in chunks if chunk.ends_segment] == [0, 1, 2]
    segments = [chunk.segment for chunk in chunks]
    assert segments == sorted(segments)
    assert len(chunks) > 3
    assert all(chunk.written is not None for chunk in chunks)


async def test_slots_that_nobody_set_are_as_many_as_fit_and_are_told_of() -> None:
    config = replace(tiny.CONFIG, n_rows=24, fewer_rows=True)
    a_row = config.slot_length(10**6) * KVCache.bytes_per_position(
        tiny.tiny_models().llm.config, torch.float32
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("glm_tts_api.engine.memory._free_bytes", lambda *_, **__: 6 * a_row)
        async with tiny.engine_of(config) as engine:
            info, usage = engine.info, tiny.usage(engine)
            assert info is not None
            assert info.n_rows == usage.rows == 5
            assert usage.kv_cells == 5 * info.slot_length
            (warning,) = info.warnings
            assert warning.startswith("The memory holds 5 requests at once, not 24")
            assert len(await tiny.pcm(tiny.speak(engine, tiny.asked("ab")))) > 0


async def test_a_request_cancelled_before_it_began_is_freed(engine: Engine) -> None:
    async with tiny.speak(engine, tiny.asked("a")) as stream:
        pass
    await asyncio.wait_for(stream.is_freed.wait(), 30)
