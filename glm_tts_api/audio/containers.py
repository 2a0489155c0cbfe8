"""Tells the audio container of a file (WAV, MP3, ...) by its first bytes, since its name may be wrong. Also
finds the name that a container gives its codec, for error messages."""

from __future__ import annotations

import re
from dataclasses import dataclass

HEAD_BYTES = 16


@dataclass(frozen=True, slots=True)
class Container:
    """An audio container. `extension` has no dot; `demuxer` is FFmpeg's name for the container."""

    extension: str
    media_type: str
    demuxer: str


WAV = Container("wav", "audio/wav", "wav")
FLAC = Container("flac", "audio/flac", "flac")
OGG = Container("ogg", "audio/ogg", "ogg")
MP3 = Container("mp3", "audio/mpeg", "mp3")
M4A = Container("m4a", "audio/mp4", "mov")
WEBM = Container("webm", "audio/webm", "matroska")
AAC = Container("aac", "audio/aac", "aac")
AIFF = Container("aiff", "audio/aiff", "aiff")
CONTAINERS = (WAV, FLAC, OGG, MP3, M4A, WEBM, AAC, AIFF)


def container_of(data: bytes) -> Container | None:
    """Returns the container of the file `data`, of which the first HEAD_BYTES are enough. Returns None if it
    is none of CONTAINERS."""
    head = data[:HEAD_BYTES]
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        return WAV
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return AIFF
    if head[4:8] == b"ftyp":
        return M4A
    for magic, container in ((b"fLaC", FLAC), (b"OggS", OGG), (b"ID3", MP3), (b"\x1a\x45\xdf\xa3", WEBM)):
        if head.startswith(magic):
            return container
    return _mpeg_frame(head)


# Where a container names its codec. The search takes linear time with each of these patterns.
_CODEC_WORDS = {
    WAV: re.compile(rb"fmt .{4}(?:\xfe\xff.{22})?(..)", re.DOTALL),  # wFormatTag; SubFormat if extensible
    M4A: re.compile(rb"stsd.{12}(.{4})", re.DOTALL),  # the sample entry of a sound track
    WEBM: re.compile(rb"\x86([\x81-\xff]A_[A-Z0-9/_.]+)"),  # Matroska's CodecID after its length
}


def codec_in(data: bytes, container: Container) -> str | None:
    """Returns the codec that the file `data` names, in the container's own terms; None if it names none."""
    pattern = _CODEC_WORDS.get(container)
    sound_track = max(0, data.find(b"soun")) if container is M4A else 0
    found = pattern.search(data, sound_track) if pattern else None
    if found is None:
        return None
    word = found.group(1)
    if container is WAV:
        return f"WAVE format 0x{int.from_bytes(word, 'little'):04X}"
    if container is WEBM:
        word = word[1 : 1 + word[0] % 0x80]
    return word.decode("ascii", "replace")


def _mpeg_frame(head: bytes) -> Container | None:
    """Returns MP3 or AAC if `head` is the header of a bare MPEG audio frame (11 bits of sync, then version
    and layer); else None."""
    if len(head) < 4 or head[0] != 0xFF:
        return None
    if head[1] & 0xF6 == 0xF0:
        return AAC
    layer = head[1] >> 1 & 3
    return MP3 if head[1] & 0xE0 == 0xE0 and layer in (1, 2) else None  # layers III and II
