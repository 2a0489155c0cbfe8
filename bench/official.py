"""Measures the speed of a server with models of the official sizes, whose weights are made by a rule.

For each DTYPE a server is started, which speaks a short text whole and streamed, alone and four at once. The
length of the speech depends on the weights, so the figures are rates: seconds for a second of speech (RTF).
Streams send audio as soon as there is some, so that the first audio is as early as the
machine allows.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import Any

import httpx

from bench.asking import Answer, Heard, client_of, listen, say, shared
from bench.machine import memory_mb
from bench.make_synthetic_checkpoint import sizes, write_checkpoint
from bench.server import running_server
from glm_tts_api.engine.stream_pace import TOKENS_A_SECOND

TEXT = "你好。"
N_BESIDE = 4
_CONFIG = {"guard": False, "gapless_start": False}  # the guard would decode nearly every segment again


async def _stages(client: httpx.AsyncClient, answer: Answer) -> dict[str, float]:
    """Returns the seconds that the server took for each stage of the answer."""
    recent = (await client.get("/api/v1/stats/concurrency")).json()["recent"]
    wanted = answer.body["request_id"]
    stages: dict[str, float] = next(each["stages"] for each in recent if each["request_id"] == wanted)
    return stages


async def measure(url: str) -> dict[str, Any]:
    """Measures the server at `url` with one request and with N_BESIDE at once, whole and streamed."""
    async with client_of(url) as client:

        def whole(seed: int) -> Awaitable[Answer]:
            return say(client, TEXT, seed, "exampleA")

        def streamed(seed: int) -> Awaitable[Heard]:
            return listen(client, seed, TEXT, "exampleA")

        await whole(0)  # the first request computes the voice's features
        alone, heard = await whole(1), await streamed(1)
        stage_s = await _stages(client, alone)
        wholes, wholes_s = await shared(N_BESIDE, N_BESIDE, whole)
        heards, heards_s = await shared(N_BESIDE, N_BESIDE, streamed)
    audio_s = sum(each.audio_s for each in wholes)
    return {
        "alone": {
            "audio_s": alone.audio_s,
            "rtf": alone.latency_s / alone.audio_s,
            "decode_ms_a_token": 1000 * stage_s["decode"] / (TOKENS_A_SECOND * alone.audio_s),
            "flow_s": stage_s["flow"],
            "vocoder_s": stage_s["vocoder"],
        },
        "stream": _streams([heard], heard.ended_s),
        "at_once": {"audio_s": audio_s, "rtf": wholes_s / audio_s},
        "streams_at_once": _streams(heards, heards_s),
    }


def _streams(heards: Sequence[Heard], wall_s: float) -> dict[str, float]:
    """Returns the figures of streamed answers.

    `smooth_from_s` is the median of the earliest start times at which a player never runs out of audio.
    """
    audio_s = sum(heard.audio_s for heard in heards)
    return {
        "audio_s": audio_s,
        "first_audio_s": statistics.median(heard.first_s for heard in heards),
        "smooth_from_s": statistics.median(heard.smooth_from_s for heard in heards),
        "rtf": wall_s / audio_s,
    }


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Measures a server for each of `args.dtype`, and prints and returns the figures.

    `args.checkpoint` is the folder of the weights, which are made if the folder is missing. None makes the
    weights in a temporary folder.
    """
    result: dict[str, Any] = {"size": args.size, "dtypes": {}}
    with tempfile.TemporaryDirectory() as scratch:
        root = args.checkpoint or Path(scratch, args.size)
        if not root.exists():
            write_checkpoint(root, sizes()[args.size])
        for dtype in args.dtype:
            begin = time.perf_counter()
            settings = {"MODEL_DIR": str(root.absolute()), "DTYPE": dtype}
            with running_server(settings, **_CONFIG) as (url, pid):
                ready_s = time.perf_counter() - begin
                row = asyncio.run(measure(url))
                row |= {"ready_s": ready_s, "memory_gib": memory_mb(pid, "VmHWM") / 1024}
            result["dtypes"][dtype] = row
            _print(dtype, row)
    return result


def _print(dtype: str, row: dict[str, Any]) -> None:
    alone, stream, at_once, streams = (
        row[part] for part in ("alone", "stream", "at_once", "streams_at_once")
    )
    print(f"DTYPE={dtype}: ready after {row['ready_s']:.1f} s, {row['memory_gib']:.1f} GiB at most")
    print(
        f"  whole, alone: RTF {alone['rtf']:.2f} ({alone['audio_s']:.1f} s of speech: decode "
        f"{alone['decode_ms_a_token']:.1f} ms a token, flow {alone['flow_s']:.1f} s, "
        f"vocoder {alone['vocoder_s']:.1f} s); {N_BESIDE} at once: {at_once['rtf']:.2f}"
    )
    for name, row in (("streamed, alone", stream), (f"{N_BESIDE} streams at once", streams)):
        print(
            f"  {name}: first audio {row['first_audio_s']:.2f} s, smooth from {row['smooth_from_s']:.2f} s, "
            f"RTF {row['rtf']:.2f}",
            flush=True,
        )
