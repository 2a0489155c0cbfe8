"""Converts samples from one rate to another, and makes the frames that FFmpeg's encoders and filters take.
Blocking."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import av
import numpy as np
import soxr
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
    frames of `frame_size` samples in FFmpeg's `sample_format`."""

    def __init__(self, rate: int, heard: int, sample_format: str, frame_size: int) -> None:
        self._resampled = Resampled(rate, heard)
        self._rate = heard
        self._frames = av.AudioResampler(sample_format, "mono", heard, frame_size=frame_size)
        self._n_in = 0

    def push(self, pcm: Float32) -> list[av.AudioFrame]:
        """Takes the next samples. Returns the frames that are complete now; possibly none."""
        return self._framed(self._resampled.push(pcm))

    def finish(self) -> list[av.AudioFrame]:
        """Ends the audio. Returns the last frames."""
        ready = self._framed(self._resampled.finish())
        return [*ready, *self._frames.resample(None)] if self._n_in else []

    def _framed(self, pcm: Float32) -> list[av.AudioFrame]:
        if not len(pcm):
            return []
        frame = frame_of(np.clip(pcm, -1.0, 1.0), self._rate, self._n_in)
        self._n_in += len(pcm)
        ready: list[av.AudioFrame] = self._frames.resample(frame)
        return ready


class Resampled:
    """Resamples pieces of mono float32 samples [n] from `rate` to `heard` Hz by soxr. The result is the same
    however the samples are cut into pieces, and has as many as the duration needs, rounded half up.
    Frequencies above half the new rate are more than 100 dB down."""

    def __init__(self, rate: int, heard: int) -> None:
        self._stream = None if heard == rate else soxr.ResampleStream(rate, heard, 1, dtype="float32")

    def push(self, pcm: Float32) -> Float32:
        """Takes the next samples. Returns the samples at the new rate that are ready; possibly none."""
        return pcm if self._stream is None else self._stream.resample_chunk(pcm)

    def finish(self) -> Float32:
        """Ends the audio. Returns the last samples."""
        nothing = np.zeros(0, np.float32)
        return nothing if self._stream is None else self._stream.resample_chunk(nothing, last=True)
