"""RESTART_MODE=rolling, run for real: clients that ask meanwhile, a stream under way, and what goes wrong.

Each test begins with the server that the one before left running.
"""

from __future__ import annotations

import http.client
import json
import re
import shutil
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from tests.scripts.own_project import Project, end_of, is_alive, kill, wait_until

SENTENCE = "我们今天去公园散步，那里的花都开了。"
N_SENTENCES = 6
SPEAK: dict[str, Any] = {"input_text": SENTENCE, "index": "exampleA"}


def running(project: Project) -> int:
    """The PID of a server that runs, started here if need be."""
    if project.pid_file.exists() and is_alive(project.pid):
        return project.pid
    return project.start()


class Clients:
    """What clients saw that asked every 100 ms, by a new connection each time and by one that is kept, and
    now and then for speech."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.n_answers = 0
        self.n_moved = 0  # a kept connection that the server gave up in its answer
        self.failures: list[str] = []

    def ask_anew(self, over: Event) -> None:
        while not over.wait(0.1):
            self._try(lambda: self._ask(self._connection()))

    def ask_on(self, over: Event) -> None:
        connection = self._connection()
        while not over.wait(0.1):
            self._try(lambda: self._ask(connection))
            if connection.sock is None:  # http.client closes what the server said it will close
                self.n_moved += 1

    def speak(self, over: Event) -> None:
        while not over.wait(2):  # the servers load beside it
            self._try(lambda: self._ask(self._connection(), SPEAK))

    def _connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)

    def _ask(self, connection: http.client.HTTPConnection, body: dict[str, Any] | None = None) -> None:
        if body is None:
            connection.request("GET", "/api/v1/health")
        else:
            headers = {"Content-Type": "application/json"}
            connection.request("POST", "/api/v1/tts", json.dumps(body), headers)
        answer = connection.getresponse()
        said = answer.read()
        assert answer.status == 200, said

    def _try(self, ask: Callable[[], None]) -> None:
        try:
            ask()
            self.n_answers += 1
        except (OSError, http.client.HTTPException, AssertionError) as error:
            self.failures.append(repr(error))


@contextmanager
def asking(project: Project) -> Iterator[Clients]:
    clients, over = Clients(project.port), Event()
    threads = [Thread(target=way, args=(over,)) for way in (clients.ask_anew, clients.ask_on, clients.speak)]
    for thread in threads:
        thread.start()
    try:
        yield clients
    finally:
        over.set()
        for thread in threads:
            thread.join()


class Stream:
    """An answer that is made as it is read, and of which only the beginning is read at first."""

    def __init__(self, project: Project) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", project.port, timeout=300)
        self._connection.sock = socket.socket()
        self._connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._connection.sock.connect(("127.0.0.1", project.port))
        body = {**SPEAK, "input_text": SENTENCE * N_SENTENCES, "stream": True, "response_format": "pcm"}
        body.update(speed=0.25, sample_rate=32000)  # more than the kernel takes where nobody reads
        headers = {"Content-Type": "application/json"}
        self._connection.request("POST", "/api/v1/tts", json.dumps(body), headers)
        self.answer = self._connection.getresponse()
        assert self.answer.read(1000)

    def rest(self) -> bytes:
        """Raises IncompleteRead if it breaks off."""
        return self.answer.read()


def test_no_client_notices_and_a_stream_ends_whole(shared_project: Project) -> None:
    """From one worker to two. The stream goes on for longer than DRAIN_TIMEOUT."""
    project = shared_project
    old = project.start(STREAM_STALL_S="600", DRAIN_TIMEOUT="1")
    with asking(project) as clients:
        stream = Stream(project)
        restart = project.begin("restart_api.sh", RESTART_MODE="rolling", WORKERS="2", VERIFY_TTS="1")
        wait_until(lambda: project.pid != old, "the new server to have the port")
        n_before = clients.n_answers
        wait_until(lambda: clients.n_answers > n_before + 20, "answers of the new server")
        status = project.run("scripts/status_api.sh")
        assert is_alive(old)
        pcm = stream.rest()
        outcome = end_of(restart)
    assert outcome.code == 0, outcome.said
    assert re.search(r"\n  \d+ of its answers ended, none was cut\n", outcome.said)
    assert clients.failures == []
    assert clients.n_moved > 0
    assert f"PID {project.pid} has the port; PID {old} answers the clients that are left" in status.said
    assert len(pcm) > N_SENTENCES * 4 * 32000  # half a second and more, drawn out, for each sentence
    assert not is_alive(old)
    assert "SIGKILL" not in outcome.said
    assert len(project.stats()["per_worker"]) == 2
    request_id = stream.answer.getheader("X-Request-Id")
    (line,) = [line for line in project.log.splitlines() if f"[{request_id}] glm_tts_api.request" in line]
    assert f"INFO {old} " in line
    assert "outcome=completed" in line


def test_two_workers_hand_over_as_well(shared_project: Project) -> None:
    project = shared_project
    old = running(project)
    with asking(project) as clients:
        outcome = project.run("restart_api.sh", RESTART_MODE="rolling")
        n_before = clients.n_answers
        wait_until(lambda: clients.n_answers > n_before + 20, "answers of the new server")
    assert outcome.code == 0, outcome.said
    assert clients.failures == []
    assert "SIGKILL" not in outcome.said
    assert not is_alive(old)
    assert len(project.servers()) == 1


def test_an_answer_that_outlasts_rolling_timeout_is_cut_and_the_script_says_so(
    shared_project: Project,
) -> None:
    project = shared_project
    project.start(STREAM_STALL_S="600", ROLLING_TIMEOUT="1")
    stream = Stream(project)
    outcome = project.run("restart_api.sh", RESTART_MODE="rolling")
    assert outcome.code == 1, outcome.said
    assert "of its answers ended, 1 were cut: they took longer than ROLLING_TIMEOUT" in outcome.said
    assert "goes on" not in outcome.said
    with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
        stream.rest()
    assert_alone(project, project.pid)


def test_an_old_server_that_is_killed_meanwhile_has_cut_its_answers(shared_project: Project) -> None:
    project = shared_project
    old = project.start(STREAM_STALL_S="600")
    stream = Stream(project)
    restart = project.begin("restart_api.sh", RESTART_MODE="rolling")
    wait_until(lambda: project.pid != old, "the new server to have the port")
    wait_until(
        lambda: "role leaves" in (project.root / f"run/server-{old}/record").read_text(), "the other's end"
    )
    kill(old)
    outcome = end_of(restart)
    assert outcome.code == 1, outcome.said
    assert "0 of its answers ended, 1 were cut" in outcome.said
    with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
        stream.rest()
    assert_alone(project, project.pid)


def test_what_is_said_in_the_middle_and_a_signal_that_undoes_it(shared_project: Project) -> None:
    project = shared_project
    old = running(project)
    restart = project.begin("restart_api.sh", RESTART_MODE="rolling")
    wait_until(lambda: len(project.servers()) == 2, "the new server")
    status = project.run("scripts/status_api.sh")
    stop = project.run("scripts/stop_api.sh")
    assert f"has yet to prove itself, PID {old} serves" in status.said
    assert stop.code == 3
    assert f"restart (PID {restart.pid}) is at work" in stop.said
    restart.send_signal(signal.SIGTERM)
    outcome = end_of(restart)
    assert outcome.code == 143
    assert f"the old server (PID {old}) goes on" in outcome.said
    assert_alone(project, old)


def assert_alone(project: Project, pid: int) -> None:
    assert project.servers() == [pid]
    assert project.pid == pid
    assert project.get("/api/v1/health").status == 200
    assert "yet to prove itself" not in project.run("scripts/status_api.sh").said


def test_a_model_that_cannot_be_loaded_leaves_the_old_server_serving(
    shared_project: Project, tmp_path: Path
) -> None:
    project = shared_project
    old = running(project)
    broken = tmp_path / "broken"
    shutil.copytree(project.environment()["MODEL_DIR"], broken)
    (broken / "frontend/campplus.onnx").write_bytes(b"not what it should be")
    outcome = project.run("restart_api.sh", RESTART_MODE="rolling", MODEL_DIR=str(broken))
    assert outcome.code == 1, outcome.said
    assert "The model could not be loaded: " in outcome.said
    assert "campplus.onnx" in outcome.said
    assert f"the old server (PID {old}) goes on" in outcome.said
    assert_alone(project, old)


def test_what_does_not_allow_two_servers_is_said_before_one_is_started(
    shared_project: Project, tmp_path: Path
) -> None:
    """With a stand-in for nvidia-smi."""
    project = shared_project
    old = running(project)
    smi = tmp_path / "nvidia-smi"
    smi.write_text(
        f'#!/bin/sh\ncase $1 in *apps*) echo "GPU-a, {old}, 900" ;; *) echo "GPU-a, 100" ;; esac\n'
    )
    smi.chmod(0o755)
    path = f"{tmp_path}:{project.environment()['PATH']}"
    memory = project.run("restart_api.sh", RESTART_MODE="rolling", PATH=path)
    assert memory.code == 2
    assert "needs memory for two servers. GPU GPU-a: the server holds 900 MiB and 100 MiB" in memory.said
    other = project.run("restart_api.sh", RESTART_MODE="rolling", PORT="1")
    assert other.code == 2
    assert f"keeps the address. The running server listens on 127.0.0.1 port {project.port}" in other.said
    assert_alone(project, old)
