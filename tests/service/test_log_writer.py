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


def test_every_line_of_every_process_is_in_the_file_once(tmp_path: Path, start: Start) -> None:
    writer = start()
    processes = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(name), str(N_LINES)], stderr=writer.stdin)
        for name in range(N_PROCESSES)
    ]
    assert [process.wait(60) for process in processes] == [0] * N_PROCESSES
    writer.communicate(timeout=60)
    lines = [line.split()[0] for line in (tmp_path / "log").read_text().splitlines()]
    wanted = [f"{name}-{number}" for name in range(N_PROCESSES) for number in range(N_LINES)]
    assert sorted(lines) == sorted(wanted)


def test_a_log_that_another_program_copies_and_empties_goes_on_from_its_start(
    tmp_path: Path, start: Start
) -> None:
    """As logrotate does with copytruncate."""
    writer, log = start("--copy"), tmp_path / "log"
    assert writer.stdin is not None
    assert writer.stdout is not None
    feed(writer.stdin, [b"before\n"])
    assert writer.stdout.readline() == b"before\n"
    log.write_bytes(b"")
    writer.communicate(b"after\n", timeout=60)
    assert log.read_text() == "after\n"


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
    """More than the copy keeps for its reader. In the copy one line stands for those left out."""
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
