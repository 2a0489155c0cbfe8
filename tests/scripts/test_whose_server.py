"""Which server the scripts mean: its port and keys, copies of the project, folders of others, other users."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

from tests.scripts.own_project import Project, free_port, is_alive

SECRET = "s3cret"


def test_the_command_that_a_restart_prints_works_with_a_key(shared_project: Project) -> None:
    project = shared_project
    restart = project.run("restart_api.sh", API_KEYS=f"{SECRET},another")
    assert restart.code == 0, restart.said
    assert SECRET not in restart.said + project.log
    command = re.search(r"^  (curl .*?-o test\.wav)$", restart.said, re.MULTILINE | re.DOTALL)
    assert command
    done = subprocess.run(
        ["bash", "-c", command[1]], cwd=project.root, env={**project.environment(), "API_KEY": SECRET}
    )
    assert done.returncode == 0
    assert (project.root / "test.wav").read_bytes().startswith(b"RIFF")


def test_a_server_on_another_port_than_set_now_is_asked_and_named_there(shared_project: Project) -> None:
    project = shared_project
    pid = project.running(API_KEYS=f"{SECRET},another")
    other: dict[str, Any] = {"PORT": str(free_port()), "API_KEYS": SECRET, "LOG_FILE": "other.log"}
    status = project.run("scripts/status_api.sh", **other)
    assert status.code == 0, status.said
    assert (
        f"listens on 127.0.0.1 port {project.port} (set now: 127.0.0.1 port {other['PORT']})" in status.said
    )
    assert f"Log: {project.root}/api_server.log" in status.said
    assert "Health: healthy" in status.said
    start = project.run("start_api.sh", **other)
    assert start.code == 3
    assert f"already running (PID {pid}, port {project.port})" in start.said


def check(project: Project, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [".venv/bin/python", "-m", "glm_tts_api", "check"],
        cwd=project.root,
        env=project.environment(**settings),
        capture_output=True,
        text=True,
    )


def test_a_check_beside_the_running_server_is_no_list_of_problems(shared_project: Project) -> None:
    project = shared_project
    pid = project.running(API_KEYS=f"{SECRET},another")
    done = check(project)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"A server runs here (PID {pid}, port {project.port})" in done.stdout
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        port = stranger.getsockname()[1]
        other = check(project, PORT=str(port))
    assert other.returncode == 2
    assert other.stderr.startswith(f"PORT={port}: taken by PID {os.getpid()} (")
    assert "runs here" in other.stdout


def test_a_copy_does_not_touch_the_original(shared_project: Project, tmp_path: Path) -> None:
    sockets = shutil.ignore_patterns("*.sock")  # which cp copies, and copytree cannot
    pid = shared_project.running(API_KEYS=f"{SECRET},another")
    shutil.copytree(shared_project.root, tmp_path / "copy", symlinks=True, ignore=sockets)
    copy, port = shared_project.at(tmp_path / "copy"), shared_project.port
    stop = copy.run("scripts/stop_api.sh", PORT=str(free_port()))
    assert stop.code == 0
    assert "none is running" in stop.said
    taken = copy.run("restart_api.sh")
    assert taken.code == 2
    assert f"PORT={port}: taken by PID {pid}" in taken.said
    assert is_alive(pid)


def test_on_a_full_disk_a_server_is_stopped_but_not_replaced_whatever_its_records_say(
    shared_project: Project,
) -> None:
    """And what others keep in its run folder stays there."""
    project, home = shared_project, shared_project.root / "run"
    pid = project.running(API_KEYS=f"{SECRET},another")
    precious = home / "tmp/precious"
    precious.parent.mkdir()
    precious.touch()
    (home / "lock").unlink()
    (home / "lock").symlink_to("/dev/full")
    (home / f"server-{pid}/record").write_bytes(b"port\ndrain_s x\xff1\nhost $(id)\n\x00")
    (home / "api_server.pid").write_bytes(b"\xff\x00 -1 *\n")
    restart = project.run("restart_api.sh")
    assert restart.code == 2, restart.said
    assert "is the disk full?" in restart.said
    assert is_alive(pid)
    stop = project.run("scripts/stop_api.sh")
    assert stop.code == 0, stop.said
    assert not is_alive(pid)
    assert list((home / "tmp").iterdir()) == [precious]


def test_a_log_file_that_is_a_folder_is_refused(project: Project) -> None:
    (project.root / "logs").mkdir()
    for script in ("start_api.sh", "restart_api.sh"):
        outcome = project.run(script, LOG_FILE="logs")
        assert outcome.code == 2
        assert "LOG_FILE" in outcome.said
        assert "is a folder" in outcome.said
    assert (project.root / "logs").is_dir()


# A user without a home or any power but to read the checkout, wherever root keeps it.
PLAIN_USER = (
    "env", "--unset=HOME", "setpriv", "--reuid=54321", "--regid=54321", "--clear-groups",
    "--bounding-set=-all,+dac_read_search", "--inh-caps=-all,+dac_read_search",
    "--ambient-caps=+dac_read_search",
)  # fmt: skip


def test_a_plain_user_under_nice_who_may_write_little(project: Project) -> None:
    """Who cannot take back the priority that `nice` gave away, and of the project folder may write to RUN_DIR
    and the log alone."""
    prefix: tuple[str, ...] = ("nice", "-n", "10")
    log = project.root / "api_server.log"
    log.write_text("before\n")
    (project.root / "run").mkdir()
    if os.geteuid() == 0:
        prefix = (*PLAIN_USER, *prefix)
        for path in (log, project.root / "run"):
            os.chown(path, 54321, 54321)
    project.root.chmod(0o555)
    elsewhere = project.run("restart_api.sh", prefix=prefix, RUN_DIR="new run")
    assert elsewhere.code == 2
    assert f"RUN_DIR={project.root}/new run: " in elsewhere.said
    closed = project.run("restart_api.sh", prefix=prefix, LOG_FILE="closed.log")
    assert closed.code == 2
    assert f"LOG_FILE={project.root}/closed.log: user" in closed.said
    restart = project.run("restart_api.sh", prefix=prefix, VERIFY_TTS="1")
    assert restart.code == 0, restart.said
    assert f"{log} goes on" in restart.said
    assert project.log.startswith("before\n")
    assert "out/hello.wav cannot be written" in restart.said
    with_phonemes = {"input_text": "行长", "index": "exampleA", "use_phoneme": True}
    assert project.post("/api/v1/tts", with_phonemes).status == 200
    (engine,) = project.stats()["per_worker"]
    tasks = Path(f"/proc/{engine['pid']}/task").iterdir()
    niceness = {int((task / "stat").read_text().rpartition(")")[2].split()[16]) for task in tasks}
    own = os.nice(0) + 10
    assert niceness == {own, min(19, own + 5)}
    if os.geteuid() == 0:
        other = tuple(part.replace("54321", "54322") for part in PLAIN_USER)
        for script in ("scripts/status_api.sh", "start_api.sh"):
            outcome = project.run(script, prefix=other)
            assert outcome.code in (1, 3)
            assert f"The server that runs here (PID {project.pid}" in outcome.said
        stop = project.run("scripts/stop_api.sh", prefix=other)
        assert stop.code == 2
        assert "cannot write there" in stop.said
    assert project.run("scripts/stop_api.sh", prefix=prefix).code == 0
    project.root.chmod(0o755)


def test_a_home_that_the_environment_does_not_name(project: Project) -> None:
    environment = {**project.environment(LOG_FILE="~/log of mine")}
    del environment["HOME"]
    code = "from glm_tts_api.settings import Settings; print(Settings.load().log_path)"
    command = [".venv/bin/python", "-c", code]
    shown = subprocess.run(command, cwd=project.root, env=environment, capture_output=True, text=True)
    assert (shown.stderr, shown.stdout) == ("", f"{Path('~').expanduser()}/log of mine\n")
