"""Makes broken recordings: files of many containers and codecs, damaged in many ways."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterator

import numpy as np

from tests.recordings import encoded, encoded_by_ffmpeg, png, voice

Spoil = Callable[[bytes, random.Random], bytes]
_WITH_LIBSNDFILE = (
    *(("WAV", subtype) for subtype in ("PCM_U8", "PCM_16", "PCM_24", "FLOAT", "DOUBLE", "ULAW", "MS_ADPCM")),
    *(("FLAC", "PCM_16"), ("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", "MPEG_LAYER_III"), ("AIFF", "PCM_16")),
    *(("W64", "PCM_16"), ("RF64", "PCM_16"), ("CAF", "PCM_16"), ("AU", "PCM_16")),
)
_WITH_FFMPEG = (
    *(("ipod", "aac"), ("webm", "libopus"), ("matroska", "pcm_s16le"), ("adts", "aac"), ("flac", "flac")),
    *(("mp4", "aac"), ("avi", "pcm_s16le"), ("mpegts", "aac")),
)
_NUMBERS = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 0x80000000)
_HEAD = 200  # bytes at a file's beginning, where most sizes and counts stand


def whole_files() -> list[bytes]:
    rate = 24000
    stereo = np.stack([voice(1.5, rate)] * 2, axis=1)
    files = [encoded(voice(1.5, rate), rate, kind, subtype=subtype) for kind, subtype in _WITH_LIBSNDFILE]
    files += [encoded(stereo, rate, "WAV", subtype="PCM_16")]
    files += [encoded_by_ffmpeg(voice(1.5, rate), rate, muxer, codec) for muxer, codec in _WITH_FFMPEG]
    return files


def never_audio() -> list[bytes]:
    """Returns files that are no usable recording.

    The files are playlists, pictures, archives, text, broken headers, and audio that is silent, clipped, very
    short, very long, or has samples that are not finite.
    """
    strange = np.array([np.nan, np.inf, -np.inf, 1e38] * 12000, np.float32)
    hours = np.zeros(60 * 8000 * 60, np.int16)
    return [
        *(b"", b"\0", b"\xff" * 2**16, bytes(2**20), b"PK\x03\x04" + bytes(200), png()),
        *(b"#EXTM3U\nfile:///etc/passwd\n", b"ffconcat version 1.0\nfile /etc/passwd\n"),
        b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>",
        *(b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f" + bytes(500), b"OggS" + bytes(27), b"fLaC" + b"\xff" * 500),
        *(b"RIFF\xff\xff\xff\xffWAVE" + bytes(100), b"\x1aE\xdf\xa3" + b"\xff" * 300),
        encoded(strange, 24000, "WAV", subtype="FLOAT"),
        encoded(np.zeros(48000, np.float32), 24000, "WAV"),
        encoded(np.ones(48000, np.float32), 24000, "WAV"),
        encoded(hours, 8000, "FLAC"),
        encoded(voice(1.5, 24000)[:200], 24000, "WAV"),
    ]


def _cut(data: bytes, draw: random.Random) -> bytes:
    return data[: draw.randrange(len(data) + 1)]


def _flipped(data: bytes, draw: random.Random) -> bytes:
    spoilt = bytearray(data)
    for _ in range(draw.choice((1, 4, 32, 256))):
        spoilt[draw.randrange(len(spoilt))] ^= 1 << draw.randrange(8)
    return bytes(spoilt)


def _renumbered(data: bytes, draw: random.Random) -> bytes:
    """Overwrites random places of a file's head, where sizes, rates and counts stand, with extreme
    numbers."""
    spoilt = bytearray(data)
    for _ in range(draw.choice((1, 1, 2, 4))):
        order, size = draw.choice("<>"), draw.choice("BHI")
        number = draw.choice(_NUMBERS) & (2 ** (8 * struct.calcsize(size)) - 1)
        struct.pack_into(order + size, spoilt, draw.randrange(min(_HEAD, len(spoilt)) - 4), number)
    return bytes(spoilt)


def _without_a_part(data: bytes, draw: random.Random) -> bytes:
    begin = draw.randrange(len(data))
    return data[:begin] + data[begin + draw.choice((1, 16, 512, 2**14)) :]


def _repeated(data: bytes, draw: random.Random) -> bytes:
    begin = draw.randrange(len(data))
    return data[:begin] + data[begin : begin + draw.choice((1, 16, 512, 2**14))] * 4 + data[begin:]


def _noise_within(data: bytes, draw: random.Random) -> bytes:
    begin = draw.randrange(len(data))
    noise = draw.randbytes(draw.choice((4, 64, 2**12)))
    return data[:begin] + noise + data[begin + len(noise) :]


SPOILS: tuple[Spoil, ...] = (
    _cut,
    _flipped,
    _renumbered,
    _renumbered,
    _without_a_part,
    _repeated,
    _noise_within,
)


def recordings(n: int, seed: int) -> Iterator[bytes]:
    draw, files = random.Random(seed), whole_files()
    yield from never_audio()[:n]
    for _ in range(n - len(never_audio())):
        data = draw.choice(files)
        if draw.random() < 0.1:
            other = draw.choice(files)
            data = data[: draw.randrange(len(data))] + other[draw.randrange(len(other)) :]
        for _ in range(draw.choice((1, 1, 1, 2, 3))):
            data = draw.choice(SPOILS)(data, draw) or b"\0"
            data += bytes(max(0, 8 - len(data)))
        yield data
