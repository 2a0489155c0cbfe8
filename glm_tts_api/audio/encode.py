"""Encodes mono samples in each of the audio formats, as a whole or piece by piece. Blocking. Works on numpy
arrays; knows no HTTP.

Every format can be sent while it is made: each `push` returns the bytes that are final. A WAV whose length is
not known yet has sizes of 0xFFFFFFFF, and an MP3 has no Xing header, so that files can be joined. MP3 and AAC
consist of whole frames: their length is right to half a frame, and the encoder's delay is removed.

Equal samples give equal bytes: no time, version or random number is written. Where its container has a place
for that, a file has a mark which tells programs that the speech is synthetic (Regulation (EU) 2024/1689,
article 50(2)). In a WAV the mark comes after the samples, which therefore begin at byte 44; a WAV of unknown
length has no mark. AAC, PCM and a telephone's mu-law and A-law have no place for it.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, cast
from zlib import crc32

import av
import numpy as np
import numpy.typing as npt
import soundfile

from glm_tts_api.audio.resample import Frames
from glm_tts_api.contracts import AudioFormat, Float32

# The term is IPTC's, in its vocabulary of digital source types: media that a trained model has generated.
TERM = "trainedAlgorithmicMedia"
_SAID = "Synthetic speech, made by AI"
MARK = f"{_SAID}. DigitalSourceType: http://cv.iptc.org/newscodes/digitalsourcetype/{TERM}"
_COMMENT = MARK.encode("ascii") + b"\0" * (2 - len(MARK) % 2)
# A RIFF chunk with MARK as its comment (LIST of type INFO, with ICMT), to follow the samples of a WAV.
RIFF_INFO = struct.pack("<4sI4s4sI", b"LIST", 12 + len(_COMMENT), b"INFO", b"ICMT", len(_COMMENT)) + _COMMENT
_FULL_SCALE = 32767
_BYTES_PER_SAMPLE = 2
_UNKNOWN_SIZE = 0xFFFFFFFF
_OPUS_RATES = (8000, 12000, 16000, 24000, 48000)
_TELEPHONE_RATE, _TELEPHONE_FRAME = 8000, 160  # ITU-T G.711; 20 ms, as telephones send it
_KBITS = {"mp3": 96, "aac": 96, "opus": 48}
_MP3_DELAY, _AAC_DELAY = 1105, 1024  # samples of delay, by LAME with its decoder and by FFmpeg's AAC encoder


class Encoder(Protocol):
    """Encodes pieces of mono float32 samples [n] in [-1, 1], in order. `sample_rate` is the rate at which the
    encoded audio plays."""

    sample_rate: int

    def push(self, pcm: Float32) -> bytes:
        """Encodes the next samples. Returns the bytes that are final now; possibly none."""

    def finish(self) -> bytes:
        """Ends the audio. Returns the last bytes."""


def media_type(audio_format: AudioFormat, sample_rate: int) -> str:
    """Returns the Content-Type of audio in this format; for PCM it has the rate and the channels."""
    if audio_format == "pcm":
        return f"audio/pcm;rate={sample_rate};channels=1"
    named = {"mp3": "mpeg", "opus": "ogg", "mulaw": "PCMU", "alaw": "PCMA"}
    return f"audio/{named.get(audio_format, audio_format)}"


def played_rate(audio_format: AudioFormat, sample_rate: int) -> int:
    """Returns the rate in Hz at which samples at `sample_rate` Hz play once they are in this format."""
    if audio_format in ("mulaw", "alaw"):
        return _TELEPHONE_RATE
    return 48000 if audio_format == "opus" and sample_rate not in _OPUS_RATES else sample_rate


def open_encoder(
    audio_format: AudioFormat, sample_rate: int, *, n_samples: int | None = None, kbits: int | None = None
) -> Encoder:
    """Returns an encoder for `audio_format`, which takes samples at `sample_rate` Hz. `n_samples` is the
    number of samples to come, None if unknown; a WAV then does not state its length. `kbits` is the bit rate
    of MP3, AAC and Opus in kbit/s; None is the usual rate."""
    kbits, played = kbits or _KBITS.get(audio_format, 0), played_rate(audio_format, sample_rate)
    match audio_format:
        case "pcm":
            return _Pcm(sample_rate)
        case "wav":
            return _Pcm(
                sample_rate, wav_header(sample_rate, n_samples), RIFF_INFO if n_samples is not None else b""
            )
        case "mp3":
            bare = {"write_xing": "0", "id3v2_version": "0"}
            return _Muxed(
                "libmp3lame",
                "mp3",
                sample_rate,
                sample_rate,
                bare,
                kbits=kbits,
                delay=_MP3_DELAY,
                codec_options={"reservoir": "0"},
                tail=_id3(),
            )
        case "aac":
            return _Muxed("aac", "adts", sample_rate, sample_rate, {}, kbits=kbits, delay=_AAC_DELAY)
        case "opus":
            paged = {"page_duration": "20000"}
            return _Muxed("libopus", "ogg", sample_rate, played, paged, comment=MARK, kbits=kbits)
        case "mulaw" | "alaw":
            codec = f"pcm_{audio_format}"
            return _Muxed(codec, audio_format, sample_rate, played, {}, frame_size=_TELEPHONE_FRAME)
        case "flac" if n_samples is None:
            return _Muxed("flac", "flac", sample_rate, sample_rate, {}, comment=MARK)
        case "flac":
            return _WholeFlac(sample_rate)


def encode(pcm: Float32, audio_format: AudioFormat, sample_rate: int) -> bytes:
    """Encodes the mono samples `pcm` [n] as a whole file in `audio_format`."""
    encoder = open_encoder(audio_format, sample_rate, n_samples=len(pcm))
    return encoder.push(pcm) + encoder.finish()


def to_pcm16(pcm: Float32) -> npt.NDArray[np.int16]:
    """Converts float samples in [-1, 1] to 16-bit integers. Samples outside are clipped."""
    return np.round(np.clip(pcm, -1.0, 1.0) * _FULL_SCALE).astype("<i2")


def from_pcm16(data: bytes) -> Float32:
    """Converts 16-bit samples to floats in [-1, 1]; `to_pcm16` gives back the same samples."""
    return np.frombuffer(data, "<i2").astype(np.float32) / np.float32(_FULL_SCALE)


def wav_header(sample_rate: int, n_samples: int | None) -> bytes:
    """Returns the 44 bytes before the samples of a mono 16-bit WAV. If `n_samples` is None, the sizes
    are unknown. Otherwise they count RIFF_INFO too, which the caller writes after the samples."""
    n_bytes = None if n_samples is None else _BYTES_PER_SAMPLE * n_samples
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        _UNKNOWN_SIZE if n_bytes is None else 36 + n_bytes + len(RIFF_INFO),
        b"WAVE",
        b"fmt ",
        16,
        1,  # PCM
        1,  # channels
        sample_rate,
        sample_rate * _BYTES_PER_SAMPLE,
        _BYTES_PER_SAMPLE,
        8 * _BYTES_PER_SAMPLE,
        b"data",
        _UNKNOWN_SIZE if n_bytes is None else n_bytes,
    )


def _id3() -> bytes:
    """Returns an ID3v1 tag with TERM as its comment, to follow the frames of an MP3. Decoders skip this tag
    when MP3s are joined. An ID3v2 tag, which has room for MARK, would be taken for a broken frame."""
    return struct.pack("3s30s30s30s4s30sB", b"TAG", _SAID.encode(), b"", b"", b"", TERM.encode(), 255)


@dataclass(slots=True)
class _Pcm:
    """Encodes samples of 16 bits, after `header`, which is returned together with the first of them, and
    before `tail`."""

    sample_rate: int
    header: bytes = b""
    tail: bytes = b""

    def push(self, pcm: Float32) -> bytes:
        header, self.header = self.header, b""
        return header + to_pcm16(pcm).tobytes()

    def finish(self) -> bytes:
        return self.header + self.tail


class _WholeFlac:
    """Encodes FLAC whose header states its length. All bytes are returned at the end, since the length is
    known only then."""

    def __init__(self, sample_rate: int) -> None:
        self.sample_rate = sample_rate
        self._bytes = io.BytesIO()
        self._file = soundfile.SoundFile(
            self._bytes, "w", sample_rate, channels=1, subtype="PCM_16", format="FLAC"
        )
        self._file.comment = MARK

    def push(self, pcm: Float32) -> bytes:
        self._file.write(to_pcm16(pcm))
        return b""

    def finish(self) -> bytes:
        self._file.close()
        return self._bytes.getvalue()


class _Muxed:
    """Encodes formats whose packets a muxer of FFmpeg writes. Opus and FLAC get a container. MP3 and AAC are
    bare packets, which are independent."""

    def __init__(
        self,
        codec: str,
        muxer: str,
        rate: int,
        heard: int,
        options: dict[str, str],
        *,
        comment: str = "",
        kbits: int = 0,
        delay: int | None = None,
        codec_options: dict[str, str] | None = None,
        tail: bytes = b"",
        frame_size: int = 1024,
    ) -> None:
        """`comment` is a tag of the container. `delay` is the encoder's delay in samples, which is cut off
        together with the padding at the end; None where the container declares both. `tail` are the bytes to
        write after the last packet. `frame_size` is for codecs whose frames may have any size."""
        self.sample_rate, self._tail = heard, tail
        self._sink = _Sink()
        options = {"flush_packets": "1", "fflags": "+bitexact", **options}
        self._container = av.open(self._sink, "w", format=muxer, options=options)
        if comment:
            self._container.metadata["comment"] = comment
        self._needs_serial = muxer == "ogg"
        self._stream = cast(av.AudioStream, self._container.add_stream(codec, rate=heard, layout="mono"))
        context = self._stream.codec_context
        if kbits:
            context.bit_rate = 1000 * kbits
        if delay is not None:
            context.format, context.options = "fltp", codec_options or {}
        context.open()
        self._frame_size = context.frame_size or frame_size
        self._input = Frames(rate, heard, context.format.name, self._frame_size)
        self._keeps_all = delay is None
        self._n_skipped = round((delay or 0) / self._frame_size)
        self._n_samples = self._n_sent = 0

    def push(self, pcm: Float32) -> bytes:
        self._n_samples += len(pcm)
        if self._needs_serial and len(pcm):
            self._needs_serial = False
            # Joined Ogg files form a chain, in which each file needs its own serial number (RFC 3533, 4).
            self._container.options["serial_offset"] = str(crc32(to_pcm16(pcm).tobytes()) >> 1)
        return self._mux(self._input.push(pcm))

    def finish(self) -> bytes:
        rest = self._mux([*self._input.finish(), None])
        self._container.close()
        return rest + self._taken() + self._tail

    def _mux(self, frames: Sequence[av.AudioFrame | None]) -> bytes:
        for frame in frames:
            self._container.mux([each for each in self._stream.encode(frame) if self._is_kept()])
        return self._taken()

    def _taken(self) -> bytes:
        data = bytes(self._sink)
        self._sink.clear()
        return data

    def _is_kept(self) -> bool:
        """Returns whether the encoder's next packet is neither its delay nor has more padding than sound."""
        if self._keeps_all:
            return True
        self._n_skipped -= 1
        if self._n_skipped >= 0 or self._n_sent * self._frame_size + self._frame_size // 2 > self._n_samples:
            return False
        self._n_sent += 1
        return True


class _Sink(bytearray):
    """A file object that keeps the muxer's output."""

    def write(self, data: bytes) -> int:
        self += data
        return len(data)
