"""`scripts/bench.py official`: what it measures of a server, here one that speaks tones."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bench.official import N_BESIDE, measure
from tests.api.running import Running
from tests.api.tone_engine import ToneEngine

_DELAY_S, _SECONDS = 0.1, 2.0


def test_one_answer_and_four_at_once_are_measured_whole_and_streamed(serve: Callable[..., Running]) -> None:
    url = serve(ToneEngine(delay_s=_DELAY_S, seconds=_SECONDS)).url
    row = asyncio.run(measure(url))
    assert row["alone"]["audio_s"] == row["stream"]["audio_s"] == _SECONDS
    assert row["at_once"]["audio_s"] == row["streams_at_once"]["audio_s"] == N_BESIDE * _SECONDS
    assert row["alone"]["rtf"] >= _DELAY_S / _SECONDS
    assert row["at_once"]["rtf"] >= _DELAY_S / _SECONDS / N_BESIDE  # they are there side by side
    for streams in (row["stream"], row["streams_at_once"]):
        assert _DELAY_S <= streams["first_audio_s"] <= streams["smooth_from_s"] + 1e-6
        assert streams["rtf"] >= _DELAY_S / _SECONDS / N_BESIDE
