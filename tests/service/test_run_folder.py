"""Which servers run in a folder: a lock that no copy has, and a process that holds it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from glm_tts_api.errors import AlreadyRunning
from glm_tts_api.service.run_folder import RunFolder

REPOSITORY = Path(__file__).parents[2]
SERVE = """
import sys, time
from pathlib import Path
from glm_tts_api.service.run_folder import RunFolder
folder = RunFolder(Path("run"), Path.cwd())
folder.claim(succeeds="succeed" in sys.argv)
folder.record(host="127.0.0.1", port=8171, drain_s=1)
print("claimed", flush=True)
for line in sys.stdin:
    if "take_charge" in line:
        folder.take_charge()
    if "is_succeeded" in line:
        line = str(folder.is_succeeded())
    print(line.strip(), flush=True)
"""


class Process(subprocess.Popen[str]):
    """One that holds the run folder of `project` as a server does, and does what it is told."""

    def __init__(self, project: Path, *arguments: str) -> None:
        project.mkdir(exist_ok=True)
        command = [sys.executable, "-c", SERVE, *arguments]
        environment = {"PYTHONPATH": str(REPOSITORY)}
        pipe = subprocess.PIPE
        super().__init__(command, cwd=project, env=environment, stdin=pipe, stdout=pipe, text=True)
        assert self.answer() == "claimed"

    def tell(self, what: str) -> str:
        assert self.stdin
        print(what, file=self.stdin, flush=True)
        return self.answer()

    def answer(self) -> str:
        assert self.stdout
        return self.stdout.readline().strip()


@contextmanager
def server(project: Path, *arguments: str) -> Iterator[Process]:
    with Process(project, *arguments) as process:
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
        assert (found.pid, found.facts["host"], found.number("port", 0)) == (process.pid, "127.0.0.1", 8171)
        assert (tmp_path / "run").stat().st_mode & 0o777 == 0o700  # closed to other users
        descriptors = os.listdir("/proc/self/fd")
        with pytest.raises(AlreadyRunning, match=f"PID {process.pid}, port 8171"):
            folder_of(tmp_path).claim()
        assert os.listdir("/proc/self/fd") == descriptors
    assert folder_of(tmp_path).servers() == []
    own = folder_of(tmp_path)
    claim = own.claim()
    assert own.claim() == claim  # as after an exec
    assert not (tmp_path / f"run/server-{process.pid}").exists()
    os.close(claim)


@pytest.mark.parametrize("written", [b"", b"1", b"\xff\xfe\x00\n"])
def test_a_pid_file_that_proves_nothing(tmp_path: Path, written: bytes) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run/api_server.pid").write_bytes(written)
    assert folder_of(tmp_path).servers() == []
    with server(tmp_path) as process:
        (tmp_path / "run/api_server.pid").write_bytes(written)
        found = folder_of(tmp_path).server()
        assert found is not None
        assert found.pid == process.pid


def test_what_copies_show_is_no_server(tmp_path: Path) -> None:
    original, copy = tmp_path / "original", tmp_path / "copy"
    with server(original):
        shutil.copytree(original, copy)
        shutil.copytree(original / "run", original / "run2")
        assert folder_of(copy).servers() == folder_of(original, "run2").servers() == []


def test_a_project_that_is_moved_while_it_runs_stays_the_same(tmp_path: Path) -> None:
    with server(tmp_path / "before") as process:
        (tmp_path / "before").rename(tmp_path / "after")
        (found,) = folder_of(tmp_path / "after").servers()
        assert (found.pid, found.is_ours) == (process.pid, True)


def test_another_projects_server_in_the_same_run_folder_is_not_ours(tmp_path: Path) -> None:
    with server(tmp_path / "one"):
        (found,) = RunFolder(tmp_path / "one/run", tmp_path / "two").servers()
        assert not found.is_ours


def test_a_successor_is_tried_until_it_takes_charge_and_the_other_knows_it(tmp_path: Path) -> None:
    with ExitStack() as stack:
        old = stack.enter_context(server(tmp_path))
        new = stack.enter_context(server(tmp_path, "succeed"))
        folder = folder_of(tmp_path)
        assert {each.pid: each.is_tried for each in folder.servers()} == {old.pid: False, new.pid: True}
        assert old.tell("is_succeeded") == "False"
        new.tell("take_charge")
        in_charge = folder.server()
        assert in_charge is not None
        assert in_charge.pid == new.pid == int(folder.pid_file.read_text())
        assert old.tell("is_succeeded") == "True"
        assert new.tell("is_succeeded") == "False"


def test_whoever_reads_the_pid_file_meanwhile_finds_a_pid(tmp_path: Path) -> None:
    with server(tmp_path) as old, server(tmp_path, "succeed") as new:
        with (tmp_path / "run/api_server.pid").open() as reading:
            new.tell("take_charge")
            assert reading.read() == f"{old.pid}\n"
        assert (tmp_path / "run/api_server.pid").read_text() == f"{new.pid}\n"


def test_of_many_that_start_at_once_one_wins(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    starting = [
        subprocess.Popen(
            [sys.executable, "-c", SERVE],
            cwd=tmp_path,
            env={"PYTHONPATH": str(REPOSITORY)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(4)
    ]
    said = []
    for process in starting:
        assert process.stdout
        said.append(process.stdout.readline())
    winner = folder_of(tmp_path).server()
    for process in starting:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert sorted(said) == [b""] * 3 + [b"claimed\n"]
    assert winner is not None
    assert winner.pid == starting[said.index(b"claimed\n")].pid


def test_what_is_not_known_to_be_a_servers_is_not_removed(tmp_path: Path) -> None:
    """A run folder may be one that holds other things."""
    mine = tmp_path / "run/server-7/mine"
    mine.mkdir(parents=True)
    dead = tmp_path / "run/server-8/tmp/upload"
    dead.mkdir(parents=True)
    (tmp_path / "run/server-8/record").write_text("role serves\n")
    folder_of(tmp_path).clean()
    assert mine.exists()
    assert not dead.parents[1].exists()
