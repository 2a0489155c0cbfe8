"""start_api.sh, stop_api.sh and status_api.sh, run for real."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

from tests.scripts.own_project import REPOSITORY, Project, end_of, kill, wait_until


def test_the_foreground_server_is_the_script_itself_and_an_unread_log_holds_nothing_up(
    project: Project,
) -> None:
    """The script's output is a pipe that nobody reads at first. Its log writer is stopped, then killed."""
    server = project.begin("start_api.sh")
    wait_until(lambda: project.get("/api/v1/health").status == 200, "health")
    assert project.pid == server.pid
    assert server.stdout
    assert project.log.startswith(server.stdout.readline())
    writer = log_writer(project)
    kill(writer, signal.SIGSTOP)
    wait_until(lambda: "T" in Path(f"/proc/{writer}/stat").read_text().split()[2], "a stopped writer")
    fill_pipe(server.pid)
    refused(project, 20)
    assert project.get("/api/v1/health").status == 200
    kill(writer, signal.SIGCONT)
    wait_until(lambda: refused(project, 1) and "lines are missing here" in project.log, "the count")
    kill(writer)
    wait_until(lambda: log_writer(project) not in (0, writer), "another writer")
    project.get("/nowhere/at/last")
    wait_until(lambda: "GET /nowhere/at/last refused: 404" in project.log, "lines by another writer")
    assert "another (PID " in project.log
    status = project.run("scripts/status_api.sh")
    assert status.code == 0, status.said
    assert f"PID {server.pid}" in status.said
    assert "Health: healthy" in status.said
    stop = project.run("scripts/stop_api.sh")
    assert stop.code == 0, stop.said
    outcome = end_of(server)
    assert outcome.code == -15
    assert "Application shutdown complete" in project.log
    wait_until(lambda: project.processes() == [], "the end of the writer")


def log_writer(project: Project) -> int:
    """Its PID, 0 where there is none."""
    return next(iter(project.processes("service.log_writer")), 0)


def fill_pipe(pid: int) -> None:
    """Writes lines into the pipe of the server's output until it takes no more."""
    pipe = os.open(f"/proc/{pid}/fd/1", os.O_WRONLY | os.O_NONBLOCK)
    with suppress(BlockingIOError):
        while True:
            os.write(pipe, b"x" * 99 + b"\n")
    os.close(pipe)


def refused(project: Project, n: int) -> bool:
    """Asks for what is not there; each time that is a line of the log."""
    return all(project.get("/nowhere").status == 404 for _ in range(n))


def test_a_checkpoint_that_cannot_be_served_is_refused_and_named(project: Project, tmp_path: Path) -> None:
    model = project.broken_model(tmp_path, "hift/hift.pt")
    outcome = project.run("start_api.sh", MODEL_DIR=str(model))
    assert outcome.code == 2
    assert "hift/hift.pt" in outcome.said
    assert "Traceback" not in outcome.said
    assert project.processes() == []


PYTHON_WITHOUT_VENV = """#!/bin/bash
exec {real} "${{@//ensurepip/ensurepip_that_is_not_there}}"
"""


def programs_without_python(folder: Path) -> Path:
    """A folder of links to this machine's programs but Python."""
    folder.mkdir()
    for program in Path("/usr/bin").iterdir():
        if not program.name.startswith(("python", "pip")):
            (folder / program.name).symlink_to(program)
    return folder


def test_what_making_the_venv_lacks_is_named(project: Project, tmp_path: Path) -> None:
    programs = programs_without_python(tmp_path / "bin")
    (project.root / ".venv").unlink()
    none = project.run("restart_api.sh", PATH=str(programs))
    assert none.code == 2
    assert "Python 3.11, 3.12 or 3.13 is needed" in none.said
    python = programs / "python3"
    real = REPOSITORY / ".venv/bin/python"
    python.write_text(PYTHON_WITHOUT_VENV.format(real=real))
    python.chmod(0o755)
    without_venv = project.run("restart_api.sh", PATH=str(programs))
    assert without_venv.code == 2
    assert "apt install python3-venv" in without_venv.said
    assert not (project.root / ".venv").exists()
