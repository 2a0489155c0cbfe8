"""Changes the speed of speech without changing its pitch, piece by piece, with FFmpeg's filter atempo.
Blocking. Knows no HTTP."""

from __future__ import annotations

import numpy as np
from av.filter import Graph

from glm_tts_api.audio.resample import filtered, filters, frame_of, samples_of
from glm_tts_api.contracts import Float32

FASTEST = 1.6  # the highest speed that still sounds natural
_FADE_S = 0.01
_BLOCK = 480  # samples of a frame; frames are short since atempo returns no part of a frame before its end
_LEAST_FACTOR = 0.5  # the slowest speed of one filter; slower speech takes two filters
_SILENCE_S = 0.5  # added after the end, since atempo keeps back up to a window of samples


def cut_off(pcm: Float32, n_samples: int, sample_rate: int) -> Float32:
    """Returns the first `n_samples` of the speech `pcm` [n], with a short fade at the end; all of it as it is
    if it is no longer."""
    if len(pcm) <= n_samples:
        return pcm
    kept = pcm[:n_samples].copy()
    n_faded = min(n_samples, round(_FADE_S * sample_rate))
    kept[n_samples - n_faded :] *= np.linspace(1, 0, n_faded, dtype=np.float32)
    return kept


class Paced:
    """Changes the speed of pieces of mono float32 samples [n], but not their pitch. Each piece has a speed of
    its own from 0.25 to 4; a speed of 2 halves the length. Pieces of one speed have exactly the number of
    their samples divided by the speed, rounded. Push the pieces in order, then call `finish` once."""

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self._begin(1.0)

    def push(self, pcm: Float32, speed: float) -> Float32:
        """Takes the next samples with their speed. Returns the samples at the new speed that are ready;
        possibly none. If `speed` is another one than before, the last samples of the piece before come
        first."""
        before = np.zeros(0, np.float32)
        if speed != self._speed:
            before = self.finish()
            self._begin(speed)
        ready = pcm if self._graph is None else self._at_speed(pcm, self._graph)
        return np.concatenate([before, ready]) if len(before) else ready

    def finish(self) -> Float32:
        """Ends the audio of the last speed. Returns the last samples."""
        if self._graph is None or not self._n_in:
            return np.zeros(0, np.float32)
        n_due = round(self._n_in / self._speed) - self._n_out
        silence = np.zeros(round(_SILENCE_S * self._rate), np.float32)
        rest = self._at_speed(silence, self._graph)
        self._graph.push(None)
        return np.concatenate([rest, *map(samples_of, filtered(self._graph))])[:n_due]

    def _begin(self, speed: float) -> None:
        self._speed, self._n_in, self._n_out = speed, 0, 0
        factors = [speed] if speed >= _LEAST_FACTOR else [_LEAST_FACTOR, speed / _LEAST_FACTOR]
        atempo = (("atempo", f"{factor:.6f}") for factor in factors)
        self._graph = None if speed == 1.0 else filters(self._rate, *atempo)

    def _at_speed(self, pcm: Float32, graph: Graph) -> Float32:
        ready = [np.zeros(0, np.float32)]
        for start in range(0, len(pcm), _BLOCK):
            frame = frame_of(pcm[start : start + _BLOCK], self._rate, self._n_in)
            self._n_in += frame.samples
            graph.push(frame)
            ready += map(samples_of, filtered(graph))
        self._n_out += sum(map(len, ready))
        return np.concatenate(ready)
