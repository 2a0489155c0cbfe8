"""The mark in a file that says, for programs, that its speech is synthetic (Regulation (EU) 2024/1689,
article 50(2)). It leaves the samples as they are."""

from __future__ import annotations

import struct

# The term is IPTC's, in its vocabulary of digital source types: media that a trained model has generated.
TERM = "trainedAlgorithmicMedia"
_SAID = "Synthetic speech, made by AI"
MARK = f"{_SAID}. DigitalSourceType: http://cv.iptc.org/newscodes/digitalsourcetype/{TERM}"


def riff_info() -> bytes:
    """MARK as the comment (ICMT) of a LIST chunk of INFO, which may follow the samples of a WAV."""
    text = MARK.encode("ascii") + b"\0"
    text += b"\0" * (len(text) % 2)
    return struct.pack("<4sI4s4sI", b"LIST", 12 + len(text), b"INFO", b"ICMT", len(text)) + text


def id3() -> bytes:
    """An ID3v1 tag with TERM as its comment, which stands behind the frames of an MP3. Decoders of joined
    bodies skip it; an ID3v2 tag, which has room for MARK, they take for a broken frame."""
    return struct.pack("3s30s30s30s4s30sB", b"TAG", _SAID.encode(), b"", b"", b"", TERM.encode(), 255)
