"""When a whole answer is known to be late: by the pace of its segments, and what else is spoken."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest

from glm_tts_api.contracts import AudioChunk, Recording, SpeechRequest, Voice
from glm_tts_api.errors import DeadlineExceeded
from glm_tts_api.speech.request_log import Lateness, RequestLog
from tests.speech.lanes import LONG, Lanes, play

N_SEGMENTS = 200
TEN_S_EACH = [10.0] * 30
ANY = np.zeros(1, np.float32)


def refusal(gaps_s: Sequence[float], *, n_spoken: int = 1, use_cache: bool = True) -> tuple[int, str] | None:
    """After how many segments, which end with these gaps between, the request is refused, and how."""
    asked = SpeechRequest("a", "text", Voice(Recording(ANY, 24000), "a", "0"), use_cache=use_cache)
    refused = None

    async def speak(lanes: Lanes) -> None:
        nonlocal refused
        log = RequestLog("a", "v1", None, length=lanes.admission.config.measure(LONG))
        log.timings.segments = N_SEGMENTS
        async with lanes.admit(LONG) as permit:
            lateness = Lateness(asked, log, permit, lambda: n_spoken)
            for number, gap_s in enumerate(gaps_s, start=1):
                await asyncio.sleep(gap_s)
                try:
                    lateness.took(AudioChunk(ANY, 24000, number))
                except DeadlineExceeded as late:
                    refused = number, late.message
                    return

    play(speak)
    return refused


def test_it_is_said_with_what_the_answer_would_take_once_the_pace_is_known() -> None:
    refused = refusal(TEN_S_EACH)
    assert refused is not None
    n_segments, message = refused
    assert n_segments == 5
    assert "some 2000 s, and 600 s are allowed (LONG_TEXT_TIMEOUT)" in message


@pytest.mark.parametrize(
    ("gaps_s", "others"),
    [
        ([2.0] * 30, {}),
        ([1.0] * 7 + [200.0] + [1.0] * 7, {}),
        (TEN_S_EACH, {"n_spoken": 4}),
        (TEN_S_EACH, {"use_cache": False}),
    ],
    ids=["in time", "an engine died between", "its neighbours may end", "side by side"],
)
def test_what_may_still_be_done_goes_on(gaps_s: list[float], others: dict[str, int]) -> None:
    assert refusal(gaps_s, **others) is None  # type: ignore[arg-type]
