"""`glm-tts` alone lists its commands; `glm-tts read` shows what would be said."""

from __future__ import annotations

import io
import pty
from pathlib import Path
from typing import TextIO

import pytest

from tests.settings.asking import run


def test_read_prints_segments_changes_and_warnings(tmp_path: Path) -> None:
    done = run(tmp_path, "read", "预计3-5天送到银行😀", "--phonemes")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("1. 预计三到五天送到银<|H|><|ANG2|>。 (")
    assert "   character 2: 3-5 -> 三到五\n" in done.stdout
    assert done.stderr == "WARNING: Not read: 😀\n"


def test_the_command_alone_lists_the_commands(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    for command in ("serve", "say", "book", "voices", "check", "download", "read", "settings"):
        assert f"\n    {command} " in done.stderr


def test_read_cuts_the_text_as_the_model_asks(tmp_path: Path) -> None:
    text = "我们沿着河边慢慢地走，说起小时候的事情，天色暗下来，远处的灯一盏一盏地亮了。"
    assert run(tmp_path, "read", text, MODEL_DIR=str(tmp_path)).stdout.count("\n") == 1  # there is no model
    assert run(tmp_path, "read", text).stdout.count("\n") == 2


def test_read_says_why_nothing_would_be_said(tmp_path: Path) -> None:
    done = run(tmp_path, "read", "。。")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("The text has nothing to say")


def piped(data: bytes) -> TextIO:
    return io.TextIOWrapper(io.BytesIO(data))


@pytest.mark.parametrize(
    ("arguments", "mark"), [(["-"], ""), ([], "\ufeff")]
)  # the latter begins a file that Windows wrote
def test_read_takes_the_text_from_a_pipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], mark: str
) -> None:
    monkeypatch.setattr("sys.stdin", piped(f"{mark}你好\n".encode()))
    done = run(tmp_path, "read", *arguments)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("1. 你好。 (")


def test_read_says_which_encoding_it_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", piped("你好".encode("gb18030")))
    done = run(tmp_path, "read", "-")
    assert (done.returncode, done.stdout) == (2, "")
    assert "not UTF-8" in done.stderr
    assert "iconv" in done.stderr


@pytest.mark.parametrize(("arguments", "data"), [([], b"\n"), (["-"], b""), ([], None)])
def test_read_without_a_text_says_how_to_give_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], data: bytes | None
) -> None:
    """None is a terminal, at which nobody types."""
    ours, theirs = pty.openpty()
    with open(ours, "rb"), open(theirs) as terminal:
        monkeypatch.setattr("sys.stdin", terminal if data is None else piped(data))
        done = run(tmp_path, "read", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "echo Hello. | glm-tts read" in done.stderr
