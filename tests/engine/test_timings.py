"""Where a request's time goes: every moment counts once."""

from __future__ import annotations

import time
from contextlib import suppress

from glm_tts_api.contracts import Timings


def test_of_stages_side_by_side_the_latest_counts_and_none_counts_twice() -> None:
    timings, begin = Timings(), time.perf_counter()
    with timings.stage("decode"):
        time.sleep(0.02)
        with timings.stage("flow"), timings.stage("flow"):
            time.sleep(0.02)
        time.sleep(0.02)
    spent = time.perf_counter() - begin
    time.sleep(0.02)  # waits for the vocoder
    with timings.stage("vocoder"):
        pass
    assert timings.stage_s["flow"] >= 0.02
    assert timings.stage_s["decode"] >= 0.04
    assert 0.06 <= sum(timings.stage_s.values()) <= spent + 0.01


def test_a_stage_that_an_error_ends_has_ended() -> None:
    timings = Timings()
    with suppress(ValueError), timings.stage("text"):
        raise ValueError
    before = timings.stage_s["text"]
    time.sleep(0.01)
    timings.change("flow", 1)
    assert timings.stage_s["text"] == before
