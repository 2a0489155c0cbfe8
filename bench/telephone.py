"""Counts how often a telephone runs dry, which plays a frame of 20 ms (160 bytes of mu-law) each 20 ms.

    python -m bench.telephone [--calls 6] [--beside 2] [--held 0.2]

Starts a server for the measurement. A call begins to play once `--held` seconds of audio have arrived, as
consumers of Twilio's Media Streams do. Calls over HTTP stream one answer; those over the WebSocket write
their text as an LLM does. `--beside` other clients listen to streams all the time.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import time
from itertools import count

import httpx
from websockets.asyncio.client import ClientConnection, connect

from bench.arguments import Arguments
from bench.asking import VOICES, Heard, client_of, hear, listen, percentile
from bench.server import running_server

_FRAME_S, _BYTES_PER_S = 0.02, 8000
_TURNS = (
    "您好，您的快递已经到了楼下。请问您现在方便下来取吗？如果不方便，我可以放在门口的柜子里。",
    "Good morning, this is your dentist. Your appointment is tomorrow at half past nine. "
    "Please call us back if you cannot come. We wish you a pleasant day.",
)
_PIECE, _PIECE_S = 4, 0.03  # an LLM's characters, and the time between them


async def over_http(url: str, number: int) -> Heard:
    said = {"input_text": _TURNS[number % 2], "index": VOICES[number % 2], "seed": number}
    async with client_of(url) as client:
        asked = client.stream(
            "POST", "/api/v1/tts", json={**said, "stream": True, "response_format": "mulaw"}
        )
        return await hear(asked, _BYTES_PER_S)


async def over_socket(url: str, number: int) -> Heard:
    begin, pieces = time.perf_counter(), list[tuple[float, float]]()
    async with connect(f"ws{url.removeprefix('http')}/v1/audio/speech/stream", proxy=None) as socket:
        writing = asyncio.create_task(_write(socket, number))
        async for frame in socket:
            if isinstance(frame, bytes):
                pieces.append((time.perf_counter() - begin, len(frame) / _BYTES_PER_S))
        await writing
    return Heard(pieces)


async def _write(socket: ClientConnection, number: int) -> None:
    start = {"voice": VOICES[number % 2], "response_format": "mulaw", "seed": number}
    await socket.send(json.dumps({"type": "start", **start}))
    for at in range(0, len(text := _TURNS[number % 2]), _PIECE):
        await socket.send(json.dumps({"type": "text", "text": text[at : at + _PIECE]}))
        await asyncio.sleep(_PIECE_S)
    await socket.send(json.dumps({"type": "end"}))


async def _beside(client: httpx.AsyncClient, number: int) -> None:
    for seed in count(number):
        await listen(client, seed)


async def measure(url: str, args: argparse.Namespace) -> None:
    async with client_of(url) as client:
        await listen(client, 0)
        await listen(client, 1)  # these two requests compute the features of both voices
        print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores", flush=True)
        others = [asyncio.create_task(_beside(client, number)) for number in range(args.beside)]
        for name, ask in (("HTTP", over_http), ("WebSocket", over_socket)):
            calls = [await ask(url, number) for number in range(args.calls)]
            gaps = [gap for heard in calls for gap in heard.gaps_s(args.held) if gap > 0]
            print(
                f"{name}: {args.calls} calls of {sum(heard.audio_s for heard in calls):.1f} s, "
                f"{len(gaps)} gaps, {sum(math.ceil(gap / _FRAME_S) for gap in gaps)} frames missed; "
                f"first audio p50 {percentile([heard.first_s for heard in calls], 0.5):.2f} s",
                flush=True,
            )
        for other in others:
            other.cancel()


def main() -> None:
    arguments = Arguments(__doc__)
    arguments.add_argument("--calls", type=int, default=6, help="of each way")
    arguments.add_argument("--beside", type=int, default=2)
    arguments.add_argument("--held", type=float, default=0.2, help="seconds")
    args = arguments.parse_args()
    with running_server() as (url, _):
        asyncio.run(measure(url, args))


if __name__ == "__main__":
    main()
