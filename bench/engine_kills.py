"""Kills the engine processes of a server repeatedly, and compares each answer with its undisturbed answer.

    python -m bench.engine_kills [--engines 2] [--every 6] [--seconds 180] [--clients 12]
                                 [--signal KILL|STOP]

Clients of every kind (whole answers, streams, server-sent events, WebSockets; five formats, two voices, both
rates) repeat their requests to a server that this program starts. Every few seconds a random engine process
gets the signal. With STOP it stands still until the server kills it after 8 s. Prints a table, and
exits 1 if a request failed or an answer has other bytes than before the first kill.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx
from websockets.sync.client import connect

from bench.arguments import Arguments
from bench.server import running_server

TEXTS = (
    "你好，很高兴认识你。",
    "Thank you for your help today. Please close the window.",
    "今天天气非常好，我们一起去公园散步。然后在湖边的小店里喝一杯热茶，再慢慢走回家去。",
    "The old library stood at the end of the street. Every evening its windows were full of light.",
)
VOICES = ("exampleA", "exampleB")
FORMATS = ("wav", "mp3", "opus", "flac", "pcm")

Ask = Callable[[str], bytes]


def posted(path: str, fields: dict[str, Any], url: str) -> bytes:
    answer = httpx.post(f"{url}{path}", json=fields, timeout=600, trust_env=False)
    return answer.raise_for_status().content


def whole(text: str, voice: str, audio_format: str, rate: int, *, stream: bool = False) -> Ask:
    fields = {"input_text": text, "index": voice, "response_format": audio_format, "sample_rate": rate}
    return partial(posted, "/api/v1/tts", {**fields, "stream": stream})


def streamed(text: str, voice: str, audio_format: str, rate: int) -> Ask:
    return whole(text, voice, audio_format, rate, stream=True)


def events(text: str, voice: str, audio_format: str, _: int) -> Ask:
    fields = {"model": "tts-1", "input": text, "voice": voice, "response_format": audio_format}
    return partial(posted, "/v1/audio/speech", {**fields, "stream_format": "sse"})


def talked(text: str, voice: str, _: str, rate: int) -> Ask:
    def ask(url: str) -> bytes:
        audio = b""
        address = f"{url.replace('http', 'ws', 1)}/v1/audio/speech/stream"
        with connect(address, proxy=None, max_size=None) as client:
            client.send(json.dumps({"type": "start", "voice": voice, "sample_rate": rate}))
            client.send(json.dumps({"type": "text", "text": text}))
            client.send(json.dumps({"type": "end"}))
            for message in client:
                if isinstance(message, bytes):
                    audio += message
                elif (told := json.loads(message))["type"] == "error":
                    raise RuntimeError(str(told))
        return audio

    return ask


KINDS = (whole, streamed, events, talked)
COUNTERS = (
    "glm_tts_engine_restarts_total",
    "glm_tts_requests_resumed_total",
    "glm_tts_watchdog_exits_total",
)


@dataclass
class Tally:
    """The results: the number of right answers by kind of client, and a line for each wrong answer."""

    n_equal: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    n_kills: int = 0
    longest_s: float = 0.0


def requests(n: int, draw: random.Random) -> list[tuple[str, Ask]]:
    """Makes `n` different requests, each as (the name of its kind, a function that sends it to a URL)."""
    made = []
    for number in range(n):
        kind = KINDS[number % len(KINDS)]
        voice, rate = draw.choice(VOICES), draw.choice((24000, 32000))
        audio_format = FORMATS[number % len(FORMATS)]
        made.append((kind.__name__, kind(draw.choice(TEXTS), voice, audio_format, rate)))
    return made


def keep_asking(url: str, name: str, ask: Ask, expected: bytes, tally: Tally, stop: threading.Event) -> None:
    while not stop.is_set():
        began = time.monotonic()
        try:
            audio = ask(url)
        except Exception as error:
            tally.wrong.append(f"{name}: {type(error).__name__}: {error}"[:300])
        else:
            if audio == expected:
                tally.n_equal[name] += 1
            else:
                tally.wrong.append(f"{name}: {len(audio)} other bytes")
        tally.longest_s = max(tally.longest_s, time.monotonic() - began)


def kill(url: str, number: int, draw: random.Random, tally: Tally) -> None:
    """Sends the signal `number` to a random engine process that is running, and counts the kill."""
    workers = httpx.get(f"{url}/api/v1/stats/concurrency", trust_env=False).json()["per_worker"]
    if pids := [worker["pid"] for worker in workers if worker["pid"]]:
        os.kill(draw.choice(pids), number)
        tally.n_kills += 1


def run(args: argparse.Namespace) -> tuple[Tally, dict[str, float]]:
    """Starts a server, lets clients send requests, and kills an engine process every `args.every` seconds.

    Returns the tally, and the server's counters of restarts and resumed requests.
    """
    config = {"stall_s": 2.0} if args.signal == "STOP" else {}
    number = getattr(signal, f"SIG{args.signal}")
    draw, tally, stop = random.Random(1), Tally(), threading.Event()
    with running_server({"WORKERS": str(args.engines)}, **config) as (url, _):
        asked = [(name, ask, ask(url)) for name, ask in requests(args.clients, draw)]
        clients = [
            threading.Thread(target=keep_asking, args=(url, name, ask, expected, tally, stop), daemon=True)
            for name, ask, expected in asked
        ]
        for client in clients:
            client.start()
        end = time.monotonic() + args.seconds
        while time.monotonic() + args.every < end:
            time.sleep(args.every)
            kill(url, number, draw, tally)
        stop.set()
        for client in clients:
            client.join(600)
        return tally, told(url)


def told(url: str) -> dict[str, float]:
    """Returns the sums of the server's counters."""
    sums = dict.fromkeys(COUNTERS, 0.0)
    for line in httpx.get(f"{url}/metrics", trust_env=False).text.splitlines():
        name = line.partition("{")[0]
        if name in sums:
            sums[name] += float(line.rpartition(" ")[2])
    return sums


def main() -> int:
    parser = Arguments(__doc__)
    parser.add_argument("--engines", type=int, default=2)
    parser.add_argument("--every", type=float, default=6)
    parser.add_argument("--seconds", type=float, default=180)
    parser.add_argument("--clients", type=int, default=12)
    parser.add_argument("--signal", choices=("KILL", "STOP"), default="KILL")
    args = parser.parse_args()
    tally, counters = run(args)
    print(f"SIG{args.signal} to one of {args.engines} engines every {args.every:g} s: {tally.n_kills} times")
    for kind in KINDS:
        print(f"  {kind.__name__:10} {tally.n_equal[kind.__name__]:5} equal to the undisturbed answer")
    for name, total in counters.items():
        print(f"  {name} {total:g}")
    print(f"  the longest took {tally.longest_s:.1f} s; {len(tally.wrong)} failed or differed")
    for wrong in tally.wrong[:10]:
        print(f"    {wrong}")
    return int(bool(tally.wrong))


if __name__ == "__main__":
    sys.exit(main())
