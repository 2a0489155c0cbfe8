"""Estimates how long the start of a stream has to wait so that its player never runs out of audio. Knows
seconds and numbers of tokens; no clock, no tensors.

The estimate uses the pace that warm-up has measured, and how much slower tokens and renders are made at
present. The wait decides only when audio is sent; it does not change the audio.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sized
from dataclasses import replace
from typing import TYPE_CHECKING

from glm_tts_api.engine.spans import LEFT_CONTEXT, SpanCutter, Window
from glm_tts_api.engine.stream_pace import LONGEST_TOKENS, Making, Pace, Piece, wait_s

if TYPE_CHECKING:
    from glm_tts_api.engine.request import EngineRequest, Span

_TOKENS_PER_ID = 8  # speech tokens for each text id, in slow speech
_MARGIN = 1.1  # factor on the estimated times, which may be too short
# Factor on the estimated times of renders for each further request, and the largest such factor. The first
# spans of new requests are rendered before the later spans of other requests.
_OVERTAKEN, _MOST_OVERTAKEN = 0.3, 2.0
_REMEMBERED = 8  # the latest loads
_NEWS_OF_A_STEP = 0.1  # weight of the latest decode step in the running mean
_LARGEST_NEWS = 3  # a decode step counts as at most this many times the mean


class StreamStarts:
    """Computes how long each stream of one engine waits at its start. `requests` are the engine's requests,
    which share the render threads; only their number is used. No stream waits before the pace is measured.
    Any thread may call `decoded`; one thread at a time may call `rendered` or `wait_s`.

    The slowdown of a render is its time divided by its time at the pace of warm-up. The least slowdown of
    renders without other requests is kept for short spans and for long ones; it corrects what warm-up has
    measured. A render's load is its slowdown divided by that least slowdown. The latest loads say how busy
    the machine is; those of renders beside other requests are kept apart."""

    def __init__(self, requests: Sized) -> None:
        self._pace: Pace | None = None
        self._requests, self._n_renderers = requests, 1
        self._token_s = 0.0
        self._least = dict[bool, float]()
        self._loads: dict[bool, deque[float]] = {alone: deque(maxlen=_REMEMBERED) for alone in (True, False)}

    def measured(self, pace: Pace | None, *, n_renderers: int) -> None:
        """Sets the pace that warm-up has measured, and the number of render threads. Does nothing if `pace`
        is None (the measured request did not fit the memory)."""
        if pace is not None:
            self._pace, self._token_s, self._n_renderers = pace, pace.token_s, n_renderers

    def decoded(self, seconds: float) -> None:
        """Updates the mean time of a decode step with a step that took `seconds` seconds. A decode step makes
        one token for each row."""
        seconds = min(seconds, _LARGEST_NEWS * self._token_s)
        self._token_s += _NEWS_OF_A_STEP * (seconds - self._token_s)

    def rendered(self, span: Span) -> None:
        """Learns from the time that a rendered span took. Does nothing before the pace is measured."""
        if self._pace is None:
            return
        alone_s = self._pace.render_s(span.window, len(span.voice.speech_tokens))
        slowdown = span.spent_s / max(1e-6, alone_s * self._n_beside(self._pace))
        is_long = _is_long(span.window)
        if self._is_alone:
            self._least[is_long] = min(slowdown, self._least.get(is_long, slowdown))
        self._loads[self._is_alone].append(slowdown / self._least.get(is_long, 1.0))

    def wait_s(self, request: EngineRequest, heard: Span) -> float:
        """Returns how many seconds a player should wait before playing the request's audio, so that the
        player never runs out of audio later. Returns 0 before the pace is measured. `heard` is the last span
        of the audio that has been made.

        The number of tokens of a segment that is being decoded is not known. The wait is long enough for slow
        speech, and also for a segment whose next span takes the longest rest that it can take."""
        if self._pace is None:
            return 0.0
        n_decoded, n_slow = _n_tokens(request, heard.segment)
        n_joined = min(n_slow, max(n_decoded + 1, request.cutters[heard.segment].longest_rest))
        return max(
            wait_s(self._coming(request, heard, n, self._pace), there_s=request.heard_s, margin=_MARGIN)
            for n in {n_slow, n_joined}
        )

    def _coming(self, request: EngineRequest, heard: Span, n_tokens: int, pace: Pace) -> list[Piece]:
        """Estimates when the audio after the span `heard` will be ready, if its segment has `n_tokens`
        tokens."""
        crowd = self._crowd(pace)

        def times(window: Window) -> float:
            return crowd * self._least.get(_is_long(window), 1.0)

        making, coming, n_ahead = Making(replace(pace, token_s=self._token_s), times), list[Piece](), 0
        for segment in range(heard.segment, len(request.segments)):
            said = request.segments[segment]
            n_decoded, n_slow = _n_tokens(request, segment)
            n_likely = n_tokens if segment == heard.segment else n_slow
            windows = SpanCutter(request.cutters[segment].chunks).cut(n_likely, ended=True)
            if segment == heard.segment:
                windows = (window for window in windows if window.first >= heard.window.end)
            elif not n_decoded:
                making.decoded_s += pace.prefill_s
            n_prompt, speed = len(said.prompt.voice.speech_tokens), request.asked.speed * said.speed
            coming += (
                replace(piece, heard_s=piece.heard_s / speed)
                for piece in making.pieces(windows, n_tokens=n_likely, n_decoded=n_decoded, n_prompt=n_prompt)
            )
            n_ahead += n_likely
            if n_ahead > LONGEST_TOKENS:
                break
        return coming

    def _crowd(self, pace: Pace) -> float:
        """Returns the factor for the renders of one request at the present load."""
        n_requests, loads = len(self._requests), self._loads[self._is_alone]
        # A single high load counts until the next render only: it may be a hiccup.
        load = max(loads[-1], sorted(loads)[-2:][0]) if loads else 1.0
        overtaken = min(_MOST_OVERTAKEN, 1 + _OVERTAKEN * (n_requests - 1))
        return load * overtaken * self._n_beside(pace) * max(1.0, n_requests / self._n_renderers)

    def _n_beside(self, pace: Pace) -> int:
        """Returns how many renders share the cores that a lone request's render has for itself."""
        return min(len(self._requests), self._n_renderers) if pace.one_core else 1

    @property
    def _is_alone(self) -> bool:
        return len(self._requests) == 1


def _is_long(window: Window) -> bool:
    return window.end - window.first > LEFT_CONTEXT


def _n_tokens(request: EngineRequest, segment: int) -> tuple[int, int]:
    """Returns how many speech tokens a segment has so far, and how many it will have in slow speech."""
    n_decoded, ended = request.n_decoded(segment)
    n_slow = _TOKENS_PER_ID * len(request.segments[segment].ids)
    return n_decoded, n_decoded if ended else max(n_decoded + 1, n_slow)
