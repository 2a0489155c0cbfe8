"""The bodies of speech and voices, as clients and /docs see them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from glm_tts_api.api.dialects import EXAMPLE_ID
from glm_tts_api.api.fields import Answer, Fields, described
from glm_tts_api.api.heard import SubtitleField, TimedSegment, TimestampsField, VerifiedSegment, VerifyField
from glm_tts_api.contracts import (
    SAMPLE_RATE,
    AudioFormat,
    FinishReason,
    Fit,
    OutputRate,
    SampleMethod,
    SamplingOptions,
)
from glm_tts_api.validation import Allowed, AnyCase, FormNumber, Seed, Speed, WholeNumber
from speech_text import Verbatim

OF_WHOLE_ANSWERS = ("duration", "loudness")  # fields that need all of an answer's audio
_SAMPLING = SamplingOptions()
Warnings = Annotated[
    list[str],
    described(
        "Sent fields that this server does not know and has not used.",
        ["'sampel_rate' is not a field here and was ignored; did you mean sample_rate?"],
        default=[],
    ),
]

OwnLexicon = Annotated[
    str | list[Any] | None,
    Allowed("a JSON list of entries as /api/v1/lexicon has them"),
    described(
        "Lexicon entries for this text alone, as a JSON list; in a form, as the text of that list. They go "
        "before the entries of /api/v1/lexicon.",
        '[{"word": "重庆", "reading": "chong2 qing4"}]',
        default=None,
    ),
]

InputType = Annotated[
    Literal["text", "ssml"],
    described(
        "ssml: input_text is SSML, <speak>...</speak> (docs/pronunciation.md).", "text", default="text"
    ),
]

VerbatimField = Annotated[
    Verbatim | None,
    described(
        "How much is said of web addresses, links, file paths and code. read says all of it. short says the "
        "host of an address and the last name of a path, and no block of code. skip says nothing of it. The "
        "default is short for a text of over 500 characters and for books, else read.",
        "short",
        default=None,
    ),
]


class SpeechFields(Fields):
    """Fields of POST /tts, in addition to the file prompt_audio. Unknown fields are ignored with a
    warning."""

    input_text: str = described(
        "The text to say, in Chinese, English or both, of at most MAX_TEXT_LENGTH characters.",
        "你好，欢迎使用语音合成服务。",
    )
    index: str | None = described(
        "The name of a registered voice (GET /api/v1/prompts). Or send prompt_audio with prompt_text.",
        "exampleA",
        default=None,
    )
    mood: str | None = described(
        "A mood of the voice (GET /api/v1/prompts lists the moods). index=my_voice:glad does the same.",
        "",
        default=None,
    )
    prompt_text: str | None = Field(
        default=None,
        description="The exact transcript of prompt_audio. Leave it empty with index.",
        examples=["", "录音里说的每一个字。"],  # /docs fills in the first, and index
    )
    seed: Seed = described(
        "The same request and seed give the same audio. For GPUs, see docs/performance.md.",
        42,
        default=_SAMPLING.seed,
    )
    sample_rate: Annotated[OutputRate, FormNumber] = described(
        "The sample rate in Hz. 32000 is the Vocos2D vocoder's; all others are made from HiFT's 24000.",
        24000,
        default=SAMPLE_RATE,
    )
    use_cache: bool = described(
        "true: each segment continues from the speech of the earlier ones; false: segments are independent "
        "and are decoded side by side.",
        True,
        default=True,
    )
    use_phoneme: bool = described(
        "true: polyphones and rare characters are given to the model as phonemes.", False, default=False
    )
    sample_method: SampleMethod = described(
        "ras: repetition-aware sampling. topk: top-k sampling.", "ras", default=_SAMPLING.method
    )
    sampling: Annotated[WholeNumber, Field(ge=1, le=100)] = described(
        "The k of topk; ras keeps its published constants.", 25, default=_SAMPLING.top_k
    )
    beam_size: Annotated[WholeNumber, Field(ge=1, le=5)] = described(
        "Candidates decoded side by side; the one with the best mean log-probability is kept.",
        1,
        default=_SAMPLING.beam_size,
    )
    response_format: Annotated[Literal["json", AudioFormat], AnyCase] = described(
        "json: the answer is JSON with a WAV as base64. Other formats: the answer is the audio itself (pcm: "
        "16 bit, mono; mulaw, alaw: a telephone's, 8000 Hz). opus at 32000 Hz is sent at 48000 Hz.",
        "wav",
        default="json",
    )
    stream: bool = described(
        "true: the audio is sent while it is made. Not possible with json.", False, default=False
    )
    speed: Speed = described("Faster or slower at the same pitch.", 1.0, default=1.0)
    duration: Annotated[float | None, Field(ge=0.1, le=600)] = described(
        "The answer lasts so many seconds. Up to three takes are spoken, and the closest one is made faster "
        "or slower, 0.7 to 1.6 times at most. Not with stream or speed.",
        2.5,
        default=None,
    )
    fit: Fit | None = described(
        "If no such tempo gives the duration: pad adds silence, cut ends the speech at the last word that "
        "fits. If left out, the request is refused.",
        "pad",
        default=None,
    )
    loudness: Annotated[float | None, Field(ge=-31, le=-14)] = described(
        "The integrated loudness of the answer in LUFS (EBU R 128), with peaks below -1 dB. Not with stream.",
        -16,
        default=None,
    )
    verbatim: VerbatimField
    lexicon: OwnLexicon
    input_type: InputType
    timestamps: TimestampsField
    subtitle: SubtitleField
    verify: VerifyField

    @property
    def options(self) -> SamplingOptions:
        """The options for drawing speech tokens."""
        return SamplingOptions(self.sample_method, self.sampling, self.beam_size, self.seed)


class SpeechAnswer(Answer):
    """The answer of POST /tts with response_format=json."""

    message: str = Field(examples=["3.24 s of speech in 1 segment."])
    audio_base64: str = described("A WAV file (16 bit PCM, mono) as base64.", "UklGRi...")
    sample_rate: int = Field(examples=[24000])
    generation_time: float = described("Seconds from admission to the finished audio.", 1.62)
    error: None = Field(default=None, examples=[None])
    request_id: str = Field(examples=[EXAMPLE_ID])
    audio_seconds: float = described("How long the speech lasts.", 3.24)
    segments: int = described("The number of pieces in which the text was spoken.", 1)
    finish_reason: FinishReason = described(
        "stop: all is well. repaired: a segment was decoded again, because it could not be right, and is "
        "good now. length: a segment still lacks words, repeats them or runs on; warnings name the words.",
        "stop",
    )
    resampled: int = described("How often a segment was decoded again.", 0)
    rtf: float = described("generation_time divided by audio_seconds.", 0.5)
    warnings: Warnings
    timestamps: list[TimedSegment] | None = described("Only with timestamps.", None, default=None)
    subtitle: str | None = described("Only with subtitle.", None, default=None)
    verified: list[VerifiedSegment] | None = described("Only with verify.", None, default=None)


class Done(Answer):
    """Says that a change was made."""

    message: str = Field(examples=["Voice 'my_voice' is deleted."])
