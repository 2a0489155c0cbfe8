"""An uploaded recording to samples. libsndfile first, FFmpeg (PyAV) for what it does not read.

The demuxer is fixed by the file's first bytes, so that nothing like a playlist can make FFmpeg open other
files. Decoding stops as soon as a recording is known to be too long. Knows no HTTP.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import av
import numpy as np
import soundfile

from glm_tts_api.audio.containers import FLAC, M4A, WAV, WEBM, Container, container_of
from glm_tts_api.contracts import Float32, Recording
from glm_tts_api.errors import NotAudio, PromptRejected

_MIN_RATE, _MAX_RATE = 4000, 192_000
_MAX_CHANNELS = 8
_SILENCE_PEAK = 1e-3  # -60 dB: below it there is hum or dither, not a voice
# A recording that is this much shorter than it says was cut off. libsndfile knows its frames; a container's
# duration that FFmpeg tells is the muxer's word.
_MISSING_S, _MISSING_BY_DURATION_S = 0.025, 0.1
_UNKNOWN_FRAMES = 2**62  # what libsndfile says of a FLAC stream without a length
_STREAMED_RIFF = 0x7FFFF000  # from here on a RIFF size means "not known when the header was written"


@dataclass(frozen=True, slots=True)
class RecordingLimits:
    """How long a prompt recording may be, in seconds."""

    min_s: float = 1.0
    max_s: float = 30.0


class _LengthUnknown(Exception):
    """Such a stream has to be decoded bit by bit."""


def decode_audio(data: bytes, limits: RecordingLimits) -> Recording:
    """The recording in `data`, its channels kept, as [channels, n] float32.

    Raises NotAudio if the file is none of the known audio containers, PromptRejected if it cannot be decoded,
    is cut off, silent, too short or too long.
    """
    if not data:
        raise PromptRejected("The prompt recording is an empty file.")
    container = container_of(data)
    if container is None:
        raise NotAudio("The prompt is not an audio file: send wav, mp3, flac, ogg, opus, m4a, aac or webm.")
    if container is WAV:
        _require_whole_riff(data)
    try:
        recording = _decode_with_libsndfile(data, limits)
    except (soundfile.LibsndfileError, _LengthUnknown):
        recording = _decode_with_ffmpeg(data, container, limits)
    return _checked(recording, limits)


def _decode_with_libsndfile(data: bytes, limits: RecordingLimits) -> Recording:
    with soundfile.SoundFile(io.BytesIO(data)) as file:
        _require_usable(file.samplerate, file.channels)
        if file.frames >= _UNKNOWN_FRAMES:
            raise _LengthUnknown
        declared_s = file.frames / file.samplerate
        _require_not_longer(declared_s, limits)
        samples = file.read(dtype="float32", always_2d=True)
        _require_not_cut_off(len(samples) / file.samplerate, declared_s, tolerance_s=_MISSING_S)
        return Recording(np.ascontiguousarray(samples.T), file.samplerate)


def _decode_with_ffmpeg(data: bytes, container: Container, limits: RecordingLimits) -> Recording:
    try:
        with av.open(io.BytesIO(data), format=container.demuxer, metadata_errors="ignore") as file:
            if not file.streams.audio:
                raise NotAudio("The prompt file holds no sound.")
            stream = file.streams.audio[0]
            _require_usable(stream.rate, stream.channels)
            says_its_length = container in (FLAC, M4A, WEBM) and file.duration is not None
            declared_s = file.duration / av.time_base if says_its_length else 0.0
            _require_not_longer(declared_s, limits)
            blocks = list(_blocks_until(file.decode(stream), stream, limits))
            if not blocks:
                raise _undecodable()
            samples = np.concatenate(blocks, axis=1)
            seconds = samples.shape[1] / stream.rate
            _require_not_cut_off(seconds, declared_s, tolerance_s=_MISSING_BY_DURATION_S)
            return Recording(samples, stream.rate)
    except (av.FFmpegError, ValueError) as error:
        raise _undecodable() from error


def _blocks_until(
    frames: Iterator[av.AudioFrame], stream: av.AudioStream, limits: RecordingLimits
) -> Iterator[Float32]:
    """Decoded blocks [channels, n]; ends with PromptRejected once they are too long together."""
    to_float = av.AudioResampler(format="fltp", layout=stream.layout, rate=stream.rate)
    n_samples = 0
    for frame in frames:
        for block in to_float.resample(frame):
            n_samples += block.samples
            if n_samples > limits.max_s * stream.rate:
                raise _too_long(f"more than {limits.max_s:g} s", limits)
            yield block.to_ndarray()


def _require_usable(sample_rate: int, n_channels: int) -> None:
    if not _MIN_RATE <= sample_rate <= _MAX_RATE or not 1 <= n_channels <= _MAX_CHANNELS:
        raise PromptRejected(
            f"The prompt recording has {n_channels} channels at {sample_rate} Hz; send 1 to {_MAX_CHANNELS} "
            f"channels at {_MIN_RATE} to {_MAX_RATE} Hz."
        )


def _require_not_longer(seconds: float, limits: RecordingLimits) -> None:
    if seconds > limits.max_s:
        raise _too_long(f"{seconds:.2f} s", limits)


def _too_long(measured: str, limits: RecordingLimits) -> PromptRejected:
    return PromptRejected(
        f"The prompt recording is {measured} long; at most {limits.max_s:g} s are possible, 3 to 10 s best."
    )


def _require_not_cut_off(seconds: float, declared_s: float, *, tolerance_s: float) -> None:
    if seconds < declared_s - tolerance_s:
        raise _cut_off(f"{seconds:.2f} s of {declared_s:.2f} s")


def _cut_off(what_is_there: str) -> PromptRejected:
    return PromptRejected(f"The prompt recording is cut off: {what_is_there} are there. Send the whole file.")


def _require_whole_riff(data: bytes) -> None:
    """libsndfile reads a WAV file that ends too soon without a word."""
    (declared,) = struct.unpack_from("<I", data, 4) if len(data) >= 8 else (0,)
    if len(data) - 8 < declared < _STREAMED_RIFF:
        raise _cut_off(f"{len(data)} of {declared + 8} bytes")


def _undecodable() -> PromptRejected:
    return PromptRejected(
        "The prompt recording cannot be decoded: it is damaged or cut off. Save it again as WAV or MP3."
    )


def _checked(recording: Recording, limits: RecordingLimits) -> Recording:
    """The recording with its peak within [-1, 1]; raises PromptRejected if there is nothing to hear in it."""
    samples = recording.samples
    if not np.isfinite(samples).all():
        raise _undecodable()
    if recording.seconds < limits.min_s:
        raise PromptRejected(
            f"The prompt recording is {recording.seconds:.2f} s long; "
            f"at least {limits.min_s:g} s are needed, 3 to 10 s best."
        )
    _require_not_longer(recording.seconds, limits)
    if np.abs(samples - samples.mean(axis=1, keepdims=True)).max() < _SILENCE_PEAK:
        raise PromptRejected("The prompt recording is silent: there is no voice in it.")
    peak = float(np.abs(samples).max())
    return recording if peak <= 1.0 else Recording(samples / peak, recording.sample_rate)
