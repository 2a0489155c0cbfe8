"""Engines that somebody ends, stops or kills, or whose GPU fails: the server's clients hear nothing of it.
Real processes, tiny models, and the error of a GPU without one."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.api.server_process import Server
from tests.api.waiting import wait_until

LONG = "/".join(["abcdefgh"] * 12)  # some twenty seconds, as the engine takes its time
LOST = "the device failed: AcceleratorError: CUDA error: an illegal memory access was encountered"
PATIENCE_S = 240  # an engine begins within that while the machine is busy


@pytest.fixture
def server(process: Callable[..., Server]) -> Server:
    """With two engines, which take their time."""
    server = process(
        "tests.api.real_app:app",
        environ={"ENGINE": "tests.api.faulty_engine", "ENGINE_STALL_S": "2"},
        workers=2,
        short_text_timeout=600,
    )
    server.wait_until_all_speak(PATIENCE_S)
    return server


def engines(server: Server) -> list[int]:
    """Their PIDs, as the system has them."""
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
    commands = {int(pid): Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0") for pid in children}
    return [pid for pid, command in commands.items() if b"tests.api.faulty_engine" in command]


def test_a_server_whose_engines_stand_still_or_are_killed_hears_that_it_is_to_end(server: Server) -> None:
    stopped, killed = engines(server)
    os.kill(stopped, signal.SIGSTOP)
    os.kill(killed, signal.SIGKILL)
    server.process.send_signal(signal.SIGTERM)
    server.process.wait(60)
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in (stopped, killed)))


def test_a_text_that_loses_the_device_is_500_and_the_others_are_spoken_as_if_nothing_had_been(
    with_engines: Callable[..., Server],
) -> None:
    server = with_engines(workers=2, short_text_timeout=600, medium_text_timeout=600)
    undisturbed = server.say(LONG).json()["audio_base64"]
    with ThreadPoolExecutor(2) as pool:
        at_work = [pool.submit(server.say, LONG) for _ in range(2)]
        wait_until(lambda: server.lane()["active"] == 2)
        failed = server.say("ab~")
        assert (failed.status_code, failed.json()["code"]) == (500, "fatal_text")
        assert "engines died while they spoke this text" in failed.json()["message"]
        assert {answer.result().json()["audio_base64"] for answer in at_work} == {undisturbed}
    server.wait_until_all_speak(120)
    told = server.scrape()
    n_deaths = told("engine_restarts_total")  # one more if another was under suspicion before it
    assert n_deaths in (3, 4)
    assert told("worker_restarts_total") == n_deaths
    assert told("requests_resumed_total") >= 2
    assert told("requests_total", outcome="fatal_text") == 1
    assert sum(worker["restarts"] for worker in server.stats()["per_worker"]) == n_deaths
    assert f"begins again: {LOST}" in server.log.read_text()


def test_the_words_of_a_stream_are_timed_after_a_kill_as_without_it(speaking_server: Server) -> None:
    text = 3 * "We sail for Lisbon tomorrow at noon, and the harbour will be full of ships. "
    fields = {"input": text, "voice": "exampleB", "stream_format": "sse", "timestamps": "word"}
    times: list[list[str]] = []
    for kills in (False, True):
        with speaking_server.client.stream("POST", "/v1/audio/speech", json=fields, timeout=120) as answer:
            lines = answer.iter_lines()
            next(line for line in lines if "speech.audio.delta" in line)
            if kills:
                os.kill(speaking_server.stats()["per_worker"][0]["pid"], signal.SIGKILL)
            times.append([line for line in lines if "speech.audio.timestamps" in line])
    assert times[1] == times[0]
    assert len(times[0]) > 1
    assert speaking_server.scrape()("requests_resumed_total") == 1
    assert speaking_server.log.read_text().count("Attention on the spoken text") == 1  # the successor is told
