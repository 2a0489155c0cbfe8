"""Measures how much a running job (a book) delays short requests: their latency without and with a job.

    python -m bench.beside_jobs [--rounds 4] [--requests 15]

Starts a server for the measurement. Rounds without and with a running job alternate: the job is paused in the
rounds without.
"""

from __future__ import annotations

import asyncio
import statistics
from typing import Any

import httpx

from bench.arguments import Arguments, progress
from bench.asking import client_of, percentile, say, shared
from bench.server import running_server

TEXT = "你好，欢迎使用语音合成服务。"
BOOK = "\n\n".join(f"第{number}段说的是江南的春天，和那里的人们怎样过日子。" for number in range(2000))
_SETTLES_S = 3.0


async def latencies(
    client: httpx.AsyncClient, job: str, action: str, n_requests: int, bar: Any
) -> list[float]:
    """Pauses or resumes the job, and sends `n_requests` short requests one after the other. Returns the
    seconds that each took."""
    (await client.post(f"/api/v1/jobs/{job}/{action}")).raise_for_status()
    await asyncio.sleep(_SETTLES_S)
    answers, _ = await shared(n_requests, 1, lambda seed: say(client, TEXT, seed, "exampleA"), bar)
    return [answer.latency_s for answer in answers]


async def measure(url: str, rounds: int, n_requests: int, bar: Any) -> None:
    alone, beside = list[float](), list[float]()
    async with client_of(url) as client:
        created = await client.post("/api/v1/jobs", json={"input_text": BOOK, "index": "exampleA"})
        job = created.json()["id"]
        for _ in range(rounds):
            alone += await latencies(client, job, "pause", n_requests, bar)
            beside += await latencies(client, job, "resume", n_requests, bar)
        done = (await client.get(f"/api/v1/jobs/{job}")).json()
        await client.delete(f"/api/v1/jobs/{job}")
    for name, seconds in (("without a job", alone), ("with a job", beside)):
        print(f"{name}: p50 {statistics.median(seconds):.2f} s, p95 {percentile(seconds, 0.95):.2f} s")
    print(f"p95 with / without: {percentile(beside, 0.95) / percentile(alone, 0.95):.2f}")
    print(f"the job made {done['segments_done']} segments, {done['audio_seconds']:.0f} s of audio")


def main() -> None:
    arguments = Arguments(__doc__)
    arguments.add_argument("--rounds", type=int, default=4)
    arguments.add_argument("--requests", type=int, default=15)
    args = arguments.parse_args()
    with progress(total=2 * args.rounds * args.requests) as bar, running_server() as (url, _):
        asyncio.run(measure(url, args.rounds, args.requests, bar))


if __name__ == "__main__":
    main()
