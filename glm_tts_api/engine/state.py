"""Where the engine stands, for whoever asks. Knows no tensors."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from glm_tts_api.engine.stream_pace import Forecast
from glm_tts_api.errors import Loading, Unhealthy

Status = Literal["loading", "ready", "failed", "lost"]


@dataclass(frozen=True, slots=True)
class EngineState:
    """`cause` says in one sentence why the engine failed to load or, once it was ready, was lost: another
    process might speak where this one never will again."""

    status: Status
    cause: str | None = None

    def require_ready(self) -> None:
        """Raises Loading or Unhealthy."""
        if self.status == "loading":
            raise Loading("The model is still loading. Try again shortly.")
        if self.status != "ready":
            raise Unhealthy("The model could not be loaded or has failed; /api/v1/health says why.")


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """What an operator may want to know. `last_step_age_s`: since a device thread last did something;
    `streaming`: what a lone listener has to expect, once warm-up has measured it."""

    model_name: str
    device: str
    dtype: str
    warnings: tuple[str, ...] = ()
    slot_length: int = 0
    rows_active: int = 0
    rows_total: int = 0
    last_step_age_s: float = 0.0
    streaming: Forecast | None = field(default=None, repr=False)
