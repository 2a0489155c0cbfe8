"""The mark in an audio file that tells programs that the speech is synthetic (Regulation (EU) 2024/1689,
article 50(2)). It does not change the samples."""

from __future__ import annotations

import struct

# The term is IPTC's, in its vocabulary of digital source types: media that a trained model has generated.
TERM = "trainedAlgorithmicMedia"
_SAID = "Synthetic speech, made by AI"
MARK = f"{_SAID}. DigitalSourceType: http://cv.iptc.org/newscodes/digitalsourcetype/{TERM}"


def riff_info() -> bytes:
    """Returns a RIFF chunk with MARK as its comment (LIST of type INFO, with ICMT), to follow the samples of
    a WAV."""
    text = MARK.encode("ascii") + b"\0"
    text += b"\0" * (len(text) % 2)
    return struct.pack("<4sI4s4sI", b"LIST", 12 + len(text), b"INFO", b"ICMT", len(text)) + text


def id3() -> bytes:
    """Returns an ID3v1 tag with TERM as its comment, to follow the frames of an MP3. Decoders skip this tag
    when MP3s are joined. An ID3v2 tag, which has room for MARK, would be taken for a broken frame."""
    return struct.pack("3s30s30s30s4s30sB", b"TAG", _SAID.encode(), b"", b"", b"", TERM.encode(), 255)
