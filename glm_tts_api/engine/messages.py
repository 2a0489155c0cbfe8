"""Messages between the server and an engine's process: small frozen types (engine/frames.py sends them).
Knows no models and no event loop."""

from __future__ import annotations

from typing import Literal

import numpy as np
from msgspec import Struct

from glm_tts_api.contracts import (
    AudioChunk,
    Dtype,
    Float32,
    Progress,
    ReadingOptions,
    SegmentFault,
    SpeechRequest,
    Stage,
    Written,
)
from glm_tts_api.engine.config import EngineConfig
from glm_tts_api.engine.state import EngineInfo, EngineState, EngineUsage
from glm_tts_api.errors import InternalFault, ServiceError
from glm_tts_api.text.reading import ShownReading


class Message(Struct, frozen=True, eq=False, array_like=True, tag=True):
    """`number`, where there is one, names the request or question that it belongs to."""


# -- to the engine


class Load(Message, frozen=True):
    """The first: what the engine is to be, the `number`th of `n_engines`. Paths are absolute; `shipped` holds
    the configs that come with the package. `device` is as set; `again_on`: where its predecessor ran, if it
    had one."""

    number: int
    n_engines: int
    checkpoint_dir: str
    device: str
    dtype: Dtype
    config: EngineConfig
    text_rules: Literal["default", "published"]
    max_characters: int
    configs_dir: str
    shipped: str
    cache_dir: str
    logs_json: bool
    logs_texts: bool
    again_on: str = ""


class Heard(Message, frozen=True):
    """A recording that requests will name by its digest; float32 `samples` in their bytes."""

    digest: str
    sample_rate: int
    samples: memoryview


class Forget(Message, frozen=True):
    """No request will name this recording before it is sent again."""

    digest: str


class Speak(Message, frozen=True):
    number: int
    asked: SpeechRequest
    progress: Progress


class Took(Message, frozen=True):
    """The listener has heard so many seconds more."""

    number: int
    seconds: float


class Leave(Message, frozen=True):
    """The caller has left."""

    number: int


class Read(Message, frozen=True):
    number: int
    text: str
    options: ReadingOptions


class ClearCache(Message, frozen=True):
    number: int


# -- from the engine


class Beat(Message, frozen=True):
    """How the engine is, ten times a second. `step_s`: how long its present step takes so far, as far as that
    counts against the time that a step may take."""

    state: EngineState
    step_s: float
    usage: EngineUsage | None


class Loaded(Message, frozen=True):
    info: EngineInfo


class Segments(Message, frozen=True):
    """The number of segments of the text."""

    number: int
    n_segments: int


class StageChanged(Message, frozen=True):
    """A stage of the request begins (`by` 1) or ends (-1)."""

    number: int
    stage: Stage
    by: int


class Decoded(Message, frozen=True):
    """The speech tokens of a segment."""

    number: int
    segment: int
    tokens: list[int]


class Guarded(Message, frozen=True):
    """A segment was decoded again, or has a fault that stays."""

    number: int
    segment: int
    n_retakes: int
    fault: SegmentFault | None


class Chunk(Message, frozen=True):
    """An AudioChunk; `pcm` in its bytes."""

    number: int
    pcm: memoryview
    sample_rate: int
    segment: int
    ends_segment: bool
    speed: float | None
    wait_s: float
    written: Written | None = None

    def audio(self) -> AudioChunk:
        """Raises BrokenMessage."""
        pcm, ends = samples_of(self.pcm), self.ends_segment
        return AudioChunk(pcm, self.sample_rate, self.segment, ends, self.speed, self.wait_s, self.written)


class Ended(Message, frozen=True):
    """No chunk follows. `fault`: the error's class and sentence."""

    number: int
    fault: tuple[str, str] | None


class Freed(Message, frozen=True):
    """The engine holds nothing of the request any more."""

    number: int


class Answer(Message, frozen=True):
    """The answer to Read or ClearCache (the bytes freed), or the fault that prevented it."""

    number: int
    reading: ShownReading | None = None
    freed: int = 0
    fault: tuple[str, str] | None = None


ToEngine = Load | Heard | Forget | Speak | Took | Leave | Read | ClearCache
OfRequest = Segments | StageChanged | Decoded | Guarded | Chunk | Ended | Freed
ToServer = Beat | Loaded | Answer | OfRequest
NO_SAMPLES: Float32 = np.zeros(0, np.float32)


class BrokenMessage(Exception):
    """The other side said something that is no message."""


def fault_of(error: ServiceError) -> tuple[str, str]:
    return type(error).__name__, error.message


def error_of(fault: tuple[str, str]) -> ServiceError:
    """The error that fault_of was given."""
    kind, message = fault
    return _kinds(ServiceError).get(kind, InternalFault)(message)


def _kinds(root: type[ServiceError]) -> dict[str, type[ServiceError]]:
    kinds = {root.__name__: root}
    for kind in root.__subclasses__():
        kinds |= _kinds(kind)
    return kinds


def bytes_of(samples: Float32) -> memoryview:
    return np.ascontiguousarray(samples, np.float32).data.cast("B")


def samples_of(raw: memoryview) -> Float32:
    """Read-only, since they are the message's own bytes. Raises BrokenMessage."""
    if len(raw) % 4:
        raise BrokenMessage(f"samples of {len(raw)} bytes")
    return np.frombuffer(raw, np.float32)
