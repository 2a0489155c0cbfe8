"""Measures how well a change of the voice within a recording shows that it has several speakers.

    python -m bench.speakers [--recordings 200] [--seed 1] [--data .mini/data]

Takes clips of Kokoro-82M that mini/kokoro_data.py made. Half of the recordings have two
voices, one after the other. A quarter are a single clip, and a quarter two clips of one voice. Half of all
recordings have white noise 15 to 40 dB below the speech, and a third are MP3s. Prints the ROC AUC, and the
values of the bundled voices, which have one speaker each. The server does not use this measure
(docs/voices.md).
"""

from __future__ import annotations

import argparse
import io
import pickle
import random
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from bench.transcript_fit import auc
from glm_tts_api.audio.decode import RecordingLimits, decode_audio
from glm_tts_api.contracts import Recording
from glm_tts_api.settings import BUNDLED_MODEL
from mini.features import TOKEN_SAMPLES

RATE = 24000
SECONDS = 3, 20
Floats = npt.NDArray[np.float64]
_WINDOW_S, _HOP_S = 0.025, 0.01
_N_BANDS, _LOWEST_HZ, _HIGHEST_HZ = 40, 60.0, 7600.0
_COEFFICIENTS = slice(1, 25)  # the used cepstral coefficients; 0, the level, is left out
_SPEECH_RANGE_DB = 30.0
_LEAST_FRAMES, _STEP_FRAMES = 120, 20  # least frames of speech before and after a change; step
_LEAST_VARIANCE = 1e-2
Clips = dict[str, list[Floats]]  # voice -> its clips


def clips_in(folder: Path) -> Clips:
    found: Clips = defaultdict(list)
    for part in sorted(folder.glob("pairs*.pkl")):
        waves, start = np.memmap(part.with_suffix(".wave"), np.int16, "r"), 0
        for clip in pickle.loads(part.read_bytes())[::2]:
            end = start + clip["n_tokens"] * TOKEN_SAMPLES
            found[clip["voice"].partition("@")[0]].append(np.array(waves[start:end]) / 32768)
            start = end
    return found


def recordings(clips: Clips, n: int, rng: random.Random) -> Iterator[tuple[bool, Recording]]:
    """Yields `n` random recordings made of `clips`, each as (whether it has two voices, the recording)."""
    noise, made = np.random.default_rng(rng.getrandbits(32)), 0
    while made < n:
        has_two, voice = bool(made % 2), rng.choice([*clips])
        first = rng.choice(clips[voice])
        second = rng.choice([name for name in clips if name != voice]) if has_two else voice
        others = [clip for clip in clips[second] if clip is not first]
        is_joined = has_two or (others and rng.random() < 0.5)
        wave = behind(first, rng.choice(others), rng) if is_joined else first
        if not SECONDS[0] <= len(wave) / RATE <= SECONDS[1]:
            continue
        if rng.random() < 0.5:
            level = np.sqrt(np.square(wave).mean()) * 10 ** (-rng.uniform(15, 40) / 20)
            wave = wave + level * noise.standard_normal(len(wave))
        yield has_two, Recording(as_mp3(wave) if rng.random() < 1 / 3 else wave.astype(np.float32), RATE)
        made += 1


def behind(first: Floats, second: Floats, rng: random.Random) -> Floats:
    """Joins two clips with a random pause between them, at levels that differ by at most 3 dB."""
    level = np.sqrt(np.square(first).mean() / np.square(second).mean()) * 10 ** (rng.uniform(-3, 3) / 20)
    return np.concatenate([first, np.zeros(round(rng.uniform(0.1, 0.6) * RATE)), level * second])


def as_mp3(wave: Floats) -> npt.NDArray[np.float32]:
    file = io.BytesIO()
    soundfile.write(file, 0.7 * wave, RATE, format="MP3")
    samples: npt.NDArray[np.float32] = soundfile.read(io.BytesIO(file.getvalue()), dtype="float32")[0]
    return samples


def voice_change(recording: Recording) -> float:
    """Returns a measure of how much the voice changes within the recording.

    Compares two models of the speech frames: one normal distribution, and two distributions before and after
    some moment. The measure is the largest gain in log-likelihood minus a penalty for the additional
    parameters (Bayesian information criterion: Chen and Gopalakrishnan, "Speaker, environment and channel
    change detection", 1998). The measure is 0 for a recording with less than 2.4 s of speech.
    """
    frames = _cepstra(recording)
    n, size = frames.shape
    if n < 2 * _LEAST_FRAMES:
        return 0.0
    sums = np.concatenate([np.zeros((1, size)), frames.cumsum(0)])
    products = np.concatenate([np.zeros((1, size, size)), (frames[:, :, None] * frames[:, None]).cumsum(0)])

    def cost(start: int, end: int) -> float:
        count = end - start
        mean = (sums[end] - sums[start]) / count
        covariance = (products[end] - products[start]) / count - np.outer(mean, mean)
        return count * float(np.linalg.slogdet(covariance + _LEAST_VARIANCE * np.eye(size))[1])

    splits = range(_LEAST_FRAMES, n - _LEAST_FRAMES + 1, _STEP_FRAMES)
    gain = max(cost(0, n) - cost(0, split) - cost(split, n) for split in splits)
    n_parameters = size + size * (size + 1) / 2
    return float(gain - n_parameters * np.log(n)) / 2


def _cepstra(recording: Recording) -> Floats:
    """Returns the cepstra of those frames that contain speech, [n, 24]."""
    rate = recording.sample_rate
    width, hop = round(_WINDOW_S * rate), round(_HOP_S * rate)
    samples = recording.samples.astype(np.float64)
    if len(samples) <= width:
        return np.zeros((0, _COEFFICIENTS.stop - _COEFFICIENTS.start))
    levels = 10 * np.log10(np.lib.stride_tricks.sliding_window_view(samples[1:], width)[::hop].var(1) + 1e-9)
    emphasised = samples[1:] - 0.97 * samples[:-1]
    frames = np.lib.stride_tricks.sliding_window_view(emphasised, width)[::hop]
    frames = frames[levels > np.quantile(levels, 0.9) - _SPEECH_RANGE_DB]
    size = 2 ** int(np.ceil(np.log2(width)))
    powers = np.abs(np.fft.rfft(frames * np.hamming(width), size)) ** 2
    bands = np.log(powers @ _bands(size, rate).T + 1e-8)
    order, at = np.arange(_N_BANDS)[_COEFFICIENTS], np.arange(_N_BANDS) + 0.5
    return np.asarray(bands @ (np.cos(np.pi / _N_BANDS * np.outer(at, order)) * np.sqrt(2 / _N_BANDS)))


def _bands(size: int, rate: int) -> Floats:
    """Returns triangular filters of equal width in mel, [40, size // 2 + 1], for an FFT of `size`."""
    lowest, highest = (1127 * np.log1p(hertz / 700) for hertz in (_LOWEST_HZ, min(_HIGHEST_HZ, rate / 2)))
    edges = 700 * np.expm1(np.linspace(lowest, highest, _N_BANDS + 2) / 1127)
    hertz = np.arange(size // 2 + 1) * rate / size
    rising = (hertz - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - hertz) / np.diff(edges)[1:, None]
    return np.asarray(np.maximum(0, np.minimum(rising, falling)))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recordings", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data", type=Path, default=Path(".mini/data"))
    arguments = parser.parse_args()
    found: dict[bool, list[float]] = {False: [], True: []}
    for has_two, recording in recordings(
        clips_in(arguments.data), arguments.recordings, random.Random(arguments.seed)
    ):
        found[has_two].append(voice_change(recording))
    one, two = (np.array(found[has_two]) for has_two in (False, True))
    print(f"ROC AUC of {len(two)} recordings of two voices against {len(one)} of one: {auc(two, one):.3f}")
    for name, values in (("one voice", one), ("two voices", two)):
        print(name, "in tenths:", *(f"{value:.0f}" for value in np.quantile(values, np.linspace(0, 1, 11))))
    print(f"above the highest of one voice: {(two > one.max()).mean():.2f} of two voices")
    for file in sorted((BUNDLED_MODEL / "prompts").glob("*.wav")):
        print(f"{file.stem}: {voice_change(decode_audio(file.read_bytes(), RecordingLimits())):.0f}")


if __name__ == "__main__":
    main()
