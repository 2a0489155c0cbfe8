"""Which voices and models there are, as clients of OpenAI's API ask: without a key, many of them."""

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
    """The one model, with the voices that it has."""
    return {"object": "list", "data": [await _model(MODEL, state)]}


@router.get("/models/{model:path}", responses=_ASKED_FOR)
async def get_model(model: str, state: AppStateDep) -> dict[str, Any]:
    """Any name is the one model's, one with slashes too."""
    return await _model(model, state)


@router.get("/audio/models")
async def list_audio_models() -> dict[str, Any]:
    """The one model, as Open WebUI asks for it."""
    return {"models": [{"id": MODEL, "name": "GLM-TTS"}]}


@router.get("/audio/voices", responses=_ASKED_FOR)
async def list_audio_voices(state: AppStateDep, legacy: bool = False) -> dict[str, Any]:
    """Every registered voice; legacy=true: names alone."""
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
