"""POST /v1/text-to-speech/{voice_id}, whole, and /stream, as it is made: ElevenLabs' speech API."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from glm_tts_api.api.access import XiKeyRequired
from glm_tts_api.api.app_state import AppState
from glm_tts_api.api.dependencies import AppStateDep
from glm_tts_api.api.elevenlabs.schemas import ElevenLabsQuery, ElevenLabsSpeechFields
from glm_tts_api.api.logged import logged_speech
from glm_tts_api.api.speech_response import speak, stream, whole_audio
from glm_tts_api.api.text_limits import check_text
from glm_tts_api.api.voice_names import voices_of
from glm_tts_api.contracts import SamplingOptions, SpeechRequest
from glm_tts_api.http.body import read_body, read_query

router = APIRouter(prefix="/v1/text-to-speech", include_in_schema=False, dependencies=[XiKeyRequired])


@router.post("/{voice_id}")
async def elevenlabs_speech(voice_id: str, request: Request, state: AppStateDep) -> Response:
    """Says `text` in the voice of the path, and answers when all of it is spoken."""
    with logged_speech(request, "elevenlabs", state.speech.figures):
        asked = await _asked(request, state, voice_id, streams=False)
        return whole_audio(request, await speak(request, state, asked, streamed_by="/stream"), asked)


@router.post("/{voice_id}/stream")
async def elevenlabs_stream(voice_id: str, request: Request, state: AppStateDep) -> Response:
    """The same, and the audio leaves as it is made."""
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
    )
