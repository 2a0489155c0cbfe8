"""Trains a small HiFT, the 24 kHz vocoder, on espeak-ng speech.

    python -m scripts.mini.vocoder --minutes 70        (goes on where it stopped; writes .mini/hift/best.pt)

The pitch network learns from the tracked pitch; the rest learns from spectral losses alone, on clean and on
degraded mels, with the true pitch at first and the predicted one from then on.
"""

import argparse
import json
import os
import random
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from glm_tts_api.model.vocoder.hift import HOP, HiFT, HiftConfig
from glm_tts_api.model.vocoder.source import HARMONICS
from scripts.mini.training import Run, warm_cosine
from scripts.mini.vocoder_data import Crop, WaveSet, degrade
from scripts.mini.vocoder_losses import MultiResolutionStft, mel_distance

CONFIG = HiftConfig(base_channels=128, f0_channels=128)
MEL_MEAN, MEL_STD = -6.0, 2.5
QUIET_LOG_MAGNITUDE = -2.0
TYPICAL_F0_HZ = 120.0
HELD_OUT = 40
VALIDATED = 8
TRUE_PITCH_STEPS = 400
F0_WEIGHT, MEL_WEIGHT = 1.0, 1.0


def new_model() -> HiFT:
    """A HiFT whose first layers expect log mels and whose output starts near silence."""
    model = HiFT(CONFIG)
    with torch.no_grad():
        for conv in (model.conv_pre, model.f0_predictor.condnet[0]):
            weight: Tensor = conv.weight / MEL_STD
            conv.weight = weight
            conv.bias.sub_(MEL_MEAN * weight.sum((1, 2)))
        model.conv_post.bias[: model.conv_post.out_channels // 2] = QUIET_LOG_MAGNITUDE
        model.f0_predictor.classifier.weight.mul_(TYPICAL_F0_HZ)
        model.f0_predictor.classifier.bias.fill_(TYPICAL_F0_HZ)
    return model


def pitch_loss(predicted: Tensor, true: Tensor) -> Tensor:
    """Relative error where voiced, distance to 0 Hz where not. [B, T] each."""
    return ((predicted - true).abs() / true.clamp_min(TYPICAL_F0_HZ)).mean()


def speak(model: HiFT, mel: Tensor, f0: Tensor) -> Tensor:
    """mel [B, 80, T], f0 [B, T] -> wave [B, 480 T]; no gradient through the excitation's pitch."""
    noise = torch.randn(len(mel), HARMONICS, mel.shape[-1] * HOP)
    excitation = model.m_source(f0.detach(), noise)
    with torch.autocast("cpu", torch.bfloat16):
        wave: Tensor = model.decode(mel, excitation)
    return wave.float()


def losses(
    model: HiFT, stft: MultiResolutionStft, crop: Crop, mel: Tensor, *, true_pitch: bool
) -> dict[str, Tensor]:
    predicted = model.f0_predictor(mel)
    wave = speak(model, mel, crop.f0 if true_pitch else predicted)
    return {
        "f0": F0_WEIGHT * pitch_loss(predicted, crop.f0),
        "stft": stft(wave, crop.wave),
        "mel": MEL_WEIGHT * mel_distance(wave, crop.wave, model.sample_rate),
    }


@torch.no_grad()
def validate(model: HiFT, stft: MultiResolutionStft, waves: WaveSet) -> dict[str, float]:
    """Mean losses over whole held-out utterances, with the predicted pitch."""
    totals = {"f0": 0.0, "stft": 0.0, "mel": 0.0}
    for index in range(len(waves) - VALIDATED, len(waves)):
        crop = waves.utterance(index)
        for name, value in losses(model, stft, crop, crop.mel, true_pitch=False).items():
            totals[name] += float(value) / VALIDATED
    return totals


def save_best(folder: Path, model: HiFT) -> None:
    """best.pt (half precision, as shipped) and config.json, each replaced as a whole."""
    weights = {name: value.half() for name, value in model.state_dict().items()}
    torch.save(weights, folder / "best.tmp")
    os.replace(folder / "best.tmp", folder / "best.pt")
    (folder / "config.json").write_text(json.dumps(asdict(CONFIG), indent=2) + "\n")


def train(folder: Path, waves: WaveSet, *, minutes: float, batch: int, frames: int) -> None:
    run = Run(folder, minutes=minutes)
    model, stft = new_model(), MultiResolutionStft()
    optimiser = torch.optim.AdamW(model.parameters(), lr=2e-3, betas=(0.8, 0.99), weight_decay=0.01)
    best, state = float("inf"), run.resume()
    if state is not None:
        model.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        best = state["best"]
    while run.progress < 1:
        rng = random.Random(run.step)
        torch.manual_seed(run.step)
        for group in optimiser.param_groups:
            group["lr"] = 2e-3 * warm_cosine(run.progress, run.step)
        crop = waves.crops(rng, batch=batch, frames=frames, held_out=HELD_OUT)
        parts = losses(model, stft, crop, degrade(crop.mel, rng), true_pitch=run.step < TRUE_PITCH_STEPS)
        optimiser.zero_grad(set_to_none=True)
        torch.stack(list(parts.values())).sum().backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimiser.step()
        run.step += 1
        if run.step % 25 == 0:
            run.log(" ".join(f"{name} {float(value.detach()):.3f}" for name, value in parts.items()))
        if run.step % 200 == 0:
            best = _check(run, model, stft, waves, best)
        run.save(_state(model, optimiser, best))
    best = _check(run, model, stft, waves, best)
    run.save(_state(model, optimiser, best), force=True)


def _check(run: Run, model: HiFT, stft: MultiResolutionStft, waves: WaveSet, best: float) -> float:
    figures = validate(model, stft, waves)
    run.log("validation " + " ".join(f"{name} {value:.3f}" for name, value in figures.items()))
    score = figures["stft"] + figures["mel"]
    if score < best:
        save_best(run.folder, model)
    return min(best, score)


def _state(model: HiFT, optimiser: torch.optim.Optimizer, best: float) -> dict[str, Any]:
    return {"model": model.state_dict(), "optimiser": optimiser.state_dict(), "best": best}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=70)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--frames", type=int, default=36)
    parser.add_argument("--folder", type=Path, default=Path(".mini/hift"))
    parser.add_argument("--data", type=Path, default=Path(".mini/vocoder"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    train(args.folder, WaveSet(args.data, 24000), minutes=args.minutes, batch=args.batch, frames=args.frames)


if __name__ == "__main__":
    main()
