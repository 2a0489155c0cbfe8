"""GET /health, as the server Speaches answers it. By this answer, the program wyoming_openai finds out that
/v1/models/{id} lists the voices."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse

from glm_tts_api.api.dependencies import AppStateDep

router = APIRouter(include_in_schema=False)


@router.get("/health")
async def health(state: AppStateDep) -> PlainTextResponse:
    """Answers with the one word OK while the server can speak, else with a 503 that says why it cannot."""
    state.speech.require_ready()
    return PlainTextResponse("OK")
