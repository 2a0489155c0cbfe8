"""From a parsed utterance to the stream of its audio. Knows admission and the engine; knows no HTTP.

Every API comes this way, and whoever speaks without one.
"""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from glm_tts_api.admission.lanes import Admission, Permit
from glm_tts_api.contracts import Timings, Utterance
from glm_tts_api.logs import text_logger

if TYPE_CHECKING:  # loads torch
    from glm_tts_api.engine.engine import Engine
    from glm_tts_api.engine.stream import SpeechStream


@asynccontextmanager
async def synthesize(
    admission: Admission,
    engine: Engine,
    *,
    n_chars: int,
    utterance: Callable[[], Awaitable[Utterance]],
    timings: Timings,
    arrived_at: float,
) -> AsyncIterator[tuple[Permit, SpeechStream]]:
    """A place in a lane, within the deadline, and the utterance begun; leaving the context stops its work.

    `utterance` makes what is to be said once there is a place: what waits in the queue is small. The place is
    held until the engine has let go of the request, which may be after this was left. Raises what says why
    nothing can be spoken (Loading, Unhealthy), QueueFull, DeadlineExceeded, and what `utterance` raises; the
    stream raises the rest.
    """
    engine.state.require_ready()
    async with AsyncExitStack() as stack:
        with timings.stage("queue"):
            permit = await stack.enter_async_context(admission.admit(n_chars, arrived_at=arrived_at))
        spoken = await utterance()
        if text_logger.isEnabledFor(logging.INFO):
            text_logger.info("says %s", json.dumps(spoken.text, ensure_ascii=False))
        await engine.wake()
        timings.start_generation()
        stream = await stack.enter_async_context(engine.synthesize(spoken, timings))
        stream.on_freed(permit.hold())
        yield permit, stream
