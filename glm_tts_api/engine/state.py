"""Types that describe an engine's state, usage and facts. Knows no tensors."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from glm_tts_api.contracts import DecodeKernels
from glm_tts_api.engine.stream_pace import Forecast
from glm_tts_api.errors import Loading, Unhealthy
from glm_tts_api.model.llm_config import Head

Status = Literal["loading", "ready", "stalled", "idle", "reloading", "restarting", "failed", "lost"]


@dataclass(frozen=True, slots=True)
class EngineState:
    """The state of an engine. `cause` says in one sentence why the engine failed to load, or why it cannot
    speak at present.

    "loading" means that the model loads for the first time. "stalled" means that a step takes very long.
    "idle" means that the process was ended because nobody used it. "reloading" means that a new process loads
    after "idle", for a request. "restarting" means that the process has died and a new one loads. "lost"
    means that the process is about to end. "failed" means that no new process is started: never if the first
    load failed, and not for some minutes after several deaths in a row."""

    status: Status
    cause: str | None = None

    def require_ready(self) -> None:
        """Raises Loading while the model is loaded for the first time. Raises Unhealthy if the engine is
        stalled, has failed or is lost. In all other states the engine takes requests, which may have to
        wait."""
        if self.status == "loading":
            raise Loading("The model is still loading. Try again shortly.")
        if self.status == "stalled":
            raise Unhealthy(
                "A step of the model takes too long; /api/v1/health says for how long. Try again shortly."
            )
        if self.status in ("failed", "lost"):
            raise Unhealthy("The model could not be loaded or has failed; /api/v1/health says why.")


@dataclass(frozen=True, slots=True)
class EngineUsage:
    """How full an engine is: `rows_active` of its `rows` decode rows and `kv_cells_used` of its `kv_cells`
    positions in the KV cache are in use. `gpu_bytes` is the GPU memory that all processes together use, and
    the GPU's total memory, in bytes; None without a GPU."""

    rows_active: int
    kv_cells_used: int
    rows: int
    kv_cells: int
    gpu_bytes: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """Facts about an engine, for an operator. `n_rows` is the number of requests that the engine can speak
    at once, from which the server derives how many it admits; 0 means that it is not known. `slot_length` is
    the number of positions in a decode row. `streaming` is the forecast for a stream while there is no other
    request; None until warm-up has measured it. `followed` is the LLM's head that follows the text."""

    model_name: str
    device: str
    dtype: str
    warnings: tuple[str, ...] = ()
    slot_length: int = 0
    n_rows: int = 0
    streaming: Forecast | None = field(default=None, repr=False)
    decode_kernels: DecodeKernels | None = None
    flow_steps: int | None = None
    followed: Head | None = field(default=None, repr=False)
