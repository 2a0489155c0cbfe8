"""A disk of two megabytes that is full: what adds is refused, what deletes is done. Then it is read-only."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

OWN_MOUNTS = ("unshare", "--map-root-user", "--mount")
CAN_MOUNT = subprocess.run([*OWN_MOUNTS, "true"], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not CAN_MOUNT, reason="this machine allows no mounts of one's own")
def test_voices_words_and_books_are_deleted_from_a_full_disk(tmp_path: Path) -> None:
    program = [*OWN_MOUNTS, sys.executable, "-m", "tests.voices.full_disk", str(tmp_path)]
    root = Path(__file__).parents[2]
    done = subprocess.run(program, cwd=root, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "add a voice": "storage_full",
        "change a voice": "storage_full",
        "add a word": "storage_full",
        "put a book together": "storage_full",
        "delete a word": "",
        "delete a voice": "",
        "delete a book": "",
        "add a voice where there is room": "",
        "add a word where there is room": "",
        "add a voice to a read-only folder": "unhealthy",
        "delete a word of one": "unhealthy",
        "voices": "['b', 'c', 'exampleA']",
        "words": "['b', 'c']",
        "book": "False",
    }
