"""A voice that a request brings with it, and that is kept nowhere."""

from __future__ import annotations

from glm_tts_api.audio.decode import RecordingLimits, decode_audio
from glm_tts_api.contracts import Voice
from glm_tts_api.voices.decoded import digest_of


def unregistered_voice(data: bytes, transcript: str, limits: RecordingLimits) -> Voice:
    """`data`: the recording as a file. Raises what decode_audio raises. Blocking."""
    return Voice(decode_audio(data, limits), transcript, digest_of(data))
