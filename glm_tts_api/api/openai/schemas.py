"""The body of POST /v1/audio/speech, as OpenAI's clients send it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from glm_tts_api.api.timestamps import TimestampsField
from glm_tts_api.api.verified import VerifyField
from glm_tts_api.contracts import AudioFormat, SamplingOptions
from glm_tts_api.validation import Allowed, AnyCase, Seed, Speed


def _voice_name(value: Any) -> Any:
    """Returns the voice's name, which a client sends as a string or as the `id` of an object."""
    return value.get("id") if isinstance(value, dict) else value


class OpenAISpeechFields(BaseModel):
    """The fields of a speech request, in addition to ref_audio. Other fields are ignored with a warning; null
    counts as not sent."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    input: str = Field(description="The text to say.", examples=["你好，欢迎使用语音合成服务。"])
    model: str = Field(
        default="glm-tts", description="Any name: the server has only one model.", examples=["glm-tts"]
    )
    voice: Annotated[str, BeforeValidator(_voice_name), Allowed('a voice\'s name, or {"id": name}')] = Field(
        default="alloy",
        description="A registered voice, or an alias: OpenAI's and Kokoro's names (VOICE_ALIASES). "
        "my_voice:glad is my_voice in its mood glad.",
        examples=["exampleA"],
    )
    instructions: str | None = Field(
        default=None,
        description="If the instructions name a mood of the voice, the voice speaks in that mood. Else "
        "X-Warnings lists its moods. The model follows no other instructions.",
        examples=["Speak in a glad tone."],
    )
    response_format: Annotated[AudioFormat, AnyCase] = Field(
        default="mp3",
        description="The format of the audio. pcm: samples of 16 bit, mono, 24000 Hz.",
        examples=["mp3"],
    )
    speed: Speed = Field(default=1.0, description="Faster or slower at the same pitch.", examples=[1.0])
    stream_format: Literal["audio", "sse"] = Field(
        default="audio",
        description="audio: the audio itself. sse: events with pieces of the audio.",
        examples=["audio"],
    )
    stream: bool = Field(
        default=True,
        description="false: the answer is sent as a whole, with its length. Not possible with "
        "stream_format=sse.",
        examples=[True],
    )
    ref_text: str | None = Field(
        default=None,
        description="The exact transcript of ref_audio.",
        examples=["录音里说的每一个字。"],
    )
    timestamps: TimestampsField
    verify: VerifyField
    seed: Seed = Field(
        default=SamplingOptions().seed,
        description="A field that OpenAI does not have. The same request and seed give the same audio. "
        "For GPUs, see docs/performance.md.",
        examples=[42],
    )


class OpenAIErrorDetail(BaseModel):
    """An error, in the form of OpenAI's API."""

    message: str = Field(description="The error in one sentence.", examples=["input is missing."])
    type: str = Field(description="The kind of error.", examples=["invalid_request_error"])
    param: str | None = Field(description="The field that the error is about.", examples=["input"])
    code: str = Field(description="The error's name, for programs.", examples=["invalid_field"])


class OpenAIError(BaseModel):
    """The answer to every error on OpenAI's routes."""

    error: OpenAIErrorDetail
