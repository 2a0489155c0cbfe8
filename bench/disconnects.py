"""Lets many clients disconnect at random moments of their requests, and checks that nothing is left over.

    python -m bench.disconnects [--count 500] [--clients 8] [--seed 0]
    WORKERS=2 python -m bench.disconnects

Starts a server for the test. Exits 1 if afterwards the server still counts a request as active or waiting, a
process has more open files than before, or a request for speech fails.
"""

from __future__ import annotations

import json
import random
import socket
import struct
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx

from bench.arguments import Arguments
from bench.server import running_server
from scripts.checks.torture.sayings import new_text, new_voice

SETTLE_S = 120
FORMATS = ("wav", "mp3", "opus", "flac", "pcm")
MOMENTS = ("sending", "at once", "waiting", "hearing")
RST = struct.pack("ii", 1, 0)  # SO_LINGER: close() resets the connection


def speech_request(draw: random.Random, longest: int, id: str) -> bytes:
    """Returns the bytes of a random HTTP request for speech with a text of at most `longest` characters.

    The request asks for a whole or streamed answer, with a voice or an uploaded recording, or by OpenAI's
    route. `id` is its request id.
    """
    text, audio_format = new_text(draw, longest), draw.choice(FORMATS)
    kind = draw.choice(("whole", "streamed", "upload", "openai", "openai events"))
    if kind.startswith("openai"):
        fields: dict[str, Any] = {"input": text, "voice": "alloy", "response_format": audio_format}
        if kind == "openai events":
            fields["stream_format"] = "sse"
        return _post("/v1/audio/speech", id, json=fields)
    fields = {"input_text": text, "response_format": audio_format, "stream": str(kind == "streamed").lower()}
    if kind == "upload":
        fields["prompt_text"] = new_text(draw, longest // 2)
        return _post("/api/v1/tts", id, data=fields, files={"prompt_audio": ("a.wav", new_voice(draw))})
    return _post("/api/v1/tts", id, data={**fields, "index": draw.choice(("exampleA", "exampleB"))})


def _post(path: str, id: str, **content: Any) -> bytes:
    request = httpx.Request("POST", f"http://localhost{path}", headers={"X-Request-Id": id}, **content)
    head = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in request.headers.items())]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + request.read()


def leave(port: int, request: bytes, moment: str, draw: random.Random) -> None:
    """Sends the request, or a part of it, and closes the connection at `moment` (one of MOMENTS).

    Half of the connections are reset (RST) instead of closed properly.
    """
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.settimeout(SETTLE_S)
        if draw.random() < 0.5:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RST)
        connection.sendall(request[: draw.randrange(len(request))] if moment == "sending" else request)
        if moment == "waiting":
            time.sleep(draw.expovariate(2))
        elif moment == "hearing":
            connection.recv(draw.randrange(1, 3000))


def leave_early(port: int, seed: int) -> str:
    """Sends a random request for speech and disconnects at a random moment. Returns the moment."""
    draw = random.Random(seed)
    request = speech_request(draw, 40, f"leaves-{seed}")
    moment = draw.choice(MOMENTS)
    leave(port, request, moment, draw)
    return moment


def stats(base_url: str) -> dict[str, Any]:
    body: dict[str, Any] = httpx.get(f"{base_url}/api/v1/stats/concurrency", trust_env=False).json()
    return body


def n_busy(base_url: str) -> int:
    """Returns the number of requests that the server counts as active or waiting."""
    return sum(lane["active"] + lane["waiting"] for lane in stats(base_url)["stats"].values())


def open_files(base_url: str) -> dict[int, int]:
    """Returns the number of open files of the server and of each engine process, by process id."""
    told = stats(base_url)
    pids = [told["worker"]["pid"], *(worker["pid"] for worker in told["per_worker"])]
    return {pid: len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in pids}


def leave_many(base_url: str, *, count: int, n_clients: int, seed: int) -> Counter[str]:
    """Lets `count` clients disconnect early, `n_clients` at a time.

    Counts them by the moment of disconnecting.
    """
    port = httpx.URL(base_url).port
    assert port is not None
    with ThreadPoolExecutor(n_clients) as pool:
        return Counter(pool.map(lambda number: leave_early(port, seed + number), range(count)))


def what_is_left(base_url: str, files_before: dict[int, int]) -> list[str]:
    """Returns a line for each fault that is left after at most SETTLE_S seconds, or an empty list.

    A fault is a request that the server still counts, a process with more open files than in `files_before`,
    or a new request that fails.
    """
    give_up = time.monotonic() + SETTLE_S
    while (busy := n_busy(base_url)) and time.monotonic() < give_up:
        time.sleep(0.2)
    faults = [f"{busy} requests are still active or waiting"] if busy else []
    while (more := _more_files(files_before, open_files(base_url))) and time.monotonic() < give_up:
        time.sleep(0.2)
    faults += more
    form = {"input_text": "hello", "index": "exampleA", "response_format": "wav"}
    spoken = httpx.post(f"{base_url}/api/v1/tts", data=form, timeout=600, trust_env=False)
    return faults if spoken.status_code == 200 else [*faults, f"speech: {spoken.status_code} {spoken.text}"]


def _more_files(before: dict[int, int], now: dict[int, int]) -> list[str]:
    return [
        f"process {pid} had {n_files} open files and has {now.get(pid, 'ended')}"
        for pid, n_files in before.items()
        if now.get(pid, n_files + 1) > n_files
    ]


def main() -> int:
    parser = Arguments(__doc__)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    with running_server() as (base_url, _):
        # a first round opens the files that the server keeps open
        leave_many(base_url, count=args.clients, n_clients=args.clients, seed=-args.clients)
        what_is_left(base_url, {})
        before = open_files(base_url)
        moments = leave_many(base_url, count=args.count, n_clients=args.clients, seed=args.seed)
        faults = what_is_left(base_url, before)
        lanes = stats(base_url)["stats"]
    print(f"left while {dict(moments)}; open files before {before}")
    print(json.dumps(lanes))
    print("\n".join(faults) or "nothing is left")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
