"""For `unshare -rm python -m tests.voices.full_disk FOLDER`: adds, deletes and adds again on a disk of two
megabytes, which is full meanwhile and then read-only. Prints each error by what met it; nothing where it went
well."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np

from glm_tts_api.errors import ServiceError
from glm_tts_api.lexicon import LexiconFile
from glm_tts_api.longform.folder import JobFolder
from glm_tts_api.longform.job import Spoken
from glm_tts_api.longform.outputs import Outputs
from glm_tts_api.longform.shelf import Look
from speech_text import LexiconEntry
from tests.longform.books import book_of, new_job
from tests.voices.shelf import OTHER_WAV, WAV, make_configs, open_store


def fill(disk: Path) -> None:
    with suppress(OSError), (disk / "filling").open("ab", buffering=0) as file:
        for size in (2**12, 1):
            with suppress(OSError):
                while file.write(bytes(size)) == size:
                    pass


def outcome(change: Callable[[], object]) -> str:
    try:
        change()
    except ServiceError as error:
        return error.code
    return ""


async def put_together(book: JobFolder) -> None:
    await Outputs().of(Look(book), "wav").made


def main(disk: Path) -> dict[str, str]:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(disk)], check=True)
    configs = make_configs(disk)
    store, lexicon = open_store(configs, disk / "own"), LexiconFile(configs)
    book = new_job(disk / "book", book_of(1, 2))
    for unit in book.units():
        book.keep(unit, Spoken(np.full(48000, 0.1, np.float32), 24000))
    for name in ("a", "b"):
        store.add(name, "said", WAV)
        lexicon.put(LexiconEntry(name, replacement="x"))
    fill(disk)
    full = {
        "add a voice": outcome(lambda: store.add("c", "said", OTHER_WAV)),
        "change a voice": outcome(lambda: store.replace("a", "other", None)),
        "add a word": outcome(lambda: lexicon.put(LexiconEntry("c", replacement="x"))),
        "put a book together": outcome(lambda: asyncio.run(put_together(book))),
        "delete a word": outcome(lambda: lexicon.remove("a")),
        "delete a voice": outcome(lambda: store.remove("a")),
    }
    fill(disk)
    full["delete a book"] = outcome(book.delete)
    fill(disk)
    (disk / "filling").unlink()
    room = {
        "add a voice where there is room": outcome(lambda: store.add("c", "said", OTHER_WAV)),
        "add a word where there is room": outcome(lambda: lexicon.put(LexiconEntry("c", replacement="x"))),
    }
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    read_only = {
        "add a voice to a read-only folder": outcome(lambda: store.add("d", "said", OTHER_WAV)),
        "delete a word of one": outcome(lambda: lexicon.remove("b")),
    }
    voices = sorted(voice.index for voice in store.list_voices())
    left = {"voices": str(voices), "words": str(sorted(lexicon.current().entries)), "book": str(book.is_job)}
    return full | room | read_only | left


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
