"""The frozen nouns that cross rooms. Knows numpy arrays; knows no model, no HTTP."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
SampleMethod = Literal["ras", "topk"]


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """A decoded recording: `samples` [channels, n] float32 in [-1, 1] at `sample_rate` Hz."""

    samples: Float32
    sample_rate: int

    @property
    def seconds(self) -> float:
        return float(self.samples.shape[-1] / self.sample_rate)


@dataclass(frozen=True, slots=True, eq=False)
class Voice:
    """A prompt recording with its exact transcript. `digest` names the recording's content (hex SHA-256)."""

    recording: Recording
    transcript: str
    digest: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class SamplingOptions:
    """How speech tokens are drawn (spec 4). `top_k` is used by "topk" only: RAS keeps its constants."""

    method: SampleMethod = "ras"
    top_k: int = 25
    beam_size: int = 1
    seed: int = 42


@dataclass(frozen=True, slots=True, eq=False)
class Utterance:
    """What a client asked to say, in which voice and how."""

    request_id: str
    text: str
    voice: Voice
    sampling: SamplingOptions = field(default_factory=SamplingOptions)
    sample_rate: int = 24000
    use_cache: bool = True
    use_phoneme: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class AudioChunk:
    """A piece of speech in order: mono float32 `pcm` [n] in [-1, 1] of segment number `segment` (from 0)."""

    pcm: Float32
    sample_rate: int
    segment: int


@dataclass(slots=True)
class Timings:
    """Seconds per stage. `queue_s`: in line for a permit; the engine fills the rest as a job advances."""

    segments: int = 0
    queue_s: float = 0.0
    llm_s: float = 0.0
    flow_s: float = 0.0
    vocoder_s: float = 0.0
    audio_s: float = 0.0
