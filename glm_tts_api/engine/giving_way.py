"""Decides which requests stand back for other requests. Knows no tensors and no threads."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence

from glm_tts_api.engine.cores import Cores
from glm_tts_api.engine.decode_batcher import DecodeBatcher
from glm_tts_api.engine.device_thread import DeviceThread
from glm_tts_api.engine.request import EngineRequest
from glm_tts_api.engine.scheduler import Scheduler
from glm_tts_api.engine.token2wav import Token2Wav

_ENOUGH_SPANS = 2  # for each render thread: so many keep it at work for a while


def let_rest(
    requests: Collection[EngineRequest],
    scheduler: Scheduler[EngineRequest],
    decoder: DecodeBatcher,
    token2wav: Token2Wav,
    renderers: Sequence[DeviceThread],
) -> None:
    """Decides which requests pause on a CPU, where they would take cores from others, and tells the decode
    batch and the render stage. While any other request has work to do, requests that nobody waits for
    (`gives_way`) pause. While several clients have work to do, a request's decoding pauses if its client has
    spans enough to render that are due sooner. On a GPU no request pauses: all are decoded in the same steps,
    and a request that nobody waits for is rendered when no other request has a span to render."""
    if not token2wav.shares_cores:
        return
    clients = {
        each.asked.client
        for each in requests
        if not each.asked.gives_way and (each.n_spans or each.n_waiting_rows or scheduler.holds(each))
    }
    resting, n_spans = set[EngineRequest](), Counter[str]()
    n_enough = _ENOUGH_SPANS * len(renderers) if len(clients) > 1 else math.inf
    for each in sorted(requests, key=lambda each: each.due):
        if clients and (each.asked.gives_way or n_spans[each.asked.client] > n_enough):
            resting.add(each)
        n_spans[each.asked.client] += each.n_spans
    decoder.resting = resting
    if token2wav.let_rest(bool(clients)):
        for renderer in renderers:
            renderer.wake()


def render_takes_all(requests: Collection[EngineRequest], cores: Cores) -> bool:
    """Returns whether decoding pauses now. Decoding pauses while a stream is the only request, has a span to
    render, and renders on all cores: that span is heard before the tokens that would be decoded meanwhile."""
    return cores.all_for_one and len(requests) == 1 and all(map(_streams_a_span, requests))


def _streams_a_span(request: EngineRequest) -> bool:
    return request.asked.streams and request.n_spans > 0
