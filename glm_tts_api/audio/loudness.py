"""Measures the loudness of a recording with FFmpeg's filter ebur128. Blocking."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import av
from av.filter import Graph

from glm_tts_api.audio.resample import frame_of
from glm_tts_api.contracts import Float32

_ABSOLUTE_GATE = -70.0  # LUFS; a recording that is softer than this everywhere has no loudness


def integrated_loudness(pieces: Iterable[Float32], sample_rate: int) -> float:
    """Returns the integrated loudness (ITU-R BS.1770) in LUFS of a recording that is given in pieces of mono
    float32 samples [n]. Pauses do not count. Returns -inf for silence and for less than 0.4 s."""
    graph = Graph()
    time_base = Fraction(1, sample_rate)
    source = graph.add_abuffer(sample_rate=sample_rate, format="flt", layout="mono", time_base=time_base)
    meter, sink = graph.add("ebur128", "metadata=1"), graph.add("abuffersink")
    source.link_to(meter)
    meter.link_to(sink)
    graph.configure()
    loudness, n_samples = _ABSOLUTE_GATE, 0
    for pcm in filter(len, pieces):
        source.push(frame_of(pcm, sample_rate, n_samples))
        n_samples += len(pcm)
        while True:
            try:
                measured: Any = sink.pull()
            except av.BlockingIOError:
                break
            loudness = float(measured.metadata["lavfi.r128.I"])
    return loudness if loudness > _ABSOLUTE_GATE else -math.inf
