"""The files of configs/ that say how words are spoken: when they are read again, and who writes them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from glm_tts_api.errors import Unhealthy, UnknownWord
from glm_tts_api.lexicon import DictionaryFiles, LexiconFile, open_frontend
from speech_text import LexiconEntry

CHONGQING = "<|CH|><|ONG2|><|Q|><|ING4|>"


def test_a_dictionary_is_read_again_when_it_changes(tmp_path: Path) -> None:
    """A file that the folder lacks is the shipped one."""
    files, own = DictionaryFiles(tmp_path), tmp_path / "custom_replace.jsonl"
    shipped = files.current()
    assert ("噢", "哦") in shipped.replacements
    assert files.current() is shipped
    own.write_text('{"origin": "噢", "new": "嗯"}\n', encoding="utf-8")
    assert files.current().replacements == (("噢", "嗯"),)
    own.unlink()
    assert files.current() == shipped


def test_words_stay_while_the_file_cannot_be_read(tmp_path: Path) -> None:
    lexicon, path = LexiconFile(tmp_path), tmp_path / "lexicon.jsonl"
    lexicon.put(LexiconEntry("one", replacement="1"))
    assert "one" in lexicon.current().entries
    path.rename(tmp_path / "aside")
    path.mkdir()
    assert "one" in lexicon.current().entries
    assert "cannot be read" in lexicon.warnings[0]
    path.rmdir()
    (tmp_path / "aside").rename(path)
    assert "one" in lexicon.current().entries
    assert lexicon.warnings == ()


def test_the_file_is_read_again_when_it_changes(tmp_path: Path) -> None:
    """By hand or by another process; what cannot be read is warned of and stays as it is."""
    file, ours = LexiconFile(tmp_path), LexiconFile(tmp_path)
    frontend = open_frontend(ours, cache_dir=tmp_path)
    assert frontend.prepare("重庆") == ["重庆。"]
    path = tmp_path / "lexicon.jsonl"
    path.write_text(
        '{"word": "重庆", "reading": "chong2 qing4"}\nnot json\n{"word": "x"}\n', encoding="utf-8"
    )
    assert frontend.prepare("重庆") == [f"{CHONGQING}。"]
    assert [warning.partition(":")[0] for warning in ours.warnings] == [
        "lexicon.jsonl, entry 2",
        "lexicon.jsonl, entry 3",
    ]
    assert file.put(LexiconEntry("重庆", replacement="山城")) is False
    assert file.put(LexiconEntry("厦门", reading="xia4 men2")) is True
    assert frontend.prepare("重庆厦门") == ["山城<|X|><|IA4|><|M|><|EN2|>。"]
    file.remove("重庆")
    assert frontend.prepare("重庆") == ["重庆。"]
    assert path.read_text(encoding="utf-8").splitlines()[:2] == ["not json", '{"word": "x"}']
    with pytest.raises(UnknownWord):
        file.remove("重庆")
    path.write_bytes(b"\xff\xfe\x00")
    assert frontend.prepare("厦门") == ["厦门。"]
    with pytest.raises(Unhealthy):
        file.put(LexiconEntry("厦门", reading="xia4 men2"))


_WRITE = """
import sys
from functools import partial
from pathlib import Path
from speech_text import LexiconEntry
from glm_tts_api.lexicon import LexiconFile
file = LexiconFile(Path(sys.argv[1]))
for number in range(100000):
    file.put(LexiconEntry(f"{sys.argv[2]}{number % 50}", replacement="词" * 100))
"""


def test_a_writer_that_is_killed_leaves_a_whole_file_to_the_others(tmp_path: Path) -> None:
    def writers() -> Sequence[subprocess.Popen[bytes]]:
        return [subprocess.Popen([sys.executable, "-c", _WRITE, str(tmp_path), name]) for name in ("a", "b")]

    file = LexiconFile(tmp_path)
    first, second = writers()
    try:
        for name in ("a9", "b9"):  # both have written
            deadline = time.monotonic() + 60
            while name not in file.current().entries:
                assert time.monotonic() < deadline
                assert not file.warnings[1:], file.warnings
        first.send_signal(signal.SIGKILL)
        first.wait()
        assert file.put(LexiconEntry("mine", replacement="我的")) is True
    finally:
        for process in (first, second):
            process.kill()
            process.wait()
    lines = (tmp_path / "lexicon.jsonl").read_text(encoding="utf-8").splitlines()
    words = [json.loads(line)["word"] for line in lines]
    assert "mine" in words
    assert len(words) == len(set(words))
