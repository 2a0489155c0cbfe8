"""Lists the voices and the models for clients of OpenAI's API. No key is needed, because many clients send
none with these requests."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from glm_tts_api.api.app_state import AppState
from glm_tts_api.api.dependencies import AppStateDep
from glm_tts_api.api.openai.schemas import OpenAIError
from glm_tts_api.api.openapi import error_docs
from glm_tts_api.errors import quote

MODEL = "glm-tts"
_CREATED = 1765411200  # the model's release, in seconds since 1970

router = APIRouter(prefix="/v1", tags=["OpenAI"], responses=error_docs(403, 500, model=OpenAIError))
_ASKED_FOR = error_docs(400, 422, model=OpenAIError)


@router.get("/models")
async def list_models(state: AppStateDep) -> dict[str, Any]:
    """Lists the server's only model, with the registered voices."""
    return {"object": "list", "data": [await _model(MODEL, state)]}


@router.get("/models/{model:path}", responses=error_docs(400, 404, 422, model=OpenAIError))
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
    return {
        "id": quote(name),
        "object": "model",
        "created": _CREATED,
        "owned_by": "zai-org",
        "voices": voices,
    }


async def _names(state: AppState) -> list[str]:
    voices = await state.pools.files.run(state.voices.list_voices)
    return [voice.index for voice in voices]
