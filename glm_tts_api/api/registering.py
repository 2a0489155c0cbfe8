"""Runs the work of adding, changing and checking voices, for every API."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from fastapi import Request

from glm_tts_api.api.app_state import AppState
from glm_tts_api.errors import ServiceError
from glm_tts_api.voices.check import check_recording
from glm_tts_api.voices.store import VoiceStore

ResultT = TypeVar("ResultT")


async def register(
    request: Request, state: AppState, transcript: str, change: Callable[[], ResultT]
) -> ResultT:
    """Waits for a permit for work that is not speech, then runs `change` in a thread and returns its result.
    The length of `transcript` decides whether the work counts as short or long. `change` reads the recording
    itself, so that a waiting request stays small. Raises QueueFull, DeadlineExceeded, and the errors of
    `change`."""
    async with beside_speech(request, state, transcript):
        return await state.pools.beside.run(change)


@asynccontextmanager
async def beside_speech(request: Request, state: AppState, transcript: str) -> AsyncIterator[None]:
    """Waits for a permit for work that is not speech, and keeps it while the context lasts. The length of
    `transcript` decides whether the work counts as short or long. Raises QueueFull and
    DeadlineExceeded."""
    length = state.beside.config.measure(len(transcript))
    async with state.beside.admit(length, arrived_at=request.state.arrived_at, client=request.state.client):
        yield


def doubts_of(voices: VoiceStore, index: str) -> list[str]:
    """Returns a sentence for each doubtful point of the voice `index`, which was just written. The list is
    empty if the voice can no longer be read. Blocking."""
    try:
        voice = voices.get(index)
    except ServiceError:  # another writer changed it meanwhile
        return []
    found = check_recording(voice.recording, voice.transcript)
    return [each.message for each in found if each.status != "ok"]
