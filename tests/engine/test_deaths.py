"""An engine whose process dies or cannot load: what those hear who wait for it, and when it is given up. Real
processes, tiny models."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from glm_tts_api.engine.child import EngineDied
from glm_tts_api.engine.client import EngineClient
from glm_tts_api.engine.state import EngineState
from speech_text import ReadingOptions
from tests.engine import echo_process, tiny
from tests.engine.tiny_process import (
    DEVICE_ERROR,
    LONG,
    begin,
    is_ready,
    load_of,
    running,
    say,
    tiny_client,
    until,
)


async def test_a_load_that_fails_is_told_with_its_cause(tmp_path: Path) -> None:
    (tmp_path / "gone").touch()
    client = tiny_client(tmp_path)
    client.start()
    await until(lambda: client.state.status != "loading")
    assert client.state == EngineState("failed", "the weights are gone")
    await until(lambda: client.pid is None)
    assert (client.n_restarts, client.info) == (0, None)
    await client.close()


async def test_a_command_that_is_not_there_is_given_up_with_its_cause(tmp_path: Path) -> None:
    client = EngineClient(load_of(tmp_path), watchdog_s=60, command=("/nowhere/python",))
    client.start()
    await until(lambda: client.state.status == "failed")
    assert "its process cannot begin: " in str(client.state.cause)
    assert "No such file" in str(client.state.cause)
    await client.close()


async def test_an_engine_whose_first_load_hangs_is_ended_and_given_up_with_its_cause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("glm_tts_api.engine.client._FIRST_LOAD_S", 0.5)
    client = EngineClient(load_of(tmp_path), watchdog_s=0.1, command=("sleep", "3600"))
    client.start()
    await until(lambda: client.state.status == "failed")
    assert str(client.state.cause).endswith("spoken between: its load took longer than 0.5 s")
    assert client.n_watchdog_exits == 5
    await client.close()


async def test_whoever_is_spoken_to_hears_of_a_kill_and_the_next_process_sounds_the_same(
    client: EngineClient,
) -> None:
    before = await say(client)
    streams = [begin(client, LONG) for _ in range(2)]
    reading = asyncio.create_task(client.read(tiny.ENDLESS_TEXT, ReadingOptions()))
    for stream in streams:
        await anext(stream)
    assert client.pid is not None
    os.kill(client.pid, signal.SIGKILL)
    while client.state.status == "ready":
        assert client.pid is not None  # what is asked of it now is asked of a process
        await asyncio.sleep(0)
    for listening in (*map(tiny.pcm, streams), reading):
        with pytest.raises(EngineDied, match="its process was ended by SIGKILL"):
            await listening
    assert all(stream.is_freed.is_set() for stream in streams)
    assert client.state == EngineState("restarting", "its process was ended by SIGKILL")
    await is_ready(client)
    assert client.n_streams == 0
    np.testing.assert_array_equal(await say(client), before)


async def test_a_faked_device_error_ends_the_process_and_all_that_it_spoke(client: EngineClient) -> None:
    cause = f"the device failed: AcceleratorError: {DEVICE_ERROR}"
    other = begin(client, LONG)
    await anext(other)
    for stream in (begin(client, "ab~"), other):
        with pytest.raises(EngineDied) as died:
            await tiny.pcm(stream)
        assert str(died.value) == cause
    assert client.state == EngineState("restarting", cause)


async def test_deaths_with_nothing_spoken_between_give_an_engine_up_until_it_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three here, since a test must not take long."""
    monkeypatch.setattr("glm_tts_api.engine.client._DEATHS", 3)
    monkeypatch.setattr("glm_tts_api.engine.client._GIVEN_UP_S", 2.0)
    async with running(tmp_path, command=echo_process.COMMAND) as client:
        for text in ("^", "ab", "^"):  # something is spoken between
            try:
                await say(client, text)
            except EngineDied:
                assert text == "^"
            await is_ready(client)
        assert client.pid is not None
        os.kill(client.pid, signal.SIGKILL)  # somebody's hand is no sign against it
        await until(lambda: client.n_restarts == 3)
        for _ in range(2):
            await is_ready(client)
            with pytest.raises(EngineDied):
                await say(client, "^")
        await until(lambda: client.state.status == "failed")
        wanted = "3 times with nothing spoken between: its process ended with exit code 3"
        assert client.state.cause == f"its process died {wanted}"
        assert client.pid is None
        with pytest.raises(EngineDied):
            await say(client)
        await is_ready(client)
        assert len(await say(client)) > 0


async def test_a_model_that_cannot_be_loaded_again_is_given_up_with_its_cause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("glm_tts_api.engine.client._DEATHS", 2)
    async with running(tmp_path) as client:
        client.unload()
        (tmp_path / "gone").touch()
        client.wake()
        await until(lambda: client.state.status == "failed")
        wanted = "its process died 2 times with nothing spoken between: the weights are gone"
        assert client.state.cause == wanted
