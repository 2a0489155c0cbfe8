"""The bodies of the operations' routes (health, figures, caches), as clients and /docs see them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from glm_tts_api.api.dialects import EXAMPLE_ID
from glm_tts_api.api.fields import Answer, described
from glm_tts_api.contracts import STAGES, DecodeKernels, Stage
from glm_tts_api.speech.engines import HealthStatus
from glm_tts_api.stats.lanes import LANES, AdmissionConfig, LaneName
from glm_tts_api.stats.workers import Phase


class Streaming(BaseModel):
    """A forecast for a single listener of a streamed answer, from speeds measured at the start. It assumes a
    voice of 5 s and an answer of 30 s at 24 kHz."""

    first_audio_s: float = described("Seconds until the first audio comes.", 0.35)
    runs_dry: bool = described("Whether a player that starts with the first audio has to wait again.", False)
    longest_gap_s: float = described("The longest of these waits, in seconds.", 0.0)


class Health(BaseModel):
    """The state of the server."""

    model_config = ConfigDict(protected_namespaces=())
    status: HealthStatus = described(
        "`idle`: the model is unloaded; the next request loads it again. `loading`: the model loads, or the "
        "only engine is restarted; new requests wait for it.",
        "healthy",
    )
    model_loaded: bool = described("Whether the model is in memory.", True)
    model_sample_rate: int = described("The default sample rate in Hz.", 24000)
    model_use_phoneme: bool = described("The default of use_phoneme.", False)
    prompt_cache_count: int = described("The number of registered voices.", 2)
    model: str | None = described("The name of the model; null until it is loaded.", "GLM-TTS")
    demonstration: bool = described("True for the small bundled model.", False)
    notice: str | None = described("For the demonstration model: how to get the official model.", None)
    commands: list[str] = described(
        "For the demonstration model: the commands that fetch and start the official model.", []
    )
    device: str | None = described("The device on which the model runs; null until it is loaded.", "cuda:0")
    dtype: str | None = described("The number format of the LLM's weights.", "bfloat16")
    flow_steps: int | None = described(
        "The number of Euler steps of the flow: FLOW_STEPS, or the number that the model's flow/config.yaml "
        "names. null until the model is loaded.",
        10,
    )
    decode_kernels: DecodeKernels | None = described(
        "The kernels that decode. triton (on a GPU) and c (on a CPU): the server's own. plain: PyTorch's "
        "operators, because the server's kernels cannot run here (the log says why); on a GPU, one request "
        "may then change the result of another. null until the model is loaded.",
        "triton",
    )
    recogniser: bool = described(
        "Whether the server has a recogniser, which verify=true needs to hear the speech.", False
    )
    version: str = described("This server's version.", "0.1.0")
    uptime_s: float = described("Seconds since the server started.", 73.2)
    streaming: Streaming | None = described(
        "The forecast for a single listener of a stream; null until it is measured.",
        {
            "first_audio_s": 0.35,
            "runs_dry": False,
            "longest_gap_s": 0.0,
        },
    )
    cause: str | None = described(
        "Why the server cannot speak: the model could not be loaded, a step of the model does not end, or "
        "the last engine died in this way.",
        None,
    )
    warnings: list[str] = described(
        "Faults that the operator should repair, although the server runs.",
        ["prompt_cache.json in configs/ is left as it is: it is not JSON (line 3: ...)"],
    )


class Alive(BaseModel):
    """The answer of a server process that runs."""

    status: Literal["alive"] = Field(examples=["alive"])


class LaneStats(BaseModel):
    """The figures of one lane (for short texts or for long texts)."""

    active: int = described("Requests that are being spoken now.", 0)
    total: int = described("Requests admitted since the service started.", 128)
    limit: int = described("How many requests may be spoken at once by all engines together.", 15)
    available: int = described("How many more requests could be spoken now.", 15)
    waiting: int = described("Requests that wait in the queue now.", 0)
    completed: int = described("Requests that were answered.", 120)
    failed: int = described("Requests that ended with an error, also with a fault of the request itself.", 2)
    timed_out: int = described("Requests that were ended by their deadline.", 1)
    cancelled: int = described("Requests whose clients have left, or that a stop of the server has ended.", 5)
    rejected: int = described("Requests that were refused because the queue was full.", 0)


_FIGURES: Any = dict.fromkeys(LANES, (LaneStats, ...))
_WHAT = "The figures of both lanes: one for short texts, one for long texts."
Lanes: Any = create_model("Lanes", __doc__=_WHAT, **_FIGURES)


class WorkerStats(Lanes):  # type: ignore[misc]
    """The figures of one engine. A request without an engine (it waits, or was refused) counts with the first
    engine."""

    slot: int = described("The number of the engine.", 0)
    pid: int | None = described(
        "The id of the engine's process; null while it has none (when idle, or between two processes).", 4242
    )
    ready: bool = described("Whether the engine can speak.", True)
    status: Phase = described("The state of the engine's model.", "ready")
    restarts: int = described("How often the engine died and was started again.", 0)


_LIMITS: Any = {lane: (int, Field(examples=[n])) for lane, n in AdmissionConfig().limits.items()}
_Limits: Any = create_model("_Limits", **_LIMITS)


class ConcurrencyConfig(_Limits):  # type: ignore[misc]
    """How many short and long texts one engine speaks at once, and above which length a text is long."""

    threshold: int = described(
        "A text with more characters than this goes into the lane for long texts.", 200
    )


class TimeoutConfig(BaseModel):
    """The time limits of requests, in seconds from their arrival."""

    short_text: float | int = described("For texts of up to 50 characters.", 60)
    medium_text: float | int = described("For all other texts in the lane for short texts.", 300)
    long_text: float | int = described("For texts in the lane for long texts.", 600)


class QueueConfig(BaseModel):
    """The limit of the queues."""

    max_size: int = described("How many requests may wait in each lane, for the whole server.", 100)


class StatsConfig(BaseModel):
    """The settings that limit requests, and the number of engines."""

    concurrency: ConcurrencyConfig
    timeout: TimeoutConfig
    queue: QueueConfig
    workers: int = described("The number of engines.", 1)


class WorkerName(BaseModel):
    """The server's process, by its number and its process id."""

    slot: int = described("Always 0.", 0)
    pid: int = Field(examples=[4242])


class RequestProgress(BaseModel):
    """A request, and how much of its text is spoken."""

    request_id: str = described("The id of the request, as in the log and in X-Request-Id.", EXAMPLE_ID)
    lane: LaneName = Field(examples=["long_text"])
    characters: int = described("The length of the text.", 3000)
    segments: int | None = described(
        "The number of pieces in which the text is spoken; null until it is cut.", 62
    )
    segments_done: int = described("How many of these pieces are spoken.", 2)
    ends: list[float] = described("Where in the audio each spoken piece ends, in seconds.", [3.04, 6.72])
    audio_seconds: float = described("The length of the audio so far, in seconds.", 8.12)
    age_seconds: float = described("Seconds from its arrival until now, or until it ended.", 4.3)
    stages: dict[Stage, float] = described(
        "Seconds that the request has spent in each stage, as in the log. The stage that goes on now is not "
        "included.",
        dict.fromkeys(STAGES, 0.3),
    )


class ActiveRequest(RequestProgress):
    """A request that waits or is being spoken."""

    state: Literal["waiting", "speaking"] = Field(examples=["speaking"])
    place: int | None = described(
        "The position in the lane's queue; 1 is next. Clients get turns. null if the request does not wait.",
        None,
    )


class RecentRequest(RequestProgress):
    """A request that has ended."""

    outcome: str = described("How the request ended, as in the log: completed, or the reason.", "completed")


class ConcurrencyStats(Answer):
    """The figures of the lanes and the engines, and the requests with their progress."""

    stats: Lanes
    config: StatsConfig
    per_worker: list[WorkerStats]
    worker: WorkerName = Field(description="The server process that answers.")
    active: list[ActiveRequest] = Field(description="The requests that wait or are being spoken now.")
    recent: list[RecentRequest] = Field(
        description="The last eight requests that have ended; the latest is at the end."
    )


class ClearedCache(Answer):
    """How much memory was freed by clearing the caches."""

    message: str = Field(examples=["Freed 12.5 MB."])
    freed_bytes: int = Field(examples=[13107200])
