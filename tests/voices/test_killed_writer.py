"""A process that is killed while it writes voices loses nothing that was acknowledged."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.recordings import voice_wav
from tests.voices.shelf import open_store

WRITER = """
import sys
from pathlib import Path
from tests.recordings import voice_wav
from glm_tts_api.audio.decode import RecordingLimits
from glm_tts_api.voices.store import VoiceStore
configs, own = map(Path, sys.argv[1:])
store = VoiceStore(configs / "prompt_cache.json", own, limits=RecordingLimits())
print("ready", flush=True)
recordings = [voice_wav(1.0 + step / 10) for step in range(5)]
for step in range(10**6):
    data, text = recordings[step % 5], str(step % 5)
    store.replace("kept", text, data)
    if f"v{step % 3}" in {voice.index for voice in store.list_voices()}:
        store.remove(f"v{step % 3}")
    else:
        store.add(f"v{step % 3}", text, data)
"""


def test_a_writer_killed_at_any_moment_leaves_a_whole_store(configs: Path, own: Path) -> None:
    """Whatever the moment, the book is JSON, each voice's recording is there and is the one of its text."""
    open_store(configs, own).add("kept", "0", voice_wav(1.0))
    path = str(Path(__file__).parents[2])
    chance = random.Random(0)
    for _ in range(12):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(configs), str(own)],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
        )
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"ready\n"
        time.sleep(chance.uniform(0.0, 0.25))
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        json.loads((own / "prompt_cache.json").read_text())
        store = open_store(configs, own)
        assert store.warnings == []
        for voice in store.list_voices():
            if voice.source == "own":
                seconds = store.get(voice.index).recording.seconds
                assert seconds == pytest.approx(1.0 + int(voice.transcript) / 10)
    store.replace("kept", "0", voice_wav(1.0))  # the next writer clears up
    kept = {path.name for path in (own / "recordings").iterdir()}
    book = json.loads((own / "prompt_cache.json").read_text())
    assert kept == {Path(entry["prompt_audio_path"]).name for entry in book.values()}
    assert not list(own.glob("*.new"))
