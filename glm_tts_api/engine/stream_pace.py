"""Estimates when the audio of a streamed answer is made, and when its player needs it. Knows seconds and
numbers of tokens; no clock.

The estimates use speeds that warm-up has measured at 24 kHz. The forecast for a lone stream (a stream while
there is no other request) is only reported. The sizes of spans are a setting, so that an answer stays the
same at any speed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from glm_tts_api.engine.spans import LOOK_AHEAD, SpanCutter, Window, n_awaited

TOKENS_A_SECOND = 25
PROMPT_TOKENS = 125  # a voice of 5 s
LONGEST_TOKENS = 750  # an answer of 30 s
HELD_BACK_S = 0.24  # of a span's end, which the vocoder holds back until the next span comes
LONGEST_WAIT_S = 20.0  # a stream starts at the latest so long after its first audio was made


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
        schedule = f"STREAM_CHUNKS={','.join(map(str, self.chunks))}"
        first = f"A lone listener of {schedule} hears the first audio after {self.first_audio_s:.2f} s"
        if self.runs_dry:
            return f"{first} and then silence, up to {self.longest_gap_s:.2f} s at once"
        return f"{first} and never waits again"


def forecast(
    pace: Pace, chunks: Sequence[int], n_tokens: int = LONGEST_TOKENS, *, gapless: bool = False
) -> Forecast:
    """Estimates how an answer of `n_tokens` tokens, in one segment, plays at this pace while there is no
    other request. `chunks` are the sizes of its spans in tokens; the last size repeats. Its player starts
    with the first audio; if `gapless`, the start waits until no gap will follow."""
    windows = SpanCutter(chunks).cut(n_tokens, ended=True)
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
