"""The mini over the whole engine: as loud at 32 kHz as at 24 kHz, and nowhere at full scale."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from glm_tts_api.audio.encode import to_pcm16
from glm_tts_api.contracts import Float32
from mini.levels import loudness
from mini.speaking import Server

SENTENCES = [
    ("exampleA", "你好，欢迎使用语音合成服务。"),
    ("exampleB", "Good morning, how are you today?"),
    ("exampleB", "请在下午三点二十分到办公室开会。"),  # the flow makes one vowel of it very loud
]
Waves = dict[tuple[str, str, int], Float32]


async def spoken(scratch: Path) -> Waves:
    """Every sentence at both rates."""
    waves = {}
    async with Server(scratch, flow_steps=10).running() as server:
        for name, text in SENTENCES:
            for rate in (24000, 32000):
                said = await server.say(text, server.voice(name), seed=42, sample_rate=rate)
                waves[name, text, rate] = np.concatenate(said.segments)
    return waves


@pytest.fixture(scope="module")
def waves(tmp_path_factory: pytest.TempPathFactory) -> Waves:
    return asyncio.run(spoken(tmp_path_factory.mktemp("speech")))


@pytest.mark.parametrize(("name", "text"), SENTENCES)
def test_both_rates_are_equally_loud_and_32_khz_has_no_full_scale_sample(
    waves: Waves, name: str, text: str
) -> None:
    low, high = waves[name, text, 24000], waves[name, text, 32000]
    assert loudness(high) == pytest.approx(loudness(low), abs=1.5)
    assert np.abs(to_pcm16(high).astype(int)).max() < 32700
