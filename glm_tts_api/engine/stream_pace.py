"""When the audio of a streamed answer comes, and when a player wants it. Knows seconds and numbers of tokens;
no clock.

For a lone listener who plays from the first audio on, at 24 kHz, at speeds that warm-up has measured. The
results are only reported: the schedule is a setting, so that an answer stays the same at any speed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from glm_tts_api.engine.spans import LOOK_AHEAD, SpanCutter, Window, n_awaited

TOKENS_A_SECOND = 25
PROMPT_TOKENS = 125  # a voice of 5 s
LONGEST_TOKENS = 750  # an answer of 30 s
HELD_BACK_S = 0.24  # the end of a span that the vocoder keeps until it knows the next
_TOO_SLOW = 1.25  # seconds for one of audio; a little slower, and waiting for a short answer still helps
_FIRST_CHUNKS = (12, 18, 25, 37, 50, 75, 100, 150, 200, 300)
_LAST_CHUNKS = (100, 200, 400)


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast one answer is made while nobody else speaks. Seconds: `prefill_s` until the LLM has read its
    prompt, `token_s` a speech token; the flow takes `flow_s` for any window (below 0 where long ones take
    more than their share) and `flow_token_s` for each of its tokens, the prompt's among them;
    `vocoder_token_s` a token. `one_core`: tokens wait while a span is rendered."""

    prefill_s: float
    token_s: float
    flow_s: float
    flow_token_s: float
    vocoder_token_s: float
    one_core: bool = False

    def render_s(self, window: Window, n_prompt: int = PROMPT_TOKENS) -> float:
        """Seconds of flow and vocoder for a window in a voice of so many tokens."""
        n_tokens, n_said = window.stop - window.start, window.end - window.first
        flow_s = max(0.0, self.flow_s + self.flow_token_s * (n_prompt + n_tokens))
        return flow_s + self.vocoder_token_s * (n_said + LOOK_AHEAD)

    def under_load(self, *, token_s: float, renders: float) -> Pace:
        """A token takes `token_s` now, and a render `renders` times as long."""
        return replace(
            self,
            token_s=token_s,
            flow_s=renders * self.flow_s,
            flow_token_s=renders * self.flow_token_s,
            vocoder_token_s=renders * self.vocoder_token_s,
        )

    def longest_step_s(self, *, n_prompt: int, n_rows: int, flow_steps: int) -> float:
        """Seconds of the longest step: a token for `n_rows` rows, as if each came alone, or one of the
        `flow_steps` for an answer of 30 s in a voice of `n_prompt` tokens. So long a window takes about twice
        its share, for the flow's attention, and more than the vocoder's call."""
        flow_s = self.flow_s + self.flow_token_s * (n_prompt + LONGEST_TOKENS)
        return max(self.token_s * n_rows, 2 * flow_s / flow_steps)


@dataclass(frozen=True, slots=True)
class Playback:
    """`first_audio_s`: until something is heard; `longest_gap_s`: of silence in between, 0 if none."""

    first_audio_s: float
    longest_gap_s: float


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a stream: it is there in `made_s` seconds, and plays for `heard_s`."""

    made_s: float
    heard_s: float


@dataclass(slots=True)
class Making:
    """The times of segments that are made one after the other at this `pace`. `decoded_s`, `made_s`: when the
    last token so far is decoded, and the last span rendered."""

    pace: Pace
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
        """The pieces of a segment of `n_tokens`, of which `n_decoded` are there."""
        for window in windows:
            size = window.end - window.first
            n_cut_with = n_tokens if window.last else window.end + n_awaited(size) + 1
            if self.pace.one_core:
                self.decoded_s = max(self.decoded_s, self.made_s)
            self.decoded_s += self.pace.token_s * max(0, n_cut_with - n_decoded)
            n_decoded = max(n_decoded, n_cut_with)
            self.made_s = max(self.decoded_s, self.made_s) + self.pace.render_s(window, n_prompt)
            until_s = window.end / TOKENS_A_SECOND - (0.0 if window.last else HELD_BACK_S)
            from_s = window.first / TOKENS_A_SECOND - HELD_BACK_S
            yield Piece(self.made_s, max(0.0, until_s) - max(0.0, from_s))


def wait_s(pieces: Sequence[Piece], *, there_s: float, margin: float = 1.0) -> float:
    """The seconds that a player with `there_s` of audio has to wait, so that it never runs dry before the
    next of the `pieces`; each may come `margin` times as late as estimated. 0 where speech is made clearly
    slower than it plays: there waiting does not help."""
    if pieces and pieces[-1].made_s > _TOO_SLOW * sum(piece.heard_s for piece in pieces):
        return 0.0
    wait = 0.0
    for piece in pieces:
        wait = max(wait, margin * piece.made_s - there_s)
        there_s += piece.heard_s
    return wait


@dataclass(frozen=True, slots=True)
class Forecast(Playback):
    """A lone listener's playback with `chunks`. `schedule_without_gaps`: of the schedules with which a player
    never runs dry, the one that starts soonest. None where there is no such schedule: speech is made slower
    than it plays."""

    chunks: tuple[int, ...]
    schedule_without_gaps: tuple[int, ...] | None

    @property
    def runs_dry(self) -> bool:
        return self.longest_gap_s > 0

    def __str__(self) -> str:
        first = (
            f"A lone listener of {_named(self.chunks)} hears the first audio after {self.first_audio_s:.2f} s"
        )
        if not self.runs_dry:
            return f"{first} and never waits again"
        gap = f"{first} and then silence, up to {self.longest_gap_s:.2f} s at once"
        if self.schedule_without_gaps is None:
            return f"{gap}: this machine speaks slower than one listens, whatever the schedule"
        return f"{gap}; {_named(self.schedule_without_gaps)} would have no gaps"


def forecast(pace: Pace, chunks: Sequence[int], *, gapless: bool = False) -> Forecast:
    """`chunks`: tokens of the spans, the last size repeats."""
    playback = play(pace, chunks, gapless=gapless)
    without_gaps = tuple(chunks) if not playback.longest_gap_s else _schedule_without_gaps(pace)
    return Forecast(playback.first_audio_s, playback.longest_gap_s, tuple(chunks), without_gaps)


def play(
    pace: Pace, chunks: Sequence[int], n_tokens: int = LONGEST_TOKENS, *, gapless: bool = False
) -> Playback:
    """An answer of `n_tokens` in one segment, played as it comes, or from when it is `gapless`."""
    windows = SpanCutter(chunks).cut(n_tokens, ended=True)
    making = Making(pace, decoded_s=pace.prefill_s)
    first, *later = (piece for piece in making.pieces(windows, n_tokens=n_tokens) if piece.heard_s)
    first_audio_s = first.made_s
    if gapless:
        from_then = [replace(piece, made_s=piece.made_s - first.made_s) for piece in later]
        first_audio_s += wait_s(from_then, there_s=first.heard_s)
    dry_at, longest_gap_s = first_audio_s + first.heard_s, 0.0
    for piece in later:
        longest_gap_s = max(longest_gap_s, piece.made_s - dry_at)
        dry_at = max(dry_at, piece.made_s) + piece.heard_s
    return Playback(first_audio_s, longest_gap_s)


def _schedule_without_gaps(pace: Pace) -> tuple[int, ...] | None:
    """The schedule that begins soonest, of those that double up to a last size."""
    schedules = [_doubling(first, last) for last in _LAST_CHUNKS for first in _FIRST_CHUNKS if first <= last]
    smooth = [chunks for chunks in schedules if not play(pace, chunks).longest_gap_s]
    return min(smooth, key=lambda chunks: play(pace, chunks).first_audio_s, default=None)


def _doubling(first: int, last: int) -> tuple[int, ...]:
    chunks = [first]
    while 2 * chunks[-1] < last:
        chunks.append(2 * chunks[-1])
    return (*chunks, last) if first < last else (first,)


def _named(chunks: Sequence[int]) -> str:
    return f"STREAM_CHUNKS={','.join(map(str, chunks))}"
