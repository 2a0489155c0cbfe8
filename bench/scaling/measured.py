"""The speed of one replica as `bench.py serve` measured it, which is the input of the simulation."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Curve:
    """A figure as a function of the number of requests in service.

    Values between the measured points are interpolated linearly, and values outside of them are constant.
    """

    points: tuple[tuple[int, float], ...]  # by rising number

    def at(self, n: int) -> float:
        i = bisect_right(self.points, (n, float("inf")))
        if i == 0 or i == len(self.points):
            return self.points[max(i - 1, 0)][1]
        (n0, y0), (n1, y1) = self.points[i - 1], self.points[i]
        return y0 + (y1 - y0) * (n - n0) / (n1 - n0)


@dataclass(frozen=True)
class Measured:
    """Measurements of streamed answers of one replica.

    `audio_rate` is the audio in seconds that all requests together get per second. `first_audio` is the time
    in seconds from the beginning of a request's service to its first audio. `audio_s` holds the length of
    every answer; each measured level has the same `n_texts` texts. `voice_s` is the time to prepare an
    unknown voice.
    """

    audio_rate: Curve
    first_audio: Curve
    audio_s: Sequence[float]
    voice_s: float
    n_texts: int = 1

    def first_audio_s(self, n: int) -> float:
        """The seconds to the first audio with `n` requests in service.

        With more requests than were measured, the time grows in proportion to their number.
        """
        last, _ = self.first_audio.points[-1]
        return self.first_audio.at(n) * max(1.0, n / last)

    @property
    def peak(self) -> float:
        """The most seconds of audio per second that a replica makes."""
        return max(rate for _, rate in self.audio_rate.points)

    @property
    def mean_audio_s(self) -> float:
        return sum(self.audio_s) / len(self.audio_s)


def read(serve: Path, streams: Path, *, voice_s: float) -> Measured:
    """Reads the measurements of one replica from two JSON files.

    `serve` comes from `bench.py serve --json` and gives the lengths of answers. `streams` comes from
    `bench.py serve --stream --json` and gives the rates, since a stream takes more work than a whole answer.
    """
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
