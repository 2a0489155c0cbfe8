"""A voice whose recording comes with a request and is not stored."""

from __future__ import annotations

from glm_tts_api.audio.decode import RecordingLimits, decode_audio
from glm_tts_api.contracts import UploadedVoice, Voice
from glm_tts_api.voices.decoded import digest_of


def decoded_voice(voice: UploadedVoice, limits: RecordingLimits) -> Voice:
    """Reads and decodes the recording of an uploaded voice. Raises the errors of decode_audio. Blocking."""
    data = voice.read()
    return Voice(decode_audio(data, limits), voice.transcript, digest_of(data))
