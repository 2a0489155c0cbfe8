"""Measures the whole server under load: HTTP requests of a fixed mix of texts, at several concurrencies."""

from __future__ import annotations

import argparse
import asyncio
import io
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import httpx
import soundfile

from bench.arguments import progress
from bench.asking import (
    LONG,
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

_BURST = "今天天气非常好，我们一起去公园散步吧。"
_N_BURST, _APART_S = 30, 0.01  # seconds between two requests, so that their order of arrival is known
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


async def _short_among_long(client: httpx.AsyncClient, bar: Any) -> dict[str, float]:
    """Sends short requests to an idle server, then beside five long requests. Returns both p95 latencies."""

    async def p95() -> float:
        answers, _ = await shared(10, 1, lambda seed: say(client, SHORT[seed % len(SHORT)], seed), bar)
        return percentile([one.latency_s for one in answers], 0.95)

    idle = await p95()
    longs = [asyncio.create_task(say(client, LONG[i % 2] * 3, i)) for i in range(5)]
    await asyncio.sleep(1.0)
    busy = await p95()
    for task in longs:
        task.cancel()
    await asyncio.gather(*longs, return_exceptions=True)
    return {"idle_p95_s": idle, "busy_p95_s": busy, "ratio": busy / idle}


async def _side_by_side(client: httpx.AsyncClient) -> dict[str, float]:
    """Speaks a long text with its segments in order, then side by side. Returns both latencies in seconds."""
    in_order = (await say(client, LONG[0] * 2, 1, use_cache="true")).latency_s
    parallel = (await say(client, LONG[0] * 2, 1, use_cache="false")).latency_s
    return {"use_cache_true_s": in_order, "use_cache_false_s": parallel, "speedup": in_order / parallel}


async def _burst(client: httpx.AsyncClient) -> dict[str, float]:
    """Sends equal requests nearly at once, and returns the seconds until the first, half and all have ended.

    `most_overtaken` is the largest number of later requests that ended before one request.
    """
    begin, ends = time.perf_counter(), list[tuple[float, int]]()

    async def one(number: int) -> None:
        await asyncio.sleep(_APART_S * number)
        await say(client, _BURST, number, "exampleA")
        ends.append((time.perf_counter() - begin, number))

    await asyncio.gather(*(one(number) for number in range(_N_BURST)))
    order = [number for _, number in sorted(ends)]
    overtaken = [sum(later > number for later in order[:place]) for place, number in enumerate(order)]
    seconds = [end for end, _ in ends]
    return {
        "requests": _N_BURST,
        "first_s": min(seconds),
        "p50_s": statistics.median(seconds),
        "total_s": max(seconds),
        "p50_of_total": statistics.median(seconds) / max(seconds),
        "most_overtaken": max(overtaken),
    }


async def _measure(url: str, texts: Sequence[str], levels: Sequence[int], bar: Any) -> dict[str, Any]:
    async with client_of(url) as client:
        await say(client, SHORT[0], 0)
        await say(client, SHORT[0], 1)  # these two requests compute the features of both voices
        floor = await _floor(client)
        rows = []
        for level in levels:
            asked = shared(len(texts), level, lambda seed: say(client, texts[seed], seed), bar)
            rows.append(_whole_row(level, *await asked, floor))
        return {
            "levels": rows,
            "short_among_long": await _short_among_long(client, bar),
            "side_by_side": await _side_by_side(client),
            "burst": await _burst(client),
        }


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Runs a load test at each number of clients, and prints and returns the figures."""
    if args.stream:
        return _run_streams(args.requests, args.concurrency or [1, 2, 4, 8])
    lines = args.texts.read_text(encoding="utf-8").splitlines() if args.texts else MIX
    kept = [line.strip() for line in lines if line.strip()]
    texts = [kept[number % len(kept)] for number in range(args.requests)]
    levels = args.concurrency or [1, 4, 8, 16]
    with progress(total=len(texts) * len(levels) + 20) as bar, running_server() as (url, pid):
        before = LoopLag.read(url)
        result = asyncio.run(_measure(url, texts, levels, bar))
        lag = LoopLag.read(url).since(before)
        result["peak_memory_gib"] = memory_mb(pid, "VmHWM") / 1024
    _print(result)
    print(lag)
    return {**result, "loop_lag": asdict(lag)}


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
    short, side, burst = result["short_among_long"], result["side_by_side"], result["burst"]
    print(f"throughput, highest concurrency to lowest: {rates[-1] / rates[0]:.2f}x")
    print(
        f"short request p95: idle {short['idle_p95_s']:.2f} s, "
        f"beside five long ones {short['busy_p95_s']:.2f} s ({short['ratio']:.2f}x)"
    )
    print(
        f"long text: in order {side['use_cache_true_s']:.2f} s, "
        f"side by side {side['use_cache_false_s']:.2f} s ({side['speedup']:.2f}x sooner)"
    )
    print(
        f"burst of {burst['requests']} equal requests: first {burst['first_s']:.1f} s, "
        f"half {burst['p50_s']:.1f} s, all {burst['total_s']:.1f} s "
        f"(half at {burst['p50_of_total']:.2f} of the whole); "
        f"the most unlucky one was overtaken by {burst['most_overtaken']}"
    )
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
