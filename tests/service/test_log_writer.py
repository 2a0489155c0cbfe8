"""The process that writes the log file for all others: what it keeps, and what it survives."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import IO

import pytest

from glm_tts_api.service.log_writer import RotatingFile
from tests.api.waiting import wait_until

REPOSITORY = Path(__file__).parents[2]
N_PROCESSES, N_LINES = 4, 500
WRITER = """
import os, sys
for number in range(int(sys.argv[2])):
    os.write(2, f"{sys.argv[1]}-{number} {'x' * (number % 300)}\\n".encode())
"""
Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts writers into `log`; their stdin is a pipe."""
    begun: list[subprocess.Popen[bytes]] = []

    def begin(*options: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "glm_tts_api.service.log_writer", *options, str(tmp_path / "log")]
        begun.append(subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
        return begun[-1]

    yield begin
    for process in begun:
        process.kill()
        process.wait()


def feed(pipe: IO[bytes], lines: list[bytes]) -> None:
    pipe.writelines(lines)
    pipe.flush()


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("log*"))


def test_every_line_of_every_process_is_in_one_of_the_files_once(tmp_path: Path, start: Start) -> None:
    writer = start("--max-bytes", "20000", "--backups", "100")
    processes = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(name), str(N_LINES)], stderr=writer.stdin)
        for name in range(N_PROCESSES)
    ]
    assert [process.wait(60) for process in processes] == [0] * N_PROCESSES
    writer.communicate(timeout=60)
    assert len(files(tmp_path)) > 10
    assert max(file.stat().st_size for file in files(tmp_path)) <= 20000
    lines = [line.split()[0] for file in files(tmp_path) for line in file.read_text().splitlines()]
    wanted = [f"{name}-{number}" for name in range(N_PROCESSES) for number in range(N_LINES)]
    assert sorted(lines) == sorted(wanted)


def test_the_newest_are_kept_and_the_newest_of_all_is_the_file_itself(tmp_path: Path) -> None:
    file = RotatingFile(tmp_path / "log", max_bytes=10, backups=2)
    for number in range(5):
        file.write(b"line %d\n" % number)
    kept = {path.name: path.read_text() for path in files(tmp_path)}
    assert kept == {"log": "line 4\n", "log.1": "line 3\n", "log.2": "line 2\n"}


def test_a_file_that_a_restart_moved_away_stays_as_it_is(tmp_path: Path) -> None:
    log = tmp_path / "log"
    file = RotatingFile(log, max_bytes=10, backups=2)
    file.write(b"of the old server\n")
    log.rename(tmp_path / "moved")
    log.write_text("of the new\n")
    file.write(b"last words\n")
    assert (tmp_path / "moved").read_text() == "of the old server\n"
    assert log.read_text() == "of the new\nlast words\n"


def test_where_nothing_can_be_renamed_the_file_grows(tmp_path: Path) -> None:
    (tmp_path / "log.1").mkdir()
    file = RotatingFile(tmp_path / "log", max_bytes=10, backups=1)
    for number in range(3):
        file.write(b"line %d\n" % number)
    assert (tmp_path / "log").read_text() == "line 0\nline 1\nline 2\n"


def test_no_signal_keeps_the_last_line_out_and_the_terminal_has_it_too(tmp_path: Path, start: Start) -> None:
    writer = start("--copy")
    assert writer.stdin is not None
    assert writer.stdout is not None
    writer.stdin.write(b"first\n")
    writer.stdin.flush()
    assert writer.stdout.readline() == b"first\n"
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP):
        os.kill(writer.pid, number)
    writer.stdout.close()  # the terminal is gone
    writer.communicate(b"without an end", timeout=60)
    assert (tmp_path / "log").read_text() == "first\nwithout an end"


def test_who_does_not_read_the_copy_keeps_no_line_out_of_the_file(tmp_path: Path, start: Start) -> None:
    """Five times as much as the copy keeps for its reader. In the copy one line stands for those left out."""
    writer = start("--copy")
    assert writer.stdin is not None
    assert writer.stdout is not None
    lines = [b"%05d %s\n" % (number, b"x" * 1000) for number in range(20000)]
    Thread(target=feed, args=(writer.stdin, lines), daemon=True).start()
    wait_until(
        lambda: (tmp_path / "log").exists() and (tmp_path / "log").stat().st_size == len(lines) * 1007, 60
    )
    Thread(target=writer.stdin.close).start()  # it waits for the copy's reader, but not for long
    copied = writer.stdout.read().splitlines(keepends=True)
    (notice,) = set(copied) - set(lines)
    assert int(notice.split()[0]) + len(copied) - 1 == len(lines)
    assert b"missing here" in notice


def test_a_copy_that_nobody_ever_reads_does_not_keep_the_writer(tmp_path: Path, start: Start) -> None:
    writer = start("--copy")
    assert writer.stdin is not None
    writer.stdin.write(b"x" * 2**17)
    writer.stdin.close()
    assert writer.wait(60) == 0
    assert (tmp_path / "log").stat().st_size == 2**17


def test_what_is_no_json_becomes_some(tmp_path: Path, start: Start) -> None:
    record = '{"level": "INFO", "message": "一"}'
    start("--json").communicate(f'{record}\nTimeout (0:02:00)!\n  File "a", line 1\n'.encode(), timeout=60)
    lines = (tmp_path / "log").read_text().splitlines()
    assert lines[0] == record
    assert [json.loads(line)["message"] for line in lines[1:]] == ["Timeout (0:02:00)!", '  File "a", line 1']
    assert {json.loads(line)["logger"] for line in lines[1:]} == {"stderr"}


def test_a_full_disk_leaves_no_half_line(tmp_path: Path, start: Start) -> None:
    """A limit of the file's size stands for the disk, which has room again later."""
    writer = start("--json", "--copy")
    assert writer.stdin is not None
    assert writer.stdout is not None
    lines = [json.dumps({"number": number, "filling": "x" * 100}).encode() + b"\n" for number in range(9)]
    most = int(3.5 * len(lines[0]))
    resource.prlimit(writer.pid, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
    feed(writer.stdin, lines[:6])
    assert [writer.stdout.readline() for _ in range(6)] == lines[:6]  # each is in the file before
    resource.prlimit(writer.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    writer.communicate(b"".join(lines[6:]), timeout=60)
    assert (tmp_path / "log").read_bytes() == b"".join([*lines[:3], *lines[6:]])
