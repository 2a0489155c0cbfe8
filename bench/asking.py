"""Sends requests for speech, and measures their answers as a client sees them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

from bench.server import REQUEST_TIMEOUT_S

VOICES = ("exampleB", "exampleA")
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
BYTES_PER_S = 48000  # 24 kHz, 16 bit
Found = TypeVar("Found")


@dataclass(frozen=True)
class Answer:
    """A whole answer: its latency and the length of its audio in seconds, and the JSON body."""

    latency_s: float
    voice: str
    body: dict[str, Any]

    @property
    def audio_s(self) -> float:
        return float(self.body["audio_seconds"])


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


def client_of(url: str) -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=128)
    return httpx.AsyncClient(base_url=url, timeout=REQUEST_TIMEOUT_S, trust_env=False, limits=limits)


def _form(text: str, voice: str, seed: int, **fields: str) -> dict[str, str]:
    return {"input_text": text, "index": voice, "seed": str(seed), **fields}


async def say(
    client: httpx.AsyncClient,
    text: str,
    seed: int,
    voice: str | None = None,
    *,
    headers: dict[str, str] | None = None,
    **fields: str,
) -> Answer:
    """Sends one request for a whole answer. Without `voice`, `seed` selects it."""
    voice = voice or VOICES[seed % len(VOICES)]
    begin = time.perf_counter()
    answer = await client.post("/api/v1/tts", data=_form(text, voice, seed, **fields), headers=headers)
    answer.raise_for_status()
    return Answer(time.perf_counter() - begin, voice, answer.json())


async def listen(
    client: httpx.AsyncClient,
    seed: int,
    text: str | None = None,
    voice: str | None = None,
    *,
    headers: dict[str, str] | None = None,
) -> Heard:
    """Sends one streaming request, and records its pieces. `seed` selects a text or voice that is None."""
    text, voice = text or MEDIUM[seed % len(MEDIUM)], voice or VOICES[seed % len(VOICES)]
    form = _form(text, voice, seed, stream="true", response_format="pcm")
    return await hear(client.stream("POST", "/api/v1/tts", data=form, headers=headers))


async def hear(request: Any, bytes_per_s: int = BYTES_PER_S) -> Heard:
    """Records the pieces of the stream that `request`, a call of httpx's `stream`, gives."""
    begin, pieces = time.perf_counter(), list[tuple[float, float]]()
    async with request as answer:
        answer.raise_for_status()
        async for piece in answer.aiter_raw():
            pieces.append((time.perf_counter() - begin, len(piece) / bytes_per_s))
    return Heard(pieces)


async def shared(
    n_requests: int, n_clients: int, ask: Callable[[int], Awaitable[Found]], bar: Any = None
) -> tuple[list[Found], float]:
    """Lets `n_clients` clients send the requests 0, 1 ..., of which each client takes the next one.

    Returns the answers, and the seconds that all of them took together.
    """
    numbers, found = iter(range(n_requests)), list[Found]()

    async def one_client() -> None:
        for number in numbers:
            found.append(await ask(number))
            if bar is not None:
                bar.update()

    begin = time.perf_counter()
    await asyncio.gather(*(one_client() for _ in range(n_clients)))
    return found, time.perf_counter() - begin


def percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]
