"""The body of POST /v1/audio/speech, as OpenAI's clients send it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from glm_tts_api.api.timestamps import TimestampsField
from glm_tts_api.contracts import AudioFormat, SamplingOptions
from glm_tts_api.validation import Allowed, AnyCase, Seed, Speed


def _voice_name(value: Any) -> Any:
    """A name, or an object with it as `id`."""
    return value.get("id") if isinstance(value, dict) else value


class OpenAISpeechFields(BaseModel):
    """Fields that a client may send beside ref_audio. Other fields are ignored; null counts as not sent."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    input: str = Field(description="What to say.", examples=["你好，欢迎使用语音合成服务。"])
    model: str = Field(default="glm-tts", description="Any: one model speaks.", examples=["glm-tts"])
    voice: Annotated[str, BeforeValidator(_voice_name), Allowed('a voice\'s name, or {"id": name}')] = Field(
        default="alloy",
        description="A registered voice, or an alias: OpenAI's and Kokoro's names (VOICE_ALIASES).",
        examples=["exampleA"],
    )
    response_format: Annotated[AudioFormat, AnyCase] = Field(
        default="mp3", description="pcm: 16 bit, mono, 24000 Hz.", examples=["mp3"]
    )
    speed: Speed = Field(default=1.0, description="Faster or slower at the same pitch.", examples=[1.0])
    stream_format: Literal["audio", "sse"] = Field(
        default="audio", description="The audio itself, or events with pieces of it.", examples=["audio"]
    )
    stream: bool = Field(
        default=True,
        description="false: the answer is sent whole, with its length. Without stream_format=sse only.",
        examples=[True],
    )
    ref_text: str | None = Field(
        default=None,
        description="The exact transcript of ref_audio.",
        examples=["录音里说的每一个字。"],
    )
    timestamps: TimestampsField
    seed: Seed = Field(
        default=SamplingOptions().seed,
        description="Not OpenAI's: same request and seed, same audio; on a GPU: docs/performance.md.",
        examples=[42],
    )


class OpenAIErrorDetail(BaseModel):
    """The error, in the words of OpenAI's API."""

    message: str = Field(description="In one sentence.", examples=["input is missing."])
    type: str = Field(description="The kind of error.", examples=["invalid_request_error"])
    param: str | None = Field(description="The field that it is about.", examples=["input"])
    code: str = Field(description="The error's name, for programs.", examples=["invalid_field"])


class OpenAIError(BaseModel):
    """Every error of OpenAI's routes."""

    error: OpenAIErrorDetail
