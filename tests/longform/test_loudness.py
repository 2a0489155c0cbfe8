"""The level of a book: pieces that are alike, joints without clicks, and ACX's limits on the file."""

from __future__ import annotations

import asyncio
import re
import subprocess
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from glm_tts_api.audio.encode import open_encoder
from glm_tts_api.audio.mastering import ACX, LEVEL, Preset, at_loudness, mastered, speech_level
from glm_tts_api.contracts import Float32
from glm_tts_api.longform.audio import write_audio
from glm_tts_api.longform.job import Spoken, Unit
from glm_tts_api.longform.jobs import run_job
from glm_tts_api.longform.shelf import Look
from tests.longform.books import book_of, new_job

RATE = 24000
Piece = tuple[Float32, float]


def line(seed: int, level: float) -> Float32:
    """Something like speech of one or two seconds: syllables, pauses and peaks, and a little noise."""
    random = np.random.default_rng(seed)
    n = int(RATE * random.uniform(1, 2))
    time = np.arange(n) / RATE
    pitch = 2 * np.pi * random.uniform(100, 220)
    voice = np.sum([np.sin(pitch * k * time) / k for k in range(1, 8)], axis=0)
    syllables = np.interp(time, np.arange(0, 5, 0.12), random.choice([0, 0.3, 0.6, 1.0], 42))
    noise = random.normal(0, 0.002, n)
    spoken: Float32 = (level * (voice * syllables + noise)).astype(np.float32)
    return spoken


def dialogue(n_lines: int) -> list[Piece]:
    """Lines by a soft voice and a loud one in turn."""
    return [(line(n, (0.04, 0.6)[n % 2]), 0.5) for n in range(n_lines)]


def rms_db(pcm: npt.ArrayLike) -> float:
    return 10 * float(np.log10(np.square(pcm, dtype=np.float64).mean()))


@pytest.mark.parametrize(("preset", "peaks"), [(LEVEL, 1), (at_loudness(-16), 6)])
def test_two_voices_are_within_a_decibel(preset: Preset, peaks: int) -> None:
    spoken = dialogue(20)
    for pcm, _ in spoken[::2]:
        pcm[::2400] *= peaks
    before = [speech_level(pcm, RATE) for pcm, _ in spoken]
    assert np.mean(before[1::2]) - np.mean(before[::2]) > 20
    out = list(mastered(lambda: spoken, RATE, preset))[1:-1:2]
    levels = [speech_level(pcm, RATE) for pcm in out]
    assert max(levels) - min(levels) < 1
    voices = [rms_db(np.concatenate(out[at::2])) for at in (0, 1)]  # as a meter without gates has it
    assert abs(voices[0] - voices[1]) < 1


def test_pauses_are_as_long_as_they_should_be_and_pieces_fade_in_and_out() -> None:
    loud = np.full(RATE, 0.5, np.float32)
    out = list(mastered(lambda: [(loud, 0.25), (loud, 0)], RATE))
    assert [len(pcm) for pcm in out] == [0, RATE, RATE // 4, RATE, 0]
    assert np.abs(np.diff(np.concatenate(out))).max() < 0.01


def test_no_sample_is_above_the_peak_and_what_is_below_keeps_its_shape() -> None:
    pcm = line(1, 0.1)
    pcm[RATE // 2] = 1.0
    (_, out, *_) = mastered(lambda: [(pcm, 0)], RATE)
    assert np.abs(out).max() <= 10 ** (-1 / 20) + 1e-6
    far = slice(int(0.7 * RATE), -1000)
    assert np.allclose(out[far] / out[far].std(), pcm[far] / pcm[far].std(), atol=1e-4)


@pytest.mark.parametrize("pcm", [np.zeros(0, np.float32), np.zeros(RATE, np.float32), np.ones(1, np.float32)])
@pytest.mark.parametrize("preset", [LEVEL, ACX, at_loudness(-16)])
def test_silence_and_single_samples_stay_finite(pcm: Float32, preset: Preset) -> None:
    out = np.concatenate(list(mastered(lambda: [(pcm, 0.1)], RATE, preset)))
    assert np.isfinite(out).all()


def stats(path: Path, *filters: str) -> dict[str, float]:
    """What FFmpeg's astats says of a file."""
    chain = ",".join([*filters, "astats=measure_perchannel=none"])
    command = ["ffmpeg", "-hide_banner", "-i", str(path), "-af", chain, "-f", "null", "-"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    return {name: float(figure) for name, figure in re.findall(r"\] ([\w ]+) dB: (-?[\d.]+|-inf)", said)}


def probed(path: Path) -> set[str]:
    """The codec and rates of the file, and the sizes of its packets."""
    entries = "packet=size:stream=codec_name,sample_rate,bit_rate"
    command = ["ffprobe", "-v", "error", "-show_entries", entries, "-of", "csv=p=0", str(path)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return {line.strip(",") for line in said.split()}


@pytest.mark.parametrize("n_lines", [1, 12], ids=["a heading", "a chapter"])
def test_a_file_by_acx_is_within_its_limits(tmp_path: Path, n_lines: int) -> None:
    encoder = open_encoder("mp3", ACX.heard_rate(RATE), kbits=ACX.kbits)
    mp3 = [encoder.push(pcm) for pcm in mastered(lambda: dialogue(n_lines), RATE, ACX)]
    path = tmp_path / "chapter.mp3"
    path.write_bytes(b"".join([*mp3, encoder.finish()]))
    whole = stats(path)
    assert -23 <= whole["RMS level"] <= -18
    assert whole["Peak level"] <= -3
    for quiet in ("atrim=0:0.7", "areverse,atrim=0:1.9"):
        assert stats(path, quiet)["RMS level"] < -60
    # Packets of a constant size: 144 x 192,000 / 44,100 bytes.
    assert probed(path) - {"626", "627"} == {"mp3,44100,192000"}


@pytest.mark.parametrize("lufs", [-23, -14])
def test_a_file_has_the_loudness_that_was_asked_for(tmp_path: Path, lufs: float) -> None:
    async def speak(unit: Unit) -> Spoken:
        return Spoken(line(unit.index, (0.05, 0.5)[unit.index % 2]), RATE)

    job = Look(new_job(tmp_path / "job", book_of(1, 7)))
    asyncio.run(run_job(job, speak))
    path = tmp_path / "a.mp3"
    for _ in write_audio(path, "mp3", job, job.job.n_units, preset=at_loudness(lufs)):
        pass
    measure = ["ffmpeg", "-hide_banner", "-i", str(path), "-af", "ebur128=peak=true", "-f", "null", "-"]
    said = subprocess.run(measure, capture_output=True, text=True, check=True).stderr.rpartition("Summary")[2]
    loudness, peak = re.findall(r" (?:I|Peak): +(-?[\d.]+)", said)
    assert float(loudness) == pytest.approx(lufs, abs=0.5)
    assert float(peak) <= -1


def test_the_noise_of_a_piece_is_under_the_floor() -> None:
    """Noise of 47 dB under the voice, as a cloned recording may have it."""
    pcm = line(3, 0.1)
    pcm = np.concatenate([pcm, np.random.default_rng(0).normal(0, 0.0006, RATE).astype(np.float32), pcm])
    out = next(piece for piece in mastered(lambda: [(pcm, 0)], RATE, ACX) if len(piece) > 3 * RATE)
    quiet = out[len(out) // 2 - 8820 : len(out) // 2 + 8820]
    assert -np.inf < rms_db(quiet) < -60
