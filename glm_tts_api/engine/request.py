"""A SpeechRequest inside the engine: decides the order in which its segments are decoded and rendered.

With `use_cache` the segments are decoded one after the other; the prompt of each has the earlier speech in
its voice (docs/model.md 11). Without it, all segments may start at once. The decode batch and the render
stage only get sequences to decode and spans to render. Knows lists of ids; no tensors, no threads.
"""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from glm_tts_api.contracts import AudioChunk, Float32, SamplingOptions
from glm_tts_api.engine.event_sink import EventSink
from glm_tts_api.engine.guard import MOST_RETAKES, best_of, faults_in, kept_of
from glm_tts_api.engine.llm_prompt import MAX_TOKENS_PER_ID, MIN_TOKENS_PER_ID, Earlier, PromptLayout, Segment
from glm_tts_api.engine.messages import Speak
from glm_tts_api.engine.seeds import llm_seed
from glm_tts_api.engine.spans import Window, cut_windows, longest_rest
from glm_tts_api.engine.stream_pace import LONGEST_WAIT_S
from glm_tts_api.engine.word_times import word_times
from glm_tts_api.model.sequence import SpeechSequence

if TYPE_CHECKING:
    from glm_tts_api.engine.stream_pace import StreamStarts
    from glm_tts_api.engine.voice_features import VoicePrompt

# Earliest deadline first: a request is due some time after its start, a short text sooner than a long one.
# Since a long text becomes due at last, new requests do not overtake it for ever.
_DUE_S_PER_ID = 0.25
_FIRST_DUE_S = 0.5
_SILENCE = np.zeros(24000, np.float32)  # the samples of every pause
_SILENCE.flags.writeable = False
_NOTHING = SpeechSequence([], 0, 0, SamplingOptions())  # nothing is kept of what was decoded before


@dataclass(slots=True, eq=False)
class Span:
    """A run of a segment's speech tokens that is rendered at once. `tokens` are all tokens of its `window`.

    `progress` holds the state of the rendering; None means that no step was taken yet. `taken` says that a
    thread works on the span now. After rendering, `pcm` is the waveform, or `error` is the error that ended
    the span. A cancelled request has neither of them. `spent_s` is the number of seconds that the span's
    steps have taken.
    """

    request: EngineRequest
    segment: int
    tokens: Sequence[int]
    window: Window
    progress: Any = None
    taken: bool = False
    pcm: Float32 | None = None
    error: Exception | None = None
    spent_s: float = 0.0

    @property
    def voice(self) -> VoicePrompt:
        return self.request.segments[self.segment].prompt


class EngineRequest:
    """A request that is being worked on: gives out sequences and spans, and delivers the audio in order.

    The decode thread calls `next_sequence` and `take`, a render thread calls `deliver`; both may call `fail`.
    `n_undecided` segments are not decoded to their end. `n_rendering` spans are with the render stage;
    the decode thread lowers the number when a span has ended.
    """

    def __init__(
        self,
        message: Speak,
        segments: Sequence[Segment],
        sink: EventSink,
        *,
        pause_s: float = 0.0,
        chunks: tuple[int, ...] = (),
    ) -> None:
        """`pause_s` seconds of silence follow the last segment. `chunks` is EngineConfig.stream_chunks."""
        self.speech = speech = message.request
        self.is_background = message.is_background
        self.segments = segments
        self._pauses_s = [*(segment.pause_s for segment in segments), pause_s]
        self.began_at = time.perf_counter()
        sink.segmented(len(segments))
        self.sink = sink
        self._failed = False
        # Voices do not share what was said before: one voice's speech would colour the next words of another.
        self._earlier: defaultdict[VoicePrompt, Earlier] = defaultdict(list)
        self._waiting: deque[tuple[int, int, SpeechSequence]] = deque()  # (segment, candidate, kept)
        self._candidates: dict[int, list[SpeechSequence]] = {}
        self._untold = dict(sorted(message.tokens.items()))  # tokens that `_earlier` does not have yet
        self.n_undecided = len(segments) - len(self._untold)
        self._decoding: dict[int, SpeechSequence] = {}
        # Only a stream's segments are cut, and only its first segment has all sizes.
        self.chunks = (
            [chunks, *[chunks[-1:]] * (len(segments) - 1)] if speech.streams else [()] * len(segments)
        )
        self.windows: list[list[Window]] = [[] for _ in segments]  # of the spans that were cut
        self._spans: list[Span] = []
        self.carried: dict[int, Any] = {}  # the vocoder's state between spans, by segment
        self.n_rendering = 0
        self._segment = message.first  # the segment whose audio is delivered next
        self._rendered: dict[int, list[tuple[Float32, bool]]] = {}
        self._due = self.began_at + _DUE_S_PER_ID * sum(len(one.ids) for one in segments)
        self.starts: StreamStarts | None = None  # None: the start of a stream does not wait
        self.heard_s = 0.0  # playing time of the audio that was given to the sink
        self._latest: Span | None = None  # the last span of a stream that was given to the sink
        self._starts_at: float | None = None
        self._starts_by = float("inf")  # the latest time for the start of a stream's player
        for segment, tokens in self._untold.items():
            if segment >= message.first:
                self._cut(segment, list(tokens), ended=True)
        left = [segment for segment in range(len(segments)) if segment not in self._untold]
        self._open(left[:1] if speech.use_cache else left)

    @property
    def due(self) -> float:
        """The time at which audio is wanted, on time.perf_counter's clock. A stream wants its next audio when
        its player runs out, and its first audio half a second after the start. Any other request is due a
        fixed time after the start: 0.25 s for each of its text ids."""
        if not self.speech.streams:
            return self._due
        return (self._starts_at or self.began_at + _FIRST_DUE_S) + self.heard_s

    @property
    def n_spans(self) -> int:
        """The number of spans that are being rendered or wait for it; after a cancel no span waits."""
        return self.n_rendering + (0 if self.cancelled else len(self._spans))

    @property
    def cancelled(self) -> bool:
        """Whether the request needs no more work: it failed, or its client has left."""
        return self._failed or self.sink.closed

    @property
    def n_waiting_rows(self) -> int:
        """The number of further decode rows that the request could use now; 0 while its sink is full."""
        return 0 if self.sink.full else len(self._waiting)

    def next_sequence(self, layout: PromptLayout) -> SpeechSequence:
        """Removes the next candidate that waits, and returns its sequence. Needs `n_waiting_rows` above 0."""
        segment, candidate, kept = self._waiting.popleft()
        text = self.segments[segment]
        if self.speech.use_cache:
            for number, tokens in self._untold.items():
                before = self.segments[number]
                layout.prune(self._earlier[before.prompt], before)
                self._earlier[before.prompt].append((before.ids, tokens))
            self._untold = {}
            layout.prune(self._earlier[text.prompt], text)
        earlier = self._earlier[text.prompt]
        if kept.spoken is not None:  # the rest alone, as short as can be
            text, earlier = replace(text, ids=text.ids[len(kept.spoken.attention) :]), []
        prompt_ids, positions = layout.build(text, earlier)
        n_ids, sampling, chunks = len(text.ids), self.speech.sampling, self.chunks[segment]
        sequence = SpeechSequence(
            prompt_ids=prompt_ids,
            min_len=len(kept.tokens) + MIN_TOKENS_PER_ID * n_ids,
            max_len=len(kept.tokens) + min(MAX_TOKENS_PER_ID * n_ids, layout.slot_length - len(prompt_ids)),
            sampling=replace(sampling, seed=llm_seed(sampling.seed, candidate)),
            n_voice_ids=len(text.prompt.text_ids),
            text=positions,
            owner=self,
            segment=segment,
            candidate=candidate,
            tokens=[*kept.tokens],
            log_probs=[*kept.log_probs],
            kept=kept.spoken,
            judged_at=chunks[0] + longest_rest(chunks[1:], ()) if chunks else 0,
        )
        if sampling.beam_size == 1:  # of several candidates, none is rendered before all end
            self._decoding[segment] = sequence
        return sequence

    def gives_up(self, sequence: SpeechSequence) -> bool:
        """Returns whether a stream's sequence, before it is cut a second time, has lost or repeated text that
        can be decoded again."""
        text, cut, spoken = self.segments[sequence.segment], self.windows[sequence.segment], sequence.spoken
        if not cut or text.likely is None or spoken is None or sequence.candidate == MOST_RETAKES:
            return False
        n_ids = max(spoken.path)  # the id that is being spoken is not judged
        text = replace(text, ids=text.ids[:n_ids], pieces=text.pieces[:n_ids])
        take = replace(sequence, spoken=spoken.first(n_ids, len(sequence.tokens)))
        return kept_of(take, text, 1, cut[-1].stop) is not None

    def take(self, sequence: SpeechSequence) -> None:
        """Takes a sequence that has ended. After a segment's last candidate, chooses the segment's tokens and
        cuts spans. Has a faulty segment decoded again: first all of it, then what comes after the part that
        is sound. The tokens of spans that are cut already stay."""
        segment = sequence.segment
        n_heard = self.windows[segment][-1].stop if self.windows[segment] else 0
        ended = self._candidates.setdefault(segment, [])
        ended.append(sequence)
        n_retakes = len(ended) - self.speech.sampling.beam_size
        if n_retakes < 0:
            return
        self._decoding.pop(segment, None)
        text = self.segments[segment]
        fitting = (each for each in ended if each.tokens[:n_heard] == sequence.tokens[:n_heard])
        best = sequence if len(ended) == 1 else best_of(fitting, text)
        faults = faults_in(best, text)
        if faults and n_retakes < MOST_RETAKES:
            kept = kept_of(best, text, n_retakes, n_heard)
            if kept is not None or not n_heard:
                self._waiting.append((segment, len(ended), kept or _NOTHING))
                return
        del self._candidates[segment]
        self.n_undecided -= 1
        if self.speech.use_cache:
            self._earlier[text.prompt].append((text.ids, best.tokens))
            self._open(range(segment + 1, min(segment + 2, len(self.segments))))
        times = word_times(best, text.pieces, text.written.words) if text.written and text.is_plain else []
        self.sink.segment_decoded(segment, best.tokens, times)
        self.sink.guarded(segment, n_retakes, faults)
        self._cut(segment, best.tokens, ended=True)

    def next_spans(self) -> Iterator[Span]:
        """Yields the spans to render now. A stream gives one span at a time: each continues the last one."""
        if self.speech.streams:
            for segment, sequence in self._decoding.items():
                self._cut(segment, sequence.tokens, ended=False)
        while self._spans and not self.cancelled and (not self.speech.streams or not self.n_rendering):
            self.n_rendering += 1
            span = min(self._spans, key=lambda span: span.segment)  # a segment's first span comes first
            self._spans.remove(span)
            yield span

    def _cut(self, segment: int, tokens: list[int], *, ended: bool) -> None:
        cut = self.windows[segment]
        for window in cut_windows(self.chunks[segment], len(tokens), ended=ended)[len(cut) :]:
            cut.append(window)
            self._spans.append(Span(self, segment, tokens[window.start : window.stop], window))

    def n_decoded(self, segment: int) -> tuple[int, bool]:
        """Returns how many speech tokens a segment has so far, and whether it is decoded to its end."""
        cut = self.windows[segment]
        if cut and cut[-1].last:
            return cut[-1].end, True
        sequence = self._decoding.get(segment)
        return (0 if sequence is None else len(sequence.tokens)), False

    def deliver(self, span: Span) -> None:
        """Takes a rendered span. Gives the sink all audio whose turn it is in the order of the text."""
        assert span.pcm is not None
        self._rendered.setdefault(span.segment, []).append((span.pcm, span.window.last))
        while self._rendered.get(self._segment):
            pcm, is_last = self._rendered[self._segment].pop(0)
            self._latest = span if self.speech.streams else None
            self._pause()
            self._hand_on(pcm, is_last, self.segments[self._segment].speed)
            if is_last:
                del self._rendered[self._segment]
                self._segment += 1
        self.end_if_heard()

    def end_if_heard(self) -> None:
        """Ends the request if the audio of its last segment has been given to the sink."""
        if self._segment == len(self.segments):
            self._pause()
            self.sink.request_ended(None)

    def _pause(self) -> None:
        """Gives the sink the silence before the next segment or after the last one, each only once."""
        pause_s, self._pauses_s[self._segment] = self._pauses_s[self._segment], 0.0
        n_samples = round(pause_s * self.speech.sample_rate)
        for start in range(0, n_samples, len(_SILENCE)):
            self._hand_on(_SILENCE[: n_samples - start], False, None)

    def _hand_on(self, pcm: Float32, is_last: bool, speed: float | None) -> None:
        segment = min(self._segment, len(self.segments) - 1)
        text, rate = self.segments[segment], self.speech.sample_rate
        chunk = AudioChunk(pcm, rate, segment, is_last, speed, written=text.written, said=text.said)
        self.heard_s += chunk.seconds / self.speech.speed_of(chunk)
        now = time.perf_counter()
        if self._latest is not None and (self._starts_at is None or self._starts_at > now):
            self._starts_by = min(self._starts_by, now + LONGEST_WAIT_S)
            wait_s = self.starts.wait_s(self, self._latest) if self.starts else 0.0
            chunk = replace(chunk, wait_s=max(0.0, min(wait_s, self._starts_by - now)))
            self._starts_at = now + chunk.wait_s
        self.sink.chunk_ready(chunk)

    def fail(self, error: Exception) -> None:
        """Ends the request with an error, unless it is cancelled. The engine then frees its unfinished
        work."""
        if not self.cancelled:
            self._failed = True
            self.sink.request_ended(error)

    def _open(self, segments: Sequence[int]) -> None:
        beam = range(self.speech.sampling.beam_size)
        self._waiting.extend((segment, candidate, _NOTHING) for segment in segments for candidate in beam)
