"""The messages of the WebSocket, in two protocols: this server's own, and that of vLLM-Omni, whose WebSocket
has the same path. The protocols share no message type, so a client's first message shows which one the client
uses. Knows no socket."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict

from glm_tts_api.api.timestamps import times_body
from glm_tts_api.contracts import SAMPLE_RATE, AudioFormat, SampleRate, SpeechRequest, Timestamps
from glm_tts_api.errors import InvalidField, ServiceError
from glm_tts_api.speech.times import SegmentTimes
from glm_tts_api.validation import AnyCase, FormNumber, Seed, Speed

Message = dict[str, Any]
Deed = Literal["start", "text", "flush", "cancel", "end"]


class StartFields(BaseModel):
    """The fields of the message `start`, which says how the text that follows is to be spoken."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    type: str = "start"
    model: str = "glm-tts"
    voice: str = "alloy"
    response_format: Annotated[AudioFormat, AnyCase] = "pcm"
    sample_rate: Annotated[SampleRate, FormNumber] = SAMPLE_RATE
    speed: Speed = 1.0
    seed: Seed = 42
    timestamps: Timestamps | None = None
    verify: bool = False

    def check(self) -> None:
        """Raises InvalidField if fields contradict each other. In this class none can; a subclass overrides
        this."""

    @property
    def level(self) -> Timestamps | None:
        """The smallest part of the text whose times the client wants; None if it wants no times."""
        return self.timestamps

    @property
    def streams(self) -> bool:
        """Whether the audio of a sentence is sent while it is made."""
        return True

    @property
    def cuts(self) -> bool:
        """Whether a sentence is spoken as soon as it is complete. If not, the text is spoken at the turn's
        end."""
        return True


class SessionFields(StartFields):
    """The fields of vLLM-Omni's message session.config, which has the role of `start`."""

    response_format: Annotated[AudioFormat, AnyCase] = "wav"
    stream_audio: bool = False
    split_granularity: Literal["none", "sentence", "clause"] = "sentence"
    word_timestamps: bool = False

    def check(self) -> None:
        if self.word_timestamps and not (self.stream_audio and self.response_format == "pcm"):
            raise InvalidField("word_timestamps needs stream_audio true and response_format pcm.")

    @property
    def level(self) -> Timestamps | None:
        return "word" if self.word_timestamps else None

    @property
    def streams(self) -> bool:
        return self.stream_audio

    @property
    def cuts(self) -> bool:
        return self.split_granularity != "none"


class Words(Protocol):
    """The messages of one protocol. `deeds` says what each type of client message asks for. `start_fields` is
    the model of the fields of `start`. The methods make the server's messages."""

    deeds: Mapping[str, Deed]

    @property
    def start_fields(self) -> type[StartFields]: ...

    def segment_start(self, segment: int, asked: SpeechRequest, sample_rate: int) -> Message: ...

    def audio(self, piece: bytes) -> bytes | Message: ...

    def segment_end(self, segment: int, seconds: float, times: Sequence[SegmentTimes]) -> list[Message]: ...

    def turn_end(self) -> Message: ...

    def end(self) -> Message | None: ...


def error_message(error: ServiceError) -> Message:
    come_back = {} if error.retry_after_s is None else {"retry_after": math.ceil(error.retry_after_s)}
    return {"type": "error", "code": error.code, "message": error.message, **come_back}


class OwnWords:
    """The messages of this server's own protocol (docs/streaming.md)."""

    deeds: Mapping[str, Deed] = {
        "start": "start",
        "text": "text",
        "flush": "flush",
        "cancel": "cancel",
        "end": "end",
    }
    start_fields = StartFields

    def segment_start(self, segment: int, asked: SpeechRequest, sample_rate: int) -> Message:
        return {"type": "segment.start", "segment": segment, "text": asked.text, "sample_rate": sample_rate}

    def audio(self, piece: bytes) -> bytes | Message:
        return piece

    def segment_end(self, segment: int, seconds: float, times: Sequence[SegmentTimes]) -> list[Message]:
        told = {"timestamps": [*map(times_body, times)]} if times else {}
        return [{"type": "segment.end", "segment": segment, "seconds": seconds, **told}]

    def turn_end(self) -> Message:
        return {"type": "flushed"}

    def end(self) -> Message | None:
        return {"type": "done"}


class VllmOmniWords:
    """The messages of vLLM-Omni's protocol. Sentences are counted within an utterance, which ends with
    input.done. If the client asks for the times of words, audio is sent inside JSON messages. After a
    sentence's last audio, a message has the times of all words of the sentence."""

    deeds: Mapping[str, Deed] = {
        "session.config": "start",
        "input.text": "text",
        "input.done": "flush",
        "session.close": "end",
    }
    start_fields = SessionFields

    def __init__(self) -> None:
        self._n_utterances = self._n_sentences = self._n_chunks = 0
        self._is_timed = False

    def segment_start(self, segment: int, asked: SpeechRequest, sample_rate: int) -> Message:
        self._is_timed, self._n_chunks = asked.timestamps is not None, 0
        return {
            "type": "audio.start",
            **self._place(),
            "sentence_text": asked.text,
            "format": asked.audio_format,
            "sample_rate": sample_rate,
            "channels": 1,
            **({"word_timestamps": True} if self._is_timed else {}),
        }

    def audio(self, piece: bytes) -> bytes | Message:
        return self._chunk(piece, None) if self._is_timed else piece

    def segment_end(self, segment: int, seconds: float, times: Sequence[SegmentTimes]) -> list[Message]:
        words = [
            {"word": word.text, "start_ms": round(1000 * word.start_s), "end_ms": round(1000 * word.end_s)}
            for each in times
            for word in each.words
        ]
        told = [self._chunk(b"", words)] if self._is_timed else []
        done = {"type": "audio.done", **self._place()}
        self._n_sentences += 1
        return [*told, done]

    def _chunk(self, piece: bytes, words: list[Message] | None) -> Message:
        number = self._n_chunks
        self._n_chunks += 1
        return {
            "type": "audio.chunk",
            **self._place(),
            "chunk_id": number,
            "audio_b64": base64.b64encode(piece).decode(),
            "timestamps": words,
        }

    def turn_end(self) -> Message:
        n_sentences, self._n_sentences = self._n_sentences, 0
        self._n_utterances += 1
        return {
            "type": "session.done",
            "utterance_index": self._n_utterances - 1,
            "total_sentences": n_sentences,
        }

    def end(self) -> Message | None:
        return None

    def _place(self) -> Message:
        return {"utterance_index": self._n_utterances, "sentence_index": self._n_sentences}
