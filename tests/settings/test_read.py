"""`glm-tts read` shows what would be said."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.settings.asking import REPOSITORY, run


def test_read_prints_segments_changes_and_warnings(tmp_path: Path) -> None:
    done = run(tmp_path, "read", "预计3-5天送到银行😀", "--phonemes")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("1. 预计三到五天送到银<|H|><|ANG2|>。 (")
    assert "   character 2: 3-5 -> 三到五\n" in done.stdout
    assert done.stderr == "WARNING: Not read: 😀\n"


def test_read_says_why_nothing_would_be_said(tmp_path: Path) -> None:
    done = run(tmp_path, "read", "。。")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("The text has nothing to say")


def piped(root: Path, *arguments: str, **stdin: Any) -> subprocess.CompletedProcess[bytes]:
    """`glm-tts read` with `input` or `stdin` as in `subprocess.run`."""
    return subprocess.run(
        [sys.executable, "-m", "glm_tts_api", "read", *arguments],
        cwd=root,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        timeout=120,
        check=False,
        **stdin,
    )


@pytest.mark.parametrize("arguments", [["-"], []])
@pytest.mark.parametrize("mark", ["", "\ufeff"])  # the latter begins a file that Windows wrote
def test_read_takes_the_text_from_a_pipe(tmp_path: Path, arguments: list[str], mark: str) -> None:
    done = piped(tmp_path, *arguments, input=f"{mark}你好\n".encode())
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode().startswith("1. 你好。 (")


def test_read_says_which_encoding_it_takes(tmp_path: Path) -> None:
    done = piped(tmp_path, "-", input="你好".encode("gb18030"))
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"not UTF-8" in done.stderr
    assert b"iconv" in done.stderr


def test_read_without_a_text_says_how_to_give_one(tmp_path: Path) -> None:
    ours, terminal = pty.openpty()
    at_a_terminal = piped(tmp_path, stdin=terminal)
    os.close(ours)
    os.close(terminal)
    for done in (at_a_terminal, piped(tmp_path, input=b"\n"), piped(tmp_path, "-", input=b"")):
        assert (done.returncode, done.stdout) == (2, b"")
        assert b"echo Hello. | glm-tts read" in done.stderr
