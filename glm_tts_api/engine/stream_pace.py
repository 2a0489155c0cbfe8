"""Estimates when the audio of a streamed answer is made, and when its player needs it. Knows seconds and
numbers of tokens; no clock, no tensors.

The estimates use speeds that warm-up has measured at 24 kHz. The forecast for a lone stream (a stream while
there is no other request) is only reported. StreamStarts computes how long the start of a stream waits, so
that its player never runs out of audio; it also counts how much slower tokens and renders are made at
present. Both decide only when audio is sent: the sizes of spans are a setting, so that an answer stays the
same at any speed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from glm_tts_api.engine.spans import LOOK_AHEAD, Window, cut_windows, longest_rest, n_awaited

if TYPE_CHECKING:
    from glm_tts_api.engine.request import EngineRequest, Span

TOKENS_A_SECOND = 25
PROMPT_TOKENS = 125  # a voice of 5 s
LONGEST_TOKENS = 750  # an answer of 30 s
HELD_BACK_S = 0.24  # of a span's end, which the vocoder holds back until the next span comes
LONGEST_WAIT_S = 20.0  # a stream starts at the latest so long after its first audio was made
_TOKENS_PER_ID = 8  # speech tokens for each text id, in slow speech
_MARGIN = 1.1  # factor on the estimated times, which may be too short
# Factor on the estimated times of renders for each further request, and the largest such factor. The first
# spans of new requests are rendered before the later spans of other requests.
_OVERTAKEN, _MOST_OVERTAKEN = 0.3, 2.0
_REMEMBERED = 8  # the latest loads
_NEWS_OF_A_STEP = 0.1  # weight of the latest decode step in the running mean
_LARGEST_NEWS = 3  # a decode step counts as at most this many times the mean


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast one answer is made while there is no other request. All times are in seconds.

    `prefill_s` passes until the LLM has read the prompt. A speech token takes `token_s`. The flow takes
    `flow_s` for each window, and `flow_token_s` for each token of the window and of the voice's prompt. (A
    negative `flow_s` means that long windows take more than in proportion.) The vocoder takes
    `vocoder_token_s` for each token. `one_core` says that no token is decoded while a span is rendered."""

    prefill_s: float
    token_s: float
    flow_s: float
    flow_token_s: float
    vocoder_token_s: float
    one_core: bool = False

    def render_s(self, window: Window, n_prompt: int = PROMPT_TOKENS) -> float:
        """Returns the seconds that flow and vocoder take for a window, in a voice with a prompt of `n_prompt`
        tokens."""
        n_tokens, n_said = window.stop - window.start, window.end - window.first
        flow_s = max(0.0, self.flow_s + self.flow_token_s * (n_prompt + n_tokens))
        return flow_s + self.vocoder_token_s * (n_said + LOOK_AHEAD)

    def longest_step_s(self, *, n_prompt: int, n_rows: int, flow_steps: int) -> float:
        """Returns the seconds of the engine's longest step. The longest step is either a token for `n_rows`
        rows, counted as if they were decoded one by one, or one of the `flow_steps` steps for an answer of 30
        s. The answer's voice has a prompt of `n_prompt` tokens. The flow's time counts twice, because its
        attention makes so long a window slower than in proportion. A vocoder call is shorter than such a
        step."""
        flow_s = self.flow_s + self.flow_token_s * (n_prompt + LONGEST_TOKENS)
        return max(self.token_s * n_rows, 2 * flow_s / flow_steps)


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a stream's audio, which is ready `made_s` seconds from now and plays for `heard_s`
    seconds."""

    made_s: float
    heard_s: float


@dataclass(slots=True)
class Making:
    """Estimates the times at which segments are made, one after the other, at the pace `pace`. The render of
    a window takes `times` the time of that pace. `decoded_s` is the time of the last token so far, `made_s`
    the time at which the last span so far is rendered, both in seconds from now."""

    pace: Pace
    times: Callable[[Window], float] = lambda window: 1.0
    decoded_s: float = 0.0
    made_s: float = 0.0

    def pieces(
        self,
        windows: Iterable[Window],
        *,
        n_tokens: int,
        n_decoded: int = 0,
        n_prompt: int = PROMPT_TOKENS,
    ) -> Iterator[Piece]:
        """Estimates when the audio of a segment will be ready. Yields one Piece for each of the segment's
        `windows`, and moves `decoded_s` and `made_s` on to the times of that piece. The segment has
        `n_tokens` tokens; the first `n_decoded` tokens are decoded already. Its voice has a prompt of
        `n_prompt` tokens."""
        for window in windows:
            size = window.end - window.first
            n_cut_with = n_tokens if window.last else window.end + n_awaited(size) + 1
            if self.pace.one_core:
                self.decoded_s = max(self.decoded_s, self.made_s)
            self.decoded_s += self.pace.token_s * max(0, n_cut_with - n_decoded)
            n_decoded = max(n_decoded, n_cut_with)
            render_s = self.times(window) * self.pace.render_s(window, n_prompt)
            self.made_s = max(self.decoded_s, self.made_s) + render_s
            until_s = window.end / TOKENS_A_SECOND - (0.0 if window.last else HELD_BACK_S)
            from_s = window.first / TOKENS_A_SECOND - HELD_BACK_S
            yield Piece(self.made_s, max(0.0, until_s) - max(0.0, from_s))


def wait_s(pieces: Iterable[Piece], *, there_s: float, margin: float = 1.0) -> float:
    """Returns the seconds that a player has to wait before it starts, so that it never runs out of audio. The
    player has `there_s` seconds of audio. The `pieces` follow, each up to `margin` times as late as
    estimated."""
    wait = 0.0
    for piece in pieces:
        wait = max(wait, margin * piece.made_s - there_s)
        there_s += piece.heard_s
    return wait


@dataclass(frozen=True, slots=True)
class Forecast:
    """How a stream with the span sizes `chunks` plays while there is no other request. `first_audio_s` is the
    time until the first audio is heard. `longest_gap_s` is the longest silence after that, for lack of audio;
    0 if there is none. Both times are in seconds."""

    first_audio_s: float
    longest_gap_s: float
    chunks: tuple[int, ...]

    @property
    def runs_dry(self) -> bool:
        return self.longest_gap_s > 0

    def __str__(self) -> str:
        spans = ", ".join(map(str, self.chunks))
        after = f"hears the first audio after {self.first_audio_s:.2f} s"
        first = f"A lone listener of spans of {spans} tokens {after}"
        if self.runs_dry:
            return f"{first} and then silence, up to {self.longest_gap_s:.2f} s at once"
        return f"{first} and never waits again"


def forecast(
    pace: Pace, chunks: Sequence[int], n_tokens: int = LONGEST_TOKENS, *, gapless: bool = False
) -> Forecast:
    """Estimates how an answer of `n_tokens` tokens, in one segment, plays at this pace while there is no
    other request. `chunks` are the sizes of its spans in tokens; the last size repeats. Its player starts
    with the first audio; if `gapless`, the start waits until no gap will follow."""
    windows = cut_windows(chunks, n_tokens, ended=True)
    making = Making(pace, decoded_s=pace.prefill_s)
    first, *later = (piece for piece in making.pieces(windows, n_tokens=n_tokens) if piece.heard_s)
    first_audio_s = first.made_s
    if gapless:
        from_then = [replace(piece, made_s=piece.made_s - first.made_s) for piece in later]
        first_audio_s += min(LONGEST_WAIT_S, wait_s(from_then, there_s=first.heard_s))
    dry_at, longest_gap_s = first_audio_s + first.heard_s, 0.0
    for piece in later:
        longest_gap_s = max(longest_gap_s, piece.made_s - dry_at)
        dry_at = max(dry_at, piece.made_s) + piece.heard_s
    return Forecast(first_audio_s, longest_gap_s, tuple(chunks))


class StreamStarts:
    """Computes how long each stream of one engine waits at its start. `requests` are the engine's requests,
    which share the render threads; only their number is used. No stream waits before the pace is measured.
    Any thread may call `decoded`; one thread at a time may call `rendered` or `wait_s`.

    The slowdown of a render is its time divided by its time at the pace of warm-up. The least slowdown of
    renders without other requests is kept for spans of each size; it corrects what warm-up has measured. A
    render's load is its slowdown divided by that least slowdown. The latest loads say how busy the machine
    is; those of renders beside other requests are kept apart."""

    def __init__(self, requests: Sized) -> None:
        self._pace: Pace | None = None
        self._requests, self._n_renderers = requests, 1
        self._token_s = 0.0
        self._least = dict[int, float]()  # by the size of a span
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
        slowdown = span.spent_s / max(1e-6, alone_s * self._n_sharing(self._pace))
        size, is_alone = _size(span.window), len(self._requests) == 1
        if is_alone:
            self._least[size] = min(slowdown, self._least.get(size, slowdown))
        self._loads[is_alone].append(slowdown / self._least.get(size, 1.0))

    def wait_s(self, request: EngineRequest, heard: Span) -> float:
        """Returns how many seconds a player should wait before playing the request's audio, so that the
        player never runs out of audio later. Returns 0 before the pace is measured. `heard` is the last span
        of the audio that has been made.

        The number of tokens of a segment that is being decoded is not known. The wait is long enough for slow
        speech, and also for a segment whose next span takes the longest rest that it can take."""
        if self._pace is None:
            return 0.0
        n_decoded, n_slow = _n_tokens(request, heard.segment)
        rest = longest_rest(request.chunks[heard.segment], request.windows[heard.segment])
        n_joined = min(n_slow, max(n_decoded + 1, rest))
        return max(
            wait_s(self._coming(request, heard, n, self._pace), there_s=request.heard_s, margin=_MARGIN)
            for n in {n_slow, n_joined}
        )

    def _coming(self, request: EngineRequest, heard: Span, n_tokens: int, pace: Pace) -> list[Piece]:
        """Estimates when the audio after the span `heard` will be ready, if its segment has `n_tokens`
        tokens."""
        crowd = self._crowd(pace)

        def times(window: Window) -> float:
            return crowd * self._least.get(_size(window), 1.0)

        making, coming, n_ahead = Making(replace(pace, token_s=self._token_s), times), list[Piece](), 0
        for segment in range(heard.segment, len(request.segments)):
            text = request.segments[segment]
            n_decoded, n_slow = _n_tokens(request, segment)
            n_likely = n_tokens if segment == heard.segment else n_slow
            windows = cut_windows(request.chunks[segment], n_likely, ended=True)
            if segment == heard.segment:
                windows = [window for window in windows if window.first >= heard.window.end]
            elif not n_decoded:
                making.decoded_s += pace.prefill_s
            n_prompt, speed = len(text.prompt.speech_tokens), request.speech.speed * text.speed
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
        n_requests = len(self._requests)
        loads = self._loads[n_requests == 1]
        # A single high load counts until the next render only: it may be a hiccup.
        load = max(loads[-1], sorted(loads)[-2:][0]) if loads else 1.0
        overtaken = min(_MOST_OVERTAKEN, 1 + _OVERTAKEN * (n_requests - 1))
        return load * overtaken * self._n_sharing(pace) * max(1.0, n_requests / self._n_renderers)

    def _n_sharing(self, pace: Pace) -> int:
        """Returns how many renders share the cores that a lone request's render has for itself."""
        return min(len(self._requests), self._n_renderers) if pace.one_core else 1


def _size(window: Window) -> int:
    return min(7, (window.end - window.first).bit_length())  # from 64 tokens on the pace fits all sizes alike


def _n_tokens(request: EngineRequest, segment: int) -> tuple[int, int]:
    """Returns how many speech tokens a segment has so far, and how many it will have in slow speech."""
    n_decoded, ended = request.n_decoded(segment)
    n_slow = _TOKENS_PER_ID * len(request.segments[segment].ids)
    return n_decoded, n_decoded if ended else max(n_decoded + 1, n_slow)
