"""Measures the loudness of a recording with FFmpeg's filter ebur128. Blocking."""

from __future__ import annotations

import math
from collections.abc import Iterable

from glm_tts_api.audio.resample import filtered, filters, frame_of
from glm_tts_api.contracts import Float32

_ABSOLUTE_GATE = -70.0  # LUFS; a recording that is softer than this everywhere has no loudness


def integrated_loudness(pieces: Iterable[Float32], sample_rate: int) -> float:
    """Returns the integrated loudness (ITU-R BS.1770) in LUFS of a recording that is given in pieces of mono
    float32 samples [n]. Pauses do not count. Returns -inf for silence and for less than 0.4 s."""
    graph = filters(sample_rate, ("ebur128", "metadata=1"))
    loudness, n_samples = _ABSOLUTE_GATE, 0
    for pcm in filter(len, pieces):
        graph.push(frame_of(pcm, sample_rate, n_samples))
        n_samples += len(pcm)
        for measured in filtered(graph):
            loudness = float(measured.metadata["lavfi.r128.I"])
    return loudness if loudness > _ABSOLUTE_GATE else -math.inf
