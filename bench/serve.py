"""Measures the whole server under load: HTTP requests of a fixed mix of texts, at several concurrencies."""

from __future__ import annotations

import argparse
import asyncio
import io
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import httpx
import soundfile

from bench.arguments import progress
from bench.asking import (
    MIX,
    SHORT,
    VOICES,
    Answer,
    Heard,
    client_of,
    listen,
    percentile,
    say,
    shared,
)
from bench.loop_lag import LoopLag
from bench.machine import memory_mb
from bench.serve_floor import Arithmetic, rate
from bench.server import running_server
from bench.streaming import StreamFloor, first_audio_floor
from glm_tts_api.settings import Settings

_CROWD = 20  # listeners; by default the server serves as many requests at once
_HELD_S = 0.5
Floor = Callable[[Sequence[Answer]], float]


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
        flops = (
            arithmetic.of(
                audio_s=answer.audio_s, segments=answer.body["segments"], prompt_s=prompt_s[answer.voice]
            )
            for answer in answers
        )
        return sum(flops) / flops_a_second

    return seconds


def _whole_row(
    level: int, answers: Sequence[Answer], wall_s: float, floor: Floor | None
) -> dict[str, float | list[float] | None]:
    latencies, audio_s = [one.latency_s for one in answers], [one.audio_s for one in answers]
    return {
        "concurrency": level,
        "requests": len(answers),
        "audio_s": audio_s,
        "req_per_s": len(answers) / wall_s,
        "audio_s_per_s": sum(audio_s) / wall_s,
        "to_floor": wall_s / floor(answers) if floor else None,
        "latency_p50_s": statistics.median(latencies),
        "latency_p95_s": percentile(latencies, 0.95),
        "rtf_p95": percentile([one.latency_s / one.audio_s for one in answers], 0.95),
    }


async def _measure(
    url: str, texts: Sequence[str], levels: Sequence[int], bar: Any
) -> list[dict[str, float | list[float] | None]]:
    async with client_of(url) as client:
        await say(client, SHORT[0], 0)
        await say(client, SHORT[0], 1)  # these two requests compute the features of both voices
        floor = await _floor(client)
        rows = []
        for level in levels:
            asked = shared(len(texts), level, lambda seed: say(client, texts[seed], seed), bar)
            rows.append(_whole_row(level, *await asked, floor))
        return rows


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Runs a load test at each number of clients, and prints and returns the figures."""
    if args.stream:
        return _run_streams(args.requests, args.concurrency or [1, 2, 4, 8])
    lines = args.texts.read_text(encoding="utf-8").splitlines() if args.texts else MIX
    kept = [line.strip() for line in lines if line.strip()]
    texts = [kept[number % len(kept)] for number in range(args.requests)]
    levels = args.concurrency or [1, 4, 8, 16]
    with progress(total=len(texts) * len(levels)) as bar, running_server() as (url, pid):
        rows = asyncio.run(_measure(url, texts, levels, bar))
        result = {"levels": rows, "peak_memory_gib": memory_mb(pid, "VmHWM") / 1024}
    _print(result)
    return result


def _print(result: dict[str, Any]) -> None:
    print("concurrency  req/s  audio s/s  latency p50  p95 s  RTF p95  x floor")
    for row in result["levels"]:
        to_floor = f"{row['to_floor']:.2f}" if row["to_floor"] else "-"
        print(
            f"{row['concurrency']:>11}  {row['req_per_s']:>5.2f}  {row['audio_s_per_s']:>9.2f}  "
            f"{row['latency_p50_s']:>11.2f}  {row['latency_p95_s']:>5.2f}  {row['rtf_p95']:>7.2f}  "
            f"{to_floor:>7}"
        )
    rates = [row["audio_s_per_s"] for row in result["levels"]]
    print(f"throughput, highest concurrency to lowest: {rates[-1] / rates[0]:.2f}x")
    print(f"peak memory of the server: {result['peak_memory_gib']:.2f} GiB")


def _run_streams(n_requests: int, levels: Sequence[int]) -> dict[str, Any]:
    """Measures streams at each number of listeners in `levels`, and prints and returns the figures."""
    floor = first_audio_floor()
    print(floor, flush=True)
    with progress(total=n_requests * len(levels) + _CROWD) as bar, running_server() as (url, _):
        forecast = httpx.get(f"{url}/api/v1/health", trust_env=False).json()["streaming"]
        rows, lag = asyncio.run(_measure_streams(url, n_requests, levels, floor, bar))
    _print_streams(rows)
    print(f"under {_CROWD} streams, {lag}")
    print(f"the server's own forecast: {forecast}")
    return {"floor": asdict(floor), "streams": rows, "loop_lag": asdict(lag), "forecast": forecast}


async def _measure_streams(
    url: str, n_requests: int, levels: Sequence[int], floor: StreamFloor, bar: Any
) -> tuple[list[dict[str, float]], LoopLag]:
    """Returns a row for each of `levels`, and the lag of the event loop while a crowd listens at once."""
    async with client_of(url) as client:
        ask = partial(listen, client)
        for number in range(4):
            await ask(number)  # the first requests compute the features of both voices
        rows = [stream_row(level, *await shared(n_requests, level, ask, bar), floor) for level in levels]
        before = LoopLag.read(url)
        await shared(_CROWD, _CROWD, ask, bar)
        return rows, LoopLag.read(url).since(before)


def stream_row(level: int, found: Sequence[Heard], wall_s: float, floor: StreamFloor) -> dict[str, float]:
    firsts = [heard.first_s for heard in found]
    gaps = {held: [max(heard.gaps_s(held)) for heard in found] for held in (0.0, _HELD_S)}
    return {
        "concurrency": level,
        "requests": len(found),
        "audio_s_per_s": sum(heard.audio_s for heard in found) / wall_s,
        "first_audio_p50_s": (p50 := percentile(firsts, 0.5)),
        "to_floor": p50 / floor.first_audio_s,
        "first_audio_p95_s": percentile(firsts, 0.95),
        "underrun_rate": sum(gap > 0.01 for gap in gaps[0.0]) / len(found),
        "longest_gap_s": max(gaps[0.0]),
        "dry_p95_s": percentile([sum(heard.gaps_s(0.0)) for heard in found], 0.95),
        "underrun_rate_held": sum(gap > 0.01 for gap in gaps[_HELD_S]) / len(found),
        "longest_gap_held_s": max(gaps[_HELD_S]),
    }


def _print_streams(rows: Sequence[dict[str, float]]) -> None:
    columns = "concurrency  audio s/s  first audio p50  x floor  p95 s  ran dry  longest gap s  dry p95 s"
    print(f"{columns}  with {_HELD_S:g} s held: ran dry  longest gap s")
    for row in rows:
        print(
            f"{row['concurrency']:>11}  {row['audio_s_per_s']:>9.2f}  {row['first_audio_p50_s']:>15.2f}  "
            f"{row['to_floor']:>7.2f}  {row['first_audio_p95_s']:>5.2f}  {row['underrun_rate']:>7.0%}  "
            f"{row['longest_gap_s']:>13.2f}  {row['dry_p95_s']:>9.2f}  {row['underrun_rate_held']:>25.0%}  "
            f"{row['longest_gap_held_s']:>13.2f}"
        )
