"""For `uvicorn tests.api.stalling_app:app`: the real app and engine with tiny models.

Their LLM stalls at some letters.
"!" waits until a file `go-on` is in the working directory; "?" does not end and keeps the interpreter for
itself, as native code may; so does each load for LOAD_HOLDS_S. The first step of all takes SLOW_FIRST_S; each
takes its time, so that others are at work too.
"""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor

from glm_tts_api.api_server import create_app
from glm_tts_api.engine.engine import Engine
from glm_tts_api.logs import configure_logging
from glm_tts_api.model.checkpoint import Models
from glm_tts_api.model.kv_cache import KVCache
from glm_tts_api.model.llm_runner import LlmRunner
from glm_tts_api.settings import Settings
from tests.engine import tiny

STEP_S = 0.02


class StallingRunner(LlmRunner):
    first_s = float(os.environ.get("SLOW_FIRST_S", "0"))

    def prefill(self, ids: Sequence[int] | Tensor, *, cache: KVCache, slot: int, start: int = 0) -> Tensor:
        if ord("!") in list(ids):
            wait_for_leave()
        if ord("?") in list(ids):
            hold_interpreter(3600)
        return super().prefill(ids, cache=cache, slot=slot, start=start)

    def decode(self, *arguments: Any, **options: Any) -> Tensor:
        time.sleep(self.first_s or STEP_S)
        self.first_s = 0
        return super().decode(*arguments, **options)


def hold_interpreter(seconds: int) -> None:
    ctypes.PyDLL(None).sleep(seconds)  # PyDLL: with the interpreter's lock


def load() -> Models:
    hold_interpreter(int(os.environ.get("LOAD_HOLDS_S", "0")))
    return tiny.tiny_models(StallingRunner)


def wait_for_leave() -> None:
    while not Path("go-on").exists():
        time.sleep(0.05)


def engine(settings: Settings, number: int) -> Engine:
    few_rows = replace(tiny.CONFIG, n_slots=4)  # a step is reckoned short
    return tiny.tiny_engine(replace(few_rows, stall_s=settings.engine.stall_s), load=load)


configure_logging()
app = create_app(Settings.load(), build_engine=engine)
