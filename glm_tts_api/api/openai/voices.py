"""Voices, models and consents for clients of OpenAI's API.

This model needs the recording's transcript, which OpenAI's service does not ask for: a client sends it in
the extra field prompt_text, or in ref_text as with vLLM-Omni. OpenAI adds a voice only with the speaker's
recorded consent. This server accepts a consent, so that programs written for OpenAI work, but keeps none.
"""

from __future__ import annotations

import time
import uuid
from typing import Any, Literal

from fastapi import Request
from fastapi.responses import PlainTextResponse

from glm_tts_api.api.access import WriterRequired
from glm_tts_api.api.app_state import AppState, AppStateDep
from glm_tts_api.api.background import register
from glm_tts_api.api.fields import Fields, described
from glm_tts_api.api.openai.speech import OPENAI
from glm_tts_api.api.openapi import form_docs
from glm_tts_api.audio.containers import HEAD_BYTES
from glm_tts_api.audio.decode import require_audio
from glm_tts_api.errors import InvalidField, NotFound, UnknownVoice, quote
from glm_tts_api.http.body import read_body
from glm_tts_api.validation import Echoed

MODEL = "glm-tts"
_SAMPLE, _RECORDING = "audio_sample", "recording"
_CREATED = 1765411200  # the model's release, in seconds since 1970

router = OPENAI.router("/v1", 403, 500, key=None)
_ASKED_FOR = OPENAI.errors(400, 422)


@router.get("/models")
async def list_models(state: AppStateDep) -> dict[str, Any]:
    """Lists the server's only model, with the registered voices."""
    return {"object": "list", "data": [await _model(MODEL, state)]}


@router.get("/models/{model:path}", responses=OPENAI.errors(400, 404, 422))
async def get_model(model: str, state: AppStateDep) -> dict[str, Any]:
    """Describes the server's only model. Any name means this model, also a name with slashes.
    A name with a line break is answered 404."""
    return await _model(model, state)


@router.get("/audio/models")
async def list_audio_models() -> dict[str, Any]:
    """Lists the server's only model in the form that Open WebUI reads."""
    return {"models": [{"id": MODEL, "name": "GLM-TTS"}]}


@router.get("/audio/voices", responses=_ASKED_FOR)
async def list_audio_voices(state: AppStateDep, legacy: bool = False) -> dict[str, Any]:
    """Lists every registered voice. With legacy=true, lists only the names."""
    names = await _names(state)
    return {"voices": names if legacy else [{"id": name, "name": name} for name in names]}


async def _model(name: str, state: AppState) -> dict[str, Any]:
    voices = [{"name": voice} for voice in await _names(state)]
    shown = {"id": quote(name), "object": "model", "created": _CREATED, "owned_by": "zai-org"}
    return {**shown, "voices": voices}


async def _names(state: AppState) -> list[str]:
    voices = await state.pools.files.run(state.voices.list_voices)
    return [voice.index for voice in voices]


custom_router = OPENAI.router("/v1/audio", 400, 401, 403, 404, 422, 500)
_WRITE = OPENAI.errors(413, 415, 429, 503, 507)


class NewVoiceFields(Fields):
    """The fields of a new voice, in addition to its recording `audio_sample`."""

    name: str = described("The voice's name.", "my_voice")
    prompt_text: str | None = described(
        "The recording's exact transcript.", "录音里说的每一个字。", default=None
    )
    ref_text: str | None = described(
        "The same as prompt_text, by the name that vLLM-Omni uses.", "录音里说的每一个字。", default=None
    )
    consent: str | None = described("Not needed and not kept.", "any", default=None)
    type: Literal["audio_sample"] = described(
        "Only this value is possible.", "audio_sample", default="audio_sample"
    )


class ConsentFields(Fields):
    """The fields of a consent, in addition to its recording `recording`."""

    name: Echoed = described("The name that the consent is for.", "my_voice")
    language: Echoed = described("The language of the consent.", "zh-CN")


@custom_router.post(
    "/voices",
    dependencies=[WriterRequired],
    openapi_extra=form_docs(NewVoiceFields, name="OpenAIVoiceUpload", file=_SAMPLE),
    responses=_WRITE,
)
async def add_voice(request: Request, state: AppStateDep) -> dict[str, Any]:
    """Registers a voice. The id of the voice is its name."""
    body = await read_body(request, state.config.max_text_bytes)
    fields, warnings = body.parse(NewVoiceFields, files=(_SAMPLE,))
    sample = body.needed_file(_SAMPLE, "the voice's recording")
    given = fields.prompt_text or fields.ref_text
    if given is None:
        raise InvalidField(
            f"prompt_text is missing: the exact transcript of {_SAMPLE} (ref_text is taken too). OpenAI's "
            'client sends it with extra_body={"prompt_text": "..."}.'
        )
    transcript = state.voices.check_transcript(given)
    voice = await register(
        request, state, transcript, lambda: state.voices.add(fields.name, transcript, sample.read())
    )
    return {
        "id": voice.index,
        "created_at": voice.created_at,
        "name": voice.index,
        "object": "audio.voice",
        "type": "audio_sample",
        "warnings": warnings,
    }


@custom_router.delete("/voices/{name}", dependencies=[WriterRequired], responses=_WRITE)
async def delete_voice(name: str, state: AppStateDep) -> dict[str, Any]:
    """Deletes a voice that was added over the API."""
    try:
        await state.pools.files.run(state.voices.remove, name)
    except UnknownVoice as error:  # which would be answered 400
        raise NotFound(error.message) from None
    return {"id": name, "deleted": True, "object": "audio.voice.deleted"}


@custom_router.post(
    "/voice_consents",
    openapi_extra=form_docs(ConsentFields, name="OpenAIConsentUpload", file=_RECORDING),
    responses=_WRITE,
)
async def add_consent(request: Request, state: AppStateDep) -> dict[str, Any]:
    """Accepts a consent, but keeps nothing of it."""
    body = await read_body(request, state.config.max_text_bytes)
    fields, _ = body.parse(ConsentFields, files=(_RECORDING,))
    recording = body.needed_file(_RECORDING, "the consent")
    require_audio(await state.pools.files.run(recording.read, HEAD_BYTES))
    return {
        "id": f"cons_{uuid.uuid4().hex}",
        "created_at": int(time.time()),
        "language": fields.language,
        "name": fields.name,
        "object": "audio.voice_consent",
    }


@custom_router.get("/voice_consents")
async def list_consents() -> dict[str, Any]:
    """Answers with an empty list, because consents are not kept."""
    return {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}


@custom_router.get("/voice_consents/{consent}")
@custom_router.post("/voice_consents/{consent}", name="change_consent")
async def find_consent(consent: str) -> dict[str, Any]:
    """Always answers 404, because consents are not kept."""
    raise NotFound(f"There is no consent '{quote(consent)}': this server keeps none and needs none.")


@custom_router.delete("/voice_consents/{consent}")
async def delete_consent(consent: str) -> dict[str, Any]:
    """Answers that the consent is deleted. Consents are not kept."""
    return {"id": quote(consent), "deleted": True, "object": "audio.voice_consent"}


health_router = OPENAI.router(key=None, include_in_schema=False)


@health_router.get("/health")
async def health(state: AppStateDep) -> PlainTextResponse:
    """Answers as the server Speaches does: with the word OK while the server can speak, else with a 503. By
    this answer, wyoming_openai finds out that /v1/models/{id} lists the voices."""
    state.speech.require_ready()
    return PlainTextResponse("OK")
