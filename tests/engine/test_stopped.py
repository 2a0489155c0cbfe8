"""An engine that does not get on, and a server that is stopped or killed: what becomes of the other. Real
processes, tiny models."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import IO, Any, cast

import pytest

from glm_tts_api.contracts import Timings
from glm_tts_api.engine.child import EngineDied
from tests.engine import tiny
from tests.engine.tiny_process import FEW_ROWS, is_gone, tiny_client, until

LONG = "/".join(["abcdefgh"] * 200)
WATCHDOG_S = 3.0


@pytest.mark.parametrize("how", ["stopped", "keeps the interpreter", "waits"])
def test_an_engine_that_does_not_get_on_says_where_and_is_replaced(
    how: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """With it end the answers of whoever waits for it in another way."""
    config = replace(FEW_ROWS, stall_s=1.5)

    async def run() -> None:
        client = tiny_client(tmp_path, config, watchdog_s=WATCHDOG_S)
        states: list[str] = []
        client.changed = lambda: states.append(client.state.status)
        client.start()
        await until(lambda: client.state.status == "ready")
        assert client.pid is not None
        other = client.synthesize(tiny.asked(LONG), Timings())
        await anext(other)
        if how == "stopped":
            os.kill(client.pid, signal.SIGSTOP)
        else:
            text = "ab?" if how == "keeps the interpreter" else "ab!"
            client.synthesize(tiny.asked(text), Timings())
        await until(lambda: client.state.status == "stalled")
        clearing = asyncio.create_task(client.clear_cache())
        for listening in (clearing, tiny.pcm(other)):
            with pytest.raises(EngineDied, match=r"it made no progress for \d+ s \(3 are allowed\)"):
                await listening
        assert (client.n_watchdog_exits, client.n_restarts) == (1, 1)
        await until(lambda: client.state.status == "ready")
        assert [status for status, _ in groupby(states)] == ["ready", "stalled", "restarting", "ready"]
        assert len(await tiny.pcm(client.synthesize(tiny.asked("ab"), Timings()))) > 0
        await client.close()

    asyncio.run(asyncio.wait_for(run(), 240))
    log = capfd.readouterr().err
    assert "Fatal Python error: Aborted" in log
    assert log.count("Thread 0x") > 3
    assert "tiny_process.py" in log
    if how != "stopped":
        assert "in prefill" in log


def test_an_engine_that_gets_on_again_in_time_has_only_stalled(tmp_path: Path) -> None:
    async def run() -> None:
        client = tiny_client(tmp_path, replace(FEW_ROWS, stall_s=1.5))
        client.start()
        await until(lambda: client.state.status == "ready")
        pid, stream = client.pid, client.synthesize(tiny.asked("ab!"), Timings())
        await until(lambda: client.state.status == "stalled")
        assert "a step of the model has not ended for" in str(client.state.cause)
        (tmp_path / "go-on").touch()
        assert len(await tiny.pcm(stream)) > 0
        await until(lambda: client.state.status == "ready")
        assert (client.pid, client.n_watchdog_exits) == (pid, 0)
        await client.close()

    asyncio.run(asyncio.wait_for(run(), 240))


class LittleServer:
    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.engine.tiny_process", str(folder), str(WATCHDOG_S)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        self.engine: int = self.told()["pid"]

    def told(self) -> dict[str, Any]:
        line = cast(IO[str], self.process.stdout).readline()
        assert line, "it has ended"
        return cast(dict[str, Any], json.loads(line))

    def speak(self, text: str) -> None:
        written = cast(IO[str], self.process.stdin)
        written.write(f"{text}\n")
        written.flush()


@contextmanager
def little_server(folder: Path) -> Iterator[LittleServer]:
    server = LittleServer(folder)
    try:
        yield server
    finally:
        server.process.kill()
        server.process.communicate()
        with suppress(ProcessLookupError):
            os.kill(server.engine, signal.SIGKILL)


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 30
    while not is_gone(pid):
        assert time.monotonic() < deadline, "it lives on"
        time.sleep(0.01)


@pytest.mark.parametrize("how", ["idle", "speaking", "keeps the interpreter", "stopped"])
def test_an_engine_ends_with_a_server_that_is_killed(how: str, tmp_path: Path) -> None:
    with little_server(tmp_path) as server:
        if how == "stopped":
            os.kill(server.engine, signal.SIGSTOP)
        elif how != "idle":
            server.speak(LONG)
            assert "begins" in server.told()
        if how == "keeps the interpreter":
            server.speak("ab?")
            time.sleep(1)
        assert not is_gone(server.engine)
        server.process.send_signal(signal.SIGKILL)
        wait_until_gone(server.engine)


@pytest.mark.parametrize("who", ["both", "the server"])
@pytest.mark.parametrize("when", ["in a step", "while it speaks", "while nothing is said"])
def test_a_pause_of_the_server_kills_nothing(who: str, when: str, tmp_path: Path) -> None:
    """As of a container that is paused; for longer than the watchdog waits, and in a step that goes on for a
    while after it."""
    with little_server(tmp_path) as server:
        if when == "in a step":
            server.speak("ab!")
            time.sleep(0.5)
        elif when == "while it speaks":
            server.speak("/".join(["abcdefgh"] * 8))
            assert "begins" in server.told()
        pids = [server.process.pid, *([server.engine] if who == "both" else [])]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        if (when, who) == ("in a step", "the server"):
            time.sleep(0.5)
            (tmp_path / "go-on").touch()
        time.sleep(2 * WATCHDOG_S)
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
        if when == "in a step":
            time.sleep(1)
            (tmp_path / "go-on").touch()
        if when == "while nothing is said":
            time.sleep(1)
            server.speak("ab")
        while "begins" in (told := server.told()):
            pass
        assert told.get("heard", 0) > 0, told
        assert told["exits"] == 0
        assert not is_gone(server.engine)
