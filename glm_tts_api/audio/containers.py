"""Which audio container a file is, told from its first bytes; a name or an extension proves nothing."""

from __future__ import annotations

from dataclasses import dataclass

HEAD_BYTES = 16


@dataclass(frozen=True, slots=True)
class Container:
    """`extension` without a dot; `demuxer` is FFmpeg's name for it."""

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
    """The container that `data` (at least its first HEAD_BYTES) begins like; None if it is none of ours."""
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


def _mpeg_frame(head: bytes) -> Container | None:
    """A bare MPEG frame header: 11 bits of sync, then version and layer."""
    if len(head) < 4 or head[0] != 0xFF:
        return None
    if head[1] & 0xF6 == 0xF0:
        return AAC
    layer = head[1] >> 1 & 3
    return MP3 if head[1] & 0xE0 == 0xE0 and layer in (1, 2) else None  # layers III and II
