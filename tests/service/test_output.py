"""What a user sees of a step: on a terminal a line, elsewhere what a log can hold."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from itertools import groupby
from pathlib import Path

from tests.terminals import everything

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
with output.Step("2/2 Ending") as step:
    step.doing(", ".join(["one"] * 50))
    time.sleep(1.2)
"""


def shown(reader: int, writer: int) -> str:
    """The text that the steps have written, with N for each number of seconds."""
    command = [sys.executable, "-c", STEP]
    subprocess.run(command, cwd=REPOSITORY, stdout=writer, check=True, timeout=60)
    os.close(writer)
    written = everything(reader).decode().replace("\r\n", "\n")
    return re.sub(r"\d+ s\b", "N s", written)


def test_a_terminal_shows_one_line_a_step_with_its_seconds() -> None:
    written = shown(*pty.openpty())
    assert "\x1b[K1/2 Looking: waiting for the other, N s" in written
    assert all(len(line) <= 80 for line in re.split(r"\n|\r\x1b\[K", written))
    assert re.search(r"\x1b\[K2/2 Ending: one, .{40,60}, N s\r", written)  # cut, but for the seconds
    left = [line.rpartition("\x1b[K")[2] for line in written.split("\n")]  # all else is written over
    assert left == ["1/2 Looking: N s", "  PID 7", "2/2 Ending: N s", ""]


def test_a_file_has_each_line_once_and_signs_of_life() -> None:
    ones = "  " + ", ".join(["one"] * 50)
    assert [line for line, _ in groupby(shown(*os.pipe()).splitlines())] == [
        "1/2 Looking",
        "  waiting for the other",
        "  waiting for the other, N s",
        "  PID 7",
        "  took N s",
        "2/2 Ending",
        ones,
        f"{ones}, N s",
        "  took N s",
    ]
