"""An engine in a process of its own: it speaks, is unloaded and begun again, and ends. Real processes, tiny
models."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from msgspec.structs import replace

from glm_tts_api.engine.child import EngineDied
from glm_tts_api.engine.client import EngineClient
from glm_tts_api.engine.state import EngineState
from glm_tts_api.errors import BadRequest, NothingToSay, PromptRejected
from speech_text import ReadingOptions
from tests.engine import tiny
from tests.engine.tiny_process import (
    COMMAND,
    FEW_ROWS,
    LONG,
    TEXT,
    begin,
    is_gone,
    is_ready,
    load_of,
    say,
    until,
)


async def test_it_speaks_as_an_engine_in_this_process_does(client: EngineClient) -> None:
    async with tiny.engine_of(FEW_ROWS) as engine:
        wanted = [await tiny.pcm(tiny.speak(engine, tiny.asked(TEXT, sample_rate=r))) for r in (24000, 32000)]
    stream = begin(client)
    async with stream:
        chunks = [chunk async for chunk in stream]
    np.testing.assert_array_equal(np.concatenate([chunk.pcm for chunk in chunks]), wanted[0])
    np.testing.assert_array_equal(await say(client, sample_rate=32000), wanted[1])
    assert [chunk.segment for chunk in chunks if chunk.ends_segment] == [0, 1]
    assert list(stream.tokens) == [0, 1]
    assert stream.timings.segments == 2
    stages = stream.timings.stage_s
    assert min(stages[stage] for stage in ("text", "prefill", "decode", "flow", "vocoder")) > 0
    info, usage = client.info, client.usage
    assert info is not None
    assert (info.model_name, info.device, info.n_rows) == ("tiny", "cpu", FEW_ROWS.n_rows)
    assert usage is not None
    assert usage.rows == FEW_ROWS.n_rows


async def test_what_cannot_be_spoken_is_refused_with_its_own_error(client: EngineClient) -> None:
    with pytest.raises(NothingToSay, match="only digits"):
        await say(client, "123")
    with pytest.raises(BadRequest, match="do not fit"):
        await say(client, "a" * 120)
    with pytest.raises(PromptRejected):
        await say(client, voice=tiny.voice(seconds=0.05))
    await until(lambda: client.n_streams == 0)


async def test_an_unloaded_engine_has_no_process_and_comes_back_with_the_same_sound(
    client: EngineClient,
) -> None:
    before = await say(client)
    client.unload()
    client.wake()  # while it is unloaded
    await is_ready(client)
    info, pid = client.info, client.pid
    assert pid is not None
    client.unload()
    assert client.state == EngineState("idle")
    await until(lambda: client.pid is None and is_gone(pid))
    assert (client.info, client.usage) == (info, None)
    client.wake()
    client.wake()
    assert client.state == EngineState("reloading")
    await is_ready(client)
    assert client.pid not in (None, pid)
    np.testing.assert_array_equal(await say(client), before)
    assert client.n_restarts == 0


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
async def test_a_gpu_has_all_memory_back_each_time_that_its_engine_is_unloaded(tmp_path: Path) -> None:
    """Its process ends, whatever its threads are in the middle of: nothing is left to be joined."""
    free: list[int] = []
    client = EngineClient(replace(load_of(tmp_path), device="cuda:0"), watchdog_s=60, command=COMMAND)
    client.start()
    for _ in range(3):
        await is_ready(client)
        assert len(await say(client)) > 0
        pid = client.pid
        assert pid is not None
        client.unload()
        await until(lambda pid=pid: client.pid is None and is_gone(pid))  # type: ignore[misc]
        free.append(torch.cuda.mem_get_info()[0])
        client.wake()
    await client.close()
    assert max(free) - min(free) < 2**24


async def test_it_is_idle_from_the_end_of_its_last_use_on(client: EngineClient) -> None:
    assert client.idle_for(0)
    assert not client.idle_for(3600)
    stream = begin(client)
    assert not client.idle_for(0)
    await tiny.pcm(stream)
    await until(lambda: client.idle_for(0))
    for use in (client.clear_cache(), client.read(TEXT, ReadingOptions())):
        using = asyncio.create_task(use)
        await asyncio.sleep(0)
        assert not client.idle_for(0)
        await using
        assert client.idle_for(0)
    client.unload()
    assert not client.idle_for(0)


async def test_a_fault_of_the_server_itself_ends_one_process_and_the_next_one_speaks(
    client: EngineClient,
) -> None:

    def fails_once() -> None:
        client.changed = lambda: None
        raise ZeroDivisionError

    client.changed = fails_once
    before = await say(client)
    await until(lambda: client.n_restarts == 1)
    await is_ready(client)
    np.testing.assert_array_equal(await say(client), before)


async def test_signals_to_the_whole_group_are_the_servers_to_answer(client: EngineClient) -> None:
    pid = client.pid
    assert pid is not None
    stream = begin(client)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(pid, number)
    assert len(await tiny.pcm(stream)) > 0
    assert len(await say(client)) > 0
    assert client.pid == pid


async def test_a_reader_who_leaves_frees_the_thread_that_reads_for_it(client: EngineClient) -> None:
    endless = [asyncio.create_task(client.read(tiny.ENDLESS_TEXT, ReadingOptions())) for _ in range(3)]
    streams = [begin(client, tiny.ENDLESS_TEXT) for _ in range(3)]
    await asyncio.sleep(0.1)
    for reading in endless:
        reading.cancel()
    for stream in streams:
        stream.close()
    shown = await client.read("ab/cd", ReadingOptions())
    assert [shown_segment.segment.spoken for shown_segment in shown.segments] == ["ab", "cd"]
    with pytest.raises(NothingToSay, match="only digits"):
        await client.read("123", ReadingOptions())
    await until(lambda: client.n_streams == 0)


async def test_a_slow_client_pauses_its_own_request_alone(client: EngineClient) -> None:
    slow, quick = (begin(client, "/".join("a" * 12), streams=True) for _ in range(2))
    await anext(slow)
    assert len(await tiny.pcm(quick)) > 0
    assert len(quick.tokens) == 12
    assert len(slow.tokens) < 8
    async with slow:
        rest = [chunk async for chunk in slow]
    assert sum(chunk.ends_segment for chunk in rest) >= 11
    assert len(slow.tokens) == 12


async def test_close_ends_the_process_with_all_that_it_is_at(client: EngineClient) -> None:
    """The last test of this file: the others share the process."""
    pid = client.pid
    assert pid is not None
    streams = [begin(client, text) for text in (LONG, tiny.ENDLESS_TEXT)]
    reading = asyncio.create_task(client.read(tiny.ENDLESS_TEXT, ReadingOptions()))
    await anext(streams[0])
    await client.close()
    assert (is_gone(pid), client.state.status) == (True, "failed")
    for listening in (*map(tiny.pcm, streams), reading):
        with pytest.raises(EngineDied):
            await listening
