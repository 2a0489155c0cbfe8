"""What a restart asks of the server that it started, until it can say that it runs or why it does not."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path
from subprocess import PIPE, STDOUT, CompletedProcess, run

import pytest

from tests.scripts.own_project import LIMIT_S, Project, kill, wait_until

VERIFY = """
import sys
from glm_tts_api.service import output, verify
from psutil import Process
from glm_tts_api.settings import Settings
verify.READY_LIMIT_S, output.SIGN_OF_LIFE_S = float(sys.argv[2]), 1
started = Process(int(sys.argv[1]))
sys.exit(verify.Verification(Settings.load(), started, "Verifying", "").run())
"""


def verify(project: Project, pid: int, *, limit_s: float, **settings: str) -> CompletedProcess[str]:
    return run(
        [sys.executable, "-c", VERIFY, str(pid), str(limit_s)],
        cwd=project.root,
        env=project.environment(**settings),
        stdout=PIPE,
        stderr=STDOUT,
        text=True,
        timeout=LIMIT_S / 4,
        check=False,
    )


def test_a_load_that_takes_no_end_is_not_waited_for_for_ever(project: Project) -> None:
    """The wait says for what and for how long."""
    done = verify(project, os.getpid(), limit_s=2)
    assert done.returncode == 1
    first, second, *signs_of_life, last = done.stdout.splitlines()
    assert (first, second) == ("Verifying", "  starting the server's process (at most 2 s)")
    assert signs_of_life[0].startswith("  starting the server's process (at most 2 s), ")
    assert last == "After 2 s still: starting the server's process."
    assert f"The check failed: {last}" in project.log


@pytest.mark.long
def test_an_engine_that_will_never_speak_ends_the_wait_at_once(project: Project, tmp_path: Path) -> None:
    model = tmp_path / "model"
    shutil.copytree(project.environment()["MODEL_DIR"], model)
    settings = {"MODEL_DIR": str(model), "WORKERS": "2"}
    server = project.start(**settings)
    (model / "frontend/campplus.onnx").write_bytes(b"not what it should be")
    first, second = project.stats()["per_worker"]
    kill(second["pid"], signal.SIGKILL)
    wait_until(
        lambda: any(worker["status"] == "failed" for worker in project.stats()["per_worker"]), "a failure"
    )
    done = verify(project, server, limit_s=60, **settings)
    assert done.returncode == 1
    assert "1 of WORKERS=2 can speak; the log says why" in done.stdout
    assert "The check failed: 1 of WORKERS=2 can speak" in project.log
    assert "campplus.onnx" in project.log
    assert first["pid"] in [worker["pid"] for worker in project.stats()["per_worker"] if worker["ready"]]
