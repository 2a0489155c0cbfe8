"""Measures what `vllm bench serve --backend openai-audio-speech` (vllm-omni 0.30.0) measures, without vLLM.

Sends POST /v1/audio/speech for streams of PCM. Prints the time to the first piece (TTFP), the real-time
factor, and the share of players that never stop for more than 0.1 s.

    python -m bench.vllm_requests [--requests N] [--concurrency N ...]

Starts a server for the measurement, as bench.py serve does.
"""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Sequence
from typing import Any

from bench.arguments import Arguments, progress
from bench.asking import MEDIUM, Heard, client_of, hear, percentile, shared
from bench.machine import describe
from bench.server import running_server

_THRESHOLD_S = 0.1  # the limit of vLLM's figure audio_continuity


async def _measure(url: str, levels: Sequence[int], n_requests: int, bar: Any) -> None:
    print("concurrency  audio s/s  mean TTFP s   p99  mean RTF  continuous  longest underrun s")
    async with client_of(url) as client:

        async def listen(number: int) -> Heard:
            options = {"stream": True, "stream_format": "audio", "response_format": "pcm"}
            body = {"model": "glm-tts", "input": MEDIUM[number % len(MEDIUM)], **options}
            return await hear(client.stream("POST", "/v1/audio/speech", json=body))

        for number in range(len(MEDIUM)):
            await listen(number)
        for level in levels:
            found, wall_s = await shared(n_requests, level, listen, bar)
            first = [heard.first_s for heard in found]
            underruns = [max(heard.gaps_s(0.0)) for heard in found]
            continuous = sum(underrun <= _THRESHOLD_S for underrun in underruns) / len(found)
            print(
                f"{level:>11}  {sum(heard.audio_s for heard in found) / wall_s:>9.2f}  "
                f"{statistics.mean(first):>11.2f}  {percentile(first, 0.99):>4.2f}  "
                f"{statistics.mean(heard.ended_s / heard.audio_s for heard in found):>8.2f}  "
                f"{continuous:>10.0%}  {max(underruns):>18.2f}",
                flush=True,
            )


def main() -> None:
    arguments = Arguments(__doc__)
    arguments.add_argument("--requests", type=int, default=16, help="per concurrency level")
    arguments.add_argument("--concurrency", type=int, nargs="+", default=[1, 4])
    args = arguments.parse_args()
    print(describe("cpu"), flush=True)
    with progress(total=args.requests * len(args.concurrency)) as bar, running_server() as (url, _):
        asyncio.run(_measure(url, args.concurrency, args.requests, bar))


if __name__ == "__main__":
    main()
