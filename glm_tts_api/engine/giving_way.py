"""Requests that nobody waits for (`gives_way`) stand back for the other requests. Knows no tensors and no
threads."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from glm_tts_api.engine.cores import Cores
from glm_tts_api.engine.decode_batcher import DecodeBatcher
from glm_tts_api.engine.device_thread import DeviceThread
from glm_tts_api.engine.request import EngineRequest
from glm_tts_api.engine.scheduler import Scheduler
from glm_tts_api.engine.token2wav import Token2Wav


def let_rest(
    requests: Collection[EngineRequest],
    scheduler: Scheduler[EngineRequest],
    decoder: DecodeBatcher,
    token2wav: Token2Wav,
    renderers: Sequence[DeviceThread],
) -> None:
    """Decides whether requests that nobody waits for (`gives_way`) pause now, and tells the decode batch and
    the render stage. On a CPU these requests pause while any other request has work to do, because they would
    take its cores. On a GPU these requests never pause: they are decoded in the same steps as the others, and
    rendered when no other request has a span to render."""
    rests = token2wav.shares_cores and any(
        not request.asked.gives_way
        and (request.n_spans or request.n_waiting_rows or scheduler.holds(request))
        for request in requests
    )
    if rests == decoder.rests:
        return
    decoder.rests = rests
    token2wav.let_rest(rests)
    for renderer in renderers:
        renderer.wake()


def render_takes_all(requests: Collection[EngineRequest], cores: Cores) -> bool:
    """Returns whether decoding pauses now. Decoding pauses while a stream is the only request, has a span to
    render, and renders on all cores: that span is heard before the tokens that would be decoded meanwhile."""
    return cores.all_for_one and len(requests) == 1 and all(map(_streams_a_span, requests))


def _streams_a_span(request: EngineRequest) -> bool:
    return request.asked.streams and request.n_spans > 0
