"""An engine's process with tiny models: `python -m tests.engine.tiny_process DESCRIPTOR`.

Its LLM stumbles at some letters. "!" waits until a file `go-on` is in the checkpoint's folder; "?" does not
end and keeps the interpreter for itself, as native code may; "~" is what a GPU does after an illegal access;
"^" ends the process at once. Each step takes STEP_S, so that others are at work too. A file `gone` in the
folder keeps it from loading.
"""

from __future__ import annotations

import ctypes
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from glm_tts_api.engine import messages
from glm_tts_api.engine.client import EngineClient
from glm_tts_api.engine.config import EngineConfig
from glm_tts_api.engine.engine import Engine
from glm_tts_api.engine.faults import EngineLost
from glm_tts_api.engine.process import main
from glm_tts_api.errors import CheckpointError
from glm_tts_api.model.checkpoint import Models
from glm_tts_api.model.kv_cache import KVCache
from glm_tts_api.model.llm_runner import LlmRunner
from tests.engine import tiny

STEP_S = 0.005
COMMAND = (sys.executable, "-m", "tests.engine.tiny_process")
FEW_ROWS = replace(tiny.CONFIG, n_slots=4)  # a step is reckoned short
DEVICE_ERROR = "CUDA error: an illegal memory access was encountered"


class StumblingRunner(LlmRunner):
    folder = Path()

    def prefill(self, ids: Sequence[int] | Tensor, *, cache: KVCache, slot: int, start: int = 0) -> Tensor:
        letters = {chr(number) for number in list(ids)}
        if "!" in letters:
            while not (self.folder / "go-on").exists():
                time.sleep(0.01)
        if "?" in letters:
            ctypes.PyDLL(None).sleep(3600)  # PyDLL: with the interpreter's lock
        if "~" in letters:
            raise torch.AcceleratorError(f"{DEVICE_ERROR}\nCUDA kernel errors might be ...")
        if "^" in letters:
            os._exit(3)
        return super().prefill(ids, cache=cache, slot=slot, start=start)

    def decode(self, *arguments: Any, **options: Any) -> Tensor:
        time.sleep(STEP_S)
        return super().decode(*arguments, **options)


def build(load: messages.Load, on_lost: Callable[[EngineLost], None]) -> Engine:
    StumblingRunner.folder = Path(load.checkpoint_dir)

    def models() -> Models:
        if (StumblingRunner.folder / "gone").exists():
            raise CheckpointError("the weights are gone")
        torch.set_num_threads(1)
        return tiny.tiny_models(StumblingRunner, device=load.again_on or load.device)

    return tiny.tiny_engine(load.config, load=models, on_lost=on_lost)


def load_of(folder: Path, config: EngineConfig = FEW_ROWS) -> messages.Load:
    return messages.Load(
        number=0,
        n_engines=1,
        checkpoint_dir=str(folder),
        device="cpu",
        dtype="fp32",
        config=config,
        text_rules="default",
        max_characters=5000,
        configs_dir="",
        cache_dir="",
        logs_json=False,
        logs_texts=False,
    )


def tiny_client(
    folder: Path,
    config: EngineConfig = FEW_ROWS,
    *,
    watchdog_s: float = 60,
    command: Sequence[str] = COMMAND,
) -> EngineClient:
    """An engine whose process runs this file, or another command."""
    return EngineClient(load_of(folder, config), watchdog_s=watchdog_s, command=command)


if __name__ == "__main__":
    main(build)
