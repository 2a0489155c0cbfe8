"""Measures the latency of one client's request while another client has eighty requests waiting."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx

from scripts.benchmarks.burst import TEXT

N_WAITING = 80
_SETTLED_S, _LOOKS = 0.1, 600


async def fair(client: httpx.AsyncClient) -> dict[str, Any]:
    """Measures one client's request on an idle server, and beside many waiting requests of another client.

    Returns both latencies in seconds (`idle_s`, `single_s`), and `service_s`, the time the server needs for
    one of the many. The clients differ in their X-Forwarded-For header, which the server trusts from this
    machine.
    """
    idle_s = await _say(client, "192.0.2.1", 0)
    limit = (await _lane(client))["limit"]
    many = [asyncio.create_task(_say(client, "192.0.2.2", number)) for number in range(limit + N_WAITING)]
    for _ in range(_LOOKS):
        if (await _lane(client))["waiting"] >= N_WAITING:
            break
        await asyncio.sleep(_SETTLED_S)
    else:
        raise SystemExit(f"{N_WAITING} requests do not wait: QUEUE_MAX_SIZE must be at least that")
    begin = time.perf_counter()
    single_s = await _say(client, "192.0.2.1", 0)
    n_ended = sum(task.done() for task in many)
    for task in many:
        task.cancel()
    await asyncio.gather(*many, return_exceptions=True)
    service_s = (time.perf_counter() - begin) * limit / max(1, n_ended)
    return {
        "waiting": N_WAITING,
        "idle_s": idle_s,
        "single_s": single_s,
        "service_s": service_s,
        "longer_than_idle_in_services": (single_s - idle_s) / service_s,
    }


async def _say(client: httpx.AsyncClient, address: str, seed: int) -> float:
    begin = time.perf_counter()
    form = {"input_text": TEXT, "index": "exampleA", "seed": str(seed)}
    answer = await client.post("/api/v1/tts", data=form, headers={"X-Forwarded-For": address})
    answer.raise_for_status()
    return time.perf_counter() - begin


async def _lane(client: httpx.AsyncClient) -> dict[str, int]:
    answer = await client.get("/api/v1/stats/concurrency")
    lane: dict[str, int] = answer.json()["stats"]["short_text"]
    return lane


def print_fair(result: dict[str, Any]) -> None:
    print(
        f"a single request beside {result['waiting']} waiting ones of another client: "
        f"{result['single_s']:.1f} s, {result['idle_s']:.1f} s on an idle server; longer by "
        f"{result['longer_than_idle_in_services']:.2f} of the time that a request has its place"
    )
