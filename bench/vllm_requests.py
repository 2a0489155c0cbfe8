"""Measures what `vllm bench serve --backend openai-audio-speech` (vllm-omni 0.30.0) measures, without vLLM.

Sends POST /v1/audio/speech for streams of PCM. Prints the time to the first piece (TTFP), the real-time
factor, and the share of players that never stop for more than 0.1 s.

    python bench/vllm_requests.py [--requests N] [--concurrency N ...]

Starts a server for the measurement, as bench.py serve does.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import httpx

from bench.machine import describe
from bench.report import Progress
from bench.serve import percentile, running_server
from bench.streams import BYTES_PER_S, TEXTS, Heard

_THRESHOLD_S = 0.1  # the limit of vLLM's figure audio_continuity


async def _listen(client: httpx.AsyncClient, number: int) -> tuple[Heard, float]:
    """Sends one streaming request. Returns its pieces, and the seconds until the end of the answer."""
    body = {
        "model": "glm-tts",
        "input": TEXTS[number % len(TEXTS)],
        "stream": True,
        "stream_format": "audio",
        "response_format": "pcm",
    }
    begin, pieces = time.perf_counter(), list[tuple[float, float]]()
    async with client.stream("POST", "/v1/audio/speech", json=body) as answer:
        answer.raise_for_status()
        async for piece in answer.aiter_raw():
            pieces.append((time.perf_counter() - begin, len(piece) / BYTES_PER_S))
    return Heard(pieces), time.perf_counter() - begin


async def _measure(url: str, levels: Sequence[int], n_requests: int, progress: Progress) -> None:
    print("concurrency  audio s/s  mean TTFP s   p99  mean RTF  continuous  longest underrun s")
    async with httpx.AsyncClient(base_url=url, timeout=1800, trust_env=False) as client:
        for number in range(len(TEXTS)):
            await _listen(client, number)
        for level in levels:
            numbers, found = list(range(n_requests)), list[tuple[Heard, float]]()

            async def one_listener(
                numbers: list[int] = numbers, found: list[tuple[Heard, float]] = found
            ) -> None:
                while numbers:
                    found.append(await _listen(client, numbers.pop(0)))
                    progress.step()

            begin = time.perf_counter()
            await asyncio.gather(*(one_listener() for _ in range(level)))
            rate = sum(heard.audio_s for heard, _ in found) / (time.perf_counter() - begin)
            first = [heard.first_s for heard, _ in found]
            rtf = statistics.mean(all_s / heard.audio_s for heard, all_s in found)
            underruns = [max(heard.gaps_s(0.0)) for heard, _ in found]
            continuous = sum(underrun <= _THRESHOLD_S for underrun in underruns) / len(found)
            ttfp = f"{statistics.mean(first):>11.2f}  {percentile(first, 0.99):>4.2f}"
            print(
                f"{level:>11}  {rate:>9.2f}  {ttfp}  "
                f"{rtf:>8.2f}  {continuous:>10.0%}  {max(underruns):>18.2f}",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=16, help="per concurrency level")
    parser.add_argument("--concurrency", type=int, nargs="+", default=[1, 4])
    args = parser.parse_args()
    print(describe("cpu"), flush=True)
    progress = Progress(args.requests * len(args.concurrency))
    with running_server(progress) as (url, _):
        asyncio.run(_measure(url, args.concurrency, args.requests, progress))
    progress.close()


if __name__ == "__main__":
    main()
