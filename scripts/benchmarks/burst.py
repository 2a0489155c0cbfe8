"""Many equal requests at once: who ends when, and how long the server's event loop stands still meanwhile."""

from __future__ import annotations

import asyncio
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

N_REQUESTS = 30
TEXT = "今天天气非常好，我们一起去公园散步吧。"
_EVERY_S = 0.005
_APART_S = 0.01  # so that the order in which they came is known


async def burst(client: httpx.AsyncClient) -> dict[str, Any]:
    """Seconds until half and all of the requests have ended, and by how many of those that came later the
    most unlucky one was overtaken."""
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


class LoopWatch:
    """Asks the server's event loop for a sign of life every few milliseconds; `longest_s` it took."""

    def __init__(self, url: str) -> None:
        self.longest_s = 0.0
        self._url = url
        self._stop = threading.Event()

    @contextmanager
    def watching(self) -> Iterator[None]:
        thread = threading.Thread(target=self._run, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()

    def _run(self) -> None:
        with httpx.Client(base_url=self._url, timeout=60, trust_env=False) as client:
            client.get("/api/v1/health/live")  # the connection is not the loop's doing
            while not self._stop.wait(_EVERY_S):
                begin = time.perf_counter()
                client.get("/api/v1/health/live")
                self.longest_s = max(self.longest_s, time.perf_counter() - begin)


def print_burst(result: dict[str, Any]) -> None:
    print(
        f"burst of {result['requests']} equal requests: first {result['first_s']:.1f} s, "
        f"half {result['p50_s']:.1f} s, all {result['total_s']:.1f} s "
        f"(half at {result['p50_of_total']:.2f} of the whole); "
        f"the most unlucky one was overtaken by {result['most_overtaken']}"
    )
