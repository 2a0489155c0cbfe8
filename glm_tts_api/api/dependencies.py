"""Gives the routes the parts of the running server."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from glm_tts_api.api.app_state import AppState


async def _app_state(request: HTTPConnection) -> AppState:
    state: AppState = request.app.state.parts
    return state


AppStateDep = Annotated[AppState, Depends(_app_state)]
