"""The engine from the outside: requests in, audio or one clear error out, and nothing left behind."""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import pytest
import torch

from glm_tts_api.engine.engine import Engine
from glm_tts_api.errors import (
    BadRequest,
    CheckpointError,
    Loading,
    NothingToSay,
    PromptRejected,
    Unhealthy,
)
from glm_tts_api.model.checkpoint import Models
from glm_tts_api.model.kv_cache import KVCache
from tests.engine import tiny

ResultT = TypeVar("ResultT")


async def test_a_text_is_spoken_segment_by_segment(engine: Engine) -> None:
    stream = tiny.speak(engine, tiny.asked("a/bc/d"))
    async with stream:
        chunks = [chunk async for chunk in stream]
    assert [chunk.segment for chunk in chunks] == [0, 1, 2]
    assert {chunk.sample_rate for chunk in chunks} == {24000}
    assert all(chunk.pcm.dtype == np.float32 and len(chunk.pcm) % 480 == 0 for chunk in chunks)
    timings = stream.timings
    assert timings.segments == 3
    assert timings.audio_s == pytest.approx(sum(len(chunk.pcm) for chunk in chunks) / 24000)
    assert min(timings.stage_s[stage] for stage in ("text", "prefill", "decode", "flow", "vocoder")) > 0


async def test_the_seed_decides_the_sound(engine: Engine) -> None:
    first, again, other = [
        await tiny.pcm(tiny.speak(engine, tiny.asked("ab", seed=seed))) for seed in (1, 1, 2)
    ]
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (tiny.asked("123"), NothingToSay),
        (tiny.asked("a" * 120), BadRequest),
        (tiny.asked("a", voice=tiny.voice(seconds=0.05)), PromptRejected),
    ],
    ids=["nothing to say", "a sentence that does not fit", "a prompt too short to be heard"],
)
async def test_what_cannot_be_spoken_is_refused_and_freed(
    engine: Engine, request_: Any, error: type[Exception]
) -> None:
    freed = asyncio.Event()
    stream = tiny.speak(engine, request_)
    stream.on_freed(freed.set)
    with pytest.raises(error):
        await tiny.pcm(stream)
    await asyncio.wait_for(freed.wait(), 10)


async def test_clients_that_leave_free_the_threads_that_work_on_their_texts(engine: Engine) -> None:
    left = [tiny.speak(engine, tiny.asked(tiny.ENDLESS_TEXT)) for _ in range(3)]
    freed = [asyncio.Event() for _ in left]
    for stream, event in zip(left, freed, strict=True):
        stream.on_freed(event.set)
    await asyncio.sleep(0.05)
    assert not any(event.is_set() for event in freed)
    for stream in left:
        stream.close()
    assert len(await asyncio.wait_for(tiny.pcm(tiny.speak(engine, tiny.asked("a"))), 30)) > 0
    await asyncio.wait_for(asyncio.gather(*(event.wait() for event in freed)), 30)


async def test_while_loading_and_after_a_failed_load_nothing_is_spoken() -> None:
    def fail() -> Models:
        raise CheckpointError("llm/config.json is missing")

    engine = tiny.tiny_engine(load=fail)
    with pytest.raises(Loading):
        engine.state.require_ready()
    await tiny.ready(engine)
    assert (engine.state.status, engine.state.cause) == ("failed", "llm/config.json is missing")
    with pytest.raises(Unhealthy, match="could not be loaded"):
        engine.state.require_ready()
    assert engine.info() is None
    engine.close()


async def test_slots_that_do_not_fit_the_memory_are_refused_with_the_number_that_would() -> None:
    engine = await tiny.ready(tiny.tiny_engine(replace(tiny.CONFIG, n_slots=10**6)))
    assert engine.state.status == "failed"
    assert "CONCURRENCY can be at most" in str(engine.state.cause)
    engine.close()


async def test_slots_that_nobody_set_are_as_many_as_fit_and_are_told_of() -> None:
    config = replace(tiny.CONFIG, n_slots=24, fewer_slots=True)
    a_slot = config.slot_length(10**6) * KVCache.bytes_per_position(
        tiny.tiny_models().llm.config, torch.float32
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("glm_tts_api.engine.memory._free_bytes", lambda *_, **__: 6 * a_slot)
        engine = await tiny.ready(tiny.tiny_engine(config))
    info, usage = engine.info(), tiny.usage(engine)
    assert info is not None
    assert info.n_slots == usage.rows == 5
    assert usage.kv_cells == 5 * info.slot_length
    (warning,) = info.warnings
    assert warning.startswith("The memory holds 5 requests at once, not 24")
    assert len(await tiny.pcm(tiny.speak(engine, tiny.asked("ab")))) > 0
    engine.close()


async def test_a_listener_who_leaves_frees_its_rows(engine: Engine) -> None:
    freed = asyncio.Event()
    async with tiny.speak(engine, tiny.asked("/".join(["abcd"] * 40), use_cache=False)) as stream:
        stream.on_freed(freed.set)
        while tiny.rows_active(engine) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        while not (usage := tiny.usage(engine)).kv_cells_used:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        assert usage.kv_cells_used <= usage.kv_cells
        assert 2 <= usage.rows_active <= usage.rows
        assert usage.gpu_bytes is None
        assert not freed.is_set()
    await asyncio.wait_for(freed.wait(), 10)
    usage = tiny.usage(engine)
    assert (usage.rows_active, usage.kv_cells_used) == (0, 0)


@pytest.mark.parametrize("streams", [False, True])
async def test_a_request_whose_listener_leaves_during_its_last_decode_step_is_freed(
    engine: Engine, streams: bool
) -> None:
    """Its place was held for ever: such a request was neither decoded nor rendered any more."""

    class Leaving(tiny.Listener):
        def segment_decoded(self, segment: int, tokens: list[int]) -> None:
            self.closed = True
            self._engine.wake()

    listener, freed = Leaving(engine, buffer_s=math.inf), asyncio.Event()
    listener.stream.on_freed(freed.set)
    engine.speak(tiny.asked("a", streams=streams), listener)
    await asyncio.wait_for(freed.wait(), 30)


async def test_a_request_cancelled_before_it_began_is_freed(engine: Engine) -> None:
    freed = asyncio.Event()
    stream = tiny.speak(engine, tiny.asked("a"))
    stream.close()
    stream.on_freed(freed.set)
    await asyncio.wait_for(freed.wait(), 10)


class CountingFrontend(tiny.SentenceFrontend):
    n_transcripts = 0
    n_clears = 0

    def normalize_prompt(self, text: str) -> str:
        CountingFrontend.n_transcripts += 1
        return super().normalize_prompt(text)

    def clear_cache(self) -> None:
        CountingFrontend.n_clears += 1


async def test_a_transcript_is_read_once_until_the_cache_is_cleared() -> None:
    engine = await tiny.ready(tiny.tiny_engine(frontend=CountingFrontend))
    await tiny.pcm(tiny.speak(engine, tiny.asked("a")))
    await tiny.pcm(tiny.speak(engine, tiny.asked("b")))
    assert CountingFrontend.n_transcripts == 1
    await asyncio.to_thread(engine.clear_cache)
    assert CountingFrontend.n_clears == 1
    await tiny.pcm(tiny.speak(engine, tiny.asked("a")))
    assert CountingFrontend.n_transcripts == 2
    engine.close()
