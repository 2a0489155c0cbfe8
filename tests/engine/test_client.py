"""An engine in a process of its own: it speaks, dies, comes back, is unloaded and begun again. Real
processes, tiny models."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from glm_tts_api.contracts import Float32, Timings
from glm_tts_api.engine.child import EngineDied
from glm_tts_api.engine.client import EngineClient
from glm_tts_api.engine.config import EngineConfig
from glm_tts_api.engine.state import EngineState
from glm_tts_api.engine.stream import SpeechStream
from glm_tts_api.errors import BadRequest, NothingToSay, PromptRejected
from tests.engine import tiny
from tests.engine.processes import is_gone, until
from tests.engine.tiny_process import DEVICE_ERROR, FEW_ROWS, load_of, tiny_client

TEXT = "abcd/efgh"
LONG = "/".join(["abcdefgh"] * 60)


@asynccontextmanager
async def running(
    folder: Path, config: EngineConfig = FEW_ROWS, *, watchdog_s: float = 60
) -> AsyncIterator[EngineClient]:
    client = tiny_client(folder, config, watchdog_s=watchdog_s)
    client.start()
    try:
        async with asyncio.timeout(180):
            await is_ready(client)
            yield client
    finally:
        await client.close()


async def is_ready(client: EngineClient) -> None:
    await until(lambda: client.state.status == "ready")


def begin(client: EngineClient, text: str = TEXT, **options: Any) -> SpeechStream:
    return client.synthesize(tiny.asked(text, **options), Timings())


async def say(client: EngineClient, text: str = TEXT, **options: Any) -> Float32:
    freed = asyncio.Event()
    stream = begin(client, text, **options)
    stream.on_freed(freed.set)
    audio = await tiny.pcm(stream)
    await freed.wait()
    return audio


def scene(run: Callable[[], Any]) -> None:
    asyncio.run(run())


def test_it_speaks_as_an_engine_in_this_process_does(tmp_path: Path) -> None:
    async def run() -> None:
        engine = await tiny.ready(tiny.tiny_engine(FEW_ROWS))
        wanted = [await tiny.pcm(tiny.speak(engine, tiny.asked(TEXT, sample_rate=r))) for r in (24000, 32000)]
        engine.close()
        async with running(tmp_path) as client:
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
            info, usage = client.info(), client.usage()
            assert info is not None
            assert (info.model_name, info.device) == ("tiny", "cpu")
            assert usage is not None
            assert usage.rows == FEW_ROWS.n_slots

    scene(run)


def test_what_cannot_be_spoken_is_refused_with_its_own_error(tmp_path: Path) -> None:
    async def run() -> None:
        async with running(tmp_path) as client:
            with pytest.raises(NothingToSay, match="only digits"):
                await say(client, "123")
            with pytest.raises(BadRequest, match="do not fit"):
                await say(client, "a" * 120)
            with pytest.raises(PromptRejected):
                await say(client, voice=tiny.voice(seconds=0.05))
            await until(lambda: client.n_streams == 0)

    scene(run)


def test_an_unloaded_engine_has_no_process_and_comes_back_with_the_same_sound(tmp_path: Path) -> None:
    async def run() -> None:
        async with running(tmp_path) as client:
            before, info, pid = await say(client), client.info(), client.pid
            assert pid is not None
            client.unload()
            assert client.state == EngineState("idle")
            await until(lambda: client.pid is None and is_gone(pid))
            assert (client.info(), client.usage()) == (info, None)
            client.wake()
            client.wake()
            assert client.state == EngineState("reloading")
            await is_ready(client)
            assert client.pid not in (None, pid)
            np.testing.assert_array_equal(await say(client), before)
            assert client.n_restarts == 0

    scene(run)


def test_an_engine_that_is_woken_while_it_is_unloaded_speaks(tmp_path: Path) -> None:
    async def run() -> None:
        async with running(tmp_path) as client:
            client.unload()
            client.wake()
            await is_ready(client)
            assert len(await say(client)) > 0

    scene(run)


def test_it_is_idle_from_the_end_of_its_last_use_on(tmp_path: Path) -> None:
    async def run() -> None:
        async with running(tmp_path) as client:
            assert client.idle_for(0)
            assert not client.idle_for(3600)
            stream = begin(client)
            assert not client.idle_for(0)
            await tiny.pcm(stream)
            await until(lambda: client.idle_for(0))
            for use in (client.clear_cache(), client.read(TEXT, (), use_phoneme=False)):
                using = asyncio.create_task(use)
                await asyncio.sleep(0)
                assert not client.idle_for(0)
                await using
                assert client.idle_for(0)
            client.unload()
            assert not client.idle_for(0)

    scene(run)


def test_a_load_that_fails_is_told_with_its_cause(tmp_path: Path) -> None:
    (tmp_path / "gone").touch()

    async def run() -> None:
        client = tiny_client(tmp_path)
        client.start()
        await until(lambda: client.state.status != "loading")
        assert client.state == EngineState("failed", "the weights are gone")
        await until(lambda: client.pid is None)
        assert (client.n_restarts, client.info()) == (0, None)
        await client.close()

    scene(run)


def test_a_model_that_cannot_be_loaded_again_is_given_up_with_its_cause(tmp_path: Path) -> None:
    async def run() -> None:
        async with running(tmp_path) as client:
            client.unload()
            (tmp_path / "gone").touch()
            client.wake()
            await until(lambda: client.state.status == "failed")
            wanted = "its process died 4 times with nothing spoken between: the weights are gone"
            assert client.state.cause == wanted
            assert client.n_restarts == 3

    scene(run)


def test_a_command_that_is_not_there_is_given_up_with_its_cause(tmp_path: Path) -> None:
    async def run() -> None:
        client = EngineClient(load_of(tmp_path), watchdog_s=60, command=("/nowhere/python",))
        client.start()
        await until(lambda: client.state.status == "failed")
        assert "its process cannot begin: " in str(client.state.cause)
        assert "No such file" in str(client.state.cause)
        await client.close()

    scene(run)


def test_an_engine_killed_while_it_loads_is_begun_again(tmp_path: Path) -> None:
    async def run() -> None:
        client = tiny_client(tmp_path)
        client.start()
        await until(lambda: client.pid is not None)
        assert client.pid is not None
        os.kill(client.pid, signal.SIGKILL)
        await until(lambda: client.n_restarts == 1)
        assert client.state == EngineState("loading", "its process was ended by SIGKILL")
        await is_ready(client)
        assert len(await say(client)) > 0
        await client.close()

    scene(run)


def test_whoever_is_spoken_to_hears_of_a_kill_and_the_next_process_sounds_the_same(tmp_path: Path) -> None:
    async def run() -> None:
        async with running(tmp_path) as client:
            before = await say(client)
            streams = [begin(client, LONG) for _ in range(2)]
            reading = asyncio.create_task(client.read(tiny.ENDLESS_TEXT, (), use_phoneme=False))
            freed: list[SpeechStream] = []
            for stream in streams:
                stream.on_freed(lambda stream=stream: freed.append(stream))  # type: ignore[misc]
                await anext(stream)
            assert client.pid is not None
            os.kill(client.pid, signal.SIGKILL)
            while client.state.status == "ready":
                assert client.pid is not None  # what is asked of it now is asked of a process
                await asyncio.sleep(0)
            for listening in (*map(tiny.pcm, streams), reading):
                with pytest.raises(EngineDied, match="its process was ended by SIGKILL"):
                    await listening
            assert freed == streams
            assert streams[0].timings.current is None
            assert client.state == EngineState("restarting", "its process was ended by SIGKILL")
            await is_ready(client)
            assert (client.n_restarts, client.n_streams) == (1, 0)
            np.testing.assert_array_equal(await say(client), before)

    scene(run)


def test_a_faked_device_error_ends_the_process_and_all_that_it_spoke(tmp_path: Path) -> None:
    cause = f"the device failed: AcceleratorError: {DEVICE_ERROR}"

    async def run() -> None:
        async with running(tmp_path) as client:
            other = begin(client, LONG)
            await anext(other)
            for stream in (begin(client, "ab~"), other):
                with pytest.raises(EngineDied) as died:
                    await tiny.pcm(stream)
                assert str(died.value) == cause
            assert client.state == EngineState("restarting", cause)
            await is_ready(client)

    scene(run)


def test_four_deaths_with_nothing_spoken_between_give_an_engine_up_until_it_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("glm_tts_api.engine.client._GIVEN_UP_S", 2.0)

    async def run() -> None:
        async with running(tmp_path) as client:
            for text in ("^", "^", "ab", "^"):  # something is spoken between
                try:
                    await say(client, text)
                except EngineDied:
                    assert text == "^"
                await is_ready(client)
            assert client.pid is not None
            os.kill(client.pid, signal.SIGKILL)  # somebody's hand is no sign against it
            await until(lambda: client.n_restarts == 4)
            for _ in range(3):
                await is_ready(client)
                with pytest.raises(EngineDied):
                    await say(client, "^")
            await until(lambda: client.state.status == "failed")
            wanted = "4 times with nothing spoken between: its process ended with exit code 3"
            assert client.state.cause == f"its process died {wanted}"
            assert client.pid is None
            with pytest.raises(EngineDied):
                await say(client)
            await is_ready(client)
            assert len(await say(client)) > 0

    scene(run)


def test_signals_to_the_whole_group_are_the_servers_to_answer(tmp_path: Path) -> None:
    async def run() -> None:
        async with running(tmp_path) as client:
            pid = client.pid
            assert pid is not None
            stream = begin(client)
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                os.kill(pid, number)
            assert len(await tiny.pcm(stream)) > 0
            assert len(await say(client)) > 0
            assert client.pid == pid

    scene(run)


def test_close_ends_the_process_with_all_that_it_is_at(tmp_path: Path) -> None:
    async def run() -> None:
        async with running(tmp_path) as client:
            pid = client.pid
            assert pid is not None
            streams = [begin(client, text) for text in (LONG, tiny.ENDLESS_TEXT)]
            reading = asyncio.create_task(client.read(tiny.ENDLESS_TEXT, (), use_phoneme=False))
            await anext(streams[0])
            await client.close()
            assert is_gone(pid)
            for listening in (*map(tiny.pcm, streams), reading):
                with pytest.raises(EngineDied):
                    await listening

    scene(run)


def test_a_reader_who_leaves_frees_the_thread_that_reads_for_it(tmp_path: Path) -> None:
    async def run() -> None:
        async with running(tmp_path) as client:
            endless = [
                asyncio.create_task(client.read(tiny.ENDLESS_TEXT, (), use_phoneme=False)) for _ in range(3)
            ]
            streams = [begin(client, tiny.ENDLESS_TEXT) for _ in range(3)]
            await asyncio.sleep(0.1)
            for reading in endless:
                reading.cancel()
            for stream in streams:
                stream.close()
            shown = await client.read("ab/cd", (), use_phoneme=False)
            assert [shown_segment.segment.spoken for shown_segment in shown.segments] == ["ab", "cd"]
            with pytest.raises(NothingToSay, match="only digits"):
                await client.read("123", (), use_phoneme=False)
            await until(lambda: client.n_streams == 0)

    scene(run)


def test_a_slow_listener_rests_its_own_request_alone(tmp_path: Path) -> None:
    async def run() -> None:
        async with running(tmp_path, replace(FEW_ROWS, stream_buffer_s=0.1)) as client:
            slow, quick = (begin(client, "/".join(["ab"] * 15), streams=True) for _ in range(2))
            await anext(slow)
            assert len(await tiny.pcm(quick)) > 0
            assert len(quick.tokens) == 15
            assert len(slow.tokens) < 8
            async with slow:
                rest = [chunk async for chunk in slow]
            assert sum(chunk.ends_segment for chunk in rest) >= 14
            assert len(slow.tokens) == 15

    scene(run)
