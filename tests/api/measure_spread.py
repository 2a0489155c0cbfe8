"""How evenly 200 mixed requests spread over four workers: how often a worker's line waited while another
worker, without a line, had more than 20 % of its permits free.

    .venv/bin/python -m tests.api.measure_spread

The workers speak tones of a second, so that the figures are those of the spread alone. Each way of asking is
measured on a server of its own: all at once; 50 a second by new connections; 50 a second by 64 that are kept.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import threading
from pathlib import Path

import httpx

from glm_tts_api.stats.figures import LANES
from glm_tts_api.stats.shared import SharedStats, WorkerStats, service_of
from tests.api.server_process import Server

N_WORKERS, N_REQUESTS, PERMITS, A_SECOND = 4, 200, 20, 50
SHORT, LONG = "你好。", "你好。" * 100
LONG_SHARE = 0.2
WAYS = {
    "all at once": (False, 0),
    "new connections": (True, 0),
    "kept connections": (True, 64),
}


async def ask(port: int, *, paced: bool, n_kept: int) -> None:
    """Asks for 200 texts, a fifth of them long."""
    chance = random.Random(1)
    limits = httpx.Limits(max_connections=n_kept or None, max_keepalive_connections=n_kept)
    url = f"http://127.0.0.1:{port}/api/v1/tts"
    async with (
        httpx.AsyncClient(timeout=300, trust_env=False, limits=limits) as client,
        asyncio.TaskGroup() as all,
    ):
        for _ in range(N_REQUESTS):
            text = LONG if chance.random() < LONG_SHARE else SHORT
            all.create_task(client.post(url, json={"input_text": text, "index": "exampleA"}))
            if paced:
                await asyncio.sleep(chance.expovariate(A_SECOND))


def waits(worker: WorkerStats) -> bool:
    return any(worker.lanes[lane].waiting for lane in LANES)


def n_active(worker: WorkerStats) -> int:
    return sum(worker.lanes[lane].active for lane in LANES)


def is_uneven(workers: list[WorkerStats]) -> bool:
    free = [PERMITS - n_active(worker) for worker in workers if not waits(worker)]
    return any(map(waits, workers)) and any(n > 0.2 * PERMITS for n in free)


def measure(way: str, folder: Path) -> None:
    paced, n_kept = WAYS[way]
    environ = {"TONE_DELAY_S": "1", "TONE_LOAD_S": "[0,0,0,0]"}
    server = Server(folder, "tests.api.tone_app:app", environ=environ, workers=N_WORKERS)
    stats = SharedStats(folder / "run/generation-0", service=service_of(server.process.pid))
    over, seen = threading.Event(), []

    def look() -> None:
        while not over.wait(0.02):
            seen.append([worker for worker in stats.read() if worker.alive])

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        asyncio.run(ask(server.port, paced=paced, n_kept=n_kept))
    finally:
        over.set()
        watcher.join()
        totals = [sum(worker.lanes[lane].total for lane in LANES) for worker in stats.read()]
        server.end()
    share = sum(map(is_uneven, seen)) / len(seen)
    print(
        f"{way}: requests of each worker {totals}; a line waited beside free permits {share:.0%} of the time"
    )


if __name__ == "__main__":
    for way in WAYS:
        with tempfile.TemporaryDirectory() as folder:
            measure(way, Path(folder) / "server")
