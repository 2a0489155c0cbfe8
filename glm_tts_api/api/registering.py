"""Voices that are added, changed or checked, whichever API they come by."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from fastapi import Request

from glm_tts_api.api.app_state import AppState

ResultT = TypeVar("ResultT")


async def register(
    request: Request, state: AppState, transcript: str, change: Callable[[], ResultT]
) -> ResultT:
    """Runs `change` in a lane beside speech and returns its result. `change` reads the recording itself, so a
    waiting request is small. Raises QueueFull, DeadlineExceeded, and the errors of `change`."""
    length = state.beside.config.measure(len(transcript))
    async with state.beside.admit(length, arrived_at=request.state.arrived_at, client=request.state.client):
        return await state.pools.beside.run(change)
