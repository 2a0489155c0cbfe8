"""The bodies of speech, voices and errors, as clients and /docs see them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from glm_tts_api.api.timestamps import SubtitleField, TimedSegment, TimestampsField
from glm_tts_api.api.verified import VerifiedSegment, VerifyField
from glm_tts_api.contracts import (
    SAMPLE_RATE,
    AudioFormat,
    FinishReason,
    SampleMethod,
    SampleRate,
    SamplingOptions,
    Verbatim,
    in_mood,
)
from glm_tts_api.validation import Allowed, AnyCase, FormNumber, Seed, Speed, WholeNumber

_SAMPLING = SamplingOptions()
EXAMPLE_ID = "6f1f0a5d4a5c4f0f8f6a9a7c3f0f2f11"
Warnings = Annotated[
    list[str],
    Field(
        description="Sent fields that this server does not know and has not used.",
        examples=[["'sampel_rate' is not a field here and was ignored; did you mean sample_rate?"]],
    ),
]

OwnLexicon = Annotated[
    str | list[Any] | None,
    Allowed("a JSON list of entries as /api/v1/lexicon has them"),
    Field(
        default=None,
        description="Lexicon entries for this text alone, as a JSON list; in a form, as the text of that "
        "list. They go before the entries of /api/v1/lexicon.",
        examples=['[{"word": "重庆", "reading": "chong2 qing4"}]'],
    ),
]

InputType = Annotated[
    Literal["text", "ssml"],
    Field(
        default="text",
        description="ssml: input_text is SSML, <speak>...</speak> (docs/pronunciation.md).",
        examples=["text"],
    ),
]

VerbatimField = Annotated[
    Verbatim | None,
    Field(
        default=None,
        description="How much is said of web addresses, links, file paths and code. read says all of it. "
        "short says the host of an address and the last name of a path, and no block of code. "
        "skip says nothing of it. The default is short for a text of over 500 characters and "
        "for books, else read.",
        examples=["short"],
    ),
]


class SpeechFields(BaseModel):
    """Fields of POST /tts, in addition to the file prompt_audio. Unknown fields are ignored with a
    warning."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    input_text: str = Field(
        description="The text to say, in Chinese, English or both, of at most MAX_TEXT_LENGTH characters.",
        examples=["你好，欢迎使用语音合成服务。"],
    )
    index: str | None = Field(
        default=None,
        description="The name of a registered voice (GET /api/v1/prompts). Or send prompt_audio with "
        "prompt_text.",
        examples=["exampleA"],
    )
    mood: str | None = Field(
        default=None,
        description="A mood of the voice (GET /api/v1/prompts lists the moods). index=my_voice:glad does "
        "the same.",
        examples=[""],
    )
    prompt_text: str | None = Field(
        default=None,
        description="The exact transcript of prompt_audio. Leave it empty with index.",
        examples=["", "录音里说的每一个字。"],  # /docs fills in the first, and index
    )
    seed: Seed = Field(
        default=_SAMPLING.seed,
        description="The same request and seed give the same audio. For GPUs, see docs/performance.md.",
        examples=[42],
    )
    sample_rate: Annotated[SampleRate, FormNumber] = Field(
        default=SAMPLE_RATE,
        description="The sample rate: 24000 Hz (HiFT vocoder) or 32000 Hz (Vocos2D).",
        examples=[24000],
    )
    use_cache: bool = Field(
        default=True,
        description="true: each segment continues from the speech of the earlier ones; "
        "false: segments are independent and are decoded side by side.",
        examples=[True],
    )
    use_phoneme: bool = Field(
        default=False,
        description="true: polyphones and rare characters are given to the model as phonemes.",
        examples=[False],
    )
    sample_method: SampleMethod = Field(
        default=_SAMPLING.method,
        description="ras: repetition-aware sampling. topk: top-k sampling.",
        examples=["ras"],
    )
    sampling: Annotated[WholeNumber, Field(ge=1, le=100)] = Field(
        default=_SAMPLING.top_k,
        description="The k of topk; ras keeps its published constants.",
        examples=[25],
    )
    beam_size: Annotated[WholeNumber, Field(ge=1, le=5)] = Field(
        default=_SAMPLING.beam_size,
        description="Candidates decoded side by side; the one with the best mean log-probability is kept.",
        examples=[1],
    )
    response_format: Annotated[Literal["json", AudioFormat], AnyCase] = Field(
        default="json",
        description="json: the answer is JSON with a WAV as base64. Other formats: the answer is the "
        "audio itself (pcm: 16 bit, mono). opus at 32000 Hz is sent at 48000 Hz.",
        examples=["wav"],
    )
    stream: bool = Field(
        default=False,
        description="true: the audio is sent while it is made. Not possible with json.",
        examples=[False],
    )
    speed: Speed = Field(default=1.0, description="Faster or slower at the same pitch.", examples=[1.0])
    verbatim: VerbatimField
    lexicon: OwnLexicon
    input_type: InputType
    timestamps: TimestampsField
    subtitle: SubtitleField
    verify: VerifyField

    @property
    def registered(self) -> str:
        """The name of the registered voice, with its mood."""
        return (self.index or "") if self.mood is None else in_mood(self.index or "", self.mood)

    @property
    def options(self) -> SamplingOptions:
        """The options for drawing speech tokens."""
        return SamplingOptions(self.sample_method, self.sampling, self.beam_size, self.seed)


class SpeechAnswer(BaseModel):
    """The answer of POST /tts with response_format=json."""

    success: Literal[True] = True
    message: str = Field(examples=["3.24 s of speech in 1 segment."])
    audio_base64: str = Field(description="A WAV file (16 bit PCM, mono) as base64.", examples=["UklGRi..."])
    sample_rate: int = Field(examples=[24000])
    generation_time: float = Field(
        description="Seconds from admission to the finished audio.", examples=[1.62]
    )
    error: None = Field(default=None, examples=[None])
    request_id: str = Field(examples=[EXAMPLE_ID])
    audio_seconds: float = Field(description="How long the speech lasts.", examples=[3.24])
    segments: int = Field(description="The number of pieces in which the text was spoken.", examples=[1])
    finish_reason: FinishReason = Field(
        description="stop: all is well. repaired: a segment was decoded again, because its tokens could "
        "not be right, and is good now. length: a segment is still far too long or too short, "
        "or repeats itself.",
        examples=["stop"],
    )
    resampled: int = Field(description="How often a segment was decoded again.", examples=[0])
    rtf: float = Field(description="generation_time divided by audio_seconds.", examples=[0.5])
    warnings: Warnings = []
    timestamps: list[TimedSegment] | None = Field(
        default=None, description="Only with timestamps.", examples=[None]
    )
    subtitle: str | None = Field(default=None, description="Only with subtitle.", examples=[None])
    verified: list[VerifiedSegment] | None = Field(
        default=None, description="Only with verify.", examples=[None]
    )


class Done(BaseModel):
    """Says that a change was made."""

    success: Literal[True] = True
    message: str = Field(examples=["Voice 'my_voice' is deleted."])


class ErrorBody(BaseModel):
    """The answer to every error under /api/v1."""

    success: Literal[False] = False
    message: str = Field(
        description="What went wrong, in one sentence.",
        examples=["sampling must be a whole number from 1 to 100."],
    )
    error: str = Field(
        description="The same sentence.", examples=["sampling must be a whole number from 1 to 100."]
    )
    detail: str = Field(
        description="The same sentence.", examples=["sampling must be a whole number from 1 to 100."]
    )
    code: str = Field(description="The kind of error, for programs.", examples=["invalid_field"])
    request_id: str = Field(description="The id of the request in the server's log.", examples=[EXAMPLE_ID])
    job: str | None = Field(
        default=None,
        description="With status 408: the id of the job that keeps the finished part of the answer, if "
        "there is one.",
        examples=[None],
    )
