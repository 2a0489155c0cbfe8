"""What a restart asks of the server that it started, until it can say that it runs or why it does not."""

from __future__ import annotations

import shutil
import signal
import sys
from pathlib import Path
from subprocess import PIPE, STDOUT, Popen, run

from tests.scripts.own_project import LIMIT_S, Project, kill, wait_until


def environment(project: Project, **settings: str) -> dict[str, str]:
    """That of a program that stands beside the scripts."""
    return {
        **project.environment(**settings),
        "PYTHONPATH": f"{project.root}:{project.root}/scripts/lib",
    }


def test_a_load_that_takes_no_end_is_not_waited_for_for_ever(project: Project, tmp_path: Path) -> None:
    """The wait says for what and for how long, and at its end what the log says last."""
    code = (
        "import os, readiness, service_client\n"
        "from pathlib import Path\n"
        f"log = Path({str(tmp_path / 'log')!r})\n"
        "log.write_text('loading layer 7\\n\\n')\n"
        "readiness.READY_LIMIT_S, readiness.SIGN_OF_LIFE_S = 2, 1\n"
        "settings = readiness.Settings.load()\n"
        "try:\n"
        "    readiness.wait_until_ready(service_client.Client(settings), settings, os.getpid())\n"
        "except readiness.Failed as failure:\n"
        "    print(failure)\n"
    )
    process = Popen(
        [sys.executable, "-c", code],
        cwd=project.root,
        env=environment(project, LOG_FILE=str(tmp_path / "log")),
        stdout=PIPE,
        text=True,
    )
    said, _ = process.communicate(timeout=60)
    first, *signs_of_life, last = said.splitlines()
    assert first == "  starting the server's process (at most 2 s)"
    assert signs_of_life[0] == "  starting the server's process: 1 s of at most 2"
    assert last == "After 2 s still: starting the server's process. The log's last line: loading layer 7"


def test_a_worker_that_will_never_speak_ends_the_wait_at_once_with_the_cause(
    project: Project, tmp_path: Path
) -> None:
    model = tmp_path / "model"
    shutil.copytree(project.environment()["MODEL_DIR"], model)
    settings = {"MODEL_DIR": str(model), "WORKERS": "2"}
    parent = project.start(**settings)
    (model / "frontend/campplus.onnx").write_bytes(b"not what it should be")
    first, second = project.stats()["per_worker"]
    kill(second["pid"], signal.SIGKILL)
    wait_until(
        lambda: any(worker["status"] == "failed" for worker in project.stats()["per_worker"]), "a failure"
    )
    done = run(
        [sys.executable, "scripts/lib/ask_service.py", "verify", str(parent)],
        cwd=project.root,
        env=environment(project, **settings),
        stdout=PIPE,
        stderr=STDOUT,
        text=True,
        timeout=LIMIT_S / 10,
    )
    assert done.returncode == 1
    assert "1 of WORKERS=2 can speak. The model could not be loaded: " in done.stdout
    assert "campplus.onnx" in done.stdout
    assert "The check failed: 1 of WORKERS=2 can speak. The model" in project.log
    assert first["pid"] in [worker["pid"] for worker in project.stats()["per_worker"] if worker["ready"]]
