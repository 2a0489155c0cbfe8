"""Describes request bodies for /docs, since the routes read them without the framework."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

_PROMPT_AUDIO: dict[str, Any] = {
    "type": "string",
    "format": "binary",
    "description": "A recording of the voice: wav, mp3, flac, ogg, opus, m4a, aac or webm; "
    "PROMPT_MIN_SECONDS to PROMPT_MAX_SECONDS long, 3 to 10 s are best.",
}


def body_docs(model: type[BaseModel], *, examples: dict[str, Any]) -> dict[str, Any]:
    """`openapi_extra` of a route that takes `model` as a form or as JSON, and prompt_audio in a form."""
    schema = model.model_json_schema()
    with_file = {**schema, "properties": {**schema["properties"], "prompt_audio": _PROMPT_AUDIO}}
    return {
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {"schema": with_file},
                "application/x-www-form-urlencoded": {"schema": schema},
                "application/json": {"schema": schema, "example": examples},
            },
        }
    }
