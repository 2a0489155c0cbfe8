"""For `uvicorn tests.api.failing_app:app`: the real app and engine with tiny models.

Their LLM fails at some letters.
"~" is what a GPU does after an illegal access: the error of the device at this call and at each later one.
"^" is a fault of its own, at that letter alone. Every step takes its time, so that others are at work too.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from glm_tts_api.api_server import create_app
from glm_tts_api.engine.engine import Engine
from glm_tts_api.logs import configure_logging
from glm_tts_api.model.kv_cache import KVCache
from glm_tts_api.model.llm_runner import LlmRunner
from glm_tts_api.settings import Settings
from tests.engine import tiny

STEP_S = 0.02


class FailingRunner(LlmRunner):
    lost = False

    def prefill(self, ids: Sequence[int] | Tensor, *, cache: KVCache, slot: int, start: int = 0) -> Tensor:
        self.lost |= ord("~") in list(ids)
        self._fail_if_lost()
        if ord("^") in list(ids):
            raise RuntimeError("unreadable")
        return super().prefill(ids, cache=cache, slot=slot, start=start)

    def decode(self, *arguments: Any, **options: Any) -> Tensor:
        self._fail_if_lost()
        time.sleep(STEP_S)
        return super().decode(*arguments, **options)

    def _fail_if_lost(self) -> None:
        if self.lost:
            raise torch.AcceleratorError(
                "CUDA error: an illegal memory access was encountered\nCUDA kernel errors might be ..."
            )


def engine(settings: Settings, number: int) -> Engine:
    return tiny.tiny_engine(load=lambda: tiny.tiny_models(FailingRunner))


configure_logging()
app = create_app(Settings.load(), build_engine=engine)
