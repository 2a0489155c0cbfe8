"""What nobody waits for stands back, on a CPU, for what somebody waits for."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tests.engine import tiny

N_SEGMENTS = 16
BOOK = "/".join("abcdefgh" for _ in range(N_SEGMENTS))
AT_WORK = 2  # segments of the book that may be at their last step when the request comes


@pytest.mark.usefixtures("one_thread")
def test_a_request_is_spoken_before_a_book_goes_on() -> None:
    async def speak() -> tuple[int, int]:
        engine = await tiny.ready(tiny.tiny_engine())
        n_chunks, begun = 0, asyncio.Event()

        async def read_out() -> None:
            nonlocal n_chunks
            asked = replace(tiny.asked(BOOK, use_cache=False), gives_way=True)
            async with tiny.speak(engine, asked) as stream:
                async for _ in stream:
                    n_chunks += 1
                    begun.set()

        try:
            book = asyncio.create_task(read_out())
            await begun.wait()
            before = n_chunks
            await tiny.pcm(tiny.speak(engine, tiny.asked("one/so/on/hi")))
            beside = n_chunks - before
            book.cancel()
            await asyncio.wait([book])
        finally:
            engine.close()
        return before, beside

    before, beside = asyncio.run(speak())
    assert before + beside < N_SEGMENTS, "the request came while the book was read"
    assert beside <= AT_WORK
