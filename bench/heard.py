"""Measures how many planted faults a recogniser finds in speech, and how often good speech counts as wrong.

    python -m bench.heard FOLDER --json FILE [--data DATA] [--good 80] [--faults 200] [--seed 5]
    python -m bench.heard --json FILE

FOLDER holds the recogniser (docs/voices.md). With DATA, a folder of mini/kokoro_data, the speech
comes from natural voices, with faults in the audio. Without DATA the bundled model speaks
sentences of tests/speech_text/readings in both voices, unchanged or with a fault in the text. In such a fault
two English words or three Hanzi are left out, repeated, or replaced by those of another sentence. Half of the
sentences are Chinese. FILE keeps the words that were heard. Without FOLDER the program only judges the words
in FILE again.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import pickle
import random
import re
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, dataclass
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import torch

from bench.arguments import Arguments
from bench.guard import VOICES, chosen
from glm_tts_api.contracts import Float32
from glm_tts_api.recognition.comparison import compare, verdict_of
from glm_tts_api.recognition.process import Whisper, WhisperText
from mini.features import TOKEN_SAMPLES
from mini.speaking import Server
from speech_text import has_hanzi

_WORDS = re.compile("[\u4e00-\u9fff]|[A-Za-z']+|[^\u4e00-\u9fffA-Za-z']+")
_OWN_VOICES = {"zh": re.compile(r"[\d.]+\*z\w+@[\d.]+"), "en": re.compile(r"[\d.]+\*[ab]\w+@[\d.]+")}
RATE = 24000
STRETCH = {"zh": 3, "en": 2}  # length of a fault in Hanzi and in English words
Fault = Literal["dropped", "repeated", "swapped"]
FAULTS: tuple[Fault, ...] = get_args(Fault)
Spoken = tuple[Fault | None, str, Float32]


@dataclass(frozen=True)
class Row:
    """One sentence and the words that the recogniser heard.

    `fault` is the planted fault or None, `said` the right text, and `heard` the recognised text. `audio_s` is
    the length of the audio, and `hear_s` the recogniser's CPU time, in seconds. `log_prob` and `compression`
    are the recogniser's own measures of its result.
    """

    fault: Fault | None
    said: str
    heard: str
    log_prob: float
    compression: float
    audio_s: float
    hear_s: float


def planted(said: str, fault: Fault, other: str, lot: random.Random) -> str | None:
    """Returns the text `said` with `fault` at a random place, or None if the text is too short.

    The fault "swapped" takes its words from the text `other`.
    """
    size = STRETCH["zh" if has_hanzi(said) else "en"]
    words, donor = _WORDS.findall(said), _WORDS.findall(other)
    places, sources = [*_stretches(words, size)], [*_stretches(donor, size)]
    if len(places) < 3 or not sources:
        return None
    at, (start, end) = lot.choice(places), lot.choice(sources)
    stretch = words[slice(*at)]
    put = {"dropped": [], "repeated": [*stretch, " ", *stretch], "swapped": donor[start:end]}[fault]
    return "".join([*words[: at[0]], *put, *words[at[1] :]])


def _stretches(words: list[str], size: int) -> Iterator[tuple[int, int]]:
    """Yields (start, end) for each place in `words` with `size` words and no punctuation between them."""
    for start in range(len(words)):
        end = start + 2 * size - 1 if words[start].isascii() else start + size
        part = words[start:end]
        is_whole = len(part) == end - start and _is_word(part[0]) and _is_word(part[-1])
        if is_whole and sum(map(_is_word, part)) == size and all(_is_word(one) or one == " " for one in part):
            yield start, end


def _is_word(text: str) -> bool:
    return text[0].isalpha() or has_hanzi(text)


def texts(server: Server, n_good: int, n_faults: int, seed: int) -> Iterator[tuple[Fault | None, str, str]]:
    """Yields (fault or None, the right text, the text to be spoken), without and with a fault in turn.

    Chinese and English texts alternate.
    """
    lot = random.Random(seed)
    pool = [*chosen(3 * (n_good + n_faults), seed)]
    half = len(pool) // 2
    both = chain(*zip(pool[:half], pool[half:], strict=True))
    read = (server.frontend.read(text).segments for text in both)
    one = [each[0].text for each in read if len(each) == 1 and each[0].text == each[0].spoken]
    by_language = [[text for text in one if has_hanzi(text) is hanzi] for hanzi in (True, False)]
    good = [text for pair in zip(*by_language, strict=False) for text in pair]
    faults = list[tuple[Fault | None, str, str]]()
    for number, said in enumerate(good[n_good:]):
        fault = FAULTS[(number // 2) % len(FAULTS)]
        other = good[(n_good + number + 2) % len(good)]
        if len(faults) < n_faults and (spoken := planted(said, fault, other, lot)):
            faults.append((fault, said, spoken))
    pairs = zip_longest([(None, said, said) for said in good[:n_good]], faults)
    return (each for pair in pairs for each in pair if each is not None)


async def bundled(n_good: int, n_faults: int, seed: int) -> AsyncIterator[Spoken]:
    """Yields (fault or None, the right text, the bundled model's speech) for texts of a single segment."""
    with tempfile.TemporaryDirectory() as scratch:
        async with Server(Path(scratch)).running() as server:
            voices = [server.voice(name) for name in VOICES]
            for number, (fault, said, spoken) in enumerate(texts(server, n_good, n_faults, seed)):
                speech = await server.say(spoken, voices[number // 2 % len(voices)], seed=seed + number)
                if len(speech.segments) == 1:
                    yield fault, said, speech.segments[0]


def recorded(folder: Path, n_good: int, n_faults: int, seed: int) -> Iterator[Spoken]:
    """Yields (fault or None, the right text, 24 kHz audio): `n_good` clips without a fault, then `n_faults`.

    The clips come from the files of `folder`, in random order by `seed`. Half of them are Chinese. A fault
    cuts out, repeats or replaces a stretch of two English words or three Hanzi.
    """
    lot = random.Random(seed)
    clips: dict[str, list[tuple[dict[str, Any], Float32]]] = {"zh": [], "en": []}
    for part in sorted(folder.glob("single*.pkl")):
        stored = np.memmap(part.with_suffix(".wave"), np.int16, "r")
        start = 0
        for clip in pickle.loads(part.read_bytes()):
            end = start + clip["n_tokens"] * TOKEN_SAMPLES
            if _OWN_VOICES[clip["language"]].fullmatch(clip["voice"]):
                pcm = (stored[start:end] / 32768).astype(np.float32)
                clips[clip["language"]].append((clip, pcm))
            start = end
    for mine in clips.values():
        lot.shuffle(mine)
    mixed = [each for pair in zip(*clips.values(), strict=False) for each in pair]
    for clip, pcm in mixed[:n_good]:
        yield None, clip["text"], pcm
    n_made = 0
    for clip, pcm in [*mixed[n_good:], *mixed, *mixed]:  # a sentence may have several faults
        stretches = [*_spoken_stretches(clip)]
        if n_made == n_faults:
            return
        if len(stretches) < 4:
            continue
        fault = FAULTS[n_made // 2 % len(FAULTS)]
        n_made += 1
        (start, end), (other_start, other_end) = lot.sample(stretches, 2)
        put = {
            "dropped": pcm[:0],
            "repeated": np.tile(pcm[start:end], 2),
            "swapped": pcm[other_start:other_end],
        }
        yield fault, clip["text"], np.concatenate([pcm[:start], put[fault], pcm[end:]]).astype(np.float32)


def _spoken_stretches(clip: dict[str, Any]) -> Iterator[tuple[int, int]]:
    """Yields the (start, end) samples of each stretch of words in the clip that has no punctuation inside."""
    text, size = clip["text"], STRETCH[clip["language"]]
    places = [*zip(clip["char_index"], clip["char_ms"], strict=True)]
    for first, last in zip(places, places[size:], strict=False):
        words = text[first[0] : last[0]]
        if re.fullmatch("[a-z' ]+|[\u4e00-\u9fff]+", words):
            yield int(first[1]) * RATE // 1000, int(last[1]) * RATE // 1000


async def _in_turn(speech: Iterator[Spoken]) -> AsyncIterator[Spoken]:
    for each in speech:
        yield each


async def measure(arguments: argparse.Namespace) -> None:
    ear = Whisper(arguments.folder, threads=1)
    wanted = arguments.good, arguments.faults, arguments.seed
    speech = _in_turn(recorded(arguments.data, *wanted)) if arguments.data else bundled(*wanted)
    with arguments.json.open("w") as lines:
        async for fault, said, pcm in speech:
            began = time.process_time()
            heard = ear.hear(pcm, RATE, said)
            hear_s = time.process_time() - began
            row = Row(fault, said, heard.text, heard.log_prob, heard.compression, len(pcm) / RATE, hear_s)
            print(json.dumps(asdict(row), ensure_ascii=False), file=lines, flush=True)


def show(rows: list[Row]) -> None:
    found = Counter[tuple[str, str, str]]()
    for row in rows:
        sure = WhisperText(row.heard, row.log_prob, row.compression).is_sure
        verdict = verdict_of(compare(row.said, row.heard), is_sure=sure)
        found["zh" if has_hanzi(row.said) else "en", row.fault or "good", verdict] += 1
    for language, kind in sorted({each[:2] for each in found}):
        counts = {verdict: found[language, kind, verdict] for verdict in ("ok", "inconclusive", "drift")}
        print(f"{language} {kind:9s} " + " ".join(f"{verdict} {n:3d}" for verdict, n in counts.items()))
    audio_s = sum(row.audio_s for row in rows)
    print(
        f"{audio_s:.0f} s of speech, {sum(row.hear_s for row in rows) / audio_s:.2f} CPU s for each to hear"
    )


def main() -> None:
    parser = Arguments(__doc__)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--good", type=int, default=80)
    parser.add_argument("--faults", type=int, default=200)
    parser.add_argument("--seed", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.folder:
        asyncio.run(measure(arguments))
    show([Row(**json.loads(line)) for line in arguments.json.read_text().splitlines()])


if __name__ == "__main__":
    main()
