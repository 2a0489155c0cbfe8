"""The data types that several packages share. Knows numpy arrays; knows no model, no HTTP."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

import numpy as np
import numpy.typing as npt

from speech_text import ReadingOptions, Written

Float32 = npt.NDArray[np.float32]
Check = Callable[[], None]  # raises an error where nobody waits for the work any more
Stage = Literal["queue", "text", "prefill", "decode", "flow", "vocoder", "encode", "send"]
STAGES: tuple[Stage, ...] = get_args(Stage)
_STAGES_OF_AN_ENGINE: tuple[Stage, ...] = ("text", "prefill", "decode", "flow", "vocoder")
SampleMethod = Literal["ras", "topk"]
SegmentFault = Literal["run_on", "early_stop", "repetition", "skipped"]
FinishReason = Literal["stop", "length", "repaired"]
Verdict = Literal["ok", "inconclusive", "drift"]  # from the best to the worst
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
Dtype = Literal["auto", "fp32", "bf16", "int8", "fp8"]
DecodeKernels = Literal["triton", "c", "plain"]  # of a decode step: on a GPU, on a CPU, and PyTorch's
AudioFormat = Literal["wav", "flac", "mp3", "opus", "aac", "pcm", "mulaw", "alaw"]
JobState = Literal["queued", "running", "paused", "done", "failed", "cancelled"]
Fit = Literal["pad", "cut"]
Timestamps = Literal["segment", "sentence", "word"]
SampleRate = Literal[24000, 32000]  # Hz; each has its own vocoder
OutputRate = Literal[8000, 16000, 22050, 24000, 32000, 44100, 48000]  # Hz; of sent audio
SAMPLE_RATE: Final = 24000  # Hz; the default


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Recording:
    """A decoded recording, mixed to mono: `samples` is float32 [n] in [-1, 1] at `sample_rate` Hz."""

    samples: Float32
    sample_rate: int

    @property
    def seconds(self) -> float:
        return float(self.samples.shape[-1] / self.sample_rate)


class Voice:
    """A prompt recording with its exact transcript. `digest` is the SHA-256 of the recording's content in
    hex. `name` is the name of a registered voice, with its mood; None for any other voice."""

    def __init__(self, recording: Recording, transcript: str, digest: str, name: str | None = None) -> None:
        self.recording, self.transcript, self.digest, self.name = recording, transcript, digest, name


class UploadedVoice(Voice):
    """A recording that came with a request, with its exact transcript. `read` returns the bytes of the file;
    it blocks. `recording` and `digest` are empty until the recording is decoded (voices/decoded.py)."""

    def __init__(self, read: Callable[[], bytes], transcript: str) -> None:
        super().__init__(Recording(np.zeros(0, np.float32), SAMPLE_RATE), transcript, "")
        self.read = read


@dataclass(frozen=True, slots=True)
class SamplingOptions:
    """How speech tokens are drawn (docs/model.md 4). Only "topk" uses `top_k`; "ras" has its own
    constants."""

    method: SampleMethod = "ras"
    top_k: int = 25
    beam_size: int = 1
    seed: int = 42


@dataclass(frozen=True, slots=True, eq=False)
class SpeechRequest:
    """A text, the voice that says it, and the form of its audio. The routes of every API parse into one.

    An uploaded `voice` is decoded only once the request has its permit, so that waiting requests stay small.
    `streams` says that the audio is sent in pieces while it is made. `others` holds the voices that marks in
    the text name. `pause_s` is the silence before the text in seconds, unless a mark asks for another.
    `verify` has a recogniser hear each segment. `speed` keeps the pitch. `volume` is a factor; samples beyond
    full scale are clipped. `timestamps` names the units whose times the client wants. `output_rate` is the
    rate of the sent audio in Hz; None means `sample_rate`. `kbits` is the bit rate of a compressed format in
    kbit/s; None means the usual one. A whole answer lasts `duration_s` seconds, and `fit` is what may be done
    if no natural tempo does it; None leaves the length. Its loudness is `loudness` LUFS; None leaves it.
    `warnings` name the sent fields that are not used. `client` is the name of the client that has sent it.
    """

    request_id: str
    text: str
    voice: Voice
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
    duration_s: float | None = None
    fit: Fit | None = None
    loudness: float | None = None
    warnings: Sequence[str] = ()
    client: str = ""
    pause_s: float = 0.0
    verify: bool = False

    def speed_of(self, chunk: AudioChunk) -> float:
        """Returns this request's speed times the chunk's, within 0.25 to 4; 1 if the chunk is a pause."""
        return 1.0 if chunk.speed is None else min(4.0, max(0.25, self.speed * chunk.speed))


@dataclass(frozen=True, slots=True, eq=False)
class AudioChunk:
    """A piece of a request's speech, in order. `pcm` is mono float32 [n] in [-1, 1], of segment number
    `segment` (from 0). `ends_segment` says that it is the segment's last. `speed` is the factor that a mark
    asks for; None for a pause, whose length is fixed. `wait_s` is for a stream that does not play yet: after
    this many seconds a player can start and does not run out of audio. `written` is set if the request asks
    for timestamps; `times` are then the begin and end of each of its words in the segment, in seconds, if the
    engine knows them. `said` is the segment's text in words if it is to be verified, else empty."""

    pcm: Float32
    sample_rate: int
    segment: int
    ends_segment: bool = True
    speed: float | None = 1.0
    wait_s: float = 0.0
    written: Written | None = None
    said: str = ""
    times: Sequence[tuple[float, float]] = ()

    @property
    def seconds(self) -> float:
        return len(self.pcm) / self.sample_rate


@dataclass(frozen=True, slots=True)
class Verified:
    """The recogniser's verdict on a segment. `said` is the text in words that the segment should say, `heard`
    the text that was heard. `respoken` counts how often the segment was spoken again."""

    verdict: Verdict
    said: str
    heard: str
    respoken: int = 0


class Timings:
    """Measures a request's work while it goes on; any thread may write to it. `segments` is the number of the
    text's segments. `audio_s` is the speech so far, `generation_s` the time of the work, both in seconds.
    `began_at` is when the work began (time.perf_counter). `resampled` counts how often a segment was decoded
    again, `takes` how often the whole answer was spoken. `faults` has each segment's remaining faults with
    their words, `verified` its verdict.

    `stage_s` has the seconds of each stage. If several stages run at once (a segment is decoded while the one
    before it is rendered), only the latest in the order of STAGES is counted. So the stages add up to the
    time in which something was done for the request; the rest of its time was spent waiting.
    """

    def __init__(self) -> None:
        self.segments = 0
        self.resampled = 0
        self.takes = 1
        self.faults: dict[int, Mapping[SegmentFault, str]] = {}
        self.verified: dict[int, Verified] = {}
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
        self.change(stage, 1)
        try:
            yield
        finally:
            self.change(stage, -1)

    def interrupt(self) -> None:
        """Ends the stages that run in an engine, because the engine is lost."""
        for stage in _STAGES_OF_AN_ENGINE:
            self.change(stage, -self._going_on[stage])

    def guarded(self, segment: int, n_retakes: int, faults: Mapping[SegmentFault, str]) -> None:
        """Notes how often a segment was decoded again, and the faults with their words that it still has."""
        self.resampled += n_retakes
        if faults:
            self.faults[segment] = faults

    @property
    def finish_reason(self) -> FinishReason:
        """Is "length" if a segment still has a fault, "repaired" if decoding again helped, else "stop"."""
        if self.faults:
            return "length"
        return "repaired" if self.resampled else "stop"

    @property
    def worst(self) -> Verified | None:
        """The worst verdict on a segment; None if no segment was verified."""
        found = self.verified.values()
        return max(found, key=lambda each: VERDICTS.index(each.verdict), default=None)

    @property
    def respoken(self) -> int:
        return sum(each.respoken for each in self.verified.values())

    @property
    def current(self) -> Stage | None:
        """The latest, in the order of STAGES, of the stages that run now; None between stages."""
        return next((stage for stage in reversed(STAGES) if self._going_on[stage]), None)

    def change(self, stage: Stage, by: int) -> None:
        """Begins a stage (`by` 1) or ends it (-1)."""
        with self._lock:
            now = time.perf_counter()
            if (current := self.current) is not None:
                self.stage_s[current] += now - self._since
            self._since = now
            self._going_on[stage] += by
