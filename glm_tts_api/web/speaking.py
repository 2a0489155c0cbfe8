"""From a parsed request to whole speech: the part that every speech route shares."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import numpy as np
from fastapi import Request

from glm_tts_api.admission.lanes import Permit
from glm_tts_api.contracts import Float32, Timings, Utterance
from glm_tts_api.web.listening import while_client_listens
from glm_tts_api.web.request_log import SpeechLine
from glm_tts_api.web.service import Service, SpeechEngine


@dataclass(frozen=True, slots=True, eq=False)
class Speech:
    """A whole utterance as spoken: mono `pcm` [n] in [-1, 1], and how it came about."""

    pcm: Float32
    sample_rate: int
    timings: Timings
    generation_s: float

    @property
    def seconds(self) -> float:
        return len(self.pcm) / self.sample_rate


@asynccontextmanager
async def admitted(
    request: Request, service: Service, n_chars: int, line: SpeechLine, *, counted: bool
) -> AsyncIterator[Permit]:
    """A permit for a text of `n_chars`, within its deadline and for as long as its client listens."""
    service.require_ready()
    admission = service.admission.admit(n_chars, arrived_at=request.state.arrived_at, counted=counted)
    queued_at = time.perf_counter()
    async with while_client_listens(request.receive), AsyncExitStack() as stack:
        try:
            permit = await stack.enter_async_context(admission)
        finally:
            line.queue_s = time.perf_counter() - queued_at
        if not counted:
            yield permit
            return
        service.speaking.append(line)
        try:
            yield permit
        finally:
            service.speaking.remove(line)


async def speak(engine: SpeechEngine, utterance: Utterance, permit: Permit, line: SpeechLine) -> Speech:
    """The whole of the utterance. The permit is held until the engine has let go of the job, which may be
    after this was cancelled."""
    began = time.perf_counter()
    async with engine.synthesize(utterance) as stream:
        line.timings = stream.timings
        stream.on_freed(permit.hold())
        pieces = []
        async for chunk in stream:
            pieces.append(chunk.pcm)
            line.took(chunk)
    line.generation_s = time.perf_counter() - began
    pcm = await asyncio.to_thread(np.concatenate, [np.zeros(0, np.float32), *pieces])
    return Speech(pcm, utterance.sample_rate, stream.timings, line.generation_s)
