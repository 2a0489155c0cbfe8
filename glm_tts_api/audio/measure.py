"""Measures a recording of a voice: its level, noise and clipping, and where its speech lies. Knows numpy
arrays; does not decide whether the values are good."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from glm_tts_api.contracts import Recording

_FRAME_S = 0.02
_LEAST_FRAMES = 3  # of speech; a click is shorter
_FLOOR_DB = -90.0
_FULL_SCALE = 0.999
_ABOVE_NOISE_DB, _BELOW_LOUD_DB = 9.0, 32.0  # where a frame is speech
_EVEN_DB = 16.0  # less between soft and loud frames: noise, or speech throughout, and no pause can be told
_SPEECH_RANGE_DB = 30.0  # frames that are softer than the loud ones by more do not count for its level
_BREATH_S = 0.5  # a longer gap is no part of the speech


@dataclass(frozen=True, slots=True)
class Measured:
    """Levels are RMS in dBFS, -90 at the least. `noise_db`: of the softest twentieth of the frames between
    the first and the last of the speech. `clipped`: the share of samples at full scale. `speech`: where it
    begins and ends, in seconds; `speech_s`: how long it lasts without gaps of more than half a second."""

    seconds: float
    speech_db: float
    noise_db: float
    clipped: float
    speech: tuple[float, float]
    speech_s: float


def measure(recording: Recording) -> Measured:
    """The recording has at least 20 ms."""
    samples = recording.samples
    levels = _levels(recording)
    spans = _spans(levels) or [(0, len(levels))]
    first, last = spans[0][0], spans[-1][1]
    spoken = levels[first:last]
    gaps = (_FRAME_S * (after - end) for (_, end), (after, _) in pairwise(spans))
    return Measured(
        recording.seconds,
        _mean_db(spoken[spoken >= np.quantile(spoken, 0.95) - _SPEECH_RANGE_DB]),
        float(np.quantile(spoken, 0.05)),
        float((np.abs(samples) >= _FULL_SCALE).mean()),
        (_FRAME_S * first, _FRAME_S * last),
        _FRAME_S * (last - first) - sum(gap for gap in gaps if gap > _BREATH_S),
    )


def _levels(recording: Recording) -> npt.NDArray[np.float64]:
    """The level of each frame in dB, without its mean: a constant is no sound."""
    frame = round(_FRAME_S * recording.sample_rate)
    n_frames = len(recording.samples) // frame
    frames = recording.samples[: n_frames * frame].reshape(n_frames, frame)
    powers = np.maximum(frames.var(axis=1, dtype=np.float64), 10 ** (_FLOOR_DB / 10))
    return np.asarray(10 * np.log10(powers))


def _spans(levels: npt.NDArray[np.float64]) -> list[tuple[int, int]]:
    """The frames of speech as [from, to), in order."""
    noise, loud = np.quantile(levels, (0.05, 0.9))
    if loud - noise < _EVEN_DB:
        return [(0, len(levels))]
    least = max(noise + _ABOVE_NOISE_DB, loud - _BELOW_LOUD_DB)
    edges = np.flatnonzero(np.diff(levels >= least, prepend=False, append=False))
    pairs = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    return [(start, end) for start, end in pairs if end - start >= _LEAST_FRAMES]


def _mean_db(levels: npt.NDArray[np.float64]) -> float:
    return float(10 * np.log10((10 ** (levels / 10)).mean()))
