"""Writes until it is killed: `python -m scripts.checks.torture.writer FOLDER LOG`.

The program forks a child for each number (a seed) on stdin. The child writes voices, words, books and log
lines (to the file descriptor LOG), each kind in a thread, until it is killed. For each finished change the
child prints a JSON line `[kind, name, content]`. The content of a deletion is null.
"""

from __future__ import annotations

import json
import os
import random
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from glm_tts_api.audio.decode import RecordingLimits
from glm_tts_api.lexicon import LexiconFile
from glm_tts_api.longform.folder import JobFolder
from glm_tts_api.longform.job import Spoken
from glm_tts_api.voices.store import VoiceStore
from speech_text import LexiconEntry
from tests.longform.books import book_of, new_job
from tests.recordings import voice_wav

RECORDINGS = [voice_wav(1.0 + step / 10) for step in range(5)]
N_NAMES = 4
Acknowledge = Callable[[str, str, object], None]


def store_of(folder: Path) -> VoiceStore:
    return VoiceStore(folder / "configs" / "prompt_cache.json", folder / "own", limits=RecordingLimits())


def lexicon_of(folder: Path) -> LexiconFile:
    return LexiconFile(folder / "configs")


def write_voices(folder: Path, draw: random.Random, acknowledge: Acknowledge) -> None:
    store = store_of(folder)
    while True:
        name, step = f"v{draw.randrange(N_NAMES)}", draw.randrange(len(RECORDINGS))
        there = name in {voice.index for voice in store.list_voices()}
        if there and draw.random() < 0.4:
            store.remove(name)
            acknowledge("voice", name, None)
        else:
            change = store.replace if there else store.add
            change(name, str(step), RECORDINGS[step])
            acknowledge("voice", name, step)


def write_words(folder: Path, draw: random.Random, acknowledge: Acknowledge) -> None:
    lexicon = lexicon_of(folder)
    while True:
        word, said = f"word{draw.randrange(N_NAMES)}", str(draw.randrange(10**6))
        if word in lexicon.current().entries and draw.random() < 0.4:
            lexicon.remove(word)
            acknowledge("word", word, None)
        else:
            lexicon.put(LexiconEntry(word, replacement=said))
            acknowledge("word", word, said)


def write_books(folder: Path, draw: random.Random, acknowledge: Acknowledge) -> None:
    book = book_of(1, 2)
    for number in range(10**6):
        name = f"book{os.getpid()}x{number}"
        job = new_job(folder / name, book)
        acknowledge("book", name, [])
        kept: list[int] = []
        for unit in job.units():
            pcm = np.full(200 + unit.index, 0.1, np.float32)
            job.keep(unit, Spoken(pcm, 24000))
            kept.append(len(pcm))
            acknowledge("book", name, kept)
        if draw.random() < 0.7:
            JobFolder(folder / name).delete()
            acknowledge("book", name, None)


def write_log(log: int, acknowledge: Acknowledge) -> None:
    for number in range(10**6):
        line = f"{os.getpid()}-{number}"
        os.write(log, f"{line} {'x' * (number % 300)}\n".encode())
        acknowledge("line", line, "")
        time.sleep(0.0005)  # lets the other threads run


def run(folder: Path, log: int, seed: int) -> None:
    def acknowledge(*change: object) -> None:
        os.write(1, json.dumps(change).encode() + b"\n")

    draws = [random.Random(f"{seed} {room}") for room in range(3)]
    rooms: list[threading.Thread] = [
        threading.Thread(target=write_voices, args=(folder, draws[0], acknowledge)),
        threading.Thread(target=write_words, args=(folder, draws[1], acknowledge)),
        threading.Thread(target=write_books, args=(folder, draws[2], acknowledge)),
        threading.Thread(target=write_log, args=(log, acknowledge)),
    ]
    for room in rooms:
        room.start()
    for room in rooms:
        room.join()


def main() -> None:
    """Forks a child for each seed on stdin and prints its begin and end.

    This process has imported all packages, so that a child begins to write at once.
    """
    folder, log = Path(sys.argv[1]), int(sys.argv[2])
    for line in sys.stdin:
        child = os.fork()
        if not child:
            run(folder, log, int(line))
            os._exit(1)  # reached only if the writing threads end with errors
        print(json.dumps(["begun", str(child), None]), flush=True)
        _, status = os.waitpid(child, 0)
        print(json.dumps(["ended", str(status), None]), flush=True)


if __name__ == "__main__":
    main()
