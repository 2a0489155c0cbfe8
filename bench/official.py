"""Measures the speed of a server with models of the official sizes, whose weights are made by a rule.

For each DTYPE a server is started, which speaks a short text whole and streamed, alone and four at once. The
length of the speech depends on the weights, so the figures are rates: seconds for a second of speech (RTF).
Streams send audio as soon as there is some (STREAM_START=soonest), so that the first audio is as early as the
machine allows.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bench.machine import memory_mb
from bench.make_synthetic_checkpoint import sizes, write_checkpoint
from bench.report import Progress
from bench.serve import running_server
from bench.streams import Heard, listen
from glm_tts_api.engine.stream_pace import TOKENS_A_SECOND

TEXT = "你好。"
N_BESIDE = 4
_SETTINGS = {"GUARD": "0", "STREAM_START": "soonest"}  # the guard would decode nearly every segment again
_REQUEST_TIMEOUT_S = 600


@dataclass(frozen=True)
class Whole:
    """A whole answer: its latency, the length of its speech, and the server's times by stage, in seconds."""

    latency_s: float
    audio_s: float
    stage_s: dict[str, float]

    @property
    def decode_ms(self) -> float:
        """The ms of decoding for each speech token."""
        return 1000 * self.stage_s["decode"] / (TOKENS_A_SECOND * self.audio_s)


async def _whole(client: httpx.AsyncClient, seed: int) -> Whole:
    form = {"input_text": TEXT, "index": "exampleA", "seed": str(seed)}
    begin = time.perf_counter()
    answer = await client.post("/api/v1/tts", data=form)
    latency_s = time.perf_counter() - begin
    body = answer.raise_for_status().json()
    recent = (await client.get("/api/v1/stats/concurrency")).json()["recent"]
    stage_s = next(each["stages"] for each in recent if each["request_id"] == body["request_id"])
    return Whole(latency_s, body["audio_seconds"], stage_s)


async def measure(url: str, progress: Progress) -> dict[str, Any]:
    """Measures the server at `url` with one request and with N_BESIDE at once, whole and streamed."""
    seeds = range(1, N_BESIDE + 1)
    async with httpx.AsyncClient(base_url=url, timeout=_REQUEST_TIMEOUT_S, trust_env=False) as client:
        await _whole(client, 0)  # the first request computes the voice's features
        progress.step()
        whole = await _whole(client, 1)
        progress.step()
        heard = await listen(client, 1, texts=[TEXT], voices=["exampleA"])
        progress.step()
        begin = time.perf_counter()
        wholes = await asyncio.gather(*(_whole(client, seed) for seed in seeds))
        wholes_s = time.perf_counter() - begin
        progress.step()
        begin = time.perf_counter()
        listeners = (listen(client, seed, texts=[TEXT], voices=["exampleA"]) for seed in seeds)
        heards = await asyncio.gather(*listeners)
        heards_s = time.perf_counter() - begin
        progress.step()
    return {
        "alone": {
            "audio_s": whole.audio_s,
            "rtf": whole.latency_s / whole.audio_s,
            "decode_ms_a_token": whole.decode_ms,
            "flow_s": whole.stage_s["flow"],
            "vocoder_s": whole.stage_s["vocoder"],
        },
        "stream": _streams([heard], heard.ended_s),
        "at_once": {"audio_s": (audio_s := sum(each.audio_s for each in wholes)), "rtf": wholes_s / audio_s},
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


def run(*, dtypes: Sequence[str], checkpoint: Path | None, size: str) -> dict[str, Any]:
    """Measures a server for each of `dtypes`, and prints and returns the figures.

    `checkpoint` is the folder of the weights, which are made if the folder is missing. None makes the weights
    in a temporary folder. `size` is "tiny", "small" or "official".
    """
    progress = Progress(5 * len(dtypes))
    result: dict[str, Any] = {"size": size, "dtypes": {}}
    with ExitStack() as folders:
        root = checkpoint or Path(folders.enter_context(tempfile.TemporaryDirectory()), size)
        if not root.exists():
            progress.note("making the weights")
            write_checkpoint(root, sizes()[size])
        for dtype in dtypes:
            begin = time.perf_counter()
            settings = {**_SETTINGS, "MODEL_DIR": str(root.absolute()), "DTYPE": dtype}
            with running_server(progress, settings) as (url, pid):
                ready_s = time.perf_counter() - begin
                row = asyncio.run(measure(url, progress))
                row |= {"ready_s": ready_s, "memory_gib": memory_mb(pid, "VmHWM") / 1024}
            result["dtypes"][dtype] = row
            _print(dtype, row)
    progress.close()
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
