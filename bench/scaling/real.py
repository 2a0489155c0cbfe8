"""Sends requests to a real service at random times, to compare its latencies with the simulation."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass

import httpx

from bench.serve import MIX, VOICES


@dataclass(frozen=True)
class Heard:
    """The seconds from sending a request to its first audio and to the end of its answer."""

    first_audio: float
    whole: float


async def ask(url: str, *, rate: float, requests: int, n_measured: int, seed: int = 1) -> list[Heard | None]:
    """Sends `requests` streaming requests, on average `rate` of them per second, and returns their times.

    The texts are the first `n_measured` of the mix, which repeat. A request that was refused or cut off gives
    None.
    """
    rng = random.Random(seed)
    async with httpx.AsyncClient(
        base_url=url, timeout=1800, trust_env=False, limits=httpx.Limits()
    ) as client:
        asked = []
        for number in range(requests):
            asked.append(asyncio.create_task(_listen(client, number % n_measured)))
            await asyncio.sleep(rng.expovariate(rate))
        return list(await asyncio.gather(*asked))


async def _listen(client: httpx.AsyncClient, number: int) -> Heard | None:
    form = {"input_text": MIX[number % len(MIX)], "index": VOICES[number % len(VOICES)], "seed": str(number)}
    form |= {"response_format": "pcm", "stream": "true"}
    begin, first = time.perf_counter(), 0.0
    try:
        async with client.stream("POST", "/api/v1/tts", data=form) as answer:
            answer.raise_for_status()
            async for _ in answer.aiter_raw():
                first = first or time.perf_counter() - begin
    except httpx.HTTPError:
        return None
    return Heard(first, time.perf_counter() - begin)
