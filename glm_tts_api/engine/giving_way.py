"""Work that nobody waits for gives way to work that somebody waits for. Knows no tensors and no threads."""

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
    """On a CPU all that gives way rests while any other request has something to do: it would take the cores.
    On a GPU it is decoded in the same steps, and rendered when nothing else is there."""
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
    """Whether decoding rests while a lone stream is rendered, on all cores: what is rendered is heard before
    what would be decoded."""
    return cores.all_for_one and len(requests) == 1 and all(map(_streams_a_span, requests))


def _streams_a_span(request: EngineRequest) -> bool:
    return request.asked.streams and request.n_spans > 0
