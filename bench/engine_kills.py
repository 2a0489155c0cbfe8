"""Kills the engine processes of a server repeatedly, and compares each answer with its undisturbed answer.

    python bench/engine_kills.py [--engines 2] [--every 6] [--seconds 180] [--clients 12]
                                              [--signal KILL|STOP]

Clients of every kind (whole answers, streams, server-sent events, WebSockets; five formats, two voices, both
rates) repeat their requests to a server that this program starts. Every few seconds a random engine process
gets the signal. With STOP it stands still until the server kills it after WATCHDOG_S. Prints a table, and
exits 1 if a request failed or an answer has other bytes than before the first kill.
"""

from __future__ import annotations

import argparse
import hashlib
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
from itertools import count
from pathlib import Path
from typing import Any

import httpx
from websockets.sync.client import connect

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.report import Progress
from bench.serve import running_server

TEXTS = (
    "你好，很高兴认识你。",
    "Thank you for your help today. Please close the window.",
    "今天天气非常好，我们一起去公园散步。然后在湖边的小店里喝一杯热茶，再慢慢走回家去。",
    "The old library stood at the end of the street. Every evening its windows were full of light.",
)
VOICES = ("exampleA", "exampleB")
FORMATS = ("wav", "mp3", "opus", "flac", "pcm")

Ask = Callable[[str], bytes]


def whole(text: str, voice: str, audio_format: str, rate: int) -> Ask:
    return _posted(text, voice, audio_format, rate, stream=False)


def streamed(text: str, voice: str, audio_format: str, rate: int) -> Ask:
    return _posted(text, voice, audio_format, rate, stream=True)


def _posted(text: str, voice: str, audio_format: str, rate: int, *, stream: bool) -> Ask:
    form = {
        "input_text": text,
        "index": voice,
        "response_format": audio_format,
        "sample_rate": str(rate),
        "stream": str(stream).lower(),
    }

    def ask(url: str) -> bytes:
        answer = httpx.post(f"{url}/api/v1/tts", data=form, timeout=600, trust_env=False)
        answer.raise_for_status()
        return answer.content

    return ask


def events(text: str, voice: str, audio_format: str, _: int) -> Ask:
    body = {
        "model": "tts-1",
        "input": text,
        "voice": voice,
        "response_format": audio_format,
        "stream_format": "sse",
    }

    def ask(url: str) -> bytes:
        answer = httpx.post(f"{url}/v1/audio/speech", json=body, timeout=600, trust_env=False)
        answer.raise_for_status()
        return answer.content

    return ask


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
                    continue
                told: dict[str, Any] = json.loads(message)
                if told["type"] == "error":
                    raise RuntimeError(str(told))
        return audio

    return ask


KINDS = (whole, streamed, events, talked)


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


def digest(audio: bytes) -> str:
    return hashlib.sha256(audio).hexdigest()


def keep_asking(url: str, name: str, ask: Ask, expected: str, tally: Tally, stop: threading.Event) -> None:
    while not stop.is_set():
        began = time.monotonic()
        try:
            audio = ask(url)
        except Exception as error:
            tally.wrong.append(f"{name}: {type(error).__name__}: {error}"[:300])
        else:
            if digest(audio) == expected:
                tally.n_equal[name] += 1
            else:
                tally.wrong.append(f"{name}: {len(audio)} other bytes")
        tally.longest_s = max(tally.longest_s, time.monotonic() - began)


def engines(url: str) -> list[int]:
    """Returns the process ids of the engine processes that are running."""
    stats = httpx.get(f"{url}/api/v1/stats/concurrency", trust_env=False).json()
    return [worker["pid"] for worker in stats["per_worker"] if worker["pid"]]


def kill(url: str, number: int, draw: random.Random, tally: Tally) -> None:
    """Sends the signal `number` to a random engine process of the server, and counts the kill."""
    if pids := engines(url):
        os.kill(draw.choice(pids), number)
        tally.n_kills += 1


def run(
    *, n_engines: int, every_s: float, seconds: float, n_clients: int, number: int, environ: dict[str, str]
) -> tuple[Tally, dict[str, float]]:
    """Starts a server, lets clients send requests, and kills an engine process every `every_s` seconds.

    `number` is the signal. Returns the tally, and the server's counters of restarts and resumed requests.
    """
    draw, tally, stop = random.Random(1), Tally(), threading.Event()
    os.environ |= {"WORKERS": str(n_engines), **environ}
    with running_server(Progress(1)) as (url, _):
        asked = [(name, ask, digest(ask(url))) for name, ask in requests(n_clients, draw)]
        clients = [
            threading.Thread(target=keep_asking, args=(url, name, ask, expected, tally, stop), daemon=True)
            for name, ask, expected in asked
        ]
        for client in clients:
            client.start()
        end = time.monotonic() + seconds
        for _ in count():
            stop.wait(every_s)
            if time.monotonic() >= end:
                break
            kill(url, number, draw, tally)
        stop.set()
        for client in clients:
            client.join(600)
        return tally, told(url)


def told(url: str) -> dict[str, float]:
    wanted = (
        "glm_tts_engine_restarts_total",
        "glm_tts_requests_resumed_total",
        "glm_tts_watchdog_exits_total",
    )
    sums = dict.fromkeys(wanted, 0.0)
    for line in httpx.get(f"{url}/metrics", trust_env=False).text.splitlines():
        name = line.partition("{")[0]
        if name in sums:
            sums[name] += float(line.rpartition(" ")[2])
    return sums


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--engines", type=int, default=2)
    parser.add_argument("--every", type=float, default=6)
    parser.add_argument("--seconds", type=float, default=180)
    parser.add_argument("--clients", type=int, default=12)
    parser.add_argument("--signal", choices=("KILL", "STOP"), default="KILL")
    args = parser.parse_args()
    tally, counters = run(
        n_engines=args.engines,
        every_s=args.every,
        seconds=args.seconds,
        n_clients=args.clients,
        number=getattr(signal, f"SIG{args.signal}"),
        environ={"WATCHDOG_S": "8"} if args.signal == "STOP" else {},
    )
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
