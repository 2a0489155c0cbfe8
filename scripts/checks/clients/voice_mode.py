"""Lets voice-mode speak in its default voice to a null sound device, and copies the audio that it saves."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from heard import FILE, TEXT, URL

with tempfile.TemporaryDirectory() as home:
    Path(home, ".asoundrc").write_text("pcm.!default { type null }\n")
    settings = {
        "VOICEMODE_TTS_BASE_URLS": f"{URL}/v1",
        "VOICEMODE_SAVE_AUDIO": "true",
        "OPENAI_API_KEY": "any",
    }
    program = Path(sys.executable).with_name("voicemode")
    subprocess.run(
        [program, "converse", "--skip-stt", "--no-audio-feedback", "--message", TEXT],
        env={**os.environ, "HOME": home, **settings},
        cwd=home,
        check=True,
        timeout=300,
    )
    (kept,) = Path(home, ".voicemode", "audio").rglob("*_tts.wav")
    Path(FILE).write_bytes(kept.read_bytes())
