"""RESTART_MODE=rolling, run for real: clients that ask meanwhile, a stream under way, and what goes wrong.

Each test begins with the server that the one before left running.
"""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest

from tests.scripts.own_project import REPOSITORY, Project, end_of, is_alive, wait_until
from tests.scripts.rolling import N_SENTENCES, Stream, asking, assert_alone


@pytest.fixture(scope="module")
def model() -> Path:
    """The bundled model: its sentences take some seconds to say."""
    return REPOSITORY / "glm_tts_api/assets/mini"


def test_no_client_notices_and_a_stream_ends_whole(shared_project: Project) -> None:
    """The stream goes on for longer than DRAIN_TIMEOUT."""
    project = shared_project
    old = project.start(DRAIN_TIMEOUT="1")
    with asking(project) as clients:
        stream = Stream(project)
        restart = project.begin("restart_api.sh", RESTART_MODE="rolling", VERIFY_TTS="1")
        wait_until(lambda: project.pid != old, "the new server to have the port")
        n_before = clients.n_answers
        wait_until(lambda: clients.n_answers > n_before + 8, "answers of the new server")
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
    request_id = stream.answer.getheader("X-Request-Id")
    (line,) = [line for line in project.log.splitlines() if f"[{request_id}] glm_tts_api.request" in line]
    assert f"INFO {old} " in line
    assert "outcome=completed" in line


@pytest.mark.long
def test_what_is_said_in_the_middle_and_a_signal_that_undoes_it(shared_project: Project) -> None:
    project = shared_project
    old = project.running()
    restart = project.begin("restart_api.sh", RESTART_MODE="rolling")
    wait_until(lambda: len(project.servers()) == 2, "the new server")
    (new,) = set(project.servers()) - {old}
    os.kill(new, signal.SIGSTOP)  # while the others ask, it proves nothing
    status = project.run("scripts/status_api.sh")
    stop = project.run("scripts/stop_api.sh")
    assert f"has yet to prove itself, PID {old} serves" in status.said
    assert stop.code == 3
    assert f"restart (PID {restart.pid}) is at work" in stop.said
    restart.send_signal(signal.SIGTERM)
    os.kill(new, signal.SIGCONT)
    outcome = end_of(restart)
    assert outcome.code == 143
    assert f"the old server (PID {old}) goes on" in outcome.said
    assert_alone(project, old)


def test_a_model_that_cannot_be_loaded_leaves_the_old_server_serving(
    shared_project: Project, tmp_path: Path
) -> None:
    project = shared_project
    old = project.running()
    broken = project.broken_model(tmp_path, "frontend/campplus.onnx")
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
    old = project.running()
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
