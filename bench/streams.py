"""Measures streamed answers as a listener hears them: the time to the first audio, and pauses in playing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from bench.loop_lag import LoopLag
from bench.report import Progress
from bench.stream_floor import StreamFloor

TEXTS = (
    "今天天气非常好，我们一起去公园散步，然后在湖边的小店里喝一杯热茶，再慢慢走回家去。",
    "The weather will be sunny tomorrow morning, but in the afternoon a little rain is possible.",
)
VOICES = ("exampleB", "exampleA")
CROWD = 20  # listeners; by default the server serves as many requests at once
BYTES_PER_S = 48000  # 24 kHz, 16 bit
HELD_S = 0.5


@dataclass(frozen=True)
class Heard:
    """A received stream: for each piece the seconds until it arrived, and the seconds of audio in it."""

    pieces: list[tuple[float, float]]

    @property
    def first_s(self) -> float:
        return self.pieces[0][0]

    @property
    def ended_s(self) -> float:
        return self.pieces[-1][0]

    @property
    def smooth_from_s(self) -> float:
        """The earliest time in seconds at which a player can start without ever running out of audio."""
        played, latest = 0.0, 0.0
        for at, seconds in self.pieces:
            latest = max(latest, at - played)
            played += seconds
        return latest

    @property
    def audio_s(self) -> float:
        return sum(seconds for _, seconds in self.pieces)

    def gaps_s(self, held_s: float) -> list[float]:
        """Returns the silences in seconds of a player that begins after `held_s` seconds of audio."""
        bought, begun_at, dry_at, gaps = 0.0, None, 0.0, [0.0]
        for at, seconds in self.pieces:
            if begun_at is not None:
                gaps.append(max(0.0, at - dry_at))
                dry_at = max(dry_at, at) + seconds
            bought += seconds
            if begun_at is None and bought >= held_s:
                begun_at, dry_at = at, at + bought
        return gaps


async def listen(
    client: httpx.AsyncClient, number: int, texts: Sequence[str] = TEXTS, voices: Sequence[str] = VOICES
) -> Heard:
    """Sends one streaming request, and records its pieces. `number` selects text, voice and seed."""
    form = {
        "input_text": texts[number % len(texts)],
        "index": voices[number % len(voices)],
        "seed": str(number),
        "stream": "true",
        "response_format": "pcm",
    }
    begin, pieces = time.perf_counter(), list[tuple[float, float]]()
    async with client.stream("POST", "/api/v1/tts", data=form) as answer:
        answer.raise_for_status()
        async for piece in answer.aiter_raw():
            pieces.append((time.perf_counter() - begin, len(piece) / BYTES_PER_S))
    return Heard(pieces)


async def measure(
    url: str, levels: Sequence[int], n_requests: int, progress: Progress, floor: StreamFloor
) -> list[dict[str, Any]]:
    """Measures `n_requests` streams for each number of simultaneous listeners in `levels`.

    Returns a row for each.
    """
    rows = []
    async with httpx.AsyncClient(base_url=url, timeout=1800, trust_env=False) as client:
        for number in range(4):
            await listen(client, number)  # the first requests compute the features of both voices
        for level in levels:
            numbers, found = list(range(n_requests)), list[Heard]()

            async def one_listener(numbers: list[int] = numbers, found: list[Heard] = found) -> None:
                while numbers:
                    found.append(await listen(client, numbers.pop(0)))
                    progress.step()

            begin = time.perf_counter()
            await asyncio.gather(*(one_listener() for _ in range(level)))
            rows.append(row(level, found, floor, time.perf_counter() - begin))
    return rows


async def crowd(url: str, progress: Progress) -> LoopLag:
    """Lets CROWD clients listen at once, and returns the lag of the server's event loop meanwhile."""
    before = LoopLag.read(url)
    async with httpx.AsyncClient(base_url=url, timeout=1800, trust_env=False) as client:
        await asyncio.gather(*(listen(client, number) for number in range(CROWD)))
    progress.step()
    return LoopLag.read(url).since(before)


def row(level: int, found: Sequence[Heard], floor: StreamFloor, wall_s: float) -> dict[str, Any]:
    firsts = sorted(heard.first_s for heard in found)
    gaps = {held: [max(heard.gaps_s(held)) for heard in found] for held in (0.0, HELD_S)}
    dry = sorted(sum(heard.gaps_s(0.0)) for heard in found)
    return {
        "concurrency": level,
        "requests": len(found),
        "audio_s_per_s": sum(heard.audio_s for heard in found) / wall_s,
        "first_audio_p50_s": firsts[len(firsts) // 2],
        "to_floor": firsts[len(firsts) // 2] / floor.first_audio_s,
        "first_audio_p95_s": firsts[min(len(firsts) - 1, int(0.95 * len(firsts)))],
        "underrun_rate": sum(gap > 0.01 for gap in gaps[0.0]) / len(found),
        "longest_gap_s": max(gaps[0.0]),
        "dry_p95_s": dry[min(len(dry) - 1, int(0.95 * len(dry)))],
        "underrun_rate_held": sum(gap > 0.01 for gap in gaps[HELD_S]) / len(found),
        "longest_gap_held_s": max(gaps[HELD_S]),
    }


def print_rows(rows: Sequence[dict[str, Any]]) -> None:
    held = f"with {HELD_S:g} s held"
    columns = "concurrency  audio s/s  first audio p50  x floor  p95 s  ran dry  longest gap s  dry p95 s"
    print(f"{columns}  {held}: ran dry  longest gap s")
    for found in rows:
        first = f"{found['first_audio_p50_s']:>15.2f}  {found['to_floor']:>7.2f}"
        first += f"  {found['first_audio_p95_s']:>5.2f}"
        at_once = f"{found['underrun_rate']:>7.0%}  {found['longest_gap_s']:>13.2f}"
        at_once += f"  {found['dry_p95_s']:>9.2f}"
        later = f"{found['underrun_rate_held']:>25.0%}  {found['longest_gap_held_s']:>13.2f}"
        print(f"{found['concurrency']:>11}  {found['audio_s_per_s']:>9.2f}  {first}  {at_once}  {later}")
