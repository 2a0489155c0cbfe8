"""A server whose recogniser is a fake in a process of its own (fake_recogniser.py)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from glm_tts_api import api_server
from glm_tts_api.recognition import recogniser
from glm_tts_api.recognition.recogniser import Recogniser
from tests.recognition.fake_recogniser import COMMAND


def hears(monkeypatch: pytest.MonkeyPatch, *lines: str, look_every_s: float = 1.0) -> Callable[[Path], None]:
    """Prepares a project folder with ASR_MODEL_DIR=asr, where these lines are heard one after the other.
    `look_every_s`: how often the server looks whether the recogniser gets on."""
    monkeypatch.setattr(recogniser, "find_spec", lambda name: object())  # faster-whisper may not be installed
    monkeypatch.setattr(
        api_server, "Recogniser", partial(Recogniser, command=COMMAND, look_every_s=look_every_s)
    )

    def prepare(root: Path) -> None:
        (root / "asr").mkdir()
        (root / "asr" / "model.bin").touch()
        (root / "asr" / "hears.txt").write_text("\n".join(lines))

    return prepare
