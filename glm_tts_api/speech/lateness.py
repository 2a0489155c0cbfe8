"""Whether a whole answer can be done before its deadline, by the pace of its segments so far. Knows times and
numbers; knows no HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import pairwise
from statistics import fmean, median

from glm_tts_api.contracts import AudioChunk, SpeechRequest
from glm_tts_api.errors import DeadlineExceeded
from glm_tts_api.speech.lane import Permit
from glm_tts_api.speech.request_log import RequestLog

_LEAST_SEGMENTS = 5  # a pace is believed from here on
_MARGIN = 1.5  # of the time that is left: segments differ in length


class Lateness:
    """`n_spoken`: how many requests are spoken now, this one included. The rest of this one would go faster
    without the others, at most as many times as there are, so it is late only if that would not do either.

    The segments of a request without use_cache are decoded side by side: their pace says little, so they
    are never late.
    """

    def __init__(
        self, asked: SpeechRequest, log: RequestLog, permit: Permit, n_spoken: Callable[[], int]
    ) -> None:
        self._is_judged = asked.use_cache
        self._log, self._permit, self._n_spoken = log, permit, n_spoken
        self._ends: list[float] = []
        self._beside: list[int] = []

    def took(self, chunk: AudioChunk) -> None:
        """Raises DeadlineExceeded, with what the answer would take, once that is sure to be too long."""
        if not chunk.ends_segment or not self._is_judged:
            return
        self._ends.append(asyncio.get_running_loop().time())
        self._beside.append(self._n_spoken())
        if len(self._ends) < _LEAST_SEGMENTS:
            return
        pace_s = median(after - before for before, after in pairwise(self._ends))  # an engine may die between
        needed_s = pace_s * (self._log.timings.segments - len(self._ends))
        timeout_s = self._permit.timeout_s
        left_s = timeout_s * (1 - self._permit.timeout_ratio)
        if needed_s / fmean(self._beside) > _MARGIN * left_s:
            length = self._log.length
            assert length is not None
            raise DeadlineExceeded(
                f"At its pace the request would take some {timeout_s - left_s + needed_s:.0f} s, and "
                f"{timeout_s:g} s are allowed ({length.setting}); its work is stopped."
            )
