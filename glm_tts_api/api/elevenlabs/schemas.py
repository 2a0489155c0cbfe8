"""Requests to be spoken as ElevenLabs' clients send them, and voices as they read them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from glm_tts_api.contracts import SAMPLE_RATE, AudioFormat, SampleRate, SamplingOptions
from glm_tts_api.validation import Allowed, Echoed, Seed, Speed

OutputFormat = Literal[
    "mp3_22050_32",
    "mp3_24000_48",
    "mp3_44100_32",
    "mp3_44100_64",
    "mp3_44100_96",
    "mp3_44100_128",
    "mp3_44100_192",
    "opus_48000_32",
    "opus_48000_64",
    "opus_48000_96",
    "opus_48000_128",
    "opus_48000_192",
    "pcm_8000",
    "pcm_16000",
    "pcm_22050",
    "pcm_24000",
    "pcm_32000",
    "pcm_44100",
    "pcm_48000",
    "wav_8000",
    "wav_16000",
    "wav_22050",
    "wav_24000",
    "wav_32000",
    "wav_44100",
    "wav_48000",
]
_FORMATS: dict[str, AudioFormat] = {"mp3": "mp3", "opus": "opus", "pcm": "pcm", "wav": "wav"}


class VoiceSettings(BaseModel):
    """Only `speed` is used."""

    model_config = ConfigDict(extra="allow", frozen=True)

    speed: Speed = Field(default=1.0, description="Faster or slower at the same pitch.", examples=[1.0])


class ElevenLabsSpeechFields(BaseModel):
    """A client's fields; others are ignored with a warning, and null is as if it were not sent."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    text: str = Field(description="What to say.", examples=["你好，欢迎使用语音合成服务。"])
    model_id: Echoed = Field(
        default="glm-tts", description="Any: one model speaks.", examples=["eleven_multilingual_v2"]
    )
    voice_settings: Annotated[
        VoiceSettings, Allowed("an object whose speed is a number from 0.25 to 4.0")
    ] = Field(
        default=VoiceSettings(),
        description="speed is used; the others are named in X-Warnings.",
        examples=[{}],
    )
    seed: Seed = Field(
        default=SamplingOptions().seed,
        description="The same request and seed give the same audio; on a GPU: docs/performance.md.",
        examples=[42],
    )


class ElevenLabsQuery(BaseModel):
    """The fields of the address."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    output_format: OutputFormat = Field(
        default="mp3_44100_128",
        description="The format, Hz and, of mp3 and opus, kbit a second.",
        examples=["mp3_44100_128"],
    )

    @property
    def audio_format(self) -> AudioFormat:
        return _FORMATS[self.output_format.partition("_")[0]]

    @property
    def output_rate(self) -> int:
        """Hz of what is heard."""
        return int(self.output_format.split("_")[1])

    @property
    def sample_rate(self) -> SampleRate:
        """Hz at which the vocoder speaks for it."""
        return 32000 if self.output_rate == 32000 else SAMPLE_RATE

    @property
    def kbits(self) -> int | None:
        _, _, *kbits = self.output_format.split("_")
        return int(kbits[0]) if kbits else None


class ElevenLabsVoice(BaseModel):
    """A registered voice."""

    voice_id: str = Field(description="Its name.", examples=["exampleA"])
    name: str = Field(examples=["exampleA"])
    category: Literal["premade", "cloned"] = Field(
        description="premade: shipped; cloned: added over the API.", examples=["premade"]
    )


class ElevenLabsVoices(BaseModel):
    """Every voice."""

    voices: list[ElevenLabsVoice]


class ElevenLabsPage(ElevenLabsVoices):
    """The voices that a search finds, all on one page."""

    has_more: Literal[False] = Field(default=False, examples=[False])
    total_count: int = Field(examples=[2])
    next_page_token: None = Field(default=None, examples=[None])


class ElevenLabsErrorDetail(BaseModel):
    """The error in words and for programs."""

    status: str = Field(description="The kind of error, for programs.", examples=["invalid_field"])
    message: str = Field(description="In one sentence.", examples=["text is missing."])


class ElevenLabsError(BaseModel):
    """Every error of ElevenLabs' routes."""

    detail: ElevenLabsErrorDetail
