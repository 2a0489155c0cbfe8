"""Processes that write voices and words: a reader finds each of them meanwhile, and a writer that is killed
at any moment loses nothing that was acknowledged."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

from glm_tts_api.lexicon import LexiconFile
from glm_tts_api.voices.store import VoiceStore
from speech_text import LexiconEntry
from tests.recordings import voice_wav
from tests.voices.shelf import names, open_store

RECORDINGS = [voice_wav(1.0 + step / 10) for step in range(5)]
N_KILLS = 12


def write(store: VoiceStore, lexicon: LexiconFile, number: int) -> None:
    """One voice is always an own one, one hides the shipped one now and then, and one comes and goes."""
    for step in range(10**6):
        text, data = str(step % 5), RECORDINGS[step % 5]
        store.replace("kept", text, data)
        lexicon.put(LexiconEntry("kept", replacement=text))
        store.replace("exampleA", text, data)
        if number == 0:
            store.remove("exampleA")
        if f"v{number}" in names(store):
            store.remove(f"v{number}")
        else:
            store.add(f"v{number}", text, data)


def assert_whole(store: VoiceStore) -> set[str]:
    """Each voice has the recording of its text. Returns the texts."""
    assert {"exampleA", "kept"} <= set(names(store))
    assert store.warnings == []
    voices = [store.get(name) for name in ("exampleA", "kept")]
    for voice in voices:
        text = "5" if voice.transcript == "text a" else voice.transcript
        assert round(10 * voice.recording.seconds) == 10 + int(text)
    return {voice.transcript for voice in voices}


def main(configs: Path, own: Path) -> None:
    """Runs in a process without threads, which may fork."""
    chance, reader, seen = random.Random(0), open_store(configs, own), set[str]()
    reader.add("kept", "0", RECORDINGS[0])
    LexiconFile(configs).put(LexiconEntry("kept", replacement="0"))
    for _ in range(N_KILLS):
        writers = []
        for number in range(2):
            if not (child := os.fork()):
                write(open_store(configs, own), LexiconFile(configs), number)
            writers.append(child)
        for _ in range(chance.randint(1, 60)):
            seen |= assert_whole(reader)
        while len(seen) < 6:  # in the first round
            seen |= assert_whole(reader)
        for child in writers:
            os.kill(child, signal.SIGKILL)
            assert os.waitpid(child, 0)[1] == signal.SIGKILL, "the writer had failed"
        json.loads((own / "prompt_cache.json").read_text())
        assert_whole(open_store(configs, own))
        lexicon = LexiconFile(configs)
        assert (set(lexicon.current().entries), lexicon.warnings) == ({"kept"}, ())
    reader.replace("kept", "0", RECORDINGS[0])  # the next writer clears up
    book = json.loads((own / "prompt_cache.json").read_text())
    kept = {path.name for path in (own / "recordings").iterdir()}
    assert kept == {Path(entry["prompt_audio_path"]).name for entry in book.values()}
    assert not list(own.glob("*.new"))


def test_a_writer_killed_at_any_moment_leaves_a_whole_store(configs: Path, own: Path) -> None:
    program = [sys.executable, "-m", "tests.voices.test_killed_writer", str(configs), str(own)]
    subprocess.run(program, cwd=Path(__file__).parents[2], check=True, timeout=300)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
