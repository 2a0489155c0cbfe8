"""Measures the whole server under load: HTTP requests of a fixed mix of texts, at several concurrencies.

Starts a server on a free port, so that nothing else is measured, and ends it afterwards.
"""

from __future__ import annotations

import asyncio
import io
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx
import soundfile

from bench import streams
from bench.burst import burst, print_burst
from bench.loop_lag import LoopLag
from bench.machine import memory_mb
from bench.report import Progress
from bench.serve_floor import Arithmetic, rate
from bench.stream_floor import first_audio_floor
from glm_tts_api.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
SHORT = (
    "你好，很高兴认识你。",
    "明天早上八点在门口见。",
    "Please close the window.",
    "Thank you for your help today.",
)
MEDIUM = (
    "今天天气非常好，我们一起去公园散步，然后在湖边的小店里喝一杯热茶，再慢慢走回家去。",
    "The weather will be sunny tomorrow morning, but in the afternoon a little rain is possible.",
)
LONG = (
    "很久以前，山脚下有一个小村庄，村里的人每天早早起床，到田里种地，到河边打水。" * 6,
    "The old library stood at the end of the street, and every evening its windows were full of light. " * 4,
)
MIX = (*SHORT, *SHORT, *MEDIUM, *MEDIUM, LONG[0])
VOICES = ("exampleB", "exampleA")
_START_TIMEOUT_S = 600
_REQUEST_TIMEOUT_S = 1800


@dataclass(frozen=True)
class Answer:
    """The answer to one request: its latency and the length of its audio in seconds, and its segments."""

    latency_s: float
    audio_s: float
    segments: int
    voice: str


Floor = Callable[[Sequence[Answer]], float]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_server(progress: Progress, settings: Mapping[str, str] = {}) -> Iterator[tuple[str, int]]:
    """Starts a server on a free port for the block, and yields its base URL and process id. `settings` are
    environment variables that override those of this process."""
    port = free_port()
    with tempfile.TemporaryDirectory() as run_dir, (Path(run_dir) / "server.log").open("wb") as log:
        limits = dict.fromkeys(("SHORT_TEXT_TIMEOUT", "MEDIUM_TEXT_TIMEOUT", "LONG_TEXT_TIMEOUT"), "600")
        own = {"API_HOST": "127.0.0.1", "PORT": str(port), "RUN_DIR": run_dir, "LOG_FILE": log.name}
        process = subprocess.Popen(
            [sys.executable, "-m", "glm_tts_api", "serve"],
            cwd=ROOT,
            env={**limits, **os.environ, **settings, **own, "DRAIN_TIMEOUT": "0"},
            stdout=log,
            stderr=log,
        )
        try:
            _wait_until_healthy(f"http://127.0.0.1:{port}", process, Path(run_dir) / "server.log", progress)
            yield f"http://127.0.0.1:{port}", process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_until_healthy(url: str, process: subprocess.Popen[bytes], log: Path, progress: Progress) -> None:
    give_up = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < give_up:
        if process.poll() is not None:
            raise SystemExit(f"the server did not start:\n{log.read_text()[-2000:]}")
        try:
            if httpx.get(f"{url}/api/v1/health", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            pass
        progress.note("waiting for the server")
        time.sleep(0.1)
    raise SystemExit(f"the server was not ready after {_START_TIMEOUT_S} s:\n{log.read_text()[-2000:]}")


async def _say(client: httpx.AsyncClient, text: str, *, seed: int, use_cache: bool = True) -> Answer:
    voice = VOICES[seed % len(VOICES)]
    form = {"input_text": text, "index": voice, "seed": str(seed), "use_cache": str(use_cache).lower()}
    start = time.perf_counter()
    answer = await client.post("/api/v1/tts", data=form)
    answer.raise_for_status()
    latency_s, body = time.perf_counter() - start, answer.json()
    return Answer(latency_s, body["audio_seconds"], body["segments"], voice)


async def _floor(client: httpx.AsyncClient) -> Floor | None:
    """Returns a function that computes the least seconds that given answers take on all cores.

    Returns None on a GPU.
    """
    health = (await client.get("/api/v1/health")).json()
    if health["device"] != "cpu":
        return None
    arithmetic = Arithmetic(Settings.load().checkpoint_dir, flow_steps=health["flow_steps"])
    prompt_s = {}
    for voice in VOICES:
        recording = await client.get(f"/api/v1/prompts/{voice}/audio")
        prompt_s[voice] = soundfile.info(io.BytesIO(recording.content)).duration
    flops_a_second = rate()

    def seconds(answers: Sequence[Answer]) -> float:
        flops = [
            arithmetic.of(audio_s=answer.audio_s, segments=answer.segments, prompt_s=prompt_s[answer.voice])
            for answer in answers
        ]
        return sum(flops) / flops_a_second

    return seconds


async def _load(
    client: httpx.AsyncClient,
    texts: Sequence[str],
    concurrency: int,
    progress: Progress,
    floor: Floor | None,
) -> dict[str, Any]:
    queue = list(enumerate(texts))
    answers: list[Answer] = []

    async def one_client() -> None:
        while queue:
            number, text = queue.pop(0)
            answers.append(await _say(client, text, seed=number))
            progress.step()

    start = time.perf_counter()
    await asyncio.gather(*(one_client() for _ in range(concurrency)))
    wall = time.perf_counter() - start
    latencies = [answer.latency_s for answer in answers]
    return {
        "concurrency": concurrency,
        "requests": len(answers),
        "audio_s": [answer.audio_s for answer in answers],
        "req_per_s": len(answers) / wall,
        "audio_s_per_s": sum(answer.audio_s for answer in answers) / wall,
        "to_floor": wall / floor(answers) if floor else None,
        "latency_p50_s": statistics.median(latencies),
        "latency_p95_s": percentile(latencies, 0.95),
        "rtf_p95": percentile([answer.latency_s / answer.audio_s for answer in answers], 0.95),
    }


def percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


async def _short_among_long(
    client: httpx.AsyncClient, n_requests: int, progress: Progress
) -> dict[str, float]:
    """Sends short requests to an idle server, then beside five long requests. Returns both p95 latencies."""

    async def shorts() -> list[float]:
        latencies = []
        for number in range(n_requests):
            latencies.append((await _say(client, SHORT[number % len(SHORT)], seed=number)).latency_s)
            progress.step()
        return latencies

    idle = percentile(await shorts(), 0.95)
    longs = [asyncio.create_task(_say(client, LONG[i % 2] * 3, seed=i)) for i in range(5)]
    await asyncio.sleep(1.0)
    busy = percentile(await shorts(), 0.95)
    for task in longs:
        task.cancel()
    await asyncio.gather(*longs, return_exceptions=True)
    return {"idle_p95_s": idle, "busy_p95_s": busy, "ratio": busy / idle}


async def _side_by_side(client: httpx.AsyncClient, progress: Progress) -> dict[str, float]:
    """Speaks a long text with its segments in order, then side by side. Returns both latencies in seconds."""
    in_order = (await _say(client, LONG[0] * 2, seed=1, use_cache=True)).latency_s
    progress.step()
    parallel = (await _say(client, LONG[0] * 2, seed=1, use_cache=False)).latency_s
    progress.step()
    return {"use_cache_true_s": in_order, "use_cache_false_s": parallel, "speedup": in_order / parallel}


async def _measure(
    url: str, texts: Sequence[str], levels: Sequence[int], progress: Progress
) -> dict[str, Any]:
    limits = httpx.Limits(max_connections=128)
    async with httpx.AsyncClient(base_url=url, timeout=_REQUEST_TIMEOUT_S, limits=limits) as client:
        await _say(client, SHORT[0], seed=0)
        await _say(client, SHORT[0], seed=1)  # these two requests compute the features of both voices
        floor = await _floor(client)
        rows = [await _load(client, texts, level, progress, floor) for level in levels]
        return {
            "levels": rows,
            "throughput_ratio": rows[-1]["audio_s_per_s"] / rows[0]["audio_s_per_s"],
            "short_among_long": await _short_among_long(client, 10, progress),
            "side_by_side": await _side_by_side(client, progress),
            "burst": await burst(client),
        }


def run(*, n_requests: int, levels: Sequence[int], texts_file: Path | None) -> dict[str, Any]:
    """Runs a load test at each concurrency in `levels`, and prints and returns the figures."""
    lines = texts_file.read_text(encoding="utf-8").splitlines() if texts_file else list(MIX)
    kept = [line.strip() for line in lines if line.strip()]
    texts = [kept[number % len(kept)] for number in range(n_requests)]
    progress = Progress(n_requests * len(levels) + 22)
    with running_server(progress) as (url, pid):
        before = LoopLag.read(url)
        result = asyncio.run(_measure(url, texts, levels, progress))
        lag = LoopLag.read(url).since(before)
        result["peak_memory_gib"] = memory_mb(pid, "VmHWM") / 1024
    progress.close()
    _print(result)
    print(lag)
    return {**result, "loop_lag": asdict(lag)}


def run_streams(*, n_requests: int, levels: Sequence[int]) -> dict[str, Any]:
    """Measures streams at each number of listeners in `levels`, and prints and returns the figures."""
    progress = Progress(n_requests * len(levels) + 1)
    floor = first_audio_floor()
    print(floor, flush=True)
    with running_server(progress) as (url, _):
        forecast = httpx.get(f"{url}/api/v1/health").json()["streaming"]
        rows = asyncio.run(streams.measure(url, levels, n_requests, progress, floor))
        streams.print_rows(rows)
        lag = asyncio.run(streams.crowd(url, progress))
    progress.close()
    print(f"under {streams.CROWD} streams, {lag}")
    print(f"the server's own forecast: {forecast}")
    return {"floor": asdict(floor), "streams": rows, "loop_lag": asdict(lag), "forecast": forecast}


def _print(result: dict[str, Any]) -> None:
    print("concurrency  req/s  audio s/s  latency p50  p95 s  RTF p95  x floor")
    for row in result["levels"]:
        to_floor = f"{row['to_floor']:.2f}" if row["to_floor"] else "-"
        print(
            f"{row['concurrency']:>11}  {row['req_per_s']:>5.2f}  {row['audio_s_per_s']:>9.2f}  "
            f"{row['latency_p50_s']:>11.2f}  {row['latency_p95_s']:>5.2f}  {row['rtf_p95']:>7.2f}  "
            f"{to_floor:>7}"
        )
    short, side = result["short_among_long"], result["side_by_side"]
    print(f"throughput, highest concurrency to lowest: {result['throughput_ratio']:.2f}x")
    print(
        f"short request p95: idle {short['idle_p95_s']:.2f} s, "
        f"beside five long ones {short['busy_p95_s']:.2f} s "
        f"({short['ratio']:.2f}x)"
    )
    print(
        f"long text: in order {side['use_cache_true_s']:.2f} s, "
        f"side by side {side['use_cache_false_s']:.2f} s "
        f"({side['speedup']:.2f}x sooner)"
    )
    print_burst(result["burst"])
    print(f"peak memory of the server: {result['peak_memory_gib']:.2f} GiB")
