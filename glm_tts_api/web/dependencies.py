"""How a route gets at the running server's parts."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from glm_tts_api.web.app_state import AppState


async def _service(request: Request) -> AppState:
    service: AppState = request.app.state.service
    return service


AppStateDep = Annotated[AppState, Depends(_service)]
