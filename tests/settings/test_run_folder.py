"""Whose a process is: the run folder's mark, the project's folder, and a lock that no copy has."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from glm_tts_api.errors import AlreadyRunning
from glm_tts_api.run_folder import MARK_VARIABLE, RunFolder

REPOSITORY = Path(__file__).parents[2]
SERVE = """
import sys, time
from pathlib import Path
from glm_tts_api.run_folder import RunFolder
folder = RunFolder(Path("run"), Path.cwd())
folder.claim()
folder.record(host="127.0.0.1", port=8171, drain_s=0.2, rolling_s=600, log_file=Path("log"))
print(1, flush=True)
time.sleep(60)
"""


@contextmanager
def server(project: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that holds the run folder of `project` as a server does."""
    (project / "run").mkdir(parents=True, exist_ok=True)
    mark = RunFolder(project / "run", project).mark()
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE],
        cwd=project,
        env={"PYTHONPATH": str(REPOSITORY), MARK_VARIABLE: mark},
        stdout=subprocess.PIPE,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"1\n"
        try:
            yield process
        finally:
            process.kill()


def folder_of(project: Path, name: str = "run") -> RunFolder:
    return RunFolder(project / name, project)


def test_a_running_server_is_known_by_its_port_and_gone_with_its_process(tmp_path: Path) -> None:
    assert folder_of(tmp_path).server() is None
    with server(tmp_path) as process:
        found = folder_of(tmp_path).server()
        assert found is not None
        assert (found.pid, found.host, found.port) == (process.pid, "127.0.0.1", 8171)
        descriptors = os.listdir("/proc/self/fd")
        with pytest.raises(AlreadyRunning, match=f"PID {process.pid}, port 8171"):
            folder_of(tmp_path).claim()
        assert os.listdir("/proc/self/fd") == descriptors
    assert folder_of(tmp_path).server() is None
    assert not folder_of(tmp_path).is_claimed()
    os.close(folder_of(tmp_path).claim())


@pytest.mark.parametrize(
    "written", [b"", b"not a number", b"1", b"99999999", "\u00b2".encode(), b"\xff\xfe\x00\n"]
)
def test_a_pid_file_that_proves_nothing(tmp_path: Path, written: bytes) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run/api_server.pid").write_bytes(written)
    assert folder_of(tmp_path).server() is None


def test_a_mark_that_nobody_can_read_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run/run_id").write_bytes(b"\xff\xfe\x00\n")
    mark = folder_of(tmp_path).mark()
    assert str(uuid.UUID(mark)) == mark
    assert folder_of(tmp_path).mark() == mark


def test_a_copy_has_a_mark_of_its_own(tmp_path: Path) -> None:
    original, copy = tmp_path / "original", tmp_path / "copy"
    with server(original) as process:
        mark = folder_of(original).mark()
        shutil.copytree(original, copy)
        shutil.copytree(original / "run", original / "run2")
        for other in (folder_of(copy), folder_of(original, "run2")):
            assert other.server() is None
            assert not other.owns(process.pid)
            assert other.mark() != mark
        assert folder_of(original).mark() == mark


def test_a_project_that_is_moved_while_it_runs_stays_the_same(tmp_path: Path) -> None:
    with server(tmp_path / "before") as process:
        (tmp_path / "before").rename(tmp_path / "after")
        found = folder_of(tmp_path / "after").server()
        assert found is not None
        assert found.pid == process.pid


def test_a_mark_without_its_folder_as_it_was_once_written_stays(tmp_path: Path) -> None:
    mark = str(uuid.uuid4())
    (tmp_path / "run").mkdir()
    (tmp_path / "run/run_id").write_text(f"{mark}\n")
    assert folder_of(tmp_path).mark() == mark
    shutil.copytree(tmp_path / "run", tmp_path / "run2")
    assert folder_of(tmp_path, "run2").mark() != mark
