"""`glm-tts read` shows what would be said."""

from __future__ import annotations

from pathlib import Path

from asking import run


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
