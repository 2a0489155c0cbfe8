"""Speaks ever new texts, voices and lengths to a server of its own, and watches its memory.

    python scripts/benchmarks/soak.py [--minutes 30] [--clients 3] [--plot FILE.png]

First as many voices say a word as the server keeps in memory, so that its caches are full when the watch
begins. Prints a line a minute, and at the end by how much resident memory grew after the first third; exits 1
if that is more than 3 %, or if a request failed. The plot needs matplotlib (pip install '.[mini]').
"""

from __future__ import annotations

import argparse
import random
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from glm_tts_api.audio.encode import encode
from glm_tts_api.engine.config import EngineConfig
from scripts.benchmarks.machine import memory_mb
from scripts.benchmarks.report import Progress
from scripts.benchmarks.serve import running_server

MOST_GROWTH = 0.03
WORDS = [
    "the",
    "a",
    "old",
    "new",
    "red",
    "river",
    "house",
    "letter",
    "morning",
    "children",
    "music",
    "garden",
    "train",
    "window",
    "people",
]
HANZI = "今天气很好我们一起去公园散步然后在湖边的小店里喝杯热茶再慢走回家明早上八点门口见面谢你帮助"
FORMATS = ("wav", "mp3", "opus", "flac", "pcm")


@dataclass
class Tally:
    """What became of the requests, and the server's memory in MB over time."""

    n_done: int = 0
    failures: list[str] = field(default_factory=list)
    memory: list[tuple[float, float]] = field(default_factory=list)


def new_text(draw: random.Random, longest: int = 150) -> str:
    """One nobody has sent before: Chinese, English or figures, of 3 to `longest` characters."""
    length = int(draw.triangular(3, longest, 12))
    kind = draw.random()
    if kind < 0.45:
        return "".join(draw.choice(HANZI) for _ in range(length)) + "。"
    if kind < 0.9:
        return " ".join(draw.choice(WORDS) for _ in range(length // 5 + 1)) + "."
    return f"{draw.randrange(10**6)} / {draw.random():.3f}, {draw.randrange(2100)}-{draw.randrange(1, 12)}."


def new_voice(draw: random.Random) -> bytes:
    """A recording of something like a vowel, 1 to 4 s long."""
    time_s = np.arange(int(draw.uniform(1, 4) * 24000)) / 24000
    pitch = draw.uniform(90, 250)
    tones = [np.sin(2 * np.pi * pitch * k * time_s) / k for k in range(1, 12)]
    return encode((0.2 * np.sum(tones, 0)).astype(np.float32), "wav", 24000)


def speak(base_url: str, seed: int, tally: Tally, stop: threading.Event, longest: int = 150) -> None:
    """One client: requests of every kind, one after the other, with texts of up to `longest` characters."""
    draw = random.Random(seed)
    with httpx.Client(base_url=base_url, timeout=600, trust_env=False) as client:
        while not stop.is_set():
            fields = {
                "input_text": new_text(draw, longest),
                "seed": str(draw.randrange(10**9)),
                "sample_rate": draw.choice(("24000", "32000")),
                "response_format": draw.choice(FORMATS),
                "stream": draw.choice(("true", "false")),
            }
            files = None
            if draw.random() < 0.3:
                fields["prompt_text"] = new_text(draw, longest)
                files = {"prompt_audio": ("voice.wav", new_voice(draw))}
            else:
                fields["index"] = draw.choice(("exampleA", "exampleB"))
            answer = client.post("/api/v1/tts", data=fields, files=files)
            if answer.status_code == 200:
                tally.n_done += 1
            else:
                tally.failures.append(f"{answer.status_code} {answer.text[:200]}")


def fill(base_url: str, tally: Tally) -> None:
    """One request in each of as many new voices as the caches hold."""
    draw = random.Random("fill")
    with httpx.Client(base_url=base_url, timeout=600, trust_env=False) as client:
        for _ in range(EngineConfig().cached_voices):
            fields = {
                "input_text": new_text(draw, 8),
                "prompt_text": new_text(draw),
                "response_format": "wav",
            }
            files = {"prompt_audio": ("voice.wav", new_voice(draw))}
            client.post("/api/v1/tts", data=fields, files=files).raise_for_status()
            tally.n_done += 1


def growth(memory: list[tuple[float, float]]) -> float:
    """By what share the mean of the last third is above that of the second."""
    third = len(memory) // 3
    middle, last = memory[third : 2 * third], memory[2 * third :]
    return float(np.mean([mb for _, mb in last]) / np.mean([mb for _, mb in middle]) - 1)


def run(*, minutes: float, n_clients: int) -> Tally:
    """Soaks a server of its own."""
    tally, stop = Tally(), threading.Event()
    with running_server(Progress(1)) as (base_url, pid):
        clients = [
            threading.Thread(target=speak, args=(base_url, seed, tally, stop), daemon=True)
            for seed in range(n_clients)
        ]
        fill(base_url, tally)
        for client in clients:
            client.start()
        watch(pid, tally, minutes=minutes)
        stop.set()
        for client in clients:
            client.join(600)
    return tally


def watch(pid: int, tally: Tally, *, minutes: float) -> None:
    """Notes the memory until the time is up."""
    begin, n_said = time.monotonic(), 0
    while (elapsed := time.monotonic() - begin) < 60 * minutes:
        tally.memory.append((elapsed, memory_mb(pid, "VmRSS")))
        if elapsed // 60 > n_said:
            n_said += 1
            print(f"{n_said} min: {tally.n_done} spoken, {tally.memory[-1][1]:.0f} MB", flush=True)
        time.sleep(min(5.0, 60 * minutes / 30))


def plot(tally: Tally, path: Path) -> None:
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 4))
    axes.plot([seconds / 60 for seconds, _ in tally.memory], [mb for _, mb in tally.memory])
    axes.set(title="Ever new texts, voices and lengths", xlabel="minutes", ylabel="resident memory, MB")
    axes.set_ylim(bottom=0)
    figure.savefig(path, dpi=120, bbox_inches="tight")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--clients", type=int, default=3)
    parser.add_argument("--plot", type=Path, metavar="FILE.png")
    args = parser.parse_args()
    tally = run(minutes=args.minutes, n_clients=args.clients)
    grown = growth(tally.memory)
    print(f"{tally.n_done} spoken, {len(tally.failures)} failed; after the first third {100 * grown:+.1f} %")
    for failure in tally.failures[:5]:
        print(failure)
    if args.plot:
        plot(tally, args.plot)
    return int(bool(tally.failures) or grown > MOST_GROWTH)


if __name__ == "__main__":
    sys.exit(main())
