"""On a CPU, what nobody waits for stands back for what somebody waits for, and a client that has enough to
render decodes no more while another client waits."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from unittest.mock import MagicMock

import pytest

from glm_tts_api.contracts import SpeechRequest
from glm_tts_api.engine.core import pause_requests
from glm_tts_api.engine.engine import Engine
from glm_tts_api.engine.render_scheduler import RenderScheduler
from glm_tts_api.engine.scheduler import Scheduler
from tests.engine import tiny

N_SEGMENTS = 16
AT_WORK = 2  # segments of the book that may be at their last step when the request comes
TEXT = "one/so/on/hi"


async def test_a_request_is_spoken_before_a_book_goes_on(engine: Engine) -> None:
    book = tiny.asked("/".join(["abcdefgh"] * N_SEGMENTS), use_cache=False)
    async with tiny.speak(engine, book, is_background=True) as stream:
        n_chunks = 0

        async def read_out() -> None:
            nonlocal n_chunks
            async for _ in stream:
                n_chunks += 1

        await anext(stream)
        reading = asyncio.create_task(read_out())
        await tiny.pcm(tiny.speak(engine, tiny.asked(TEXT)))
        beside = n_chunks
        reading.cancel()
    assert beside < N_SEGMENTS - 1, "the request came while the book was read"
    assert beside <= AT_WORK


async def test_another_clients_request_is_spoken_before_the_most_of_a_flood(engine: Engine) -> None:
    asked = (tiny.asked(TEXT, seed=number, client="flood") for number in range(20))
    flood = [asyncio.create_task(tiny.pcm(tiny.speak(engine, one))) for one in asked]
    while tiny.rows_active(engine) < 20:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    await tiny.pcm(tiny.speak(engine, tiny.asked(TEXT, client="single")))
    assert sum(task.done() for task in flood) <= 10
    await asyncio.gather(*flood)


@dataclass(eq=False)
class Request:
    """A stand-in for an EngineRequest."""

    client: str
    due: float
    n_spans: int = 0
    n_rows: int = 0
    is_background: bool = False
    asked: SpeechRequest = field(init=False)

    def __post_init__(self) -> None:
        self.speech = tiny.asked("", client=self.client)


class Stages:
    """A stand-in for the decode batch and the render stage."""

    def __init__(self, *, shares_cores: bool) -> None:
        self.shares_cores, self.queue = shares_cores, RenderScheduler()
        self.paused: set[Request] = set()


FLOOD = [Request("flood", due, n_spans=1) for due in range(5)]
LATER, STREAM = Request("flood", 9, n_rows=1), Request("flood", 2.5, n_rows=1)
SINGLE, IDLE = Request("single", 10, n_rows=1), Request("idle", 11)
JOB = Request("job", 0, n_spans=9, is_background=True)


@pytest.mark.parametrize(
    ("requests", "paused"),
    [
        ([*FLOOD, LATER, STREAM], []),
        ([*FLOOD, LATER, STREAM, IDLE], []),
        ([*FLOOD, LATER, STREAM, SINGLE], [LATER]),
        ([LATER, SINGLE, *FLOOD[1:]], []),
        ([*FLOOD, JOB], [JOB]),
        ([JOB, IDLE], []),
        ([SINGLE, JOB, LATER, *FLOOD], [LATER, JOB]),
    ],
)
def test_which_requests_pause(requests: Sequence[Request], paused: Sequence[Request]) -> None:
    for shares_cores in (True, False):
        stages, renderers = Stages(shares_cores=shares_cores), [MagicMock(), MagicMock()]
        scheduler = Scheduler[Request](20)
        for each in requests:
            scheduler.admit(each)
        scheduler.assign({each: each.n_rows for each in requests})
        pause_requests(*cast(Any, (requests, scheduler, stages, stages, renderers)))
        assert stages.paused == (set(paused) if shares_cores else set())
        assert stages.queue.background_paused == (shares_cores and requests != [JOB, IDLE])
