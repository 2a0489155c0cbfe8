"""Adding and deleting voices as OpenAI's clients do: POST and DELETE under /v1/audio/voices, and consents.

OpenAI's own service needs no transcript, the model does: it comes as prompt_text, a field more, or by
vLLM-Omni's name, ref_text. OpenAI lets only those add a voice who have the speaker's consent on record. Here
that is between the user and the speaker: a consent is answered, so that a program written for OpenAI goes on,
and nothing of it is kept.
"""

from __future__ import annotations

import time
import uuid
from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict

from glm_tts_api.api.access import KeyRequired, WriterRequired
from glm_tts_api.api.dependencies import AppStateDep
from glm_tts_api.api.registering import register
from glm_tts_api.audio.containers import HEAD_BYTES
from glm_tts_api.audio.decode import require_audio
from glm_tts_api.errors import InvalidField, NotFound, UnknownVoice, quote
from glm_tts_api.http.body import read_body
from glm_tts_api.validation import Echoed

_SAMPLE, _RECORDING = "audio_sample", "recording"

router = APIRouter(prefix="/v1/audio", include_in_schema=False, dependencies=[KeyRequired])


class NewVoiceFields(BaseModel):
    """Beside the recording, `audio_sample`."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    name: str
    prompt_text: str | None = None
    ref_text: str | None = None
    consent: str | None = None
    type: Literal["audio_sample"] = "audio_sample"


class ConsentFields(BaseModel):
    """Beside the recording, `recording`."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    name: Echoed
    language: Echoed


@router.post("/voices", dependencies=[WriterRequired])
async def add_voice(request: Request, state: AppStateDep) -> dict[str, Any]:
    """Registers a voice; its id is its name."""
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


@router.delete("/voices/{name}", dependencies=[WriterRequired])
async def delete_voice(name: str, state: AppStateDep) -> dict[str, Any]:
    try:
        await state.pools.files.run(state.voices.remove, name)
    except UnknownVoice as error:  # a bad request where it is to speak
        raise NotFound(error.message) from None
    return {"id": name, "deleted": True, "object": "audio.voice.deleted"}


@router.post("/voice_consents")
async def add_consent(request: Request, state: AppStateDep) -> dict[str, Any]:
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
    return {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}


@router.get("/voice_consents/{consent}")
@router.post("/voice_consents/{consent}")
async def find_consent(consent: str) -> dict[str, Any]:
    """To read it or to change its name."""
    raise NotFound(f"There is no consent '{quote(consent)}': none is kept here, and none is asked for.")


@router.delete("/voice_consents/{consent}")
async def delete_consent(consent: str) -> dict[str, Any]:
    return {"id": quote(consent), "deleted": True, "object": "audio.voice_consent"}
