"""The speech requests that ElevenLabs' clients send, and the voices and errors that they read."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from glm_tts_api.api.verified import VerifyField
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
    """The settings of the voice. Only `speed` is used."""

    model_config = ConfigDict(extra="allow", frozen=True)

    speed: Speed = Field(default=1.0, description="Faster or slower at the same pitch.", examples=[1.0])


class ElevenLabsSpeechFields(BaseModel):
    """Fields of a speech request. Other fields are ignored with a warning; null counts as not sent."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    text: str = Field(description="The text to say.", examples=["你好，欢迎使用语音合成服务。"])
    model_id: Echoed = Field(
        default="glm-tts",
        description="Any name: the server has only one model.",
        examples=["eleven_multilingual_v2"],
    )
    voice_settings: Annotated[
        VoiceSettings, Allowed("an object whose speed is a number from 0.25 to 4.0")
    ] = Field(
        default=VoiceSettings(),
        description="Only speed is used. X-Warnings names the other settings.",
        examples=[{}],
    )
    seed: Seed = Field(
        default=SamplingOptions().seed,
        description="The same request and seed give the same audio. For GPUs, see docs/performance.md.",
        examples=[42],
    )
    verify: VerifyField


class ElevenLabsQuery(BaseModel):
    """The fields in the query string of a speech request."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    output_format: OutputFormat = Field(
        default="mp3_44100_128",
        description="The format and the sample rate in Hz, and for mp3 and opus the bit rate in kbit/s.",
        examples=["mp3_44100_128"],
    )
    verify: VerifyField

    @property
    def audio_format(self) -> AudioFormat:
        return _FORMATS[self.output_format.partition("_")[0]]

    @property
    def output_rate(self) -> int:
        """The sample rate of the sent audio in Hz."""
        return int(self.output_format.split("_")[1])

    @property
    def sample_rate(self) -> SampleRate:
        """The sample rate in Hz at which the vocoder makes the audio. The audio is then resampled to
        `output_rate`."""
        return 32000 if self.output_rate == 32000 else SAMPLE_RATE

    @property
    def kbits(self) -> int | None:
        _, _, *kbits = self.output_format.split("_")
        return int(kbits[0]) if kbits else None


class ElevenLabsVoice(BaseModel):
    """A registered voice, in the form of ElevenLabs' API."""

    voice_id: str = Field(description="The name of the voice.", examples=["exampleA"])
    name: str = Field(examples=["exampleA"])
    category: Literal["premade", "cloned"] = Field(
        description="premade: the voice ships with the server. cloned: it was added over the API.",
        examples=["premade"],
    )


class ElevenLabsVoices(BaseModel):
    """A list of registered voices."""

    voices: list[ElevenLabsVoice]


class ElevenLabsPage(ElevenLabsVoices):
    """The voices that a search finds, all on one page."""

    has_more: Literal[False] = Field(default=False, examples=[False])
    total_count: int = Field(examples=[2])
    next_page_token: None = Field(default=None, examples=[None])


class ElevenLabsErrorDetail(BaseModel):
    """An error, in words and as a name for programs."""

    status: str = Field(description="The kind of error, for programs.", examples=["invalid_field"])
    message: str = Field(description="The error in one sentence.", examples=["text is missing."])


class ElevenLabsError(BaseModel):
    """The answer to every error on ElevenLabs' routes."""

    detail: ElevenLabsErrorDetail
