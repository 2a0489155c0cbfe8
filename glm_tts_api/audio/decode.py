"""Decodes an uploaded recording to mono samples, with libsndfile, or with FFmpeg (PyAV) for formats that
libsndfile does not read.

The file's first bytes decide which demuxer FFmpeg uses, so that a playlist or the like cannot make FFmpeg
open other files. Channels are mixed block by block, so that memory holds one channel however many there are.
Decoding stops as soon as the recording is too long. Knows no HTTP.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import av
import numpy as np
import soundfile

from glm_tts_api.audio.containers import FLAC, M4A, WAV, WEBM, Container, codec_in, container_of
from glm_tts_api.contracts import Float32, Recording
from glm_tts_api.errors import NotAudio, PromptRejected, quote

_MIN_RATE, _MAX_RATE = 4000, 192_000
_MAX_CHANNELS = 8
_SILENCE_PEAK = 1e-3  # -60 dB: below it there is hum or dither, not a voice
# A recording that is shorter than declared by more than this was cut off. libsndfile knows the exact number
# of frames; the duration in a container, which FFmpeg reports, is less exact.
_MISSING_S, _MISSING_BY_DURATION_S = 0.025, 0.1
_UNKNOWN_FRAMES = 2**62  # libsndfile gives at least this for a FLAC stream without a length
_STREAMED_RIFF = 0x7FFFF000  # from here on a RIFF size means "not known when the header was written"
_BLOCK = 2**16  # frames


@dataclass(frozen=True, slots=True)
class RecordingLimits:
    """The allowed length of a prompt recording, in seconds."""

    min_s: float = 1.0
    max_s: float = 30.0


def decode_audio(data: bytes, limits: RecordingLimits) -> Recording:
    """Decodes the file `data` to one channel, the mean of its channels that are not silent.

    Raises NotAudio if the file is no known audio container or its codec cannot be decoded. Raises
    PromptRejected if it is damaged, cut off, silent, too short or too long.
    """
    container = require_audio(data)
    if container is WAV:
        _require_whole_riff(data)
    recording = None
    with suppress(soundfile.LibsndfileError):
        recording = _decode_with_libsndfile(data, limits)
    return _checked(recording or _decode_with_ffmpeg(data, container, limits), limits)


def require_audio(head: bytes) -> Container:
    """Returns the container of a file by its first bytes `head`. Raises NotAudio for another kind of file,
    and PromptRejected for an empty one."""
    if not head:
        raise PromptRejected("The prompt recording is an empty file: send 3 to 10 s of speech.")
    container = container_of(head)
    if container is None:
        raise NotAudio("The prompt is not an audio file: send wav, mp3, flac, ogg, opus, m4a, aac or webm.")
    return container


class _Mix:
    """Mixes the channels of a recording into one, block by block while the recording is decoded. The file
    says that it is `declared_s` long; 0 if it does not say it. Raises PromptRejected for a number of channels
    or a rate that no recording has, and for one that is too long."""

    def __init__(
        self, n_channels: int, sample_rate: int, limits: RecordingLimits, declared_s: float = 0.0
    ) -> None:
        if not _MIN_RATE <= sample_rate <= _MAX_RATE or not 1 <= n_channels <= _MAX_CHANNELS:
            raise PromptRejected(
                f"The prompt recording has {n_channels} channels at {sample_rate} Hz; send 1 to "
                f"{_MAX_CHANNELS} channels at {_MIN_RATE} to {_MAX_RATE} Hz."
            )
        _require_not_longer(declared_s, limits)
        self._limits, self._sample_rate, self._declared_s = limits, sample_rate, declared_s
        # The memory of an empty array is allocated page by page as it is written.
        self._sum = np.empty(int(limits.max_s * sample_rate) + 1, np.float32)
        self.n_samples = 0
        self._low = np.full(n_channels, np.inf, np.float32)
        self._high = np.full(n_channels, -np.inf, np.float32)

    def add(self, block: Float32) -> None:
        """Adds the next block of samples [n, channels]. Raises PromptRejected once the recording is too
        long."""
        end = self.n_samples + len(block)
        if end > self._limits.max_s * self._sample_rate:
            raise _too_long(f"more than {self._limits.max_s:g} s", self._limits)
        with np.errstate(invalid="ignore", over="ignore"):  # _checked refuses such samples at the end
            np.sum(block, axis=1, out=self._sum[self.n_samples : end])
        self.n_samples = end
        self._low = np.minimum(self._low, block.min(axis=0))
        self._high = np.maximum(self._high, block.max(axis=0))

    def recording(self, *, missing_s: float) -> Recording:
        """Returns the whole recording. Raises PromptRejected if more than `missing_s` seconds of it are
        missing."""
        seconds = self.n_samples / self._sample_rate
        if seconds < self._declared_s - missing_s:
            raise _cut_off(f"{seconds:.2f} s of {self._declared_s:.2f} s")
        n_heard = int((self._high - self._low >= 2 * _SILENCE_PEAK).sum())
        return Recording(self._sum[: self.n_samples] / np.float32(max(1, n_heard)), self._sample_rate)


def _decode_with_libsndfile(data: bytes, limits: RecordingLimits) -> Recording | None:
    """Returns None for a FLAC stream without a length, which FFmpeg then decodes."""
    with soundfile.SoundFile(io.BytesIO(data)) as file:
        if file.frames >= _UNKNOWN_FRAMES:
            return None
        mix = _Mix(file.channels, file.samplerate, limits, file.frames / file.samplerate)
        while len(block := file.read(_BLOCK, dtype="float32", always_2d=True)):
            mix.add(block)
        return mix.recording(missing_s=_MISSING_S)


def _decode_with_ffmpeg(data: bytes, container: Container, limits: RecordingLimits) -> Recording:
    try:
        with av.open(io.BytesIO(data), format=container.demuxer, metadata_errors="ignore") as file:
            if not file.streams.audio:
                raise NotAudio("The prompt file holds no sound: send 3 to 10 s of speech.")
            stream = file.streams.audio[0]
            if stream.codec_context is None or not stream.channels:
                codec = quote(codec_in(data, container) or "a codec that it does not name")
                raise NotAudio(
                    f"The prompt's sound is in {codec}, which cannot be decoded here: save it as WAV or MP3."
                )
            says_its_length = container in (FLAC, M4A, WEBM) and file.duration is not None
            declared_s = file.duration / av.time_base if says_its_length else 0.0
            mix = _Mix(stream.channels, stream.rate, limits, declared_s)
            for block in _float_blocks(file.decode(stream), stream):
                mix.add(block)
            if not mix.n_samples:
                raise _undecodable()
            return mix.recording(missing_s=_MISSING_BY_DURATION_S)
    except (av.FFmpegError, ValueError) as error:
        raise _undecodable() from error


def _float_blocks(frames: Iterator[av.AudioFrame], stream: av.AudioStream) -> Iterator[Float32]:
    """Yields the samples of `frames` in blocks, float32 [n, channels] with full scale 1, at the rate and
    layout of `stream`."""
    to_float = av.AudioResampler(format="fltp", layout=stream.layout, rate=stream.rate)
    for frame in frames:
        for block in to_float.resample(frame):
            yield block.to_ndarray().T


def _require_not_longer(seconds: float, limits: RecordingLimits) -> None:
    if seconds > limits.max_s:
        raise _too_long(f"{seconds:.2f} s", limits)


def _too_long(measured: str, limits: RecordingLimits) -> PromptRejected:
    return PromptRejected(
        f"The prompt recording is {measured} long; at most {limits.max_s:g} s are possible, 3 to 10 s best."
    )


def _cut_off(what_is_there: str) -> PromptRejected:
    return PromptRejected(f"The prompt recording is cut off: {what_is_there} are there. Send the whole file.")


def _require_whole_riff(data: bytes) -> None:
    """Raises PromptRejected for a WAV file that is shorter than its header states, which libsndfile reads
    without an error."""
    (declared,) = struct.unpack_from("<I", data, 4) if len(data) >= 8 else (0,)
    if len(data) - 8 < declared < _STREAMED_RIFF:
        raise _cut_off(f"{len(data)} of {declared + 8} bytes")


def _undecodable() -> PromptRejected:
    return PromptRejected(
        "The prompt recording cannot be decoded: it is damaged or cut off. Save it again as WAV or MP3."
    )


def _checked(recording: Recording, limits: RecordingLimits) -> Recording:
    """Returns the recording, scaled down if its peak is above 1. Raises PromptRejected if it is damaged, too
    short, too long or silent."""
    samples = recording.samples
    if not np.isfinite(samples).all():
        raise _undecodable()
    if recording.seconds < limits.min_s:
        raise PromptRejected(
            f"The prompt recording is {recording.seconds:.2f} s long; "
            f"at least {limits.min_s:g} s are needed, 3 to 10 s best."
        )
    _require_not_longer(recording.seconds, limits)
    if np.abs(samples - samples.mean()).max() < _SILENCE_PEAK:
        raise PromptRejected("The prompt recording is silent: send 3 to 10 s of speech.")
    peak = float(np.abs(samples).max())
    return recording if peak <= 1.0 else Recording(samples / peak, recording.sample_rate)
