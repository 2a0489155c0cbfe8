"""What is found in the bundled voices, and in copies of them that were made worse in one way."""

from __future__ import annotations

import json

import numpy as np
import pytest

from glm_tts_api.audio.decode import RecordingLimits, decode_audio
from glm_tts_api.contracts import Float32, Recording, Voice
from glm_tts_api.settings import SHIPPED_CONFIGS
from glm_tts_api.voices.check import Finding, check_recording, voice_to_check
from tests.recordings import voice_wav

RATE = 24000
NAMES = ("exampleA", "exampleB")
SECOND = np.zeros(RATE, np.float32)
LIMITS = RecordingLimits()


def bundled(name: str) -> tuple[Float32, str]:
    """Its samples, with a peak at full scale, and its transcript."""
    entry = json.loads((SHIPPED_CONFIGS / "prompt_cache.json").read_text())[name]
    file = SHIPPED_CONFIGS.parent.parent / entry["prompt_audio_path"]
    samples = decode_audio(file.read_bytes(), LIMITS).samples
    return samples / np.abs(samples).max(), entry["prompt_text"]


def with_noise(samples: Float32, below_db: float) -> Float32:
    """White noise that far below the speech."""
    level = np.sqrt(np.square(samples).mean())
    noise = np.random.default_rng(1).standard_normal(len(samples)) * level * 10 ** (-below_db / 20)
    return np.asarray(0.7 * (samples + noise), np.float32)


def found(samples: Float32, transcript: str) -> dict[str, Finding]:
    return {each.name: each for each in check_recording(Recording(samples, RATE), transcript)}


def doubtful(samples: Float32, transcript: str) -> dict[str, str]:
    return {name: each.status for name, each in found(samples, transcript).items() if each.status != "ok"}


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_wrong_with_the_bundled_voices(name: str) -> None:
    samples, transcript = bundled(name)
    checks = found(samples, transcript)
    assert {each.status for each in checks.values()} == {"ok"}
    assert checks["language"].measured == {"language": "zh"}
    assert 0.8 < float(checks["speech_rate"].measured["ratio"]) < 1.2


@pytest.mark.parametrize("name", NAMES)
def test_each_fault_is_named_and_no_other(name: str) -> None:
    samples, said = bundled(name)
    for worse, transcript, expected in (
        (samples[: 5 * RATE // 2], said[: len(said) * 2 // 3], {"length": "warning"}),
        (np.tile(samples, 4), 4 * said, {"length": "warning"}),
        (10 ** (-30 / 20) * samples, said, {"level": "warning"}),
        (np.clip(1.4 * samples, -1, 1), said, {"clipping": "warning"}),
        (np.clip(8 * samples, -1, 1), said, {"clipping": "error"}),
        (with_noise(samples, 20), said, {}),
        (with_noise(samples, 14), said, {"noise": "warning"}),
        (np.concatenate([SECOND, samples]), said, {"silence": "warning"}),
        (np.concatenate([samples, SECOND]), said, {"silence": "warning"}),
        (np.concatenate([SECOND, with_noise(samples, 14)]), said, {"noise": "warning", "silence": "warning"}),
        (samples, 2 * said, {"speech_rate": "warning"}),
        (samples, 5 * said, {"speech_rate": "error"}),
        (samples, said[:6], {"speech_rate": "warning"}),
        (samples, "你好", {"speech_rate": "error"}),
        (samples, "Доброе утро, рад встретиться с вами.", {"language": "warning"}),
        (samples, "皆さん、おはようございます、今日もよろしくお願いします。", {"language": "warning"}),
    ):
        assert doubtful(np.asarray(worse, np.float32), transcript) == expected, transcript


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("below_db", [10, 15, 20])
def test_noise_is_measured_to_a_decibel(name: str, below_db: float) -> None:
    samples, transcript = bundled(name)
    measured = found(with_noise(samples, below_db), transcript)["noise"].measured
    assert measured["signal_to_noise_db"] == pytest.approx(below_db, abs=1.5)


def test_what_is_offered_to_be_cut_leaves_the_speech() -> None:
    samples, transcript = bundled("exampleA")
    padded = np.concatenate([SECOND, samples, SECOND, SECOND])
    measured = found(padded, transcript)["silence"].measured
    assert measured["start_seconds"] == pytest.approx(1.0, abs=0.15)
    assert measured["end_seconds"] == pytest.approx(2.0, abs=0.15)
    start, end = (round(float(measured[name]) * RATE) for name in ("keep_from", "keep_to"))
    kept = padded[start:end]
    assert np.square(kept).sum() == pytest.approx(np.square(samples).sum(), rel=1e-6)
    assert doubtful(kept, transcript) == {}


@pytest.mark.parametrize(
    ("transcript", "language"),
    [("早上好。", "zh"), ("Good morning.", "en"), ("我用 Python 写。", "mixed"), ("2026", "other")],
)
def test_the_language_of_the_transcript(transcript: str, language: str) -> None:
    samples, _ = bundled("exampleA")
    assert found(samples, transcript)["language"].measured == {"language": language}


@pytest.mark.parametrize("rate", [4000, 192_000])
def test_the_shortest_recording_that_settings_allow(rate: int) -> None:
    voice = voice_to_check(voice_wav(0.1, rate), "啊。", RecordingLimits(min_s=0.1))
    assert isinstance(voice, Voice)
    assert len(check_recording(voice.recording, "啊。")) == 7
