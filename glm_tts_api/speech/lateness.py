"""Stops an answer early that cannot be done before its deadline, judged by the time that its segments have
taken. Works on times and numbers; knows no HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import pairwise
from statistics import fmean, median

from glm_tts_api.contracts import AudioChunk, SpeechRequest
from glm_tts_api.errors import DeadlineExceeded
from glm_tts_api.speech.permit import Permit
from glm_tts_api.speech.request_log import RequestLog

_LEAST_SEGMENTS = 5  # the pace is judged after this many segments
_MARGIN = 1.5  # times the time left; above that an answer is late, since segments differ in length


class Lateness:
    """Judges whether the answer to `asked` will be late, by the pace of its segments so far. `n_spoken`
    returns how many requests are being spoken now, this one included. Alone, this request would be at most
    that many times faster. So the answer counts as late only if it would be late even at that speed. Without
    `use_cache` the segments are decoded at the same time, and their pace says little: never late."""

    def __init__(
        self, asked: SpeechRequest, log: RequestLog, permit: Permit, n_spoken: Callable[[], int]
    ) -> None:
        self._is_judged = asked.use_cache
        self._log, self._permit, self._n_spoken = log, permit, n_spoken
        self._ends: list[float] = []
        self._beside: list[int] = []

    def took(self, chunk: AudioChunk) -> None:
        """Notes a chunk of the answer. Raises DeadlineExceeded once the answer is sure to be late, after its
        fifth segment at the earliest. The message says how long the answer would take."""
        if not chunk.ends_segment or not self._is_judged:
            return
        self._ends.append(asyncio.get_running_loop().time())
        self._beside.append(self._n_spoken())
        if len(self._ends) < _LEAST_SEGMENTS:
            return
        # The median is not changed by one long time, as after the death of an engine.
        pace_s = median(after - before for before, after in pairwise(self._ends))
        needed_s = pace_s * (self._log.timings.segments - len(self._ends))
        timeout_s = self._permit.timeout_s
        left_s = timeout_s * (1 - self._permit.timeout_ratio)
        if needed_s / fmean(self._beside) > _MARGIN * left_s:
            assert self._log.length is not None
            raise DeadlineExceeded(
                f"At its pace the request would take some {timeout_s - left_s + needed_s:.0f} s, and "
                f"{timeout_s:g} s are allowed ({self._log.length.setting}); its work is stopped."
            )
