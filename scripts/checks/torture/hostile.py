"""Sends broken recordings to every route that takes a recording.

Each must get a clear answer, and must not cost the server much CPU time or memory.
"""

from __future__ import annotations

import base64
import tempfile
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from scripts.checks.torture.spoilt import recordings
from scripts.checks.torture.trying import TONES
from scripts.checks.torture.verdict import Verdict
from scripts.checks.torture.watching import Held
from tests.api.server_process import Server

MOST_GROWTH_MB = 150  # the server keeps some decoded recordings, and the C library keeps its heaps
MOST_CPU_S = 0.5  # seconds for a recording, on average
_CLEAR = (200, 201, 400, 413, 415, 422)
_AT_ONCE = 4
Send = Callable[[httpx.Client, int, bytes], httpx.Response]


def _spoken(client: httpx.Client, _: int, data: bytes) -> httpx.Response:
    fields = {"input_text": "hello", "prompt_text": "said", "response_format": "wav"}
    return client.post("/api/v1/tts", data=fields, files={"prompt_audio": ("a.wav", data)})


def _checked(client: httpx.Client, _: int, data: bytes) -> httpx.Response:
    files = {"prompt_audio": ("a.wav", data)}
    return client.post("/api/v1/prompts/check", data={"prompt_text": "said"}, files=files)


def _added(client: httpx.Client, number: int, data: bytes) -> httpx.Response:
    fields, files = {"index": f"v{number}", "prompt_text": "said"}, {"prompt_audio": ("a.wav", data)}
    answer = client.post("/api/v1/prompts", data=fields, files=files)
    if answer.is_success:
        said = {"input_text": "hello", "index": f"v{number}", "response_format": "wav"}
        client.post("/api/v1/tts", data=said).raise_for_status()
        client.delete(f"/api/v1/prompts/v{number}").raise_for_status()
    return answer


def _openai(client: httpx.Client, _: int, data: bytes) -> httpx.Response:
    body = {"input": "hello", "ref_audio": base64.b64encode(data).decode(), "ref_text": "said"}
    return client.post("/v1/audio/speech", json=body)


def _zhipu(client: httpx.Client, _: int, data: bytes) -> httpx.Response:
    purpose = {"purpose": "voice-clone-input"}
    return client.post("/api/paas/v4/files", data=purpose, files={"file": ("a.wav", data)})


ROUTES: tuple[Send, ...] = (_spoken, _checked, _added, _openai, _zhipu)


def run(n: int, *, seed: int = 0) -> Verdict:
    verdict, statuses, faults = Verdict("recordings"), Counter[int](), list[str]()
    lock = threading.Lock()
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder) / "server", TONES)
        base = str(server.client.base_url)

        def send(numbered: tuple[int, bytes]) -> None:
            number, data = numbered
            with httpx.Client(base_url=base, timeout=60, trust_env=False) as client:
                fault, status = _fault_of(client, number, data)
            with lock:
                statuses[status] += 1
                faults.extend([fault] if fault else [])

        try:
            for data in recordings(20, -1):
                send((0, data))
            before = Held.of(server.process.pid)
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                list(pool.map(send, enumerate(recordings(n, seed))))
            now = Held.of(server.process.pid)
            spoken = server.say().status_code
        finally:
            server.end()
    verdict.note("statuses", dict(statuses), holds=len(statuses) > 1)
    verdict.note_faults("recordings without a clear answer", faults, n)
    growth_mb, cpu_s = now.resident_mb - before.resident_mb, (now.cpu_s - before.cpu_s) / n
    verdict.note("growth of the server, MB", f"{growth_mb:.0f}", holds=growth_mb < MOST_GROWTH_MB)
    verdict.note("the server's CPU for one, ms", f"{1000 * cpu_s:.1f}", holds=cpu_s < MOST_CPU_S)
    verdict.note("open files", f"{before.files} -> {now.files}", holds=now.files <= before.files + _AT_ONCE)
    verdict.note("speech afterwards", spoken, holds=spoken == 200)
    verdict.end()
    return verdict


def _fault_of(client: httpx.Client, number: int, data: bytes) -> tuple[str, int]:
    """Sends one recording and returns (the fault of the answer or "", the answer's HTTP status or 0)."""
    send = ROUTES[number % len(ROUTES)]
    try:
        answer = send(client, number, data)
    except httpx.HTTPError as error:
        return f"{number} {send.__name__}: {type(error).__name__} {error}"[:200], 0
    is_clear = answer.status_code in _CLEAR and (answer.is_success or "message" in answer.text)
    return (
        "" if is_clear else f"{number} {send.__name__}: {answer.status_code} {answer.text[:150]}",
        answer.status_code,
    )
