"""Compares how well sentences with figures are understood, read by an older commit's rules and by today's.

    python -m scripts.mini.evaluate_figures --before 6510070

The bundled mini model speaks both readings. Errors are counted against the right reading in figured.py:
English words as Whisper tiny.en hears them, and Chinese phones as our own recogniser hears them (train it
first: python -m scripts.mini.recogniser). Prints each sentence whose reading changed, then the error rates.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

from glm_tts_api.model.mel import resample
from glm_tts_api.settings import BUNDLED_MODEL
from scripts.mini import figured
from scripts.mini.judging import Reference
from scripts.mini.measures import EnglishListener, align, words
from scripts.mini.phone_recogniser import Listener
from scripts.mini.speaking import Server

SEED = 3000
_READ = """
import json, sys
from pathlib import Path
from glm_tts_api.text.frontend import TextFrontend
frontend = TextFrontend(Path("no-own-configs"), cache_dir=Path(sys.argv[1]), shipped=Path("configs"))
json.dump([" ".join(frontend.prepare(text)) for text in json.load(sys.stdin)], sys.stdout)
"""


def readings(root: Path, texts: list[str]) -> list[str]:
    """Returns the readings of `texts` in words by the default rules of the source tree `root`."""
    with tempfile.TemporaryDirectory() as cache:
        done = subprocess.run(
            [sys.executable, "-c", _READ, cache],
            cwd=root,
            input=json.dumps(texts),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    read: list[str] = json.loads(done.stdout)
    return read


def readings_of_commit(commit: str, texts: list[str]) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "before"
        subprocess.run(["git", "worktree", "add", "-q", "--detach", root, commit], check=True)
        try:
            return readings(root, texts)
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", root], check=True)


class Ear:
    """Speaks texts in one voice, recognises the speech, and counts the errors against the expected words."""

    def __init__(self, server: Server, voice: str, folder: Path) -> None:
        self._server, self._voice = server, server.voice(voice)
        self._english = EnglishListener(in_words=True)
        self._chinese = Listener.from_dir(folder / "recogniser")
        self._reference = Reference(folder)
        self._heard: dict[str, list[str]] = {}

    async def errors(self, reading: str, expected: str, language: str) -> tuple[int, int, str]:
        """Speaks `reading`, and compares the recognised units with those of `expected`.

        Returns (errors, units of `expected`, the recognised units as a text). A reading is spoken only once.
        """
        if reading not in self._heard:
            said = await self._server.say(reading, self._voice, seed=SEED)
            wave = np.concatenate(said.segments)
            if language == "en":
                self._heard[reading] = self._english.words(wave)
            else:
                at_16k = resample(torch.from_numpy(wave), 24000, 16000).numpy()
                self._heard[reading] = self._chinese.phones(at_16k)
        units = words(expected) if language == "en" else self._reference.say(expected, "zh")[1]
        heard = self._heard[reading]
        return align(units, heard).errors, len(units), " ".join(heard)


async def compare(server: Server, voice: str, folder: Path, commit: str) -> None:
    ear = Ear(server, voice, folder)
    async with server.running():
        for language, pairs in (("en", figured.ENGLISH), ("zh", figured.CHINESE)):
            texts = [text for text, _ in pairs]
            before, now = readings_of_commit(commit, texts), readings(Path.cwd(), texts)
            n_wrong, n_units = np.zeros(2, int), 0
            for (text, expected), *both in zip(pairs, before, now, strict=True):
                found = [await ear.errors(reading, expected, language) for reading in both]
                n_wrong += [wrong for wrong, _, _ in found]
                n_units += found[0][1]
                if both[0] != both[1]:
                    print(f"{text} ({expected})")
                    for reading, (wrong, n, heard) in zip(both, found, strict=True):
                        print(f"    {reading} {wrong} errors of {n}; heard: {heard}")
            for name, wrong in zip((commit, "now"), n_wrong.tolist(), strict=True):
                print(f"{language}, {name}: {wrong} of {n_units}, {100 * wrong / n_units:.1f} %", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--before", required=True, metavar="COMMIT")
    parser.add_argument("--voice", default="exampleA")
    parser.add_argument("--folder", type=Path, default=Path(".mini"), help="what training has left")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    server = Server(BUNDLED_MODEL, Path("configs"), arguments.folder, flow_steps=10)
    asyncio.run(compare(server, arguments.voice, arguments.folder, arguments.before))


if __name__ == "__main__":
    main()
