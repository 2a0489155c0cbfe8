"""Which server `glm-tts say` asks where no URL is given: the folder's, or one of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import httpx
import pytest

from glm_tts_api.processes import family
from glm_tts_api.service.run_folder import RunFolder
from tests.api.project_folder import project
from tests.api.running import Running
from tests.api.server_process import REPOSITORY
from tests.api.waiting import wait_until
from tests.settings.asking import run

TONES = "tests.api.tone_app:app"
WAITS = f"""
import sys, time
from glm_tts_api.commandline import api as server
server.APP = {TONES!r}
with server.server_at("", "") as api:
    print(api.url, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def with_tones() -> Iterator[None]:
    with mock.patch("glm_tts_api.commandline.api.APP", TONES):
        yield


def is_there(url: str) -> bool:
    try:
        return httpx.get(f"{url}/api/v1/health/live").status_code == 200
    except httpx.TransportError:
        return False


def test_the_server_that_runs_in_the_folder(server: Running) -> None:
    runs = RunFolder(server.root / "run", server.root)
    claim = runs.claim()
    runs.record(host="127.0.0.1", port=server.url.rpartition(":")[2])
    try:
        done = run(server.root, "say", "hello", "-o", "a.wav")
    finally:
        os.close(claim)
    assert (done.returncode, done.stderr) == (0, "")
    assert server.engine.n_spoken == 1


@pytest.mark.usefixtures("with_tones")
def test_one_is_started_and_ends_with_the_command(tmp_path: Path) -> None:
    root = project(tmp_path / "project", api_keys="k1,k2")
    before = {each.pid for each in family(os.getpid())}
    done = run(root, "say", "hello", "-o", "a.wav", PYTHONPATH=str(REPOSITORY))
    assert (done.returncode, done.stderr.splitlines()[0]) == (
        0,
        "No server runs in this folder: one is started for this command.",
    )
    assert (root / "a.wav").stat().st_size > 10_000
    assert {each.pid for each in family(os.getpid())} <= before


@pytest.mark.usefixtures("with_tones")
def test_one_that_cannot_start_says_why(tmp_path: Path) -> None:
    root = project(tmp_path / "project")
    done = run(root, "say", "hello", "-o", "a.wav")  # tests/ is not on its path
    assert done.returncode == 1
    said = done.stderr.splitlines()[-1]
    assert said.startswith("The server that this command started has ended: ")
    log = Path(said.partition("(its log: ")[2].rstrip(")"))
    assert log.read_text().strip()
    shutil.rmtree(log.parent)


def test_it_ends_though_the_command_is_killed(tmp_path: Path) -> None:
    root = project(tmp_path / "project")
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY), "TMPDIR": str(tmp_path)}
    command = subprocess.Popen(
        [sys.executable, "-c", WAITS],
        cwd=root,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert command.stdout is not None
    with command.stdout as out:
        url = out.readline().decode().strip()
    assert is_there(url)
    command.kill()
    command.wait()
    wait_until(lambda: not is_there(url))
