"""Measures one client's requests beside a flood of short requests of another client.

The clients differ in their X-Forwarded-For header, which the server trusts from this machine.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from bench.asking import SHORT, client_of, listen, say
from bench.server import running_server

N_FLOOD, N_IDLE = 40, 8
_SINGLE, _FLOOD = ({"X-Forwarded-For": address} for address in ("192.0.2.1", "192.0.2.2"))
_AFTER_S = (0.1, 0.5)  # the first single request is sent so many seconds after the flood
_APART_S = 0.05
Ask = Callable[[httpx.AsyncClient, int], Awaitable[float]]


async def _answer(client: httpx.AsyncClient, seed: int, headers: dict[str, str] = _SINGLE) -> float:
    return (await say(client, SHORT[seed % len(SHORT)], seed, "exampleA", headers=headers)).latency_s


async def _first_audio(client: httpx.AsyncClient, seed: int) -> float:
    return (await listen(client, seed, SHORT[seed % len(SHORT)], "exampleA", headers=_SINGLE)).first_s


ASKS: dict[str, tuple[Ask, str]] = {
    "answer": (_answer, "a single answer"),
    "first_audio": (_first_audio, "first audio of a single stream"),
}


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Measures on a server of its own, and prints and returns the figures."""
    with running_server() as (url, _):
        result = asyncio.run(_measure(url))
    print(
        f"{N_FLOOD} short requests of a client alone: {result['flood_s']:.1f} s; "
        f"with requests of another client beside them: {result['shared_flood_s']:.1f} s"
    )
    for name, (_, words) in ASKS.items():
        idle, beside = result[f"{name}_idle_s"], result[f"{name}_beside_s"]
        p50, worst = statistics.median(beside), max(beside)
        print(
            f"{words}: idle {idle:.2f} s, beside the flood p50 {p50:.2f} s ({p50 / idle:.1f}x), "
            f"worst of {len(beside)} {worst:.2f} s ({worst / idle:.1f}x)"
        )
    return result


async def _measure(url: str) -> dict[str, Any]:
    async with client_of(url) as client:
        await _answer(client, 0)  # computes the features of the voice
        result: dict[str, Any] = {}
        for name, (ask, _) in ASKS.items():
            result[f"{name}_idle_s"] = statistics.median([await ask(client, n) for n in range(N_IDLE)])
        result["flood_s"] = await _flood(client)
        for name, (ask, _) in ASKS.items():
            rounds = [await _beside(client, ask, after_s) for after_s in _AFTER_S]
            result[f"{name}_beside_s"] = [seconds for found, _ in rounds for seconds in found]
            result["shared_flood_s"] = max(flood_s for _, flood_s in rounds)
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
    await asyncio.gather(*(_answer(client, number, _FLOOD) for number in range(N_FLOOD)))
    return time.perf_counter() - begin
