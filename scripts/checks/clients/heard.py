"""The text that every client script here speaks, its arguments, and how it saves the audio.

A script is run as `python CLIENT.py URL FILE` in an environment where only that client's package is
installed.
"""

from __future__ import annotations

import sys
import wave

# The first take of TEXT has no fault, so a stream of it is as long as a whole answer.
TEXT = "Hello, this is a test of the speech server. 你好，世界。"
URL, FILE = sys.argv[1:3]
RATE = 24000


def keep_pcm(pcm: bytes, rate: int = RATE) -> None:
    """Writes `pcm` (16-bit mono samples at `rate` Hz that a client received) as a WAV file to FILE."""
    with wave.open(FILE, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(pcm)
