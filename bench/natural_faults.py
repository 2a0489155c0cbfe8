"""Makes recordings of natural voices with faults in their audio.

The clips come from mini/kokoro_data, which records when each word begins. A fault cuts out, repeats
or replaces a stretch of two English words or three Hanzi.
"""

from __future__ import annotations

import pickle
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from glm_tts_api.contracts import Float32

Fault = Literal["dropped", "repeated", "swapped"]
FAULTS: tuple[Fault, ...] = get_args(Fault)
RATE = 24000
STRETCH = {"zh": 3, "en": 2}  # length of a fault in Hanzi and in English words
_TOKEN_SAMPLES = 960
_OWN_VOICES = {"zh": re.compile(r"[\d.]+\*z\w+@[\d.]+"), "en": re.compile(r"[\d.]+\*[ab]\w+@[\d.]+")}


def natural(
    folder: Path, n_good: int, n_faults: int, seed: int
) -> Iterator[tuple[Fault | None, str, Float32]]:
    """Yields (fault or None, the right text, 24 kHz audio): `n_good` clips without a fault, then `n_faults`.

    The clips come from the files of `folder`, in random order by `seed`. Half of them are Chinese.
    """
    lot = random.Random(seed)
    clips: dict[str, list[tuple[dict[str, Any], Float32]]] = {"zh": [], "en": []}
    for part in sorted(folder.glob("single*.pkl")):
        stored = np.memmap(part.with_suffix(".wave"), np.int16, "r")
        start = 0
        for clip in pickle.loads(part.read_bytes()):
            end = start + clip["n_tokens"] * _TOKEN_SAMPLES
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
        stretches = [*_stretches(clip)]
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


def _stretches(clip: dict[str, Any]) -> Iterator[tuple[int, int]]:
    """Yields the (start, end) samples of each stretch of words in the clip that has no punctuation inside."""
    text, size = clip["text"], STRETCH[clip["language"]]
    places = [*zip(clip["char_index"], clip["char_ms"], strict=True)]
    for first, last in zip(places, places[size:], strict=False):
        words = text[first[0] : last[0]]
        if re.fullmatch("[a-z' ]+|[\u4e00-\u9fff]+", words):
            yield int(first[1]) * RATE // 1000, int(last[1]) * RATE // 1000
