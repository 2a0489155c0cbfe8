"""The sound of a request does not depend on what else the server does: bit for bit in float32 on the CPU."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import numpy as np
import pytest

from glm_tts_api.contracts import Float32, SpeechRequest
from glm_tts_api.engine.engine import Engine
from tests.engine import tiny

WORDS = ["a", "hi", "so/on", "b/c/d", "one", "go", "p/q/r/s"]


def mixed_requests(n: int) -> list[SpeechRequest]:
    """All options in turn, and voices of several lengths."""
    voices = [tiny.voice(number, seconds=0.5 + 0.3 * number) for number in range(4)]
    return [
        tiny.asked(
            WORDS[index % len(WORDS)],
            voice=voices[index % len(voices)],
            seed=index * 7919,
            method="topk" if index % 3 == 2 else "ras",
            top_k=5 + index,
            beam_size=1 + (index % 5 == 4),
            use_cache=index % 2 == 0,
            sample_rate=32000 if index % 4 == 3 else 24000,
            streams=index % 3 == 1,
        )
        for index in range(n)
    ]


@pytest.fixture(scope="module")
def requests() -> list[SpeechRequest]:
    return mixed_requests(20)


@asynccontextmanager
async def running() -> AsyncIterator[Engine]:
    engine = await tiny.ready(tiny.tiny_engine())
    try:
        yield engine
    finally:
        engine.close()


async def one_by_one(requests: Sequence[SpeechRequest]) -> list[Float32]:
    async with running() as engine:
        return [await tiny.pcm(tiny.speak(engine, request)) for request in requests]


async def together(requests: Sequence[SpeechRequest]) -> list[Float32]:
    async with running() as engine:
        return await asyncio.gather(*(tiny.pcm(tiny.speak(engine, request)) for request in requests))


async def while_others_are_cancelled(requests: Sequence[SpeechRequest]) -> list[Float32]:
    """Every request runs with a twin that is left half-way."""

    async def leave(engine: Engine, request: SpeechRequest, after_s: float) -> None:
        async with tiny.speak(engine, request):
            await asyncio.sleep(after_s)

    async with running() as engine:
        kept: list[Float32] = []
        for start in range(0, len(requests), 10):
            batch = requests[start : start + 10]
            leavers = [leave(engine, request, 0.05 * index) for index, request in enumerate(batch)]
            wanted = [tiny.pcm(tiny.speak(engine, request)) for request in batch]
            spoken, _ = await asyncio.gather(asyncio.gather(*wanted), asyncio.gather(*leavers))
            kept += spoken
        return kept


@pytest.fixture(scope="module")
def alone(requests: list[SpeechRequest]) -> list[Float32]:
    return asyncio.run(one_by_one(requests))


def assert_same(heard: Sequence[Float32], expected: Sequence[Float32]) -> None:
    differing = [
        index for index, pair in enumerate(zip(heard, expected, strict=True)) if not np.array_equal(*pair)
    ]
    assert differing == []


def test_requests_differ_from_one_another(alone: list[Float32]) -> None:
    lengths_and_sums = {(len(wave), float(np.abs(wave).sum())) for wave in alone}
    assert len(lengths_and_sums) == len(alone)


def test_the_same_request_sounds_the_same_in_a_fresh_engine(
    requests: list[SpeechRequest], alone: list[Float32]
) -> None:
    assert_same(asyncio.run(one_by_one(requests[:7])), alone[:7])


def test_together_as_alone(requests: list[SpeechRequest], alone: list[Float32]) -> None:
    assert_same(asyncio.run(together(requests)), alone)


def test_what_gives_way_sounds_as_ever(requests: list[SpeechRequest], alone: list[Float32]) -> None:
    standing_back = [
        replace(request, gives_way=index % 2 == 0) for index, request in enumerate(requests[:10])
    ]
    assert_same(asyncio.run(together(standing_back)), alone[:10])


def test_of_several_clients_as_of_one(requests: list[SpeechRequest], alone: list[Float32]) -> None:
    clients = ["flood"] * 17 + ["single", "pair", "pair"]
    shared = [replace(request, client=client) for request, client in zip(requests, clients, strict=True)]
    assert_same(asyncio.run(together(shared)), alone)


@pytest.mark.parametrize("threads", [1, 4])
def test_on_other_numbers_of_cores_alone_and_together(
    requests: list[SpeechRequest], alone: list[Float32], threads: int
) -> None:
    async def speak() -> list[Float32]:
        engine = await tiny.ready(tiny.tiny_engine(replace(tiny.CONFIG, threads=threads)))
        try:
            first = await tiny.pcm(tiny.speak(engine, requests[0]))
            others = (tiny.pcm(tiny.speak(engine, request)) for request in requests[1:7])
            return [first, *await asyncio.gather(*others)]
        finally:
            engine.close()

    assert_same(asyncio.run(speak()), alone[:7])


def test_in_another_order_as_alone(requests: list[SpeechRequest], alone: list[Float32]) -> None:
    order = list(range(len(requests)))
    random.Random(1).shuffle(order)
    heard = asyncio.run(together([requests[index] for index in order]))
    assert_same(heard, [alone[index] for index in order])


def test_while_others_are_cancelled_as_alone(requests: list[SpeechRequest], alone: list[Float32]) -> None:
    assert_same(asyncio.run(while_others_are_cancelled(requests)), alone)


def test_deterministic_sounds_as_ever_where_rows_do_not_depend_on_their_number(
    requests: list[SpeechRequest], alone: list[Float32]
) -> None:
    async def speak() -> list[Float32]:
        engine = await tiny.ready(tiny.tiny_engine(replace(tiny.CONFIG, deterministic=True)))
        try:
            return await asyncio.gather(*(tiny.pcm(tiny.speak(engine, request)) for request in requests))
        finally:
            engine.close()

    assert_same(asyncio.run(speak()), alone)
