"""The bodies of the service's own API, as clients and /docs see them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from glm_tts_api.voices.book import INDEX_RULE
from glm_tts_api.web.fields import FormNumber, WholeNumber

_EXAMPLE_ID = "6f1f0a5d4a5c4f0f8f6a9a7c3f0f2f11"
Warnings = Annotated[
    list[str],
    Field(
        description="What was sent and not used: fields by other names than ours.",
        examples=[["'sampel_rate' is not a field here and was ignored; did you mean sample_rate?"]],
    ),
]


class SpeechFields(BaseModel):
    """What POST /tts takes beside the file prompt_audio. Unknown fields are ignored, with a warning."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    input_text: str = Field(
        description="What to say: Chinese, English or both; at most MAX_TEXT_LENGTH characters.",
        examples=["你好，欢迎使用语音合成服务。"],
    )
    index: str | None = Field(
        default=None,
        description="A registered voice (GET /api/v1/prompts); or send prompt_audio with prompt_text.",
        examples=["exampleA"],
    )
    prompt_text: str | None = Field(
        default=None,
        description="The exact transcript of prompt_audio; empty with index.",
        examples=["", "录音里说的每一个字。"],  # /docs fills in the first, and index
    )
    seed: Annotated[WholeNumber, Field(ge=0, le=2**63 - 1)] = Field(
        default=42, description="The same request with the same seed gives the same audio.", examples=[42]
    )
    sample_rate: Annotated[Literal[24000, 32000], FormNumber] = Field(
        default=24000, description="24000 Hz (HiFT vocoder) or 32000 Hz (Vocos2D).", examples=[24000]
    )
    use_cache: bool = Field(
        default=True,
        description="true: each segment continues from the speech of the earlier ones; "
        "false: segments are independent and are decoded side by side.",
        examples=[True],
    )
    use_phoneme: bool = Field(
        default=False, description="Write polyphones and rare characters as phonemes.", examples=[False]
    )
    sample_method: Literal["ras", "topk"] = Field(
        default="ras", description="Repetition-aware sampling, or top-k.", examples=["ras"]
    )
    sampling: Annotated[WholeNumber, Field(ge=1, le=100)] = Field(
        default=25, description="The k of topk; ras keeps its published constants.", examples=[25]
    )
    beam_size: Annotated[WholeNumber, Field(ge=1, le=5)] = Field(
        default=1,
        description="Candidates decoded side by side; the one with the best mean log-probability is kept.",
        examples=[1],
    )
    response_format: Literal["json", "wav"] = Field(
        default="json", description="json (a WAV inside, as base64) or wav.", examples=["wav"]
    )
    stream: bool = Field(default=False, description="Comes later; false for now.", examples=[False])
    speed: Annotated[float, Field(ge=0.25, le=4.0)] = Field(
        default=1.0, description="Comes later; 1.0 for now.", examples=[1.0]
    )


class SpeechAnswer(BaseModel):
    """The json answer of POST /tts."""

    success: Literal[True] = True
    message: str = Field(examples=["3.24 s of speech in 1 segment."])
    audio_base64: str = Field(description="A WAV file (16 bit PCM, mono) as base64.", examples=["UklGRi..."])
    sample_rate: int = Field(examples=[24000])
    generation_time: float = Field(
        description="Seconds from admission to the finished audio.", examples=[1.62]
    )
    error: None = Field(default=None, examples=[None])
    request_id: str = Field(examples=[_EXAMPLE_ID])
    audio_seconds: float = Field(description="How long the speech lasts.", examples=[3.24])
    segments: int = Field(description="Pieces that the text was spoken in.", examples=[1])
    rtf: float = Field(description="generation_time divided by audio_seconds.", examples=[0.5])
    warnings: Warnings = []


class NewPromptFields(BaseModel):
    """What POST /prompts takes beside the file prompt_audio."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    index: str = Field(description=f"Its name: {INDEX_RULE}.", examples=["my_voice"])
    prompt_text: str = Field(
        description="The recording's exact transcript.", examples=["录音里说的每一个字。"]
    )
    prompt_audio_path: str | None = Field(
        default=None,
        description="In place of prompt_audio: a file in configs/ or PROMPTS_DIR; it is copied.",
        examples=["my_voice.wav"],
    )


class ChangedPromptFields(BaseModel):
    """What PUT /prompts/{index} takes beside the file prompt_audio; what is left out stays."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    index: str | None = Field(
        default=None,
        description="May repeat the name that the path has; a voice is not renamed.",
        examples=["my_voice"],
    )
    prompt_text: str | None = Field(
        default=None, description="The recording's exact transcript.", examples=["录音里说的每一个字。"]
    )
    prompt_audio_path: str | None = Field(
        default=None,
        description="In place of prompt_audio: a file in configs/ or PROMPTS_DIR; it is copied.",
        examples=["my_voice.wav"],
    )


class Prompt(BaseModel):
    """A registered voice."""

    index: str = Field(description="Its name.", examples=["exampleA"])
    prompt_text: str = Field(description="The recording's transcript.", examples=["录音里说的每一个字。"])
    source: Literal["shipped", "own"] = Field(
        description="shipped: from configs/prompt_cache.json; own: added over the API.", examples=["shipped"]
    )
    audio_url: str = Field(description="Where the recording is.", examples=["/api/v1/prompts/exampleA/audio"])


class PromptAnswer(BaseModel):
    """One voice."""

    success: Literal[True] = True
    message: str = Field(examples=["Voice 'my_voice' is registered."])
    prompt: Prompt
    warnings: Warnings = []


class PromptList(BaseModel):
    """Every voice."""

    success: Literal[True] = True
    count: int = Field(examples=[2])
    prompts: list[Prompt]


class Done(BaseModel):
    """It is done."""

    success: Literal[True] = True
    message: str = Field(examples=["Voice 'my_voice' is deleted."])


class ErrorBody(BaseModel):
    """Every error under /api/v1."""

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
    request_id: str = Field(description="Names the request in the server's log.", examples=[_EXAMPLE_ID])


class Health(BaseModel):
    """How the server is."""

    model_config = ConfigDict(protected_namespaces=())
    status: Literal["healthy", "loading", "draining", "unhealthy"] = Field(examples=["healthy"])
    model_loaded: bool = Field(description="Whether the model is in memory.", examples=[True])
    model_sample_rate: int = Field(description="The default sample rate in Hz.", examples=[24000])
    model_use_phoneme: bool = Field(description="The default of use_phoneme.", examples=[False])
    prompt_cache_count: int = Field(description="Registered voices.", examples=[2])
    model: str | None = Field(
        description="Which model speaks; null until it is loaded.", examples=["GLM-TTS"]
    )
    demonstration: bool = Field(description="True for the small bundled model.", examples=[False])
    notice: str | None = Field(
        description="How to get the official model, if this is not it.", examples=[None]
    )
    device: str | None = Field(description="Where it runs; null until it is loaded.", examples=["cuda:0"])
    dtype: str | None = Field(description="The LLM's precision.", examples=["bfloat16"])
    version: str = Field(description="This server's version.", examples=["0.1.0"])
    uptime_s: float = Field(description="Seconds since this worker started.", examples=[73.2])
    cause: str | None = Field(description="Why the model could not be loaded.", examples=[None])
    warnings: list[str] = Field(
        description="What the operator should repair, though the server runs.",
        examples=[["prompt_cache.json in configs/ is left as it is: it is not JSON (line 3: ...)"]],
    )


class Alive(BaseModel):
    """The process answers."""

    status: Literal["alive"] = Field(examples=["alive"])


class LaneStats(BaseModel):
    """One lane."""

    active: int = Field(description="Being spoken now.", examples=[0])
    total: int = Field(description="Admitted since the service started.", examples=[128])
    limit: int = Field(description="Places: the limit per worker times the live workers.", examples=[15])
    available: int = Field(description="Free places.", examples=[15])
    waiting: int = Field(description="In line now.", examples=[0])
    completed: int = Field(description="Answered.", examples=[120])
    failed: int = Field(description="Ended by an error, the request's own included.", examples=[2])
    timed_out: int = Field(description="Ended by the deadline.", examples=[1])
    cancelled: int = Field(description="Left by their clients, or ended by a stop.", examples=[5])
    rejected: int = Field(description="Sent away because the line was full.", examples=[0])


class Lanes(BaseModel):
    """Both lanes."""

    short_text: LaneStats
    long_text: LaneStats


class WorkerStats(Lanes):
    """One worker's share."""

    slot: int = Field(examples=[0])
    pid: int = Field(examples=[4242])
    ready: bool = Field(description="Whether its model is loaded.", examples=[True])


class ConcurrencyConfig(BaseModel):
    """Limits of one worker."""

    short_text: int = Field(examples=[15])
    long_text: int = Field(examples=[5])
    threshold: int = Field(description="More characters than this take the long lane.", examples=[200])


class TimeoutConfig(BaseModel):
    """Seconds from arrival."""

    short_text: float | int = Field(description="Up to 50 characters.", examples=[60])
    medium_text: float | int = Field(description="The rest of the short lane.", examples=[300])
    long_text: float | int = Field(description="The long lane.", examples=[600])


class QueueConfig(BaseModel):
    """The lines."""

    max_size: int = Field(description="Requests that may wait per lane and worker.", examples=[100])


class StatsConfig(BaseModel):
    """What the server was told."""

    concurrency: ConcurrencyConfig
    timeout: TimeoutConfig
    queue: QueueConfig
    workers: int = Field(examples=[1])


class WorkerName(BaseModel):
    """One of the worker processes."""

    slot: int = Field(examples=[0])
    pid: int = Field(examples=[4242])


class ActiveRequest(BaseModel):
    """A request that is being spoken, and how far it is."""

    request_id: str = Field(description="As in the log and in X-Request-Id.", examples=[_EXAMPLE_ID])
    lane: Literal["short_text", "long_text"] = Field(examples=["long_text"])
    characters: int = Field(description="How long its text is.", examples=[3000])
    segments: int | None = Field(
        description="Pieces that the text is spoken in; null until it is cut.", examples=[62]
    )
    segments_done: int = Field(description="How many of them are spoken.", examples=[17])
    audio_seconds: float = Field(description="Seconds of audio so far.", examples=[187.52])
    age_seconds: float = Field(description="Seconds since it arrived.", examples=[64.3])


class ConcurrencyStats(BaseModel):
    """The service's figures."""

    success: Literal[True] = True
    stats: Lanes
    config: StatsConfig
    per_worker: list[WorkerStats]
    worker: WorkerName = Field(description="The worker that answers.")
    active: list[ActiveRequest] = Field(description="The requests that this worker speaks now.")


class ClearedCache(BaseModel):
    """What clearing brought."""

    success: Literal[True] = True
    message: str = Field(examples=["Freed 12.5 MB."])
    freed_bytes: int = Field(examples=[13107200])
