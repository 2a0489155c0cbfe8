"""OpenAI's API for adding and deleting voices (POST and DELETE under /v1/audio/voices), and for consents.

OpenAI's own service needs no transcript of the recording, but this model does. A client sends it in the extra
field prompt_text, or in ref_text as with vLLM-Omni. OpenAI adds a voice only if the speaker's recorded
consent was uploaded. This server leaves the consent to the user and the speaker. It accepts an uploaded
consent, so that programs written for OpenAI work, but keeps nothing of it.
"""

from __future__ import annotations

import time
import uuid
from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from glm_tts_api.api.access import KeyRequired, WriterRequired
from glm_tts_api.api.dependencies import AppStateDep
from glm_tts_api.api.openai.schemas import OpenAIError
from glm_tts_api.api.openapi import error_docs, form_docs
from glm_tts_api.api.registering import register
from glm_tts_api.audio.containers import HEAD_BYTES
from glm_tts_api.audio.decode import require_audio
from glm_tts_api.errors import InvalidField, NotFound, UnknownVoice, quote
from glm_tts_api.http.body import read_body
from glm_tts_api.validation import Echoed

_SAMPLE, _RECORDING = "audio_sample", "recording"

router = APIRouter(
    prefix="/v1/audio",
    tags=["OpenAI"],
    dependencies=[KeyRequired],
    responses=error_docs(400, 401, 403, 404, 422, 500, model=OpenAIError),
)
_WRITE = error_docs(413, 415, 429, 503, 507, model=OpenAIError)


class NewVoiceFields(BaseModel):
    """The fields of a new voice, in addition to its recording `audio_sample`."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    name: str = Field(description="The voice's name.", examples=["my_voice"])
    prompt_text: str | None = Field(
        default=None, description="The recording's exact transcript.", examples=["录音里说的每一个字。"]
    )
    ref_text: str | None = Field(
        default=None,
        description="The same as prompt_text, by the name that vLLM-Omni uses.",
        examples=["录音里说的每一个字。"],
    )
    consent: str | None = Field(default=None, description="Not needed and not kept.", examples=["any"])
    type: Literal["audio_sample"] = Field(
        default="audio_sample", description="Only this value is possible.", examples=["audio_sample"]
    )


class ConsentFields(BaseModel):
    """The fields of a consent, in addition to its recording `recording`."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    name: Echoed = Field(description="The name that the consent is for.", examples=["my_voice"])
    language: Echoed = Field(description="The language of the consent.", examples=["zh-CN"])


@router.post(
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


@router.delete("/voices/{name}", dependencies=[WriterRequired], responses=_WRITE)
async def delete_voice(name: str, state: AppStateDep) -> dict[str, Any]:
    """Deletes a voice that was added over the API."""
    try:
        await state.pools.files.run(state.voices.remove, name)
    except UnknownVoice as error:  # which would be answered 400
        raise NotFound(error.message) from None
    return {"id": name, "deleted": True, "object": "audio.voice.deleted"}


@router.post(
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


@router.get("/voice_consents")
async def list_consents() -> dict[str, Any]:
    """Answers with an empty list, because consents are not kept."""
    return {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}


@router.get("/voice_consents/{consent}")
@router.post("/voice_consents/{consent}", name="change_consent")
async def find_consent(consent: str) -> dict[str, Any]:
    """Always answers 404, because consents are not kept."""
    raise NotFound(f"There is no consent '{quote(consent)}': this server keeps none and needs none.")


@router.delete("/voice_consents/{consent}")
async def delete_consent(consent: str) -> dict[str, Any]:
    """Answers that the consent is deleted. Consents are not kept."""
    return {"id": quote(consent), "deleted": True, "object": "audio.voice_consent"}
