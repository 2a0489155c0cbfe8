"""What a user sees of a step: on a terminal a line, elsewhere what a log can hold."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
STEP = """
import time
from glm_tts_api.service import output
output.SIGN_OF_LIFE_S = 1
with output.Step("1/2 Looking") as step:
    step.doing("waiting for the other")
    time.sleep(1.7)
    step.doing("waiting for the other")
    step.note("PID 7")
with output.Step("2/2 Ending"):
    pass
"""


def shown(stdout: int) -> int:
    command = [sys.executable, "-c", STEP]
    return subprocess.run(command, cwd=REPOSITORY, stdout=stdout, check=True, timeout=60).returncode


def test_a_terminal_shows_one_line_a_step_with_its_seconds() -> None:
    reader, writer = pty.openpty()
    shown(writer)
    os.close(writer)
    written = os.read(reader, 100_000).decode().replace("\r\n", "\n")
    assert "\x1b[K1/2 Looking: waiting for the other, 1 s" in written
    left = [line.rpartition("\x1b[K")[2] for line in written.split("\n")]  # all else is written over
    assert left == ["1/2 Looking: 2 s", "  PID 7", "2/2 Ending: 0 s", ""]


def test_a_file_has_each_line_once_and_a_sign_of_life() -> None:
    reader, writer = os.pipe()
    shown(writer)
    os.close(writer)
    lines = os.read(reader, 100_000).decode().splitlines()
    assert lines == [
        "1/2 Looking",
        "  waiting for the other",
        "  waiting for the other, 1 s",
        "  PID 7",
        "  took 2 s",
        "2/2 Ending",
    ]
