"""The training that both vocoders share. Its losses compare magnitudes, since phase is hardly audible."""

import random
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from glm_tts_api.model.mel import hann, log_mel
from mini.training import MuonAndAdam, Run
from mini.vocoder_data import Crop, WaveSet, degrade

BATCH, HELD_OUT, VALIDATED = 8, 40, 8
FFT_SIZES = (2048, 1024, 512, 240)
FLOOR = 1e-2


def stft_distance(wave: Tensor, target: Tensor) -> Tensor:
    """Returns the sum of spectral convergence and log-magnitude distance of two waves [B, N], averaged over
    FFT_SIZES."""
    total = wave.new_zeros(())
    for size in FFT_SIZES:
        a, b = _magnitude(wave, size), _magnitude(target, size)
        convergence = (a - b).norm() / b.norm().clamp_min(FLOOR)
        total = total + convergence + (a.log() - b.log()).abs().mean()
    return total / len(FFT_SIZES)


def _magnitude(wave: Tensor, size: int) -> Tensor:
    window = hann(size, wave.device)
    spectrum = torch.stft(wave, size, size // 4, size, window, return_complex=True)
    power = spectrum.real.square() + spectrum.imag.square()
    return power.clamp_min(FLOOR**2).sqrt()


def spectral(wave: Tensor, crop: Crop, sample_rate: int) -> dict[str, Tensor]:
    """Returns the losses between the vocoder's wave [B, N] and the crop's: of spectra and of log mels."""
    distance = (log_mel(wave, sample_rate) - log_mel(crop.wave, sample_rate)).abs().mean()
    return {"stft": stft_distance(wave, crop.wave), "mel": distance}


def train_vocoder(
    run: Run, waves: WaveSet, optimiser: MuonAndAdam, *, frames: int, rate: Callable[[float, int], float],
    speak: Callable[[Tensor], Tensor], losses: Callable[[Crop, Tensor], dict[str, Tensor]],
    save: Callable[[], None], state: Callable[[], dict[str, Any]], weights: Mapping[str, float] = {},
) -> None:  # fmt: skip
    """Trains a vocoder on crops of `frames` frames for the minutes of `run`.

    `rate` is the learning rate, by the trained share of the time and the number of the step. `speak` renders
    mels [B, 80, T] to waves. `losses` returns the losses of a crop and its degraded mel, of which each counts
    as `weights` says, or once. `save` writes the model, and `state` is what the training needs to go on.
    """

    @torch.no_grad()
    def check() -> None:
        """Logs the mean losses over whole held-out utterances, with the predicted pitch. Writes the model."""
        crops = [waves.utterance(i) for i in range(len(waves) - VALIDATED, len(waves))]
        found = [spectral(speak(crop.mel), crop, waves.sample_rate) for crop in crops]
        means = (f"{name} {sum(float(one[name]) for one in found) / VALIDATED:.3f}" for name in found[0])
        run.log("validation " + " ".join(means))
        save()

    for step in run.steps(state):
        rng = random.Random(step)
        torch.manual_seed(step)
        present = rate(run.progress, step)
        crop = waves.crops(rng, batch=BATCH, frames=frames, held_out=HELD_OUT)
        parts = losses(crop, degrade(crop.mel, rng))
        for parameter in optimiser.parameters:
            parameter.grad = None
        torch.stack([weights.get(name, 1.0) * part for name, part in parts.items()]).sum().backward()
        if torch.nn.utils.clip_grad_norm_(optimiser.parameters, 5.0).isfinite():
            optimiser.step(present)
        if step % 25 == 0:
            run.log(" ".join(f"{name} {float(part.detach()):.3f}" for name, part in parts.items()))
        if step % 250 == 0:
            check()
    check()
