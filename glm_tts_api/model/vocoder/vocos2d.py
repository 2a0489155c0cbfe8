"""Vocos2D, the 32 kHz vocoder (docs/model.md 10.2): calls a TorchScript module whose inside is not known."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

SAMPLE_RATE = 32000
HOP = 640
MEL_OFFSET = -7.847762537473608
CEILING = 1.0


class Vocos2D:
    """The vocoder of generator_jit.ckpt. This vocoder draws no random numbers, so the argument `noise` is not
    used."""

    sample_rate = SAMPLE_RATE
    hop = HOP

    def __init__(self, module: torch.jit.ScriptModule) -> None:
        self._module = module.eval()

    @classmethod
    def load(cls, path: Path, device: torch.device | str = "cpu") -> Vocos2D:
        """Loads the network from a TorchScript file, with its weights as float32. Raises RuntimeError if the
        file is no TorchScript archive."""
        module = torch.jit.load(str(path), map_location=device)
        return cls(module.float())

    def call_bytes(self, *, n_frames: int) -> int:
        return 0  # its inside is not known

    @torch.inference_mode()
    def __call__(self, mel: Tensor, *, noise: torch.Generator | int) -> Tensor:
        """Turns the mel [1, 80, T] into a wave [640 T] float32, clipped to [-1, 1]."""
        n_frames = mel.shape[-1]
        frames = mel.transpose(1, 2) + MEL_OFFSET  # [1, T, 80]
        if n_frames == 1:
            frames = frames.repeat(1, 2, 1)  # the network needs two frames
        wave: Tensor = self._module(frames)[0]
        return wave[: n_frames * HOP].float().clamp(-CEILING, CEILING)
