"""Changes the speed of speech without changing its pitch, piece by piece, with FFmpeg's filter atempo.
Blocking. Knows no HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import av
import numpy as np
from av.filter import Graph

from glm_tts_api.audio.resample import frame_of
from glm_tts_api.contracts import Float32

_BLOCK = 480  # samples of a frame; frames are short since atempo returns no part of a frame before its end
_LEAST_FACTOR = 0.5  # the slowest speed of one filter; slower speech takes two filters
_SILENCE_S = 0.5  # added after the end, since atempo keeps back up to a window of samples


class Tempo:
    """Changes the speed of pieces of mono float32 samples [n]. `speed` is 0.25 to 4; the result has exactly
    the number of samples divided by `speed`, rounded."""

    def __init__(self, sample_rate: int, speed: float) -> None:
        self._rate = sample_rate
        self._speed = speed
        self._n_in = self._n_out = 0
        self._graph = Graph()
        source = self._graph.add_abuffer(
            format="flt", sample_rate=sample_rate, layout="mono", time_base=Fraction(1, sample_rate)
        )
        filters = [self._graph.add("atempo", f"{factor:.6f}") for factor in _factors(speed)]
        self._graph.link_nodes(source, *filters, self._graph.add("abuffersink")).configure()

    def push(self, pcm: Float32) -> Float32:
        """Takes the next samples. Returns the samples at the new speed that are ready; possibly none."""
        blocks = (pcm[start : start + _BLOCK] for start in range(0, len(pcm), _BLOCK))
        ready = np.concatenate([np.zeros(0, np.float32), *map(self._push, blocks)])
        self._n_out += len(ready)
        return ready

    def finish(self) -> Float32:
        """Ends the audio. Returns the last samples."""
        if not self._n_in:
            return np.zeros(0, np.float32)
        n_due = round(self._n_in / self._speed) - self._n_out
        silence = np.zeros(round(_SILENCE_S * self._rate), np.float32)
        return np.concatenate([self.push(silence), self._pull(None)])[:n_due]

    def _push(self, pcm: Float32) -> Float32:
        frame = frame_of(pcm, self._rate, self._n_in)
        self._n_in += len(pcm)
        return self._pull(frame)

    def _pull(self, frame: av.AudioFrame | None) -> Float32:
        self._graph.push(frame)
        return np.concatenate([np.zeros(0, np.float32), *self._ready()])

    def _ready(self) -> Iterator[Float32]:
        while True:
            try:
                yield self._graph.pull().to_ndarray()[0]
            except (av.error.BlockingIOError, av.error.EOFError):  # no frame is ready, or the audio has ended
                return


class Paced:
    """Changes the speed of pieces of mono float32 samples [n], but not their pitch. Each piece has a speed of
    its own from 0.25 to 4; a speed of 2 halves the length. Push the pieces in order, then call `finish` once.
    """

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self._speed = 1.0
        self._tempo: Tempo | None = None

    def push(self, pcm: Float32, speed: float) -> Float32:
        """Takes the next samples with their speed. Returns the samples at the new speed that are ready;
        possibly none. If `speed` is another one than before, the last samples of the piece before come
        first."""
        before = np.zeros(0, np.float32)
        if speed != self._speed:
            before = self.finish()
            self._speed = speed
            self._tempo = None if speed == 1.0 else Tempo(self._rate, speed)
        ready = pcm if self._tempo is None else self._tempo.push(pcm)
        return np.concatenate([before, ready]) if len(before) else ready

    def finish(self) -> Float32:
        """Ends the audio of the last speed. Returns the last samples."""
        return np.zeros(0, np.float32) if self._tempo is None else self._tempo.finish()


def _factors(speed: float) -> list[float]:
    return [speed] if speed >= _LEAST_FACTOR else [_LEAST_FACTOR, speed / _LEAST_FACTOR]
