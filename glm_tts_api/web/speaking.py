"""From a parsed request to whole speech: the part that every speech route shares."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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
    request: Request, service: Service, utterance: Utterance, line: SpeechLine, *, counted: bool
) -> AsyncIterator[Permit]:
    """A permit in its turn, within the request's deadline and for as long as its client listens."""
    service.require_ready()
    admission = service.admission.admit(
        len(utterance.text), arrived_at=request.state.arrived_at, counted=counted
    )
    began, permit = time.perf_counter(), None
    try:
        async with while_client_listens(request.receive), admission as permit:
            line.timings.queue_s = permit.waited_s
            yield permit
    finally:
        if permit is None:  # never had its turn
            line.timings.queue_s = time.perf_counter() - began


async def speak(engine: SpeechEngine, utterance: Utterance, permit: Permit, line: SpeechLine) -> Speech:
    """The whole of the utterance. The permit is held until the engine has let go of the job, which may be
    after this was cancelled."""
    began = time.perf_counter()
    async with engine.synthesize(utterance) as stream:
        stream.timings.queue_s = permit.waited_s
        line.timings = stream.timings
        stream.on_freed(permit.hold())
        pieces = [chunk.pcm async for chunk in stream]
    line.generation_s = time.perf_counter() - began
    pcm = np.concatenate(pieces) if pieces else np.zeros(0, np.float32)
    return Speech(pcm, utterance.sample_rate, stream.timings, line.generation_s)
