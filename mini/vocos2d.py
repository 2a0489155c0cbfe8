"""Trains PulseNoise, a small 32 kHz vocoder in place of Vocos2D. Writes TorchScript.

python -m mini.vocos2d --minutes 10   (resumes; writes .mini/vocos2d/generator_jit.ckpt)
python -m mini.vocos2d --rewrite glm_tts_api/assets/mini/vocos2d   (same weights, code of today)
"""

import argparse
import copy
import os
import random
import zipfile
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from glm_tts_api.model.vocoder.vocos2d import MEL_OFFSET
from mini.pulse_noise import SAMPLE_RATE, PulseNoise
from mini.training import MuonAndAdam, Run, warm_cosine
from mini.vocoder_data import Crop, WaveSet, degrade
from mini.vocoder_losses import MultiResolutionStft, mel_distance

HELD_OUT = 40
VALIDATED = 8
RATE, OTHERS = 5e-3, 0.4  # the learning rate of the matrices, and the share of it for the others


def losses(model: PulseNoise, stft: MultiResolutionStft, crop: Crop, mel: Tensor) -> dict[str, Tensor]:
    """Returns the losses of pitch, voicing, STFT and mel.

    The wave is made with the tracked pitch, so that only the filters learn from it. The predicted pitch and
    voicing are compared with the tracked ones.
    """
    filters, log_f0, voicing = model.analyse(mel.transpose(1, 2) + MEL_OFFSET)
    voiced = crop.f0 > 0
    wave = model.synthesize(filters, crop.f0)
    distance = (log_f0 - crop.f0.clamp_min(1).log()).abs() * voiced
    return {
        "pitch": 4 * distance.sum() / voiced.sum().clamp_min(1),
        "voicing": F.binary_cross_entropy_with_logits(voicing, voiced.float()),
        "stft": stft(wave, crop.wave),
        "mel": mel_distance(wave, crop.wave, SAMPLE_RATE),
    }


@torch.no_grad()
def validate(model: PulseNoise, stft: MultiResolutionStft, waves: WaveSet) -> dict[str, float]:
    """Returns the mean STFT and mel losses over whole held-out utterances, with the predicted pitch."""
    totals = {"stft": 0.0, "mel": 0.0}
    for index in range(len(waves) - VALIDATED, len(waves)):
        crop = waves.utterance(index)
        wave = model(crop.mel.transpose(1, 2) + MEL_OFFSET)
        totals["stft"] += float(stft(wave, crop.wave)) / VALIDATED
        totals["mel"] += float(mel_distance(wave, crop.wave, SAMPLE_RATE)) / VALIDATED
    return totals


def save(folder: Path, model: PulseNoise) -> None:
    """Saves a copy of the model in half precision as TorchScript, in the form in which it is shipped."""
    torch.jit.script(copy.deepcopy(model).half()).save(str(folder / "generator.tmp"))
    with zipfile.ZipFile(folder / "generator.tmp") as whole, zipfile.ZipFile(folder / "new.tmp", "w") as new:
        for entry in whole.infolist():
            if not entry.filename.endswith(".debug_pkl"):  # holds the source's path on this machine
                new.writestr(entry, whole.read(entry))
    (folder / "generator.tmp").unlink()
    os.replace(folder / "new.tmp", folder / "generator_jit.ckpt")


def rewrite(folder: Path) -> None:
    """Saves the generator in `folder` again, with the same weights and the present code of PulseNoise."""
    written = torch.jit.load(str(folder / "generator_jit.ckpt"))
    model = PulseNoise().half()
    model.load_state_dict(written.state_dict())
    save(folder, model)


def train(folder: Path, waves: WaveSet, *, minutes: float, batch: int, frames: int) -> None:
    run = Run(folder, minutes=minutes)
    model, stft = PulseNoise(), MultiResolutionStft()
    matrices = [p for p in model.parameters() if p.ndim == 2]
    optimiser = MuonAndAdam(matrices, model.parameters(), rates=(RATE, OTHERS * RATE), betas=(0.9, 0.99))
    state = run.resume()
    if state is not None:
        model.load_state_dict(state["model"])
        optimiser.load(state)

    def snapshot() -> dict[str, Any]:
        return {"model": model.state_dict(), **optimiser.state()}

    while run.progress < 1:
        rng = random.Random(run.step)
        torch.manual_seed(run.step)
        crop = waves.crops(rng, batch=batch, frames=frames, held_out=HELD_OUT)
        parts = losses(model, stft, crop, degrade(crop.mel, rng))
        model.zero_grad()
        torch.stack(list(parts.values())).sum().backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimiser.step(warm_cosine(run.progress, run.step))
        run.step += 1
        if run.step % 25 == 0:
            run.log(" ".join(f"{name} {float(value.detach()):.3f}" for name, value in parts.items()))
        if run.step % 250 == 0:
            run.log(f"validation {validate(model, stft, waves)}")
            save(folder, model)
        run.save(snapshot())
    run.log(f"validation {validate(model, stft, waves)}")
    save(folder, model)
    run.save(snapshot(), force=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--frames", type=int, default=48)
    parser.add_argument("--folder", type=Path, default=Path(".mini/vocos2d"))
    parser.add_argument("--data", type=Path, default=Path(".mini/vocoder"))
    parser.add_argument("--rewrite", type=Path, metavar="FOLDER")
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.rewrite is not None:
        rewrite(args.rewrite)
        return
    train(args.folder, WaveSet(args.data, 32000), minutes=args.minutes, batch=args.batch, frames=args.frames)


if __name__ == "__main__":
    main()
