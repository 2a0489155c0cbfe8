"""The least that each dialect needs to speak, and what the server makes of a body."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from glm_tts_api.contracts import SamplingOptions, SpeechRequest, Voice
from speech_text import ReadingOptions
from tests.api.running import Running

OURS, OPENAI, ZHIPU, SOVITS = "/api/v1/tts", "/v1/audio/speech", "/api/paas/v4/audio/speech", "/tts"
ELEVENLABS, KOKORO = "/v1/text-to-speech/exampleA", "/dev/captioned_speech"
SAY: dict[str, dict[str, Any]] = {
    OURS: {"input_text": "hello", "index": "exampleA"},
    OPENAI: {"input": "hello", "voice": "exampleA"},
    ZHIPU: {"input": "hello", "voice": "exampleA"},
    SOVITS: {"text": "hello", "ref_audio_path": "exampleA.wav"},
    ELEVENLABS: {"text": "hello"},
    KOKORO: {"input": "hello", "voice": "exampleA"},
}
TEXT = {path: next(iter(said)) for path, said in SAY.items()}  # the field of each that holds the text
_DEFAULTS = SpeechRequest("", "", Voice(None, "", "", ""))  # type: ignore[arg-type]
_OF_EACH = ("request_id", "client", "warnings")


def asked(server: Running) -> dict[str, Any]:
    """The fields of the last SpeechRequest that have not their defaults, those of its sampling and reading
    among them. A voice is its name, or the transcript that came with it."""
    request, found = server.engine.requests[-1], dict[str, Any]()
    for name in (each.name for each in fields(request) if each.name not in _OF_EACH):
        value, default = getattr(request, name), getattr(_DEFAULTS, name, None)
        if isinstance(value, SamplingOptions | ReadingOptions):
            parts = {each.name: getattr(value, each.name) for each in fields(value)}
            found |= {key: it for key, it in parts.items() if it not in (getattr(default, key), [])}
        elif isinstance(value, Voice):
            found[name] = value.name or value.transcript
        elif value != default:
            found[name] = {key: it.name for key, it in value.items()} if name == "others" else value
    return found
