"""For real_app: an engine's process with tiny models, whose LLM fails or stalls at some letters.

"~" is what a GPU does after an illegal access: the error of the device at this call and at each later one.
"!" waits until a file `go-on` is in the working directory. "?" does not end and keeps the interpreter for
itself, as native code may, unless a file `stalled` is there, which it makes.

The first step of all takes SLOW_FIRST_S; each takes its time, so that others are at work too. Texts are read
as tests/engine/tiny.py does; while one is, a file `reading` is in the working directory.
"""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from glm_tts_api.engine.engine import Engine
from glm_tts_api.engine.faults import EngineLost
from glm_tts_api.engine.messages import Load
from glm_tts_api.engine.process import main
from glm_tts_api.model.kv_cache import KVCache
from glm_tts_api.model.llm_runner import LlmRunner
from speech_text import ReadingOptions
from tests.engine import tiny

STEP_S = 0.02
GO_ON, READING, STALLED = Path("go-on"), Path("reading"), Path("stalled")


class FaultyRunner(LlmRunner):
    lost = False
    first_s = float(os.environ.get("SLOW_FIRST_S", "0"))

    def prefill(self, ids: Sequence[int] | Tensor, *, cache: KVCache, slot: int, start: int = 0) -> Tensor:
        letters = {chr(each) for each in list(ids)}
        self.lost |= "~" in letters
        self._fail_if_lost()
        while "!" in letters and not GO_ON.exists():
            time.sleep(0.05)
        if "?" in letters and not STALLED.exists():
            STALLED.touch()
            hold_interpreter(3600)
        return super().prefill(ids, cache=cache, slot=slot, start=start)

    def decode(self, *arguments: Any, **options: Any) -> Tensor:
        self._fail_if_lost()
        time.sleep(self.first_s or STEP_S)
        self.first_s = 0
        return super().decode(*arguments, **options)

    def _fail_if_lost(self) -> None:
        if self.lost:
            raise torch.AcceleratorError(
                "CUDA error: an illegal memory access was encountered\nCUDA kernel errors might be ..."
            )


class Frontend(tiny.SentenceFrontend):
    def read(self, text: str, options: ReadingOptions, check: Callable[[], None], *_: str) -> Any:
        READING.touch()
        try:
            return super().read(text.strip(), options, check)
        finally:
            READING.unlink(missing_ok=True)


def hold_interpreter(seconds: int) -> None:
    ctypes.PyDLL(None).sleep(seconds)  # PyDLL: with the interpreter's lock


def build(load: Load, on_lost: Callable[[EngineLost], None]) -> Engine:
    n_rows = int(os.environ.get("SLOTS", tiny.CONFIG.n_rows))
    return Engine(
        replace(tiny.CONFIG, n_rows=n_rows),
        load_models=lambda: tiny.tiny_models(FaultyRunner),
        load_frontend=lambda: cast(Any, Frontend()),
        on_lost=on_lost,
    )


if __name__ == "__main__":
    main(build)
