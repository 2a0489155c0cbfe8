"""The bodies of the operations' routes (health, figures, caches), as clients and /docs see them."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from glm_tts_api.api.v1.schemas import EXAMPLE_ID
from glm_tts_api.contracts import STAGES, DecodeKernels, Stage
from glm_tts_api.speech.service import HealthStatus
from glm_tts_api.stats.workers import Phase


class Streaming(BaseModel):
    """Forecast for a lone listener of a streamed answer, from speeds measured at the start: with
    STREAM_CHUNKS as set, a voice of 5 s and an answer of 30 s at 24 kHz."""

    first_audio_s: float = Field(description="Seconds until the first audio.", examples=[0.35])
    runs_dry: bool = Field(
        description="Whether a player that starts with the first audio has to wait again.", examples=[False]
    )
    longest_gap_s: float = Field(description="How long at most.", examples=[0.0])
    schedule_without_gaps: list[int] | None = Field(
        description="A STREAM_CHUNKS that it would not run dry with; null where this machine speaks slower "
        "than one listens.",
        examples=[[25, 100, 300]],
    )


class Health(BaseModel):
    """The state of the server."""

    model_config = ConfigDict(protected_namespaces=())
    status: HealthStatus = Field(
        description="`idle`: the model was unloaded, and comes back with the next request. `loading`: also "
        "while the only engine is begun again; requests that come wait for it.",
        examples=["healthy"],
    )
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
    commands: list[str] = Field(
        description="Those that get the official model and speak with it, if this is not it.", examples=[[]]
    )
    device: str | None = Field(description="Where it runs; null until it is loaded.", examples=["cuda:0"])
    dtype: str | None = Field(description="The LLM's precision.", examples=["bfloat16"])
    decode_kernels: DecodeKernels | None = Field(
        description="What decodes on a GPU. triton: kernels in whose rows no neighbour changes a bit; plain: "
        "PyTorch's operators, since Triton does not work there (the log says why). null on a CPU.",
        examples=["triton"],
    )
    version: str = Field(description="This server's version.", examples=["0.1.0"])
    uptime_s: float = Field(description="Seconds since the server started.", examples=[73.2])
    streaming: Streaming | None = Field(
        description="What a lone listener has to expect; null until it is measured.",
        examples=[
            {
                "first_audio_s": 0.35,
                "runs_dry": False,
                "longest_gap_s": 0.0,
                "schedule_without_gaps": [25, 100, 300],
            }
        ],
    )
    cause: str | None = Field(
        description="Why nothing can be spoken: the model could not be loaded, a step of it does not end, or "
        "how the last engine died.",
        examples=[None],
    )
    warnings: list[str] = Field(
        description="What the operator should repair, though the server runs.",
        examples=[["prompt_cache.json in configs/ is left as it is: it is not JSON (line 3: ...)"]],
    )


class Alive(BaseModel):
    """The process answers."""

    status: Literal["alive"] = Field(examples=["alive"])


class LaneStats(BaseModel):
    """Figures of one lane."""

    active: int = Field(description="Being spoken now.", examples=[0])
    total: int = Field(description="Admitted since the service started.", examples=[128])
    limit: int = Field(description="Places: the limits of the engines together.", examples=[15])
    available: int = Field(description="Free places.", examples=[15])
    waiting: int = Field(description="In the queue now.", examples=[0])
    completed: int = Field(description="Answered.", examples=[120])
    failed: int = Field(description="Ended by an error, the request's own included.", examples=[2])
    timed_out: int = Field(description="Ended by the deadline.", examples=[1])
    cancelled: int = Field(description="Left by their clients, or ended by a stop.", examples=[5])
    rejected: int = Field(description="Sent away because the queue was full.", examples=[0])


class Lanes(BaseModel):
    """Both lanes."""

    short_text: LaneStats
    long_text: LaneStats


class WorkerStats(Lanes):
    """One engine's share. A request without an engine (it waits, or was refused) counts with the first."""

    slot: int = Field(description="Its number.", examples=[0])
    pid: int | None = Field(
        description="Of its process; null while it has none: idle, or between two.", examples=[4242]
    )
    ready: bool = Field(description="Whether it can speak.", examples=[True])
    status: Phase = Field(description="How far its model is.", examples=["ready"])
    restarts: int = Field(description="How often it died and was begun again.", examples=[0])


class ConcurrencyConfig(BaseModel):
    """Limits of one engine."""

    short_text: int = Field(examples=[15])
    long_text: int = Field(examples=[5])
    threshold: int = Field(description="More characters than this take the long lane.", examples=[200])


class TimeoutConfig(BaseModel):
    """Seconds from arrival."""

    short_text: float | int = Field(description="Up to 50 characters.", examples=[60])
    medium_text: float | int = Field(description="The rest of the short lane.", examples=[300])
    long_text: float | int = Field(description="The long lane.", examples=[600])


class QueueConfig(BaseModel):
    """The queues."""

    max_size: int = Field(description="Requests that may wait per lane, in the whole server.", examples=[100])


class StatsConfig(BaseModel):
    """The server's settings."""

    concurrency: ConcurrencyConfig
    timeout: TimeoutConfig
    queue: QueueConfig
    workers: int = Field(description="Engines.", examples=[1])


class WorkerName(BaseModel):
    """The server's process."""

    slot: int = Field(description="Always 0.", examples=[0])
    pid: int = Field(examples=[4242])


class RequestProgress(BaseModel):
    """The progress of a request."""

    request_id: str = Field(description="As in the log and in X-Request-Id.", examples=[EXAMPLE_ID])
    lane: Literal["short_text", "long_text"] = Field(examples=["long_text"])
    characters: int = Field(description="How long its text is.", examples=[3000])
    segments: int | None = Field(
        description="Pieces that the text is spoken in; null until it is cut.", examples=[62]
    )
    segments_done: int = Field(description="How many of them are spoken.", examples=[2])
    ends: list[float] = Field(
        description="Where in the audio each of these ends, in seconds.", examples=[[3.04, 6.72]]
    )
    audio_seconds: float = Field(description="Seconds of audio so far.", examples=[8.12])
    age_seconds: float = Field(description="Seconds since it arrived, until it ended.", examples=[4.3])
    stages: dict[Stage, float] = Field(
        description="Seconds that it has spent in each stage, as in the log; without the stage that goes on.",
        examples=[dict.fromkeys(STAGES, 0.3)],
    )


class ActiveRequest(RequestProgress):
    """A request that waits or is being spoken."""

    state: Literal["waiting", "speaking"] = Field(examples=["speaking"])
    place: int | None = Field(
        description="In its lane's queue, 1 is next: the clients take turns. null out of it.", examples=[None]
    )


class RecentRequest(RequestProgress):
    """A request that has ended."""

    outcome: str = Field(description="As in the log: completed, or what ended it.", examples=["completed"])


class ConcurrencyStats(BaseModel):
    """The service's figures."""

    success: Literal[True] = True
    stats: Lanes
    config: StatsConfig
    per_worker: list[WorkerStats]
    worker: WorkerName = Field(description="The server that answers.")
    active: list[ActiveRequest] = Field(description="The requests that the server has now.")
    recent: list[RecentRequest] = Field(description="The last eight that it had, the latest at the end.")


class ClearedCache(BaseModel):
    """The effect of clearing the caches."""

    success: Literal[True] = True
    message: str = Field(examples=["Freed 12.5 MB."])
    freed_bytes: int = Field(examples=[13107200])
