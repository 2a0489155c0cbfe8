"""GET /health as Speaches answers it. wyoming_openai tells by it that /v1/models/{id} lists the voices."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse

from glm_tts_api.api.dependencies import AppStateDep

router = APIRouter(include_in_schema=False)


@router.get("/health")
async def health(state: AppStateDep) -> PlainTextResponse:
    """OK, and no other word, while the server can speak; else the 503 that says why not."""
    state.speech.require_ready()
    return PlainTextResponse("OK")
