"""The mini over the whole engine: as loud at 32 kHz as at 24 kHz, and nowhere at full scale."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from glm_tts_api.audio.encode import to_pcm16
from glm_tts_api.contracts import Float32
from mini.levels import RATES, loudness
from mini.speaking import Server

SENTENCES = {
    "exampleA": "Good morning, how are you today?",
    "exampleB": "请在下午三点二十分到办公室开会。",  # the flow makes one vowel of it very loud
}


async def spoken(scratch: Path) -> list[list[Float32]]:
    """Each sentence at both rates."""
    async with Server(scratch).running() as server:
        said = [
            [await server.say(text, server.voice(name), seed=42, sample_rate=rate) for rate in RATES]
            for name, text in SENTENCES.items()
        ]
    return [[np.concatenate(one.segments) for one in both] for both in said]


def test_both_rates_are_equally_loud_and_32_khz_has_no_full_scale_sample(tmp_path: Path) -> None:
    for low, high in asyncio.run(spoken(tmp_path)):
        assert loudness(high) == pytest.approx(loudness(low), abs=1.5)
        assert np.abs(to_pcm16(high).astype(int)).max() < 32700
