"""A voice that a request brings with it, and that is kept nowhere."""

from __future__ import annotations

from glm_tts_api.audio.decode import RecordingLimits, decode_audio
from glm_tts_api.contracts import UploadedVoice, Voice
from glm_tts_api.voices.decoded import digest_of


def decoded_voice(voice: UploadedVoice, limits: RecordingLimits) -> Voice:
    """Raises what decode_audio raises. Blocking."""
    data = voice.read()
    return Voice(decode_audio(data, limits), voice.transcript, digest_of(data))
