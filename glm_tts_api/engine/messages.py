"""The messages between the server and an engine's process: small frozen types, which engine/frames.py packs.
Knows no models and no event loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from msgspec import Struct

from glm_tts_api.contracts import (
    AudioChunk,
    Dtype,
    Recording,
    SegmentFault,
    SpeechRequest,
    Stage,
)
from glm_tts_api.engine.config import EngineConfig
from glm_tts_api.engine.state import EngineInfo, EngineState, EngineUsage
from glm_tts_api.errors import InternalFault, ServiceError
from speech_text import ReadingOptions, ShownReading


class Message(Struct, frozen=True, eq=False, array_like=True, tag=True):
    """The base of all messages. Where a message has a `number`, it names the request or question that the
    message belongs to."""


# -- to the engine


class Load(Message, frozen=True):
    """The first message: tells the engine which model to load, and with which settings. `number` is the
    engine's number, from 0 to `n_engines` - 1. All paths are absolute. `device` is the setting DEVICE.
    `again` are the facts of the engine's last process; None for its first process."""

    number: int
    n_engines: int
    checkpoint_dir: str
    device: str
    dtype: Dtype
    config: EngineConfig
    text_rules: Literal["default", "published"]
    max_characters: int
    configs_dir: str
    cache_dir: str
    logs_json: bool
    logs_texts: bool
    again: EngineInfo | None = None


class PutRecording(Message, frozen=True):
    """A recording, which later messages name by its `digest`."""

    digest: str
    recording: Recording


class DropRecording(Message, frozen=True):
    """Tells the engine to drop a recording. The server sends the recording again before a request needs
    it."""

    digest: str


class Speak(Message, frozen=True):
    """Another engine may have worked for the request before. `tokens` then holds the speech tokens of each
    decoded segment by its number, and `first` is the number of the segment whose audio is sent now.
    `is_background` says that every other request goes first."""

    number: int
    request: SpeechRequest
    tokens: Mapping[int, Sequence[int]] = {}
    first: int = 0
    is_background: bool = False


class Credit(Message, frozen=True):
    """The client has taken another `seconds` seconds of the request's audio."""

    number: int
    seconds: float


class Cancel(Message, frozen=True):
    """Nobody waits for the request or question any more."""

    number: int


class Read(Message, frozen=True):
    number: int
    text: str
    options: ReadingOptions
    transcript: str = ""


class ClearCache(Message, frozen=True):
    number: int


# -- from the engine


class Heartbeat(Message, frozen=True):
    """The engine's state, sent ten times a second. `step_s` is the time that the engine's current step has
    taken so far, in seconds, as it counts against the time limits of a step (`Engine.step_s`). Time in which
    the process was stopped is left out. `usage` is sent once a second and is None in the other heartbeats."""

    state: EngineState
    step_s: float
    usage: EngineUsage | None


class Loaded(Message, frozen=True):
    info: EngineInfo


class Segments(Message, frozen=True):
    """The number of segments into which the request's text is cut."""

    number: int
    n_segments: int


class StageChanged(Message, frozen=True):
    """A stage of the request begins (`by` 1) or ends (-1)."""

    number: int
    stage: Stage
    by: int


class Decoded(Message, frozen=True):
    """The final speech tokens of a segment, and the times of its words (AudioChunk.times)."""

    number: int
    segment: int
    tokens: list[int]
    times: list[tuple[float, float]] = []


class Guarded(Message, frozen=True):
    """A segment was decoded again `n_retakes` times. `faults` has the faults that the segment still has, the
    chief one first, and the words of each."""

    number: int
    segment: int
    n_retakes: int
    faults: Mapping[SegmentFault, str]


class Chunk(Message, frozen=True):
    """A piece of the request's audio."""

    number: int
    audio: AudioChunk


class Ended(Message, frozen=True):
    """The request has ended: no chunk follows. `fault` is None if all went well, else the class name and the
    message of the error."""

    number: int
    fault: tuple[str, str] | None


class Released(Message, frozen=True):
    """The engine holds nothing of the request any more."""

    number: int


class Answer(Message, frozen=True):
    """The answer to a question: Read is answered by the reading, and ClearCache by the number of bytes freed.
    `fault` is the class name and the message of the error that prevented it."""

    number: int
    result: ShownReading | int | None = None
    fault: tuple[str, str] | None = None


ToEngine = Load | PutRecording | DropRecording | Speak | Credit | Cancel | Read | ClearCache
OfRequest = Segments | StageChanged | Decoded | Guarded | Chunk | Ended | Released
ToServer = Heartbeat | Loaded | Answer | OfRequest


class BrokenMessage(Exception):
    """The other process has sent bytes that are not a valid message."""


def fault_of(error: ServiceError) -> tuple[str, str]:
    return type(error).__name__, error.message


def error_of(fault: tuple[str, str]) -> ServiceError:
    """Makes the error again from the class name and message that `fault_of` returned. An unknown class name
    gives an InternalFault."""
    kind, message = fault
    return _kinds(ServiceError).get(kind, InternalFault)(message)


def _kinds(root: type[ServiceError]) -> dict[str, type[ServiceError]]:
    kinds = {root.__name__: root}
    for kind in root.__subclasses__():
        kinds |= _kinds(kind)
    return kinds
