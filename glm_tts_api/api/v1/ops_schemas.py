"""The bodies of the operations' routes (health, figures, caches), as clients and /docs see them."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from glm_tts_api.api.v1.schemas import EXAMPLE_ID
from glm_tts_api.contracts import STAGES, DecodeKernels, Stage
from glm_tts_api.speech.engines import HealthStatus
from glm_tts_api.stats.figures import LaneName
from glm_tts_api.stats.workers import Phase


class Streaming(BaseModel):
    """A forecast for a single listener of a streamed answer, from speeds measured at the start. It assumes
    STREAM_CHUNKS as set, a voice of 5 s and an answer of 30 s at 24 kHz."""

    first_audio_s: float = Field(description="Seconds until the first audio comes.", examples=[0.35])
    runs_dry: bool = Field(
        description="Whether a player that starts with the first audio has to wait again.", examples=[False]
    )
    longest_gap_s: float = Field(description="The longest of these waits, in seconds.", examples=[0.0])


class Health(BaseModel):
    """The state of the server."""

    model_config = ConfigDict(protected_namespaces=())
    status: HealthStatus = Field(
        description="`idle`: the model is unloaded; the next request loads it again. `loading`: the model "
        "loads, or the only engine is restarted; new requests wait for it.",
        examples=["healthy"],
    )
    model_loaded: bool = Field(description="Whether the model is in memory.", examples=[True])
    model_sample_rate: int = Field(description="The default sample rate in Hz.", examples=[24000])
    model_use_phoneme: bool = Field(description="The default of use_phoneme.", examples=[False])
    prompt_cache_count: int = Field(description="The number of registered voices.", examples=[2])
    model: str | None = Field(
        description="The name of the model; null until it is loaded.", examples=["GLM-TTS"]
    )
    demonstration: bool = Field(description="True for the small bundled model.", examples=[False])
    notice: str | None = Field(
        description="For the demonstration model: how to get the official model.", examples=[None]
    )
    commands: list[str] = Field(
        description="For the demonstration model: the commands that fetch and start the official model.",
        examples=[[]],
    )
    device: str | None = Field(
        description="The device on which the model runs; null until it is loaded.", examples=["cuda:0"]
    )
    dtype: str | None = Field(description="The number format of the LLM's weights.", examples=["bfloat16"])
    flow_steps: int | None = Field(
        description="The number of Euler steps of the flow: FLOW_STEPS, or the number that the model's "
        "flow/config.yaml names. null until the model is loaded.",
        examples=[10],
    )
    decode_kernels: DecodeKernels | None = Field(
        description="The kernels that decode. triton (on a GPU) and c (on a CPU): the server's own. "
        "plain: PyTorch's operators, because the server's kernels cannot run here (the log says why); on a "
        "GPU, one request may then change the result of another. null until the model is loaded.",
        examples=["triton"],
    )
    recogniser: bool = Field(
        description="Whether the server has a recogniser, which verify=true needs to hear the speech.",
        examples=[False],
    )
    version: str = Field(description="This server's version.", examples=["0.1.0"])
    uptime_s: float = Field(description="Seconds since the server started.", examples=[73.2])
    streaming: Streaming | None = Field(
        description="The forecast for a single listener of a stream; null until it is measured.",
        examples=[
            {
                "first_audio_s": 0.35,
                "runs_dry": False,
                "longest_gap_s": 0.0,
            }
        ],
    )
    cause: str | None = Field(
        description="Why the server cannot speak: the model could not be loaded, a step of the model does "
        "not end, or the last engine died in this way.",
        examples=[None],
    )
    warnings: list[str] = Field(
        description="Faults that the operator should repair, although the server runs.",
        examples=[["prompt_cache.json in configs/ is left as it is: it is not JSON (line 3: ...)"]],
    )


class Alive(BaseModel):
    """The answer of a server process that runs."""

    status: Literal["alive"] = Field(examples=["alive"])


class LaneStats(BaseModel):
    """The figures of one lane (for short texts or for long texts)."""

    active: int = Field(description="Requests that are being spoken now.", examples=[0])
    total: int = Field(description="Requests admitted since the service started.", examples=[128])
    limit: int = Field(
        description="How many requests may be spoken at once by all engines together.", examples=[15]
    )
    available: int = Field(description="How many more requests could be spoken now.", examples=[15])
    waiting: int = Field(description="Requests that wait in the queue now.", examples=[0])
    completed: int = Field(description="Requests that were answered.", examples=[120])
    failed: int = Field(
        description="Requests that ended with an error, also with a fault of the request itself.",
        examples=[2],
    )
    timed_out: int = Field(description="Requests that were ended by their deadline.", examples=[1])
    cancelled: int = Field(
        description="Requests whose clients have left, or that a stop of the server has ended.", examples=[5]
    )
    rejected: int = Field(description="Requests that were refused because the queue was full.", examples=[0])


class Lanes(BaseModel):
    """The figures of both lanes: one for short texts, one for long texts."""

    short_text: LaneStats
    long_text: LaneStats


class WorkerStats(Lanes):
    """The figures of one engine. A request without an engine (it waits, or was refused) counts with the first
    engine."""

    slot: int = Field(description="The number of the engine.", examples=[0])
    pid: int | None = Field(
        description="The id of the engine's process; null while it has none (when idle, or between two "
        "processes).",
        examples=[4242],
    )
    ready: bool = Field(description="Whether the engine can speak.", examples=[True])
    status: Phase = Field(description="The state of the engine's model.", examples=["ready"])
    restarts: int = Field(description="How often the engine died and was started again.", examples=[0])


class ConcurrencyConfig(BaseModel):
    """How many short and long texts one engine speaks at once, and above which length a text is long."""

    short_text: int = Field(examples=[15])
    long_text: int = Field(examples=[5])
    threshold: int = Field(
        description="A text with more characters than this goes into the lane for long texts.", examples=[200]
    )


class TimeoutConfig(BaseModel):
    """The time limits of requests, in seconds from their arrival."""

    short_text: float | int = Field(description="For texts of up to 50 characters.", examples=[60])
    medium_text: float | int = Field(
        description="For all other texts in the lane for short texts.", examples=[300]
    )
    long_text: float | int = Field(description="For texts in the lane for long texts.", examples=[600])


class QueueConfig(BaseModel):
    """The limit of the queues."""

    max_size: int = Field(
        description="How many requests may wait in each lane, for the whole server.", examples=[100]
    )


class StatsConfig(BaseModel):
    """The settings that limit requests, and the number of engines."""

    concurrency: ConcurrencyConfig
    timeout: TimeoutConfig
    queue: QueueConfig
    workers: int = Field(description="The number of engines.", examples=[1])


class WorkerName(BaseModel):
    """The server's process, by its number and its process id."""

    slot: int = Field(description="Always 0.", examples=[0])
    pid: int = Field(examples=[4242])


class RequestProgress(BaseModel):
    """A request, and how much of its text is spoken."""

    request_id: str = Field(
        description="The id of the request, as in the log and in X-Request-Id.", examples=[EXAMPLE_ID]
    )
    lane: LaneName = Field(examples=["long_text"])
    characters: int = Field(description="The length of the text.", examples=[3000])
    segments: int | None = Field(
        description="The number of pieces in which the text is spoken; null until it is cut.", examples=[62]
    )
    segments_done: int = Field(description="How many of these pieces are spoken.", examples=[2])
    ends: list[float] = Field(
        description="Where in the audio each spoken piece ends, in seconds.", examples=[[3.04, 6.72]]
    )
    audio_seconds: float = Field(description="The length of the audio so far, in seconds.", examples=[8.12])
    age_seconds: float = Field(
        description="Seconds from its arrival until now, or until it ended.", examples=[4.3]
    )
    stages: dict[Stage, float] = Field(
        description="Seconds that the request has spent in each stage, as in the log. The stage that goes "
        "on now is not included.",
        examples=[dict.fromkeys(STAGES, 0.3)],
    )


class ActiveRequest(RequestProgress):
    """A request that waits or is being spoken."""

    state: Literal["waiting", "speaking"] = Field(examples=["speaking"])
    place: int | None = Field(
        description="The position in the lane's queue; 1 is next. Clients get turns. null if the request "
        "does not wait.",
        examples=[None],
    )


class RecentRequest(RequestProgress):
    """A request that has ended."""

    outcome: str = Field(
        description="How the request ended, as in the log: completed, or the reason.", examples=["completed"]
    )


class ConcurrencyStats(BaseModel):
    """The figures of the lanes and the engines, and the requests with their progress."""

    success: Literal[True] = True
    stats: Lanes
    config: StatsConfig
    per_worker: list[WorkerStats]
    worker: WorkerName = Field(description="The server process that answers.")
    active: list[ActiveRequest] = Field(description="The requests that wait or are being spoken now.")
    recent: list[RecentRequest] = Field(
        description="The last eight requests that have ended; the latest is at the end."
    )


class ClearedCache(BaseModel):
    """How much memory was freed by clearing the caches."""

    success: Literal[True] = True
    message: str = Field(examples=["Freed 12.5 MB."])
    freed_bytes: int = Field(examples=[13107200])
