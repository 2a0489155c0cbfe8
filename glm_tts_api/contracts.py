"""The frozen nouns that cross rooms. Knows numpy arrays; knows no model, no HTTP."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

import numpy as np
import numpy.typing as npt
from msgspec import Struct

Float32 = npt.NDArray[np.float32]
Stage = Literal["queue", "text", "prefill", "decode", "flow", "vocoder", "encode", "send"]
STAGES: tuple[Stage, ...] = get_args(Stage)
_STAGES_OF_AN_ENGINE: tuple[Stage, ...] = ("text", "prefill", "decode", "flow", "vocoder")
SampleMethod = Literal["ras", "topk"]
SegmentFault = Literal["run_on", "early_stop", "repetition"]
FinishReason = Literal["stop", "length", "repaired"]
Dtype = Literal["auto", "fp32", "bf16", "int8"]
DecodeKernels = Literal["triton", "plain"]  # of a decode step on a GPU: our own, or PyTorch's operators
AudioFormat = Literal["wav", "flac", "mp3", "opus", "aac", "pcm"]
JobState = Literal["queued", "running", "paused", "done", "failed", "cancelled"]
Verbatim = Literal["read", "short", "skip"]
Timestamps = Literal["segment", "sentence", "word"]
SampleRate = Literal[24000, 32000]  # Hz; each has its vocoder
SAMPLE_RATE: Final = 24000  # of speech that nobody asked to have at another one


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Recording:
    """A decoded recording, its channels mixed: `samples` [n] float32 in [-1, 1] at `sample_rate` Hz."""

    samples: Float32
    sample_rate: int

    @property
    def seconds(self) -> float:
        return float(self.samples.shape[-1] / self.sample_rate)


class Voice(Struct, frozen=True, eq=False, tag=True):
    """A prompt recording with its exact transcript. `digest` names the recording's content (hex SHA-256)."""

    recording: Recording
    transcript: str
    digest: str
    name: str | None = None


class UploadedVoice(Struct, frozen=True, eq=False, tag=True):
    """A recording that came with a request, as a file that nobody has decoded yet, with its exact transcript.
    `read` returns the file; it blocks."""

    read: Callable[[], bytes]
    transcript: str


@dataclass(frozen=True, slots=True)
class SamplingOptions:
    """How speech tokens are drawn (docs/model.md 4). `top_k` is for "topk" only: RAS keeps its constants."""

    method: SampleMethod = "ras"
    top_k: int = 25
    beam_size: int = 1
    seed: int = 42


@dataclass(frozen=True, slots=True)
class LexiconEntry:
    """How `word` is said: its `reading` in pinyin, or the text `replacement` in its place; where `context` is
    given, only in sentences that have it."""

    word: str
    reading: str | None = None
    replacement: str | None = None
    context: str | None = None


@dataclass(frozen=True, slots=True)
class ReadingOptions:
    """How a text is read. `use_phoneme`: polyphones and rare characters as phonemes. `verbatim`: how much is
    said of addresses and code; None: by the text's length (text/markup/verbatim.py). `lexicon`: entries for
    this text alone."""

    use_phoneme: bool = False
    verbatim: Verbatim | None = None
    lexicon: Sequence[LexiconEntry] = ()


@dataclass(frozen=True, slots=True, eq=False)
class SpeechRequest:
    """A text, the voice that says it, and how its audio leaves. Every dialect parses into one.

    `voice`: an uploaded one is decoded once the request has its permit, since requests that wait must be
    small. `streams`: whether the audio leaves in pieces while it is made, or in whole segments. `others`: the
    voices that marks in the text call for. `pause_s`: of silence before it, where no mark there asks for
    another. `speed` changes no pitch. `volume` is a factor; samples beyond
    full scale are clipped. `timestamps`: of what is to be told when it is said. `output_rate` in Hz: of the
    audio that leaves, where that is another than `sample_rate`; `kbits` a second: of a compressed format,
    where not the usual. `is_marked`: the file says that it is synthetic. `warnings`: fields that were sent
    and are not used. `gives_way`: nobody waits for it, so it stands back for every other request.
    """

    request_id: str
    text: str
    voice: Voice | UploadedVoice
    sampling: SamplingOptions = field(default_factory=SamplingOptions)
    sample_rate: int = SAMPLE_RATE
    use_cache: bool = True
    reading: ReadingOptions = field(default_factory=ReadingOptions)
    streams: bool = False
    others: Mapping[str, Voice] = field(default_factory=dict)
    audio_format: AudioFormat = "wav"
    speed: float = 1.0
    volume: float = 1.0
    timestamps: Timestamps | None = None
    output_rate: int | None = None
    kbits: int | None = None
    is_marked: bool = True
    warnings: Sequence[str] = ()
    gives_way: bool = False
    pause_s: float = 0.0

    def speed_of(self, chunk: AudioChunk) -> float:
        """The speed of a chunk, its mark's included; a pause keeps its length."""
        return 1.0 if chunk.speed is None else min(4.0, max(0.25, self.speed * chunk.speed))


@dataclass(frozen=True, slots=True)
class Progress:
    """The work that another engine did for a request: the speech `tokens` of the segments that it decoded,
    and `first`, the segment that plays now."""

    tokens: Mapping[int, Sequence[int]] = field(default_factory=dict)
    first: int = 0


NO_PROGRESS: Final = Progress()


@dataclass(frozen=True, slots=True)
class WrittenWord:
    """A word, Hanzi or figure at `start` to `end` of a text; roughly the `syllables` as which it is said, and
    whether one would `pause` behind it."""

    start: int
    end: int
    syllables: float
    pause: bool


@dataclass(frozen=True, slots=True)
class Written:
    """The written form of a segment, without its marks. `paragraph`: a number that grows with each line end;
    `start`: the segment's place in the whole text without marks."""

    text: str
    words: Sequence[WrittenWord]
    paragraph: int
    start: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class AudioChunk:
    """A piece of speech in order: mono float32 `pcm` [n] in [-1, 1] of segment number `segment` (from 0), and
    whether it is the segment's last. `speed`: what marks ask for, times the request's; a pause (None) is as
    long as it is. `wait_s`: of a stream that nobody plays yet, in how many seconds a player can start with
    what is there by now and never runs dry. `written`: of the segment, where the request asks for
    timestamps."""

    pcm: Float32
    sample_rate: int
    segment: int
    ends_segment: bool = True
    speed: float | None = 1.0
    wait_s: float = 0.0
    written: Written | None = None

    @property
    def seconds(self) -> float:
        return len(self.pcm) / self.sample_rate


class Timings:
    """Where a request's time goes, filled as it advances, from any thread. Seconds; `segments` that the text
    was cut into, `audio_s` of speech so far, `began_at` on time.perf_counter's clock and `generation_s` of
    the work once it had a place; `resampled`: how often a segment was decoded again; `faults` that stayed, by
    segment.

    At each moment a request is in one stage: of several that go on side by side (a segment is decoded while
    the one before it is rendered) the latest counts. So the stages add up to the time in which something was
    done for the request, and what is missing to the whole is time spent waiting between them.
    """

    def __init__(self) -> None:
        self.segments = 0
        self.resampled = 0
        self.faults: dict[int, SegmentFault] = {}
        self.audio_s = self.generation_s = 0.0
        self.stage_s: dict[Stage, float] = dict.fromkeys(STAGES, 0.0)
        self._going_on = dict.fromkeys(STAGES, 0)
        self.began_at = self._since = time.perf_counter()
        self._lock = threading.Lock()

    def start_generation(self) -> None:
        self.began_at = time.perf_counter()

    def end_generation(self) -> None:
        self.generation_s = time.perf_counter() - self.began_at

    @contextmanager
    def stage(self, stage: Stage) -> Iterator[None]:
        self.begin(stage)
        try:
            yield
        finally:
            self.end(stage)

    def begin(self, stage: Stage) -> None:
        self._change(stage, 1)

    def end(self, stage: Stage) -> None:
        self._change(stage, -1)

    def interrupt(self) -> None:
        """Ends the stages of an engine that is gone."""
        for stage in _STAGES_OF_AN_ENGINE:
            self._change(stage, -self._going_on[stage])

    def guarded(self, segment: int, n_retakes: int, fault: SegmentFault | None) -> None:
        """A segment was decoded `n_retakes` times more than once. `fault`: the fault that it still has, if
        any."""
        self.resampled += n_retakes
        if fault is not None:
            self.faults[segment] = fault

    @property
    def finish_reason(self) -> FinishReason:
        """ "length": a segment is not what it should be; "repaired": one was decoded again, and is good."""
        if self.faults:
            return "length"
        return "repaired" if self.resampled else "stop"

    @property
    def current(self) -> Stage | None:
        """The stage that the request is in; None between stages."""
        return next((stage for stage in reversed(STAGES) if self._going_on[stage]), None)

    def _change(self, stage: Stage, by: int) -> None:
        with self._lock:
            now = time.perf_counter()
            if (current := self.current) is not None:
                self.stage_s[current] += now - self._since
            self._since = now
            self._going_on[stage] += by
