"""Makes random texts and recordings, so that the server has none of them in a cache."""

from __future__ import annotations

import random

import numpy as np

from glm_tts_api.audio.encode import encode

_WORDS = (
    *("the", "a", "old", "new", "red", "river", "house", "letter", "morning", "children", "music"),
    *("garden", "train", "window", "people"),
)
_HANZI = "今天气很好我们一起去公园散步然后在湖边的小店里喝杯热茶再慢走回家明早上八点门口见面谢你帮助"


def new_text(draw: random.Random, longest: int = 150) -> str:
    """Returns a random text of Chinese, English or figures.

    Most texts are short; few reach `longest` characters.
    """
    length = int(draw.triangular(3, longest, min(12, longest)))
    kind = draw.random()
    if kind < 0.45:
        return "".join(draw.choice(_HANZI) for _ in range(length)) + "。"
    if kind < 0.9:
        return " ".join(draw.choice(_WORDS) for _ in range(length // 5 + 1)) + "."
    return f"{draw.randrange(10**6)} / {draw.random():.3f}, {draw.randrange(2100)}-{draw.randrange(1, 12)}."


def new_voice(draw: random.Random) -> bytes:
    """Returns a WAV file of a sound like a vowel, 1 to 4 s long at 24 kHz."""
    time_s = np.arange(int(draw.uniform(1, 4) * 24000)) / 24000
    pitch = draw.uniform(90, 250)
    tones = [np.sin(2 * np.pi * pitch * k * time_s) / k for k in range(1, 12)]
    return encode((0.2 * np.sum(tones, 0)).astype(np.float32), "wav", 24000)
