"""bench/compare_streaming.py compares what the engine speaks; its figures say what they say."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from bench.streamed.measures import Ear, Heard, at_seams, distance
from bench.streamed.renders import Renderer
from glm_tts_api.audio.decode import RecordingLimits
from glm_tts_api.contracts import Float32, SamplingOptions, SpeechRequest, Voice
from glm_tts_api.engine.config import EngineConfig
from glm_tts_api.engine.engine import Engine
from glm_tts_api.model.checkpoint import load_checkpoint
from glm_tts_api.settings import BUNDLED_MODEL
from glm_tts_api.voices.store import VoiceStore
from speech_text.frontend import TextFrontend
from tests.engine import tiny

CONFIGS = Path(__file__).parents[2] / "configs"
CHUNKS = (4, 8)
SEED, FLOW_STEPS = 7, 2
TEXT = "你好。"


async def as_the_engine_speaks(voice: Voice, cache: Path, *, streams: bool) -> Float32:
    engine = Engine(
        EngineConfig(n_slots=2, flow_steps=FLOW_STEPS, stream_chunks=CHUNKS, threads=1),
        load_models=partial(load_checkpoint, BUNDLED_MODEL, device="cpu"),
        load_frontend=lambda: TextFrontend(CONFIGS, cache_dir=cache / "text"),
    )
    try:
        await tiny.ready(engine)
        asked = SpeechRequest("test", TEXT, voice, SamplingOptions(seed=SEED), streams=streams)
        return await tiny.pcm(tiny.speak(engine, asked))
    finally:
        engine.close()


def test_what_is_compared_is_what_the_engine_speaks(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    voices = VoiceStore(
        CONFIGS / "prompt_cache.json", tmp_path, limits=RecordingLimits(), bundled=BUNDLED_MODEL / "prompts"
    )
    voice = voices.get("exampleA")
    renderer = Renderer(BUNDLED_MODEL, CONFIGS, tmp_path, device="cpu", flow_steps=FLOW_STEPS)
    spoken = renderer.say(TEXT, voice, seed=SEED, sample_rate=24000, chunks=CHUNKS)
    streamed = asyncio.run(as_the_engine_speaks(voice, tmp_path, streams=True))
    whole = asyncio.run(as_the_engine_speaks(voice, tmp_path, streams=False))
    assert np.abs(spoken.streamed - streamed).max() < 1e-4
    assert np.abs(spoken.whole - whole).max() < 1e-4
    assert spoken.whole.shape == spoken.streamed.shape == spoken.other_noise.shape
    assert np.abs(spoken.whole - spoken.other_noise).max() > 1e-2
    assert spoken.seams[0] == pytest.approx(CHUNKS[0] / 25)


def tone(hz: float, *, gain: float = 0.1, sample_rate: int = 24000) -> Float32:
    phase = 2 * np.pi * hz * np.arange(2 * sample_rate) / sample_rate
    harmonics = sum(np.sin(k * phase) / k for k in range(1, 9))
    noise = np.random.default_rng(0).normal(0, 0.01, len(phase))
    return (gain * (harmonics + noise)).astype(np.float32)


@pytest.fixture(scope="module")
def ear() -> Ear:
    return Ear()


@pytest.mark.parametrize("rate", [24000, 32000])
def test_a_wave_is_no_way_from_itself(ear: Ear, rate: int) -> None:
    heard = ear.hear(tone(150, sample_rate=rate), rate)
    found = distance(heard, heard)
    assert (found.mel, found.f0_st, found.voicing, found.level_db) == (0, 0, 0, [0, 0])
    seams = at_seams(heard, heard, [1.0])
    assert seams is not None
    assert (seams.mel_step, seams.sample_step, seams.mel) == (1, 1, 0)
    assert at_seams(heard, heard, []) is None


def test_twice_the_gain_is_six_decibels_and_an_octave_twelve_semitones(ear: Ear) -> None:
    reference = ear.hear(tone(100), 24000)
    louder = distance(ear.hear(tone(100, gain=0.2), 24000), reference)
    assert louder.level_db == pytest.approx([6.02, 6.02], abs=0.01)
    assert louder.f0_st == 0
    assert distance(ear.hear(tone(200), 24000), reference).f0_st == pytest.approx(12, abs=0.3)


def test_silence_instead_of_a_voice_is_told_by_voicing(ear: Ear) -> None:
    broken = tone(150)
    broken[24000:] = 0
    found = distance(ear.hear(broken, 24000), ear.hear(tone(150), 24000))
    assert found.voicing == pytest.approx(0.5, abs=0.1)
    assert np.isnan(found.level_db[1])


def test_a_click_at_a_seam_stands_out_and_elsewhere_does_not(ear: Ear) -> None:
    clicked = tone(150)
    clicked[24000:] *= -1
    clicked[24000] += 0.5
    reference = ear.hear(tone(150), 24000)

    def sample_step(wave: Heard, second: float) -> float:
        seams = at_seams(wave, reference, [second])
        assert seams is not None
        return seams.sample_step

    wave = ear.hear(clicked, 24000)
    assert sample_step(wave, 1.0) > 3
    assert sample_step(wave, 0.5) == pytest.approx(1)
