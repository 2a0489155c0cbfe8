"""On a CPU, what nobody waits for stands back for what somebody waits for, and a client that has enough to
render decodes no more while another client waits."""

from __future__ import annotations

import asyncio

from glm_tts_api.engine.engine import Engine
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
