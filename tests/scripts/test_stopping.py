"""How a server is stopped, and what becomes of a script that is killed or loses its terminal."""

from __future__ import annotations

import fcntl
import os
import signal
import termios
from pathlib import Path
from subprocess import Popen
from threading import Thread
from typing import Any

import pytest

from tests.scripts.own_project import Outcome, Project, Reply, end_of, is_alive, kill, wait_until

LONG = "我们今天去公园散步，那里的花都开了。" * 30


def speaking(project: Project) -> tuple[Thread, list[Reply]]:
    """A long text that is being spoken, and where its answer will be."""
    replies: list[Reply] = []
    speaker = Thread(target=lambda: replies.append(project.speak(LONG)))
    speaker.start()
    wait_until(lambda: project.stats()["stats"]["long_text"]["active"] == 1, "an active request")
    return speaker, replies


def is_free(project: Project) -> bool:
    """Whether another script could work on the server now."""
    with (project.root / "run/lock").open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def has_passed(project: Project) -> bool:
    return "The server passed its check" in project.log


def test_a_restart_that_is_killed_keeps_no_lock_and_its_check_is_in_the_log(shared_project: Project) -> None:
    project = shared_project
    restart = project.begin("restart_api.sh")
    wait_until(lambda: is_starting(project), "the new server")
    kill(restart.pid)
    wait_until(lambda: not is_alive(restart.pid) or restart.poll() is not None, "the script's end")
    wait_until(lambda: is_free(project) or has_passed(project), "the lock")
    assert not has_passed(project), "the check of the new server held the lock of the script that was killed"
    wait_until(lambda: has_passed(project), "the report")
    assert project.get("/api/v1/health").status == 200


@pytest.mark.parametrize(
    ("arguments", "settings"),
    [(["--now"], {}), pytest.param([], {"DRAIN_TIMEOUT": "0.5"}, marks=pytest.mark.long)],
)
def test_who_cannot_wait_for_what_was_accepted(
    shared_project: Project, arguments: list[str], settings: dict[str, Any]
) -> None:
    """The server was started with minutes to drain; the requests that are left hear that it stops."""
    project = shared_project
    project.running()
    speaker, replies = speaking(project)
    stop = project.run("scripts/stop_api.sh", *arguments, **settings)
    speaker.join()
    assert stop.code == 0, stop.said
    assert "ending now" in stop.said
    assert "SIGKILL" not in stop.said
    assert (replies[0].status, replies[0].json()["code"]) == (503, "draining")
    assert project.processes() == []


def test_a_server_that_is_stopped_while_it_starts_has_no_unseen_moment(project: Project) -> None:
    """From the first moment on it is found and told to end, not left to be killed later."""
    start = project.begin("start_api.sh")
    stop = Outcome(3, "")
    while stop.code == 3 or "none is running" in stop.said:
        if start.poll() == 3:  # a stop that found nothing was at work when it came
            start = project.begin("start_api.sh")
        assert start.poll() is None, end_of(start).said
        stop = project.run("scripts/stop_api.sh")
    outcome = end_of(start)
    assert stop.code == 0, stop.said
    assert "SIGKILL" not in stop.said
    assert outcome.code == -signal.SIGTERM, outcome.said
    assert "Traceback" not in outcome.said
    assert project.processes() == []


def in_a_terminal_of_its_own(project: Project, command: str) -> tuple[Popen[str], int]:
    """The script, and the terminal's other end: closed, the terminal is gone."""
    ours, theirs = os.openpty()

    def take_terminal() -> None:
        os.setsid()
        fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)

    process = Popen(
        ["bash", command],
        cwd=project.root,
        env=project.environment(),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        text=True,
        preexec_fn=take_terminal,
    )
    os.close(theirs)
    return process, ours


def is_starting(project: Project) -> bool:
    try:
        return b"uvicorn" in Path(f"/proc/{project.pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return False


@pytest.mark.long
def test_a_restart_that_loses_its_terminal_goes_on(project: Project) -> None:
    restart, terminal = in_a_terminal_of_its_own(project, "restart_api.sh")
    wait_until(lambda: is_starting(project), "the new server")
    os.close(terminal)
    assert restart.wait(300) == 0, project.log
    assert f"The server passed its check (PID {project.pid}, port {project.port})" in project.log
    assert project.get("/api/v1/health").status == 200
