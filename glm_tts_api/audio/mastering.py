"""Sets the level of a long recording: brings each piece to the same level, and joins the pieces without
clicks. Works on numpy arrays, and holds one piece at a time in memory.

`ACX` has the limits for audiobooks that ACX publishes (help.acx.com, "ACX audio submission requirements"):
RMS from -23 to -18 dB, peaks of at most -3 dB, a noise floor under -60 dB; 44.1 kHz, MP3 of 192 kbit/s at a
constant rate; half a second to a second of quiet before, one to five seconds after.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from glm_tts_api.audio.loudness import integrated_loudness
from glm_tts_api.audio.resample import Resampled
from glm_tts_api.contracts import Float32

_FRAME_S = 0.02
_SPEECH_RANGE_DB = 30  # a frame that is softer than the loud frames by more than this is no speech
_MOST_GAIN_DB = 24
_MOST_FILE_GAIN_DB = 6
_QUIET_FRAME_S, _QUIET_RATIO = 0.01, 0.01  # a quiet frame's peak is at most this ratio of the highest: -40 dB
_FADE_S = 0.005
_MOST_PASSES, _CLOSE_LU = 3, 0.2
_LIMIT_FRAME_S, _LIMIT_FRAMES = 0.005, 9
_OVERSAMPLED = 4  # to find the peaks between the samples, as in ITU-R BS.1770-4, annex 2
# The expander lowers a frame by 2 dB for each dB that it lies below _QUIET_DB, _MOST_QUIETER_DB at most.
_QUIET_DB, _MOST_QUIETER_DB = -50, 15

Pieces = Callable[[], Iterable[tuple[Float32, float]]]
"""A function that yields the pieces of a recording from its start, each time it is called. A piece is mono
samples [n] and the length in seconds of the silence after them."""


@dataclass(frozen=True, slots=True)
class Preset:
    """The levels and the format of a recording. Levels are in dB relative to full scale; None leaves a level
    or a rate as it comes.

    `speech_db` is the RMS level of the speech in each piece. `peak_db` is the highest peak allowed. `file_db`
    is the RMS level of the whole file, silence included, and `file_lufs` its integrated loudness in LUFS.
    `sample_rate` is the rate of the file. `before_s` is the silence in seconds before the first piece;
    `after_s` replaces the silence after the last piece, unless it is 0. With `expands`, quiet parts are made
    quieter. `kbits` is the bit rate of an MP3 in kbit/s; None is the usual one.
    """

    speech_db: float = -20.0
    peak_db: float = -1.0
    file_db: float | None = None
    file_lufs: float | None = None
    sample_rate: int | None = None
    before_s: float = 0.0
    after_s: float = 0.0
    expands: bool = False
    kbits: int | None = None

    def heard_rate(self, sample_rate: int) -> int:
        return self.sample_rate or sample_rate


LEVEL = Preset()
# The peaks of an MP3 are up to 0.5 dB higher than those of the samples that were encoded.
ACX = Preset(
    -20.0, -3.6, file_db=-20.5, sample_rate=44100, before_s=0.75, after_s=2.0, expands=True, kbits=192
)


def at_loudness(lufs: float) -> Preset:
    """Returns the preset for files with the integrated loudness `lufs`. Peaks stay below -1 dB, between the
    samples too, as podcast platforms ask. Those of an MP3 are up to 0.5 dB higher than what was encoded."""
    return Preset(peak_db=-1.5, file_lufs=lufs)


def mastered(pieces: Pieces, sample_rate: int, preset: Preset = LEVEL) -> Iterator[Float32]:
    """Yields the whole recording as samples at `preset.heard_rate` and at the levels of `preset`, piece by
    piece. `sample_rate` is the rate of `pieces`. If `preset` has a level for the whole file, `pieces` is read
    once or several times more to measure the level first."""
    file_gain = 1.0 if preset.file_db is None else _file_gain(pieces, sample_rate, preset)
    if preset.file_lufs is not None:
        file_gain = _loudness_gain(pieces, sample_rate, preset, preset.file_lufs)
    yield from _at_gain(pieces, sample_rate, file_gain, preset)


def _at_gain(pieces: Pieces, sample_rate: int, file_gain: float, preset: Preset) -> Iterator[Float32]:
    rate = preset.heard_rate(sample_rate)
    behind_s = preset.before_s
    for pcm, pause_s in pieces():
        yield _silence(behind_s, rate)
        yield _mastered(pcm, sample_rate, file_gain, preset)
        behind_s = pause_s
    yield _silence(preset.after_s or behind_s, rate)


def speech_level(pcm: Float32, sample_rate: int) -> float:
    """Returns the RMS level of the speech in `pcm` [n], in dB. Frames of 20 ms that are more than 30 dB
    softer than the loud frames do not count. Returns -inf for an empty array, and where nearly all frames are
    zero."""
    powers = _powers(pcm, round(_FRAME_S * sample_rate))
    loud = np.quantile(powers, 0.95) if len(powers) else 0.0
    if not loud:
        return -np.inf
    return _db(powers[powers >= loud * _ratio(-_SPEECH_RANGE_DB) ** 2].mean())


def quiet_tail(pcm: Float32, sample_rate: int) -> int:
    """Returns how many samples at the end of `pcm` are quiet (40 dB below its highest peak), in whole frames
    of 10 ms. Returns 0 for an empty array and where all samples are zero."""
    frame = round(_QUIET_FRAME_S * sample_rate)
    peaks = np.abs(_framed(pcm[::-1], frame)).max(axis=1)
    loud = np.flatnonzero(peaks > peaks.max(initial=0) * _QUIET_RATIO)
    return int(loud[0]) * frame if len(loud) else 0


def _mastered(pcm: Float32, sample_rate: int, file_gain: float, preset: Preset) -> Float32:
    rate = preset.heard_rate(sample_rate)
    resampled = Resampled(sample_rate, rate)
    heard = np.concatenate([resampled.push(pcm), resampled.finish()])
    heard *= np.float32(file_gain * _gain(pcm, sample_rate, preset))
    if preset.expands:
        heard *= _expansion(heard, round(_FRAME_S * rate))
    return _faded(_limited(heard, rate, preset), round(_FADE_S * rate))


def _gain(pcm: Float32, sample_rate: int, preset: Preset) -> float:
    level = speech_level(pcm, sample_rate)
    if level == -np.inf:
        return 1.0
    return _ratio(float(np.clip(preset.speech_db - level, -_MOST_GAIN_DB, _MOST_GAIN_DB)))


def _file_gain(pieces: Pieces, sample_rate: int, preset: Preset) -> float:
    energy, n_samples, pause_s = 0.0, (preset.before_s + preset.after_s) * sample_rate, 0.0
    for pcm, pause_s in pieces():
        energy += _gain(pcm, sample_rate, preset) ** 2 * float(np.square(pcm, dtype=np.float64).sum())
        n_samples += len(pcm) + pause_s * sample_rate
    if not energy or preset.file_db is None:
        return 1.0
    missing_db = preset.file_db - _db(energy / (n_samples - pause_s * sample_rate))
    return _ratio(float(np.clip(missing_db, -_MOST_FILE_GAIN_DB, _MOST_FILE_GAIN_DB)))


def _loudness_gain(pieces: Pieces, sample_rate: int, preset: Preset, lufs: float) -> float:
    """Returns the factor that brings the whole file to the integrated loudness `lufs`; 1 for silence. The
    limiter takes back a part of a factor above 1, so the loudness is then measured again and the factor is
    corrected, in three passes at most."""
    gain = 1.0
    for _ in range(_MOST_PASSES):
        heard = _at_gain(pieces, sample_rate, gain, preset)
        loudness = integrated_loudness(heard, preset.heard_rate(sample_rate))
        if loudness == -np.inf:
            break
        gain *= _ratio(lufs - loudness)
        if gain <= 1.0 or abs(lufs - loudness) < _CLOSE_LU:
            break
    return gain


def _limited(pcm: Float32, rate: int, preset: Preset) -> Float32:
    """Returns `pcm` with its peaks below the preset's. In a file of some loudness its speech keeps its level:
    what the limiter takes away is added before it. Else pieces with high peaks would be softer."""
    level, frame, peak = speech_level(pcm, rate), round(_LIMIT_FRAME_S * rate), _ratio(preset.peak_db)
    frames = _framed(np.abs(pcm), frame).max(axis=1)
    if preset.file_lufs is None or level == -np.inf:
        return pcm * _limit(frames, frame, peak, len(pcm))
    between = Resampled(rate, _OVERSAMPLED * rate)
    dense = np.concatenate([between.push(pcm), between.finish()])
    frames = np.maximum(frames, _framed(np.abs(dense), _OVERSAMPLED * frame).max(axis=1)[: len(frames)])
    limited, gain = pcm, 1.0
    for _ in range(_MOST_PASSES):
        gain *= _ratio(level - speech_level(limited, rate))
        factors = _limit(np.float32(gain) * frames, frame, peak, len(pcm))
        limited = pcm * np.float32(gain) * factors
    return limited


def _limit(frames: Float32, frame: int, peak: float, n_samples: int) -> Float32:
    """Returns a factor of at most 1 for each of `n_samples` samples. They bring `frames`, the highest peak of
    each frame of `frame` samples, below `peak`, and are smoothed over several frames."""
    needed = np.minimum(1.0, peak / np.maximum(frames, peak))
    if not len(needed) or needed.min() == 1.0:
        return np.ones(n_samples, np.float32)
    around = _LIMIT_FRAMES // 2
    lowest = sliding_window_view(np.pad(needed, 2 * around + 1, mode="edge"), _LIMIT_FRAMES + 2).min(axis=1)
    smooth = sliding_window_view(lowest, _LIMIT_FRAMES).mean(axis=1)
    return _between(smooth, frame, n_samples)


def _expansion(pcm: Float32, frame: int) -> Float32:
    """Returns a factor for each sample of `pcm` that makes quiet parts quieter. A frame of `frame` samples
    below -50 dB is lowered by 2 dB for each dB below, by 15 dB at most."""
    powers = _powers(pcm, frame)
    below_db = 10 * np.log10(np.maximum(powers, 1e-12)) - _QUIET_DB
    return _between(10 ** (np.clip(2 * below_db, -_MOST_QUIETER_DB, 0) / 20), frame, len(pcm))


def _faded(pcm: Float32, n_samples: int) -> Float32:
    """Fades `pcm` in from zero and out to zero, in place, and returns it. Each fade takes `n_samples`, or
    half of `pcm` if that is shorter."""
    n_samples = min(n_samples, len(pcm) // 2)
    ramp = np.sin(np.linspace(0, np.pi / 2, n_samples, endpoint=False), dtype=np.float32) ** 2
    pcm[:n_samples] *= ramp
    pcm[len(pcm) - n_samples :] *= ramp[::-1]
    return pcm


def _framed(pcm: Float32, frame: int) -> Float32:
    """Cuts `pcm` [n] into frames of `frame` samples: [frames, frame]. The last frame is filled up with
    zeros."""
    return np.pad(pcm, (0, -len(pcm) % frame)).reshape(-1, frame)


def _powers(pcm: Float32, frame: int) -> npt.NDArray[np.float64]:
    powers: npt.NDArray[np.float64] = np.square(_framed(pcm, frame), dtype=np.float64).mean(axis=1)
    return powers


def _between(gains: npt.NDArray[np.float64], frame: int, n_samples: int) -> Float32:
    """Returns a gain for each of `n_samples` samples, interpolated between `gains`, which hold at the middles
    of frames of `frame` samples."""
    if not n_samples:
        return np.zeros(0, np.float32)
    middles = frame * (np.arange(len(gains)) + 0.5)
    return np.interp(np.arange(n_samples), middles, gains).astype(np.float32)


def _silence(seconds: float, sample_rate: int) -> Float32:
    return np.zeros(round(seconds * sample_rate), np.float32)


def _db(power: float) -> float:
    return 10 * float(np.log10(power))


def _ratio(db: float) -> float:
    return float(10 ** (db / 20))
