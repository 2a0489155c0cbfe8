"""Errors in the shape that ElevenLabs' clients read."""

from __future__ import annotations

from typing import Any

from glm_tts_api.api.v1.errors import status_of
from glm_tts_api.errors import QueueFull, ServiceError, TextTooLong, WrongKey

PREFIXES = ("/v1/text-to-speech/", "/v1/voices", "/v2/voices")
_STATUS: dict[type[ServiceError], int] = {QueueFull: 429, TextTooLong: 400, WrongKey: 401}


def elevenlabs_body(error: ServiceError) -> dict[str, Any]:
    return {"detail": {"status": error.code, "message": error.message}}


def elevenlabs_status(error: ServiceError) -> int:
    return _STATUS.get(type(error), status_of(error))
