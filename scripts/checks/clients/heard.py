"""What every client here says and keeps: `python CLIENT.py URL FILE`, with that client alone installed."""

from __future__ import annotations

import sys
import wave

TEXT = "Hello, this is a test of the speech server. 你好。"
URL, FILE = sys.argv[1:3]
RATE = 24000


def keep_pcm(pcm: bytes, rate: int = RATE) -> None:
    """Samples that a client heard, 16 bit, mono, as a WAV at FILE."""
    with wave.open(FILE, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(pcm)
