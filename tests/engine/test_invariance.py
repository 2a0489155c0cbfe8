"""The sound of a request does not depend on what else the server does: bit for bit in float32 on the CPU."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from glm_tts_api.contracts import Float32, SpeechRequest
from glm_tts_api.engine.engine import Engine
from tests.engine import tiny

WORDS = ["a", "hi", "so/on", "b/c/d", "one", "go", "p/q/r/s"]


@pytest.fixture(scope="module")
def requests() -> list[SpeechRequest]:
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
        for index in range(14)
    ]


async def together(engine: Engine, requests: Sequence[SpeechRequest]) -> list[Float32]:
    heard = [
        tiny.speak(engine, request, is_background=request.client == "background") for request in requests
    ]
    return await asyncio.gather(*map(tiny.pcm, heard))


@pytest.fixture(scope="module")
async def alone(requests: list[SpeechRequest]) -> list[Float32]:
    async with tiny.engine_of() as engine:
        return [await tiny.pcm(tiny.speak(engine, request)) for request in requests]


def assert_same(heard: Sequence[Float32], expected: Sequence[Float32]) -> None:
    pairs = enumerate(zip(heard, expected, strict=True))
    assert [index for index, pair in pairs if not np.array_equal(*pair)] == []


async def test_requests_differ_from_one_another_and_sound_the_same_together_as_alone(
    engine: Engine, requests: list[SpeechRequest], alone: list[Float32]
) -> None:
    assert len({(len(wave), float(np.abs(wave).sum())) for wave in alone}) == len(alone)
    assert_same(await together(engine, requests), alone)


async def test_in_another_order_of_several_clients_and_with_background_work_as_alone(
    engine: Engine, requests: list[SpeechRequest], alone: list[Float32]
) -> None:
    order = random.Random(1).sample(range(len(requests)), len(requests))
    clients = ["flood"] * 11 + ["single", "pair", "pair"]
    mixed = [
        replace(requests[index], client=client if index % 3 else "background")
        for index, client in zip(order, clients, strict=True)
    ]
    assert_same(await together(engine, mixed), [alone[index] for index in order])


@pytest.mark.parametrize("other", [{"threads": 1}, {"threads": 4}, {"deterministic": True}], ids=str)
async def test_on_other_numbers_of_cores_and_with_decode_steps_of_one_shape_as_ever(
    requests: list[SpeechRequest], alone: list[Float32], other: dict[str, Any]
) -> None:
    async with tiny.engine_of(replace(tiny.CONFIG, **other)) as engine:
        first = await tiny.pcm(tiny.speak(engine, requests[0]))
        assert_same([first, *await together(engine, requests[1:7])], alone[:7])
