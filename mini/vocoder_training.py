"""The training that both vocoders share. Its losses compare magnitudes, since phase is hardly audible."""

import random
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from glm_tts_api.model.mel import log_mel
from mini.training import MuonAndAdam, Run
from mini.vocoder_data import Crop, WaveSet, degrade

BATCH, HELD_OUT, VALIDATED = 8, 40, 8
FFT_SIZES = (2048, 1024, 512, 240)
FLOOR = 1e-2


class MultiResolutionStft(nn.Module):
    """The sum of spectral convergence and log-magnitude distance, averaged over FFT_SIZES."""

    def __init__(self) -> None:
        super().__init__()
        for size in FFT_SIZES:
            self.register_buffer(f"window{size}", torch.hann_window(size), persistent=False)

    def forward(self, wave: Tensor, target: Tensor) -> Tensor:
        """Returns the loss between two waves [B, N] as a scalar."""
        total = wave.new_zeros(())
        for size in FFT_SIZES:
            a, b = self._magnitude(wave, size), self._magnitude(target, size)
            convergence = (a - b).norm() / b.norm().clamp_min(FLOOR)
            total = total + convergence + (a.log() - b.log()).abs().mean()
        return total / len(FFT_SIZES)

    def _magnitude(self, wave: Tensor, size: int) -> Tensor:
        spectrum = torch.stft(
            wave, size, size // 4, size, getattr(self, f"window{size}"), return_complex=True
        )
        power = spectrum.real.square() + spectrum.imag.square()
        return power.clamp_min(FLOOR**2).sqrt()


def mel_distance(wave: Tensor, target: Tensor, sample_rate: int) -> Tensor:
    """Returns the mean absolute difference of the log mels of two waves [B, N]."""
    return (log_mel(wave, sample_rate) - log_mel(target, sample_rate)).abs().mean()


class VocoderTraining:
    """Trains `model` on `waves` for the minutes of `run`, and writes it to the folder of the run.

    `speak` renders mels [B, 80, T] to waves. `losses` returns the losses of a crop and its degraded mel, of
    which each counts as `weights` says, or once. `save` writes the model, and `state` is what the training
    needs to go on.
    """

    def __init__(
        self, run: Run, waves: WaveSet, model: nn.Module, optimiser: MuonAndAdam, *,
        speak: Callable[[Tensor], Tensor], losses: Callable[[Crop, Tensor], dict[str, Tensor]],
        save: Callable[[], None], state: Callable[[], dict[str, Any]], weights: Mapping[str, float] = {},
    ) -> None:  # fmt: skip
        self._run, self._waves, self._model, self._optimiser = run, waves, model, optimiser
        self._speak, self._losses, self._save, self._state = speak, losses, save, state
        self._weights = weights
        self._stft = MultiResolutionStft()

    def spectral(self, wave: Tensor, crop: Crop) -> dict[str, Tensor]:
        distance = mel_distance(wave, crop.wave, self._waves.sample_rate)
        return {"stft": self._stft(wave, crop.wave), "mel": distance}

    def go_on(self, *, frames: int, rate: Callable[[], float]) -> None:
        """Trains on crops of `frames` frames until the time is over. `rate` is the present learning rate."""
        run = self._run
        while run.progress < 1:
            rng = random.Random(run.step)
            torch.manual_seed(run.step)
            present = rate()
            crop = self._waves.crops(rng, batch=BATCH, frames=frames, held_out=HELD_OUT)
            parts = self._losses(crop, degrade(crop.mel, rng))
            self._model.zero_grad()
            torch.stack(
                [self._weights.get(name, 1.0) * part for name, part in parts.items()]
            ).sum().backward()
            if torch.nn.utils.clip_grad_norm_(self._optimiser.parameters, 5.0).isfinite():
                self._optimiser.step(present)
            run.step += 1
            if run.step % 25 == 0:
                run.log(" ".join(f"{name} {float(part.detach()):.3f}" for name, part in parts.items()))
            if run.step % 250 == 0:
                self._check()
            run.save(self._state())
        self._check()
        run.save(self._state(), force=True)

    @torch.no_grad()
    def _check(self) -> None:
        """Logs the mean losses over whole held-out utterances, with the predicted pitch. Writes the model."""
        crops = [self._waves.utterance(i) for i in range(len(self._waves) - VALIDATED, len(self._waves))]
        found = [self.spectral(self._speak(crop.mel), crop) for crop in crops]
        means = (f"{name} {sum(float(one[name]) for one in found) / VALIDATED:.3f}" for name in found[0])
        self._run.log("validation " + " ".join(means))
        self._save()
