"""The engine's state, for every reader. Knows no tensors."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from glm_tts_api.contracts import DecodeKernels
from glm_tts_api.engine.stream_pace import Forecast
from glm_tts_api.errors import Loading, Unhealthy

Status = Literal["loading", "ready", "stalled", "idle", "reloading", "restarting", "failed", "lost"]


@dataclass(frozen=True, slots=True)
class EngineState:
    """`cause` says in one sentence why the engine failed to load, or why nothing can be spoken at present.

    loading: for the first time; stalled: in a step that takes very long; idle: its process was ended, since
    nobody spoke; reloading: its process begins again after that, for a request; restarting: its process has
    died and its successor loads; lost: the process is about to end; failed: no other will be begun."""

    status: Status
    cause: str | None = None

    def require_ready(self) -> None:
        """Raises Loading or Unhealthy."""
        if self.status == "loading":
            raise Loading("The model is still loading. Try again shortly.")
        if self.status == "stalled":
            raise Unhealthy(
                "The model does not get on at present; /api/v1/health says why. Try again shortly."
            )
        if self.status in ("failed", "lost"):
            raise Unhealthy("The model could not be loaded or has failed; /api/v1/health says why.")


@dataclass(frozen=True, slots=True)
class EngineUsage:
    """Decode rows and positions of the KV cache, each in use and in all. `gpu_bytes`: the GPU's memory that
    any process uses, and all of it; None without a GPU."""

    rows_active: int
    kv_cells_used: int
    rows: int
    kv_cells: int
    gpu_bytes: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """Facts for an operator. `n_slots`: requests that the engine speaks at once, which the server's lanes
    follow; 0: not known. `streaming`: the forecast for a lone listener, once warm-up has measured it."""

    model_name: str
    device: str
    dtype: str
    warnings: tuple[str, ...] = ()
    slot_length: int = 0
    n_slots: int = 0
    streaming: Forecast | None = field(default=None, repr=False)
    decode_kernels: DecodeKernels | None = None
