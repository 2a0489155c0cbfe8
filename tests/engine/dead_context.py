"""Kills its own CUDA context in the middle of a render, and says what became of the engine.

    python -m tests.engine.dead_context

For a process of its own: nothing on the device works in it afterwards.
"""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import Future

import torch
from torch import Tensor

from glm_tts_api.engine.state import EngineState
from glm_tts_api.errors import InternalFault
from tests.engine import tiny


class DeadlyVocoder:
    """Speaks until it is `deadly`; then reads past the end of a tensor on the device."""

    sample_rate, hop = 32000, 640
    deadly = False

    def call_bytes(self, *, n_frames: int) -> int:
        return 0

    def __call__(self, mel: Tensor, *, noise: object) -> Tensor:
        wave = torch.zeros(mel.shape[-1] * self.hop, device=mel.device)
        if not self.deadly:
            return wave
        return wave[torch.full_like(wave, len(wave), dtype=torch.int64)]


async def scene() -> None:
    vocoder = DeadlyVocoder()
    models = tiny.with_vocoder(tiny.tiny_models(device="cuda"), vocoder)
    lost: Future[object] = Future()
    engine = await tiny.ready(tiny.tiny_engine(load=lambda: models, on_lost=lost.set_result))
    print(engine.state.status, flush=True)
    vocoder.deadly = True
    try:
        await tiny.pcm(tiny.speak(engine, tiny.asked("ab", sample_rate=32000)))
    except InternalFault as error:
        print(type(error).__name__, flush=True)
    assert engine.state == EngineState("lost", str(await asyncio.wrap_future(lost)))
    print(engine.state.status, engine.state.cause, flush=True)


if __name__ == "__main__":
    asyncio.run(scene())
    os._exit(0)  # a dead context may not let its process go in peace
