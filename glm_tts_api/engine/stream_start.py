"""Estimates how long the start of a stream has to wait so that its player never runs out of audio. Knows
seconds and numbers of tokens; no clock, no tensors.

The estimate uses the pace that warm-up has measured, and how much slower tokens and renders are made at
present. The wait decides only when audio is sent; it does not change the audio.
"""

from __future__ import annotations

from collections.abc import Sized
from dataclasses import replace
from typing import TYPE_CHECKING

from glm_tts_api.engine.spans import SpanCutter
from glm_tts_api.engine.stream_pace import LONGEST_TOKENS, Making, Pace, Piece, wait_s

if TYPE_CHECKING:
    from glm_tts_api.engine.request import EngineRequest, Span

_TOKENS_PER_ID = 8  # speech tokens for each text id, in slow speech
# Factors on the estimated times, which may be too short. The factor grows with each further request.
_MARGIN, _MARGIN_FOR_EACH, _LARGEST_MARGIN = 1.05, 0.1, 1.5
_NEWS = 0.3  # weight of the latest render in the running mean
_NEWS_OF_A_STEP = 0.1  # weight of the latest decode step in the running mean


class StreamStarts:
    """Computes how long each stream of one engine waits at its start. `requests` are the engine's requests,
    which share the render threads; only their number is used. No stream waits before the pace is measured.
    Any thread may call."""

    def __init__(self, requests: Sized) -> None:
        self._pace: Pace | None = None
        self._requests, self._n_renderers = requests, 1
        self._token_s = 0.0
        self._times = 1.0

    def measured(self, pace: Pace | None, *, n_renderers: int) -> None:
        """Sets the pace that warm-up has measured, and the number of render threads. Does nothing if `pace`
        is None (the measured request did not fit the memory)."""
        if pace is not None:
            self._pace, self._token_s, self._n_renderers = pace, pace.token_s, n_renderers

    def decoded(self, seconds: float) -> None:
        """Updates the mean time of a decode step with a step that took `seconds` seconds. A decode step makes
        one token for each row."""
        self._token_s += _NEWS_OF_A_STEP * (seconds - self._token_s)

    def rendered(self, span: Span) -> None:
        """Updates the mean slowdown of renders: the time that the rendered `span` took, divided by its time
        at the pace that warm-up has measured. Does nothing before that pace is measured."""
        if self._pace is not None:
            alone_s = self._pace.render_s(span.window, len(span.voice.speech_tokens))
            self._times += _NEWS * (span.spent_s / max(alone_s, 1e-6) - self._times)

    def wait_s(self, request: EngineRequest, heard: Span) -> float:
        """Returns how many seconds a player should wait before playing the request's audio, so that the
        player never runs out of audio later. Returns 0 before the pace is measured. `heard` is the last span
        of the audio that has been made."""
        if self._pace is None:
            return 0.0
        n_requests = len(self._requests)
        shares = max(1.0, n_requests / self._n_renderers)
        making = Making(self._pace.under_load(token_s=self._token_s, renders=self._times * shares))
        coming, n_ahead = list[Piece](), 0
        for segment in range(heard.segment, len(request.segments)):
            said = request.segments[segment]
            n_decoded, ended = request.n_decoded(segment)
            n_tokens = n_decoded if ended else max(n_decoded + 1, _TOKENS_PER_ID * len(said.ids))
            windows = SpanCutter(request.chunks_of(segment)).cut(n_tokens, ended=True)
            if segment == heard.segment:
                windows = (window for window in windows if window.first >= heard.window.end)
            elif not n_decoded:
                making.decoded_s += self._pace.prefill_s
            n_prompt, speed = len(said.prompt.voice.speech_tokens), request.asked.speed * said.speed
            coming += (
                replace(piece, heard_s=piece.heard_s / speed)
                for piece in making.pieces(windows, n_tokens=n_tokens, n_decoded=n_decoded, n_prompt=n_prompt)
            )
            n_ahead += n_tokens
            if n_ahead > LONGEST_TOKENS:
                break
        margin = min(_LARGEST_MARGIN, _MARGIN + _MARGIN_FOR_EACH * (n_requests - 1))
        return wait_s(coming, there_s=request.heard_s, margin=margin)
