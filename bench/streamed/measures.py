"""Compares two waves that were rendered from the same speech tokens, frame by frame (20 ms)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from glm_tts_api.model.mel import resample
from mini.features import FeatureExtractor

Array = npt.NDArray[np.float32]
FRAMES_A_SECOND = 50
_AUDIBLE_DB = -50.0  # relative to a wave's loudest second


@dataclass(frozen=True)
class Heard:
    """The features of a wave that are compared.

    `mel` [T, 80] is the natural log-mel spectrogram. `f0` [T] is the pitch in Hz, 0 in unvoiced frames.
    `level` [S] is the level in dB of each whole second, NaN where it is silent. `steps` [T] is the largest
    difference between neighbouring samples in each frame.
    """

    mel: Array
    f0: Array
    level: Array
    steps: Array

    def mel_steps(self) -> Array:
        """Returns the mean change of the spectrum from the frame before to each frame, in nepers, [T]."""
        steps: Array = np.abs(np.diff(self.mel, axis=0, prepend=self.mel[:1])).mean(1)
        return steps


class Ear:
    """Computes the features of waves at any sample rate. The spectrum and pitch are computed at 24 kHz."""

    def __init__(self) -> None:
        self._features = FeatureExtractor()

    def hear(self, wave: Array, sample_rate: int) -> Heard:
        """Returns the features of `wave`. Raises ValueError for a wave shorter than a second."""
        if len(wave) < sample_rate:
            raise ValueError("a wave of at least a second is needed")
        at_24k = resample(torch.from_numpy(wave), sample_rate, 24000)
        frames = self._features.mel_and_pitch(at_24k).numpy()
        hop = sample_rate // FRAMES_A_SECOND
        steps = np.abs(np.diff(wave, prepend=wave[:1]))[: len(wave) // hop * hop].reshape(-1, hop).max(1)
        f0 = np.where(frames[:, -1] > 0, np.exp(frames[:, -1]), 0)
        n_frames = min(len(frames), len(steps))
        return Heard(frames[:n_frames, :-1], f0[:n_frames], _level(wave, sample_rate), steps[:n_frames])


def _level(wave: Array, sample_rate: int) -> Array:
    seconds = wave[: len(wave) // sample_rate * sample_rate].reshape(-1, sample_rate)
    level = 10 * np.log10((seconds.astype(np.float64) ** 2).mean(1) + 1e-12)
    return np.where(level > level.max() + _AUDIBLE_DB, level, np.nan).astype(np.float32)


@dataclass(frozen=True)
class Distance:
    """The differences of a wave to a reference.

    `mel` is the mean difference in nepers, and `f0_st` that of the pitch in semitones where both are voiced.
    `voicing` is the share of frames that are voiced in only one of the waves. `level_db` is for each second
    the wave's level minus the reference's level.
    """

    mel: float
    f0_st: float
    voicing: float
    level_db: list[float]


def distance(wave: Heard, reference: Heard) -> Distance:
    a, b = wave.f0 > 0, reference.f0 > 0
    both = a & b
    semitones = 12 * np.abs(np.log2(wave.f0[both] / reference.f0[both]))
    return Distance(
        mel=float(np.abs(wave.mel - reference.mel).mean()),
        f0_st=float(semitones.mean()) if len(semitones) else float("nan"),
        voicing=float((a ^ b).mean()),
        level_db=(wave.level - reference.level).tolist(),
    )


@dataclass(frozen=True)
class Seams:
    """The frames within 2 frames of a seam (a place where two pieces of a streamed wave meet).

    `mel_step` is the mean change of the spectrum between frames, and `sample_step` the largest difference
    between samples, both divided by the reference's value in the same frames. A `sample_step` far above 1 is
    a click. `mel` is the distance to the reference in these frames, in nepers.
    """

    mel_step: float
    sample_step: float
    mel: float


def at_seams(wave: Heard, reference: Heard, seams_s: Sequence[float]) -> Seams | None:
    """Measures a streamed wave at its seams, whose times in seconds are `seams_s`.

    Returns None if there is no seam.
    """
    n_frames = len(wave.mel)
    places = {round(second * FRAMES_A_SECOND) + shift for second in seams_s for shift in range(-2, 3)}
    near = np.array(sorted(place for place in places if 0 < place < n_frames), dtype=np.intp)
    if not len(near):
        return None
    return Seams(
        mel_step=float(wave.mel_steps()[near].mean() / reference.mel_steps()[near].mean()),
        sample_step=float(wave.steps[near].max() / reference.steps[near].max()),
        mel=float(np.abs(wave.mel[near] - reference.mel[near]).mean()),
    )
