"""POST /v1/audio/speech: OpenAI's speech API, streamed as it is made."""

from __future__ import annotations

import base64

from fastapi import APIRouter, Request, Response

from glm_tts_api.api.access import KeyRequired
from glm_tts_api.api.app_state import AppState
from glm_tts_api.api.dependencies import AppStateDep
from glm_tts_api.api.logged import logged_speech
from glm_tts_api.api.openai.errors import openai_body
from glm_tts_api.api.openai.schemas import OpenAISpeechFields
from glm_tts_api.api.speech_response import EVENTS, event, stream
from glm_tts_api.api.text_limits import check_text
from glm_tts_api.api.voice_names import voices_of
from glm_tts_api.contracts import SAMPLE_RATE, SamplingOptions, SpeechRequest
from glm_tts_api.errors import ServiceError
from glm_tts_api.http.body import read_body

# OpenAI describes it; /docs is about our own API.
router = APIRouter(prefix="/v1/audio", include_in_schema=False, dependencies=[KeyRequired])


class SpeechEvents:
    """Server-sent events, each with a piece of the audio (OpenAI's stream_format=sse)."""

    media_type: str | None = EVENTS
    takes_errors = True

    def piece(self, audio: bytes) -> bytes:
        return event({"type": "speech.audio.delta", "audio": base64.b64encode(audio).decode()})

    def end(self) -> bytes:
        usage = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}
        return event({"type": "speech.audio.done", "usage": usage})

    def error(self, error: ServiceError) -> bytes:
        return event({"type": "error", **openai_body(error)})


@router.post("/speech")
async def create_speech(request: Request, state: AppStateDep) -> Response:
    """Says `input` in `voice`. Whatever goes wrong before the first audio has a status of its own."""
    with logged_speech(request, "openai", state.speech.figures):
        body = await read_body(request, state.config.max_text_bytes)
        fields, warnings = body.parse_speech(OpenAISpeechFields, voice="voice")
        asked = await _asked(request, state, fields, warnings)
        return await stream(request, state, asked, SpeechEvents() if fields.stream_format == "sse" else None)


async def _asked(
    request: Request, state: AppState, fields: OpenAISpeechFields, warnings: list[str]
) -> SpeechRequest:
    check_text(request, state, fields.input, field="input")
    voice, others = await voices_of(fields.voice, fields.input, state)
    return SpeechRequest(
        request.state.request_id,
        fields.input,
        voice,
        SamplingOptions(seed=fields.seed),
        SAMPLE_RATE,  # what the clients take PCM for
        streams=True,
        others=others,
        audio_format=fields.response_format,
        speed=fields.speed,
        warnings=warnings,
    )
