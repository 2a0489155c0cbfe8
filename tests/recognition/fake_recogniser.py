"""A fake recogniser's process. It writes down the lines of FOLDER/hears.txt, one after the other, and what
should be said where a line is "=" or no line is left. It is not sure of a line with "?" before it, and it
ends at "die". At "stop" it is stopped as by SIGSTOP, and at "spin" it computes without an end. FOLDER/pid has
its number.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from pathlib import Path

from glm_tts_api.contracts import Float32
from glm_tts_api.processes import end_with_parent
from glm_tts_api.recognition.process import Whisper, WhisperText, serve

COMMAND = (sys.executable, "-m", "tests.recognition.fake_recogniser")


class FakeEar(Whisper):
    def __init__(self, folder: Path) -> None:
        self._lines, self._at = folder / "hears.txt", folder / "heard"
        (folder / "pid").write_text(str(os.getpid()))

    def hear(self, pcm: Float32, rate: int, said: str | None) -> WhisperText:
        at = len(self._at.read_text()) if self._at.exists() else 0
        self._at.write_text("x" * (at + 1))
        lines = self._lines.read_text().splitlines()
        line = lines[at] if at < len(lines) else "="
        if line == "die":
            os._exit(3)
        if line == "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        while line == "spin":
            pass
        text = said or "" if line == "=" else line.removeprefix("?")
        return WhisperText(text, -2.0 if line.startswith("?") else -0.1, 1.0)


if __name__ == "__main__":
    end_with_parent()
    serve(FakeEar(Path(sys.argv[1])), socket.socket(fileno=int(sys.argv[3])))
