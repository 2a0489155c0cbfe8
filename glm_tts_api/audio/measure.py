"""Measures a recording of a voice: its level, noise and clipping, and where its speech lies. Makes recordings
smaller: removes everything from a file that is not sound (pictures, tags, junk after its end), or the silence
at a recording's ends. Does not judge the values; knows no HTTP."""

from __future__ import annotations

import io
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import soundfile

from glm_tts_api.audio.decode import RecordingLimits, decode_audio
from glm_tts_api.contracts import Recording

_FRAME_S = 0.02
_LEAST_FRAMES = 3  # the shortest stretch of speech; a click is shorter
_FLOOR_DB = -90.0
_FULL_SCALE = 0.999
# A frame is speech if it is at least 9 dB above the noise and at most 32 dB below the loud frames.
_ABOVE_NOISE_DB, _BELOW_LOUD_DB = 9.0, 32.0
_EVEN_DB = 16.0  # if soft and loud frames differ by less, pauses cannot be told and all counts as speech
_SPEECH_RANGE_DB = 30.0  # frames that are softer than the loud frames by more do not count for the level
_BREATH_S = 0.5  # a longer gap does not count as speech
_HEADER_BYTES = 4096  # room for a header and some tags
_AIR_S = 0.2  # how much is kept before and after the speech


@dataclass(frozen=True, slots=True)
class Measured:
    """The measured values of a recording. Levels are RMS in dBFS, -90 at the least. `speech_db` is the level
    of the speech. `noise_db` is the 5th percentile of the levels of the frames from the beginning to the end
    of the speech. `clipped` is the share of samples at full scale. `speech` is where the speech begins and
    ends, in seconds; `speech_s` is its length without gaps of more than half a second."""

    seconds: float
    speech_db: float
    noise_db: float
    clipped: float
    speech: tuple[float, float]
    speech_s: float

    @property
    def keep(self) -> tuple[float, float]:
        """The start and end of the speech in seconds, widened by 0.2 s on each side within the recording."""
        start, end = self.speech
        return max(0.0, start - _AIR_S), min(self.seconds, end + _AIR_S)


def measure(recording: Recording) -> Measured:
    """Returns the measured values of a recording, which must be at least 20 ms long."""
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
    """Returns the level of each frame of 20 ms in dB. The frame's mean is subtracted, since a constant offset
    is no sound."""
    frame = round(_FRAME_S * recording.sample_rate)
    n_frames = len(recording.samples) // frame
    frames = recording.samples[: n_frames * frame].reshape(n_frames, frame)
    powers = np.maximum(frames.var(axis=1, dtype=np.float64), 10 ** (_FLOOR_DB / 10))
    return np.asarray(10 * np.log10(powers))


def _spans(levels: npt.NDArray[np.float64]) -> list[tuple[int, int]]:
    """Returns the stretches of speech in order. A stretch is its first frame and the frame after its last. If
    soft and loud frames differ by less than 16 dB, all frames are one stretch. The list can be empty."""
    noise, loud = np.quantile(levels, (0.05, 0.9))
    if loud - noise < _EVEN_DB:
        return [(0, len(levels))]
    least = max(noise + _ABOVE_NOISE_DB, loud - _BELOW_LOUD_DB)
    edges = np.flatnonzero(np.diff(levels >= least, prepend=False, append=False))
    pairs = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    return [(start, end) for start, end in pairs if end - start >= _LEAST_FRAMES]


def _mean_db(levels: npt.NDArray[np.float64]) -> float:
    return float(10 * np.log10((10 ** (levels / 10)).mean()))


def trimmed(data: bytes, recording: Recording) -> bytes:
    """Returns the file `data`, whose decoded form is `recording`. If the file is more than 4096 bytes larger
    than the samples of `recording`, returns a new file with only these samples instead."""
    return data if len(data) <= recording.samples.nbytes + _HEADER_BYTES else _file_of(recording)


def without_silence(data: bytes, limits: RecordingLimits) -> bytes:
    """Returns `data` without the silence at its ends, as a new mono file: FLAC, or WAV with floats. 0.2 s are
    kept on each side. If no speech can be told from the noise, all is kept. The result may be shorter than
    `limits` allow. Raises the errors of decode_audio for `data`."""
    recording = decode_audio(data, limits)
    start, end = (round(at * recording.sample_rate) for at in measure(recording).keep)
    return _file_of(Recording(recording.samples[start:end], recording.sample_rate))


def _file_of(recording: Recording) -> bytes:
    """Returns a file that decode_audio decodes to exactly these samples: FLAC if they are 24-bit integers,
    else WAV with floats."""
    samples, rate = recording.samples, recording.sample_rate
    file = io.BytesIO()
    whole = np.clip(samples * 2**31, -(2**31), 2**31 - 2**8).astype(np.int32) >> 8
    if (whole.astype(np.float32) / 2**23).tobytes() == samples.tobytes():
        soundfile.write(file, whole << 8, rate, subtype="PCM_24", format="FLAC")
    else:
        soundfile.write(file, samples, rate, subtype="FLOAT", format="WAV")
    return file.getvalue()
