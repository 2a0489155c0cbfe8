"""For engine_app: an engine's process with tiny models, whose LLM stalls at some letters.

"!" waits until a file `go-on` is in the working directory; "?" does not end and keeps the interpreter for
itself, as native code may, unless a file `stalled` is there, which it makes; so does each load for
LOAD_HOLDS_S. The first step of all takes SLOW_FIRST_S; each takes its time, so that others are at work too.
"""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from torch import Tensor

from glm_tts_api.engine.engine import Engine
from glm_tts_api.engine.faults import EngineLost
from glm_tts_api.engine.messages import Load
from glm_tts_api.engine.process import main
from glm_tts_api.model.checkpoint import Models
from glm_tts_api.model.kv_cache import KVCache
from glm_tts_api.model.llm_runner import LlmRunner
from tests.engine import tiny

STEP_S = 0.02
GO_ON, STALLED = Path("go-on"), Path("stalled")


class StallingRunner(LlmRunner):
    first_s = float(os.environ.get("SLOW_FIRST_S", "0"))

    def prefill(self, ids: Sequence[int] | Tensor, *, cache: KVCache, slot: int, start: int = 0) -> Tensor:
        if ord("!") in list(ids):
            wait_for_leave()
        if ord("?") in list(ids) and not STALLED.exists():
            STALLED.touch()
            hold_interpreter(3600)
        return super().prefill(ids, cache=cache, slot=slot, start=start)

    def decode(self, *arguments: Any, **options: Any) -> Tensor:
        time.sleep(self.first_s or STEP_S)
        self.first_s = 0
        return super().decode(*arguments, **options)


def hold_interpreter(seconds: int) -> None:
    ctypes.PyDLL(None).sleep(seconds)  # PyDLL: with the interpreter's lock


def wait_for_leave() -> None:
    while not GO_ON.exists():
        time.sleep(0.05)


def load_models() -> Models:
    hold_interpreter(int(os.environ.get("LOAD_HOLDS_S", "0")))
    return tiny.tiny_models(StallingRunner)


def build(load: Load, on_lost: Callable[[EngineLost], None]) -> Engine:
    return Engine(
        replace(tiny.CONFIG, n_slots=4),  # a step is reckoned short
        load_models=load_models,
        load_frontend=lambda: cast(Any, tiny.SentenceFrontend()),
        on_lost=on_lost,
    )


if __name__ == "__main__":
    main(build)
