"""From a SpeechRequest to the stream of its audio. Knows admission and the engine; knows no HTTP."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from glm_tts_api.admission.lanes import Permit
from glm_tts_api.contracts import SpeechRequest, UploadedVoice
from glm_tts_api.errors import DeadlineExceeded
from glm_tts_api.logs import text_logger
from glm_tts_api.voices.unregistered import decoded_voice
from glm_tts_api.web.app_state import AppState
from glm_tts_api.web.request_log import RequestLog

if TYPE_CHECKING:  # loads torch
    from glm_tts_api.engine.stream import SpeechStream


@asynccontextmanager
async def speaking(
    state: AppState, asked: SpeechRequest, log: RequestLog, *, arrived_at: float
) -> AsyncIterator[tuple[Permit, SpeechStream]]:
    """Waits for a permit, then starts the speech; leaving the context stops it. `arrived_at` is on the loop's
    clock. A request that counts in no figures takes a lane of its own.

    The permit goes back when the engine has freed the request, which may be after the context is left. Raises
    Loading, Unhealthy, QueueFull, DeadlineExceeded, and what an uploaded recording is refused with;
    the stream raises the rest.
    """
    assert log.length is not None
    log.audio_format = asked.audio_format
    async with AsyncExitStack() as stack:
        stack.enter_context(deadline_adding(lambda: log.how_far))
        admission = state.verification
        if log.figures is not None:
            admission, log.recent = state.admission, state.recent
            stack.enter_context(_listed(log, state.active))
        with log.timings.stage("queue"):
            permit = await stack.enter_async_context(admission.admit(log.length, arrived_at=arrived_at))
        stack.callback(log.note_timeout, permit)
        if isinstance(asked.voice, UploadedVoice):
            voice = await state.pools.decode.run(decoded_voice, asked.voice, state.config.prompt_limits)
            asked = replace(asked, voice=voice)
        if text_logger.isEnabledFor(logging.INFO):
            text_logger.info("says %s", json.dumps(asked.text, ensure_ascii=False))
        await state.engine.wake()
        log.timings.start_generation()
        stream = await stack.enter_async_context(state.engine.synthesize(asked, log.timings))
        stream.on_freed(permit.hold())
        yield permit, stream


@contextmanager
def deadline_adding(sentence: Callable[[], str]) -> Iterator[None]:
    """A deadline that passes meanwhile says this too."""
    try:
        yield
    except DeadlineExceeded as error:
        raise DeadlineExceeded(f"{error.message} {sentence()}") from None


@contextmanager
def _listed(log: RequestLog, active: list[RequestLog]) -> Iterator[None]:
    active.append(log)
    try:
        yield
    finally:
        active.remove(log)
