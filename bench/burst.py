"""Sends many equal requests at once, and measures when each of them ends."""

from __future__ import annotations

import asyncio
import statistics
import time
from typing import Any

import httpx

N_REQUESTS = 30
TEXT = "今天天气非常好，我们一起去公园散步吧。"
_APART_S = 0.01  # between two requests, so that their order of arrival is known


async def burst(client: httpx.AsyncClient) -> dict[str, Any]:
    """Sends N_REQUESTS equal requests nearly at once, and returns figures about their ends.

    The figures are the seconds until the first, half and all of the requests have ended. `most_overtaken` is
    the largest number of later requests that ended before one request.
    """
    begin, ends = time.perf_counter(), list[tuple[float, int]]()

    async def one(number: int) -> None:
        await asyncio.sleep(_APART_S * number)
        form = {"input_text": TEXT, "index": "exampleA", "seed": str(number)}
        (await client.post("/api/v1/tts", data=form)).raise_for_status()
        ends.append((time.perf_counter() - begin, number))

    await asyncio.gather(*(one(number) for number in range(N_REQUESTS)))
    order = [number for _, number in sorted(ends)]
    overtaken = [sum(later > number for later in order[:place]) for place, number in enumerate(order)]
    seconds = [end for end, _ in ends]
    return {
        "requests": N_REQUESTS,
        "first_s": min(seconds),
        "p50_s": statistics.median(seconds),
        "total_s": max(seconds),
        "p50_of_total": statistics.median(seconds) / max(seconds),
        "most_overtaken": max(overtaken),
    }


def print_burst(result: dict[str, Any]) -> None:
    print(
        f"burst of {result['requests']} equal requests: first {result['first_s']:.1f} s, "
        f"half {result['p50_s']:.1f} s, all {result['total_s']:.1f} s "
        f"(half at {result['p50_of_total']:.2f} of the whole); "
        f"the most unlucky one was overtaken by {result['most_overtaken']}"
    )
