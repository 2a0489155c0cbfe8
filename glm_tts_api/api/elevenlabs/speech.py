"""ElevenLabs' speech API. POST /v1/text-to-speech/{voice_id} answers when all of the text is spoken. With
/stream after the path, the audio is sent while it is made."""

from __future__ import annotations

from copy import deepcopy

from fastapi import APIRouter, Request, Response

from glm_tts_api.api.access import XiKeyRequired
from glm_tts_api.api.app_state import AppState
from glm_tts_api.api.dependencies import AppStateDep
from glm_tts_api.api.elevenlabs.schemas import ElevenLabsError, ElevenLabsQuery, ElevenLabsSpeechFields
from glm_tts_api.api.logged import logged_speech
from glm_tts_api.api.openapi import audio_docs, error_docs, json_docs, query_docs
from glm_tts_api.api.speech_response import speak, stream, whole_audio
from glm_tts_api.api.text_limits import check_text
from glm_tts_api.api.voice_names import voices_of
from glm_tts_api.contracts import SamplingOptions, SpeechRequest
from glm_tts_api.http.body import read_body, read_query

_EXAMPLE = {"text": "你好，欢迎使用语音合成服务。", "model_id": "eleven_multilingual_v2"}
_BODY = json_docs(ElevenLabsSpeechFields, name="ElevenLabsSpeech", example=_EXAMPLE)
_DOCS = {
    **_BODY,
    "parameters": [*_BODY["parameters"], *query_docs(ElevenLabsQuery)["parameters"]],
}

router = APIRouter(
    prefix="/v1/text-to-speech",
    tags=["ElevenLabs"],
    dependencies=[XiKeyRequired],
    responses={
        200: audio_docs("mp3", "opus", "pcm", "wav"),
        **error_docs(400, 401, 403, 404, 408, 413, 422, 429, 500, 503, model=ElevenLabsError),
    },
)


@router.post("/{voice_id}", response_class=Response, openapi_extra=_DOCS)
async def elevenlabs_speech(voice_id: str, request: Request, state: AppStateDep) -> Response:
    """Says `text` in the voice of the path, and answers when the whole text is spoken."""
    with logged_speech(request, "elevenlabs", state.speech.figures):
        asked = await _asked(request, state, voice_id, streams=False)
        return whole_audio(request, await speak(request, state, asked, streamed_by="/stream"), asked)


@router.post("/{voice_id}/stream", response_class=Response, openapi_extra=deepcopy(_DOCS))
async def elevenlabs_stream(voice_id: str, request: Request, state: AppStateDep) -> Response:
    """Says `text` in the voice of the path. The audio is sent while it is made."""
    with logged_speech(request, "elevenlabs", state.speech.figures):
        return await stream(request, state, await _asked(request, state, voice_id, streams=True))


async def _asked(request: Request, state: AppState, voice_id: str, *, streams: bool) -> SpeechRequest:
    query, unused = read_query(request).parse(ElevenLabsQuery)
    body = await read_body(request, state.config.max_text_bytes)
    fields, warnings = body.parse_speech(ElevenLabsSpeechFields, voice="the path")
    check_text(request, state, fields.text, field="text")
    voice, others = await voices_of(voice_id, fields.text, state)
    settings = fields.voice_settings
    unused += [
        f"voice_settings.{name} is not done here and was ignored."
        for name in ("stability", "similarity_boost", "style", "use_speaker_boost")
        if (settings.model_extra or {}).get(name) is not None
    ]
    return SpeechRequest(
        request.state.request_id,
        fields.text,
        voice,
        SamplingOptions(seed=fields.seed),
        query.sample_rate,
        streams=streams,
        others=others,
        audio_format=query.audio_format,
        speed=settings.speed,
        output_rate=query.output_rate,
        kbits=query.kbits,
        warnings=[*warnings, *unused],
        verify=fields.verify,
    )
