"""Measures one client's requests beside a flood of short requests of another client.

The clients differ in their X-Forwarded-For header, which the server trusts from this machine.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from bench.report import Progress
from bench.serve import SHORT, running_server

N_FLOOD, N_IDLE = 40, 8
SINGLE, FLOOD = "192.0.2.1", "192.0.2.2"
_AFTER_S = (0.1, 0.5)  # the first single request is sent so many seconds after the flood
_APART_S = 0.05
Ask = Callable[[httpx.AsyncClient, int], Awaitable[float]]


def run() -> dict[str, Any]:
    """Measures on a server of its own, and prints and returns the figures."""
    progress = Progress(4)
    with running_server(progress) as (url, _):
        result = asyncio.run(_measure(url, progress))
    progress.close()
    print(
        f"{N_FLOOD} short requests of a client alone: {result['flood_s']:.1f} s; "
        f"with requests of another client beside them: {result['shared_flood_s']:.1f} s"
    )
    for name, words in (("answer", "a single answer"), ("first_audio", "first audio of a single stream")):
        idle, beside = result[f"{name}_idle_s"], result[f"{name}_beside_s"]
        p50, worst = statistics.median(beside), max(beside)
        print(
            f"{words}: idle {idle:.2f} s, beside the flood p50 {p50:.2f} s ({p50 / idle:.1f}x), "
            f"worst of {len(beside)} {worst:.2f} s ({worst / idle:.1f}x)"
        )
    return result


async def _measure(url: str, progress: Progress) -> dict[str, Any]:
    limits = httpx.Limits(max_connections=2 * N_FLOOD)
    async with httpx.AsyncClient(base_url=url, timeout=600, limits=limits) as client:
        await _answer(client, 0)  # computes the features of the voice
        result: dict[str, Any] = {}
        asks: dict[str, Ask] = {"answer": _answer, "first_audio": _first_audio}
        for name, ask in asks.items():
            idle = [await ask(client, number) for number in range(N_IDLE)]
            result[f"{name}_idle_s"] = statistics.median(idle)
        progress.step()
        result["flood_s"] = await _flood(client)
        progress.step()
        for name, ask in asks.items():
            rounds = [await _beside(client, ask, after_s) for after_s in _AFTER_S]
            result[f"{name}_beside_s"] = [seconds for found, _ in rounds for seconds in found]
            result["shared_flood_s"] = max(flood_s for _, flood_s in rounds)
            progress.step()
        return result


async def _beside(client: httpx.AsyncClient, ask: Ask, after_s: float) -> tuple[list[float], float]:
    """Sends single requests, one after the other, until a flood has ended. Returns their seconds and the
    flood's."""
    flood, found = asyncio.create_task(_flood(client)), list[float]()
    await asyncio.sleep(after_s)
    while not flood.done():
        found.append(await ask(client, len(found)))
        await asyncio.sleep(_APART_S)
    return found, await flood


async def _flood(client: httpx.AsyncClient) -> float:
    begin = time.perf_counter()
    await asyncio.gather(*(_answer(client, number, FLOOD) for number in range(N_FLOOD)))
    return time.perf_counter() - begin


def _form(number: int) -> dict[str, str]:
    return {"input_text": SHORT[number % len(SHORT)], "index": "exampleA", "seed": str(number)}


async def _answer(client: httpx.AsyncClient, number: int, address: str = SINGLE) -> float:
    begin = time.perf_counter()
    headers = {"X-Forwarded-For": address}
    (await client.post("/api/v1/tts", data=_form(number), headers=headers)).raise_for_status()
    return time.perf_counter() - begin


async def _first_audio(client: httpx.AsyncClient, number: int) -> float:
    form = {**_form(number), "stream": "true", "response_format": "pcm"}
    begin, first_s = time.perf_counter(), 0.0
    async with client.stream("POST", "/api/v1/tts", data=form, headers={"X-Forwarded-For": SINGLE}) as answer:
        answer.raise_for_status()
        async for _ in answer.aiter_bytes():
            first_s = first_s or time.perf_counter() - begin
    return first_s
