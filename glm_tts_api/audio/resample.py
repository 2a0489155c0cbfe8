"""Converts samples from one rate to another, and makes the frames that FFmpeg's encoders and filters take.
Blocking."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

import av
import numpy as np
from av.filter import Graph

from glm_tts_api.contracts import Float32


def frame_of(pcm: Float32, rate: int, start: int) -> av.AudioFrame:
    """Returns the mono samples [n] as a frame of FFmpeg's, which begins at sample number `start`."""
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(pcm)[None], format="flt", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
    return frame


def samples_of(frame: av.AudioFrame) -> Float32:
    samples: Float32 = frame.to_ndarray()[0]
    return samples


def filters(rate: int, *each: tuple[str, str]) -> Graph:
    """Returns FFmpeg's filters in a row, each given by its name and its arguments. They take the frames that
    `frame_of` makes of samples at `rate` Hz."""
    graph = Graph()
    source = graph.add_abuffer(format="flt", sample_rate=rate, layout="mono", time_base=Fraction(1, rate))
    nodes = [graph.add(name, arguments) for name, arguments in each]
    graph.link_nodes(source, *nodes, graph.add("abuffersink")).configure()
    return graph


def filtered(graph: Graph) -> Iterator[av.AudioFrame]:
    """Yields the frames that the filters have ready."""
    while True:
        try:
            yield graph.pull()
        except (av.error.BlockingIOError, av.error.EOFError):  # no frame is ready, or the audio has ended
            return


class Frames:
    """Resamples pieces of mono float32 samples [n] in [-1, 1] from `rate` to `heard` Hz, and returns them as
    frames of `frame_size` samples in FFmpeg's `sample_format`. If `frame_size` is None, the frames have any
    size."""

    def __init__(self, rate: int, heard: int, sample_format: str, frame_size: int | None) -> None:
        self._rate = rate
        self._resampler = av.AudioResampler(sample_format, "mono", heard, frame_size=frame_size)
        self._n_in = 0

    def push(self, pcm: Float32) -> list[av.AudioFrame]:
        """Takes the next samples. Returns the frames that are complete now; possibly none."""
        if not len(pcm):
            return []
        frame = frame_of(np.clip(pcm, -1.0, 1.0), self._rate, self._n_in)
        self._n_in += len(pcm)
        ready: list[av.AudioFrame] = self._resampler.resample(frame)
        return ready

    def finish(self) -> list[av.AudioFrame]:
        """Ends the audio. Returns the last frames."""
        rest: list[av.AudioFrame] = self._resampler.resample(None) if self._n_in else []
        return rest


class Resampled:
    """Resamples pieces of mono float32 samples [n] in [-1, 1] from `rate` to `heard` Hz. The result has
    exactly as many samples as the same duration needs, rounded."""

    def __init__(self, rate: int, heard: int) -> None:
        self._rate, self._heard = rate, heard
        self._frames = None if heard == rate else Frames(rate, heard, "flt", None)
        self._n_in = self._n_out = 0

    def push(self, pcm: Float32) -> Float32:
        """Takes the next samples. Returns the samples at the new rate that are ready; possibly none."""
        if self._frames is None:
            return pcm
        self._n_in += len(pcm)
        return self._next(self._frames.push(pcm))

    def finish(self) -> Float32:
        """Ends the audio. Returns the last samples."""
        if self._frames is None:
            return np.zeros(0, np.float32)
        n_due = round(self._n_in * self._heard / self._rate) - self._n_out
        rest = self._next(self._frames.finish())[:n_due]
        return np.pad(rest, (0, n_due - len(rest)))

    def _next(self, frames: Sequence[av.AudioFrame]) -> Float32:
        ready = np.concatenate([np.zeros(0, np.float32), *map(samples_of, frames)])
        self._n_out += len(ready)
        return ready
