"""A job: one utterance inside the engine. Owns the rule for its segments.

With use_cache the segments go one after the other, each prompted by the speech of the earlier ones
(docs/model.md 11); without, they are independent and may all start at once. The batchers know nothing of
this: they are handed rows to decode and segments to render. Knows lists of ids; knows no tensors, no
threads.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from glm_tts_api.contracts import AudioChunk, Float32, Timings, Utterance
from glm_tts_api.engine.spans import SpanCutter, Window
from glm_tts_api.errors import BadRequest

if TYPE_CHECKING:
    from glm_tts_api.engine.voice_features import VoicePrompt

HISTORY_SPEECH_TOKENS = 750  # docs/model.md 11: 30 s of speech that a segment may look back on
MIN_TOKENS_PER_ID, MAX_TOKENS_PER_ID = 2, 20  # docs/model.md 4: of a segment, by its number of text ids
LEAST_ROOM_PER_ID = 10  # slow speech takes about 8 tokens a text id

# A job is due some time after it came, the sooner the shorter it is, and who is due first goes first. So a
# short text need not wait for a long one, jobs of one length end in the order in which they came, and a long
# text, which becomes due in the end, is not passed for ever.
_DUE_S_PER_ID = 0.25

# Every stage of every segment draws from a generator of its own, seeded from the request's seed.
_SEEDS = 2**64
_CANDIDATE_STRIDE = 0x9E3779B97F4A7C15
_FLOW_OFFSET = 0x2545F4914F6CDD1D
_VOCODER_OFFSET = 0x632BE59BD9B4E019


def llm_seed(seed: int, candidate: int) -> int:
    return (seed + candidate * _CANDIDATE_STRIDE) % _SEEDS


def flow_seed(seed: int) -> int:
    return (seed + _FLOW_OFFSET) % _SEEDS


def vocoder_seed(seed: int) -> int:
    return (seed + _VOCODER_OFFSET) % _SEEDS


@dataclass(frozen=True, slots=True)
class PromptLayout:
    """How an LLM prompt is built and how long it may get: token ids from the text tokenizer."""

    audio_start: int
    begin_of_audio: int
    slot_length: int

    def build(self, texts: Sequence[int], speech: Sequence[int]) -> list[int]:
        """Texts first, then begin-of-audio, then the speech prompt (docs/model.md 4)."""
        return [*texts, self.begin_of_audio, *(token + self.audio_start for token in speech)]

    def room(self, n_texts: int, n_speech: int) -> int:
        """How many tokens can be drawn after such a prompt."""
        return self.slot_length - n_texts - n_speech - 1


@dataclass(frozen=True, slots=True, eq=False)
class RowPlan:
    """One decode row's work: a candidate for one segment of a job, and the speech `tokens` drawn so far.

    The first `n_voice_ids` of the prompt are the voice's transcript, the same in every prompt of that voice.
    """

    job: Job
    segment: int
    candidate: int
    prompt_ids: list[int]
    n_voice_ids: int
    min_len: int
    max_len: int
    seed: int
    tokens: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class Span:
    """What is rendered at once: a window of a segment's speech `tokens`, in the job's voice."""

    job: Job
    segment: int
    tokens: Sequence[int]
    window: Window

    @property
    def due(self) -> float:
        return self.job.due

    @property
    def cancelled(self) -> bool:
        return self.job.cancelled


class History:
    """The prompt and the segments spoken so far, as the next segment's LLM prompt (docs/model.md 11)."""

    def __init__(self, text_ids: Sequence[int], speech: Sequence[int]) -> None:
        self._entries = [(list(text_ids), list(speech))]

    def append(self, text_ids: Sequence[int], speech: Sequence[int]) -> None:
        self._entries.append((list(text_ids), list(speech)))

    def prune(self, n_next_ids: int, layout: PromptLayout) -> None:
        """Drops the oldest segments, for good, until the next one fits beside the rest; never the prompt."""
        n_texts, n_speech = self._totals()
        ratio = n_speech / n_texts if n_texts else 1.0
        estimate = int(ratio * n_next_ids)
        draws = LEAST_ROOM_PER_ID * n_next_ids
        while len(self._entries) > 1 and (
            n_speech + estimate > HISTORY_SPEECH_TOKENS or layout.room(n_texts + n_next_ids, n_speech) < draws
        ):
            del self._entries[1]
            n_texts, n_speech = self._totals()

    def texts(self) -> list[int]:
        return [token for texts, _ in self._entries for token in texts]

    def speech(self) -> list[int]:
        return [token for _, speech in self._entries for token in speech]

    def _totals(self) -> tuple[int, int]:
        return sum(len(texts) for texts, _ in self._entries), sum(len(speech) for _, speech in self._entries)


class JobListener(Protocol):
    """Who waits for a job's speech; told from whichever thread it happens on."""

    timings: Timings

    @property
    def closed(self) -> bool:
        """Nobody listens any more: the job is to be freed at the next step."""

    @property
    def full(self) -> bool:
        """So much is there to be heard that no more need be made now."""

    def chunk_ready(self, chunk: AudioChunk) -> None: ...

    def job_ended(self, error: Exception | None) -> None:
        """No chunk will follow: all were delivered (None) or the job failed."""

    def job_freed(self) -> None:
        """The engine holds nothing of the job any more."""


@dataclass(frozen=True, slots=True, eq=False)
class Script:
    """What a job has to say: the ids of each segment, and the voice's prompt."""

    segments: Sequence[Sequence[int]]
    prompt_text_ids: Sequence[int]
    voice: VoicePrompt


class Job:
    """Hands out rows to decode, takes their tokens, and puts rendered segments in order.

    The decode thread calls `next_row` and `take_row`, the render thread `deliver`; either may call `fail`.
    """

    def __init__(self, utterance: Utterance, script: Script, listener: JobListener) -> None:
        self.utterance = utterance
        self.script = script
        self.timings = listener.timings
        self.timings.segments = len(script.segments)
        self._listener = listener
        self._failed = False
        self._history = History(script.prompt_text_ids, script.voice.speech_tokens)
        self._waiting: deque[tuple[int, int]] = deque()
        self._candidates: dict[int, list[tuple[float, int, list[int]]]] = {}
        self._n_undecided = len(script.segments)
        self._decoding: dict[int, RowPlan] = {}
        self._cutters = [SpanCutter(chunks) for chunks in self._chunks()]
        self._spans: list[Span] = []
        self.carried: dict[int, Any] = {}  # what the vocoder carries on from span to span, by segment
        self._n_rendering = 0
        self._segment = 0  # the one that is being heard
        self._rendered: dict[int, list[tuple[Float32, bool]]] = {}
        self._due = self.timings.began_at + _DUE_S_PER_ID * sum(map(len, script.segments))
        self._heard_from: float | None = None
        self._open(range(1 if utterance.use_cache else len(script.segments)))

    def _chunks(self) -> Iterator[tuple[int, ...] | None]:
        """Of each segment. Later ones begin with the largest: who listens has enough to hear by then."""
        for index in range(len(self.script.segments)):
            chunks = self.utterance.chunks
            yield chunks[-1:] if chunks and index else chunks

    @property
    def due(self) -> float:
        """When its next audio is wanted, on time.perf_counter's clock: where it streams, as soon as a
        listener who plays it as it comes has nothing more to play."""
        if self.utterance.chunks is None:
            return self._due
        if self._heard_from is None:
            return self.timings.began_at
        return self._heard_from + self.timings.audio_s

    @property
    def n_spans(self) -> int:
        """Spans that are being rendered, or wait to be: of a cancelled job none waits."""
        return self._n_rendering + (0 if self.cancelled else len(self._spans))

    def check_fits(self, layout: PromptLayout) -> None:
        """Raises BadRequest if a segment has no room in a decode slot beside the prompt."""
        n_prompt, n_speech = len(self.script.prompt_text_ids), len(self.script.voice.speech_tokens)
        longest = max(len(ids) for ids in self.script.segments)
        if layout.room(n_prompt + longest, n_speech) < LEAST_ROOM_PER_ID * longest:
            raise BadRequest(
                "The prompt and the text's longest sentence do not fit the model together: "
                "use a shorter prompt recording, or punctuate the text into shorter sentences"
            )

    @property
    def cancelled(self) -> bool:
        """Nothing more is to be done for this job: it failed, or nobody listens."""
        return self._failed or self._listener.closed

    @property
    def n_waiting_rows(self) -> int:
        """How many more rows the job could use right now."""
        return 0 if self._listener.full else len(self._waiting)

    @property
    def decoded(self) -> bool:
        return self._n_undecided == 0

    def next_row(self, layout: PromptLayout) -> RowPlan:
        """The next candidate to decode; only while `n_waiting_rows` > 0."""
        segment, candidate = self._waiting.popleft()
        ids = self.script.segments[segment]
        if self.utterance.use_cache:
            self._history.prune(len(ids), layout)
        texts = [*self._history.texts(), *ids]
        speech = self._history.speech()
        plan = RowPlan(
            job=self,
            segment=segment,
            candidate=candidate,
            prompt_ids=layout.build(texts, speech),
            n_voice_ids=len(self.script.prompt_text_ids),
            min_len=MIN_TOKENS_PER_ID * len(ids),
            max_len=min(MAX_TOKENS_PER_ID * len(ids), layout.room(len(texts), len(speech))),
            seed=llm_seed(self.utterance.sampling.seed, candidate),
        )
        if self.utterance.sampling.beam_size == 1:  # of several candidates none is kept before all have ended
            self._decoding[segment] = plan
        return plan

    def take_row(self, plan: RowPlan, mean_log_prob: float) -> None:
        """A row has ended; with the last candidate of its segment in, that one's speech is decided."""
        done = self._candidates.setdefault(plan.segment, [])
        done.append((mean_log_prob, -plan.candidate, plan.tokens))
        if len(done) < self.utterance.sampling.beam_size:
            return
        best = max(self._candidates.pop(plan.segment))[2]  # a tie goes to the lower candidate
        self._decoding.pop(plan.segment, None)
        self._n_undecided -= 1
        if self.utterance.use_cache:
            self._history.append(self.script.segments[plan.segment], best)
            self._open(range(plan.segment + 1, min(plan.segment + 2, len(self.script.segments))))
        self._cut(plan.segment, best, ended=True)

    def next_spans(self) -> Iterator[Span]:
        """What is to be rendered now. The spans of a streamed job one after the other: each goes on where the
        vocoder was left by the one before it."""
        if self.utterance.chunks is not None:
            for segment, plan in self._decoding.items():
                self._cut(segment, plan.tokens, ended=False)
        while self._spans and not self.cancelled and (self.utterance.chunks is None or not self._n_rendering):
            self._n_rendering += 1
            span = min(self._spans, key=lambda span: span.segment)  # of one segment, the first that was cut
            self._spans.remove(span)
            yield span

    def span_ended(self) -> None:
        """One of them has been rendered, or never will be."""
        self._n_rendering -= 1

    def _cut(self, segment: int, tokens: list[int], *, ended: bool) -> None:
        for window in self._cutters[segment].cut(len(tokens), ended=ended):
            self._spans.append(Span(self, segment, tokens[window.start : window.stop], window))

    def deliver(self, span: Span, pcm: Float32) -> None:
        """A rendered span; audio leaves in the order of the text."""
        self._rendered.setdefault(span.segment, []).append((pcm, span.window.last))
        while self._rendered.get(self._segment):
            pcm, is_last = self._rendered[self._segment].pop(0)
            if self._heard_from is None:
                self._heard_from = time.perf_counter()
            self.timings.audio_s += len(pcm) / self.utterance.sample_rate
            self._listener.chunk_ready(AudioChunk(pcm, self.utterance.sample_rate, self._segment, is_last))
            if is_last:
                del self._rendered[self._segment]
                self._segment += 1
        if self._segment == len(self.script.segments):
            self._listener.job_ended(None)

    def fail(self, error: Exception) -> None:
        """Ends the job with an error; what is left of it is freed as if the listener had gone."""
        if not self.cancelled:
            self._failed = True
            self._listener.job_ended(error)

    def freed(self) -> None:
        self._listener.job_freed()

    def _open(self, segments: range) -> None:
        beam = range(self.utterance.sampling.beam_size)
        self._waiting.extend((segment, candidate) for segment in segments for candidate in beam)
