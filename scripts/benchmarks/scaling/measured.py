"""What one replica does, as `bench.py serve` measured it: the figures that the simulation is fed."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Curve:
    """A figure by the number of requests in service: lines between what was measured, level beyond it."""

    points: tuple[tuple[int, float], ...]  # by rising number

    def at(self, n: int) -> float:
        i = bisect_right(self.points, (n, float("inf")))
        if i == 0 or i == len(self.points):
            return self.points[max(i - 1, 0)][1]
        (n0, y0), (n1, y1) = self.points[i - 1], self.points[i]
        return y0 + (y1 - y0) * (n - n0) / (n1 - n0)


@dataclass(frozen=True)
class Measured:
    """Of streamed answers. `audio_rate`: seconds of audio made a second, in all. `first_audio`: seconds from
    the beginning of a request's service to its first audio. `audio_s`: the length of every answer, the same
    `n_texts` texts at each level. `voice_s`: seconds that a voice costs a replica that does not know it."""

    audio_rate: Curve
    first_audio: Curve
    audio_s: Sequence[float]
    voice_s: float
    n_texts: int = 1

    def first_audio_s(self, n: int) -> float:
        """With `n` requests in service. Beyond what was measured each of them waits for all others."""
        last, _ = self.first_audio.points[-1]
        return self.first_audio.at(n) * max(1.0, n / last)

    @property
    def peak(self) -> float:
        """Seconds of audio a second that a full replica makes."""
        return max(rate for _, rate in self.audio_rate.points)

    @property
    def mean_audio_s(self) -> float:
        return sum(self.audio_s) / len(self.audio_s)


def read(serve: Path, streams: Path, *, voice_s: float) -> Measured:
    """From the files that `bench.py serve --json` (the lengths of answers) and `bench.py serve --stream
    --json` write: a stream takes more work than the same answer as a whole."""
    levels = json.loads(serve.read_text())["levels"]
    listened = json.loads(streams.read_text())["streams"]
    return Measured(
        _curve(listened, "audio_s_per_s"),
        _curve(listened, "first_audio_p50_s"),
        [audio_s for level in levels for audio_s in level["audio_s"]],
        voice_s,
        n_texts=len(levels[0]["audio_s"]),
    )


def _curve(levels: list[dict[str, float]], name: str) -> Curve:
    return Curve(tuple(sorted((int(level["concurrency"]), float(level[name])) for level in levels)))
