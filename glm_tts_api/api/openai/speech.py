"""POST /v1/audio/speech: OpenAI's speech API. The audio is sent while it is made."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any, get_args

from fastapi import APIRouter, Request, Response

from glm_tts_api.api.access import KeyRequired
from glm_tts_api.api.app_state import AppState
from glm_tts_api.api.dependencies import AppStateDep
from glm_tts_api.api.logged import logged_speech
from glm_tts_api.api.openai.errors import openai_body
from glm_tts_api.api.openai.instructions import moody_voice
from glm_tts_api.api.openai.schemas import OpenAIError, OpenAISpeechFields
from glm_tts_api.api.openapi import audio_docs, error_docs, json_docs
from glm_tts_api.api.speech_response import EVENTS, event, speak, stream, whole_audio
from glm_tts_api.api.text_limits import check_text
from glm_tts_api.api.timestamps import times_body
from glm_tts_api.api.voice_names import marked_voices, named_voice, uploaded_voice
from glm_tts_api.contracts import (
    SAMPLE_RATE,
    AudioFormat,
    SamplingOptions,
    SpeechRequest,
    UploadedVoice,
    Voice,
)
from glm_tts_api.errors import InvalidField, ServiceError
from glm_tts_api.http.body import read_body
from glm_tts_api.http.uploads import Upload
from glm_tts_api.speech.times import SegmentTimes

PATH = "/v1/audio/speech"
_USAGE = ("input_tokens", "output_tokens", "total_tokens")
_RECORDING = "ref_audio"  # vLLM-Omni, mlx-audio and others call the field so

_EXAMPLE = {"model": "glm-tts", "input": "你好，欢迎使用语音合成服务。", "voice": "exampleA"}

router = APIRouter(prefix="/v1/audio", tags=["OpenAI"], dependencies=[KeyRequired])


class SpeechEvents:
    """Sends a streamed answer as server-sent events, each with a piece of the audio (OpenAI's
    stream_format=sse)."""

    media_type: str | None = EVENTS
    takes_errors = True

    def __init__(self, warnings: Sequence[str]) -> None:
        self._end: dict[str, Any] = {"type": "speech.audio.done", "usage": dict.fromkeys(_USAGE, 0)}
        if warnings:
            self._end["warnings"] = list(warnings)

    def piece(self, audio: bytes) -> bytes:
        return event({"type": "speech.audio.delta", "audio": base64.b64encode(audio).decode()})

    def times(self, segment: SegmentTimes) -> bytes:
        return event({"type": "speech.audio.timestamps", **times_body(segment)})

    def end(self, verified: list[dict[str, Any]]) -> bytes:
        return event(self._end | ({"verified": verified} if verified else {}))

    def error(self, error: ServiceError) -> bytes:
        return event({"type": "error", **openai_body(error)})


@router.post(
    "/speech",
    response_class=Response,
    openapi_extra=json_docs(OpenAISpeechFields, name="OpenAISpeech", example=_EXAMPLE, recording=_RECORDING),
    responses={
        200: audio_docs(*get_args(AudioFormat), events="stream_format=sse"),
        **error_docs(400, 401, 403, 408, 413, 415, 422, 429, 500, 503, model=OpenAIError),
    },
)
async def create_speech(request: Request, state: AppStateDep) -> Response:
    """Says `input` in `voice`, or in the voice of `ref_audio`. An error before the first audio has its own
    HTTP status."""
    with logged_speech(request, "openai", state.speech.figures):
        body = await read_body(request, state.config.max_text_bytes, recording=_RECORDING)
        recording = body.uploads.get(_RECORDING)
        fields, warnings = body.without(_RECORDING).parse_speech(OpenAISpeechFields, voice="voice")
        asked = await _asked(request, state, fields, recording, warnings)
        if not fields.stream:
            return whole_audio(request, await speak(request, state, asked), asked)
        events = SpeechEvents(asked.warnings) if fields.stream_format == "sse" else None
        return await stream(request, state, asked, events)


async def _asked(
    request: Request,
    state: AppState,
    fields: OpenAISpeechFields,
    recording: Upload | None,
    warnings: list[str],
) -> SpeechRequest:
    check_text(request, state, fields.input, field="input")
    if fields.stream_format == "sse" and not fields.stream:
        raise InvalidField("stream_format=sse is a stream: send it without stream=false.", "stream")
    if recording is not None and "voice" in fields.model_fields_set:
        warnings.append(f"voice was ignored: {_RECORDING} says whose voice it is.")
    voice = await _voice(fields, recording, state)
    voice = await state.pools.files.run(moody_voice, voice, fields.instructions, state, warnings)
    return SpeechRequest(
        request.state.request_id,
        fields.input,
        voice,
        SamplingOptions(seed=fields.seed),
        SAMPLE_RATE,  # the rate at which the clients take PCM
        streams=fields.stream,
        others=await marked_voices(fields.input, state, voice),
        audio_format=fields.response_format,
        speed=fields.speed,
        timestamps=fields.timestamps,
        warnings=warnings,
        verify=fields.verify,
    )


async def _voice(
    fields: OpenAISpeechFields, recording: Upload | None, state: AppState
) -> Voice | UploadedVoice:
    if recording is not None:
        return await uploaded_voice(recording, fields.ref_text, state, names=(_RECORDING, "ref_text"))
    if fields.ref_text is not None:
        raise InvalidField(
            f"ref_text needs {_RECORDING}, the recording that it is the transcript of.", _RECORDING
        )
    return await state.pools.files.run(named_voice, fields.voice, state)
