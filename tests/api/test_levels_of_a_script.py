"""Two speakers of a script are as loud as each other, by the audio of a job. The bundled model speaks."""

from __future__ import annotations

import io
import json
import re
import time
from collections.abc import Sequence

import httpx
import numpy as np
import pytest
import soundfile

from glm_tts_api.settings import BUNDLED_MODEL, SHIPPED_CONFIGS
from tests.api.server_process import Server

CAST = {"王": "one", "Tom": "other"}
RECORDINGS = {"one": "exampleA", "other": "exampleB"}
LINES = (
    "你好，今天去哪儿？",
    "I am going to the old station.",
    "那我们一起走吧。",
    "No, it is much too far!",
)
_TIMES = re.compile(r"(\d+):(\d+):(\d+),(\d+) --> (\d+):(\d+):(\d+),(\d+)")


def script(n_lines: int) -> str:
    """Lines of both speakers in turn, each speaker in both languages."""
    order = (0, 1, 3, 2)
    said = (f"{(*CAST,)[n % 2]}: {LINES[order[n // 2 % 4]]}" for n in range(n_lines))
    return "\n\n".join(said)


def register(client: httpx.Client) -> None:
    """Adds two of the bundled voices."""
    shipped = json.loads((SHIPPED_CONFIGS / "prompt_cache.json").read_text())
    for name, shipped_name in RECORDINGS.items():
        wav = (BUNDLED_MODEL / "prompts" / f"{shipped_name}.wav").read_bytes()
        fields = {"index": name, "prompt_text": shipped[shipped_name]["prompt_text"]}
        added = client.post("/api/v1/prompts", data=fields, files={"prompt_audio": ("a.wav", wav)})
        added.raise_for_status()


def levels_of(server: Server, n_lines: int, *, wait_s: float) -> Sequence[float]:
    """The level in dB of each line's speech: of its frames of 10 ms that are at most 25 dB softer than its
    loudest one. The subtitles say where it is."""
    with httpx.Client(base_url=server.client.base_url, timeout=60, trust_env=False) as client:
        register(client)
        fields = {"input_text": script(n_lines), "index": "one", "cast": CAST, "seed": 7}
        job = client.post("/api/v1/jobs", json=fields).raise_for_status().json()
        until = time.monotonic() + wait_s
        while (state := client.get(f"/api/v1/jobs/{job['id']}").json()["state"]) != "done":
            assert state in ("queued", "running")
            assert time.monotonic() < until
            time.sleep(0.2)
        wav = client.get(f"/api/v1/jobs/{job['id']}/audio?format=wav").raise_for_status().content
        subtitles = client.get(f"/api/v1/jobs/{job['id']}/subtitles.srt").raise_for_status().text
    pcm, rate = soundfile.read(io.BytesIO(wav))
    times = [tuple(map(int, found)) for found in _TIMES.findall(subtitles)]
    assert len(times) == n_lines, "each line is one cue"
    levels = []
    for found in times:
        start, end = (((h * 60 + m) * 60 + s) * 1000 + ms for h, m, s, ms in (found[:4], found[4:]))
        said = pcm[start * rate // 1000 : end * rate // 1000]
        frames = len(said) // (rate // 100)
        powers = np.square(said[: frames * (rate // 100)]).reshape(frames, -1).mean(axis=1)
        levels.append(10 * np.log10(powers[powers > powers.max() * 10**-2.5].mean()))
    return levels


def voices_apart_db(levels: Sequence[float]) -> float:
    """How far the levels of both voices are from each other, on average."""
    return abs(float(np.mean(levels[::2]) - np.mean(levels[1::2])))


@pytest.mark.long
def test_both_voices_are_within_a_decibel(speaking_server: Server) -> None:
    levels = levels_of(speaking_server, 8, wait_s=120)
    assert voices_apart_db(levels) < 1
    assert np.ptp(levels) < 2
