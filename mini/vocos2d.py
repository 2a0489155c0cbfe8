"""Trains PulseNoise, a small 32 kHz vocoder in place of Vocos2D. Writes TorchScript.

python -m mini.vocos2d --minutes 10   (resumes; writes .mini/vocos2d/generator_jit.ckpt)
python -m mini.vocos2d --rewrite glm_tts_api/assets/mini/vocos2d   (same weights, code of today)
"""

import copy
import os
import zipfile
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from glm_tts_api.model.vocoder.vocos2d import MEL_OFFSET
from mini.program import Program
from mini.pulse_noise import PulseNoise
from mini.training import MuonAndAdam, Run, warm_cosine
from mini.vocoder_data import Crop, WaveSet
from mini.vocoder_training import spectral, train_vocoder

RATE, OTHERS = 5e-3, 0.4  # the learning rate of the matrices, and the share of it for the others


def pitch_losses(model: PulseNoise, crop: Crop, mel: Tensor) -> tuple[dict[str, Tensor], Tensor]:
    """Returns the losses of pitch and voicing, and the wave.

    The wave is made with the tracked pitch, so that only the filters learn from it. The predicted pitch and
    voicing are compared with the tracked ones.
    """
    filters, log_f0, voicing = model.analyse(mel.transpose(1, 2) + MEL_OFFSET)
    voiced = crop.f0 > 0
    distance = (log_f0 - crop.f0.clamp_min(1).log()).abs() * voiced
    losses = {
        "pitch": 4 * distance.sum() / voiced.sum().clamp_min(1),
        "voicing": F.binary_cross_entropy_with_logits(voicing, voiced.float()),
    }
    return losses, model.synthesize(filters, crop.f0)


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


def train(run: Run, waves: WaveSet) -> None:
    model = PulseNoise()
    matrices = [p for p in model.parameters() if p.ndim == 2]
    optimiser = MuonAndAdam(matrices, model.parameters(), rates=(RATE, OTHERS * RATE), betas=(0.9, 0.99))
    state = run.resume()
    if state is not None:
        model.load_state_dict(state["model"])
        optimiser.load(state)

    def losses(crop: Crop, mel: Tensor) -> dict[str, Tensor]:
        parts, wave = pitch_losses(model, crop, mel)
        return parts | spectral(wave, crop, waves.sample_rate)

    train_vocoder(
        run, waves, optimiser,
        frames=48,
        rate=warm_cosine,
        speak=lambda mel: model(mel.transpose(1, 2) + MEL_OFFSET),
        losses=losses,
        save=lambda: save(run.folder, model),
        state=lambda: {"model": model.state_dict(), **optimiser.state()},
    )  # fmt: skip


def main() -> None:
    parser = Program(__doc__)
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--rewrite", type=Path, metavar="FOLDER")
    args = parser.parse_args()
    if args.rewrite is not None:
        rewrite(args.rewrite)
    else:
        train(Run(args.folder / "vocos2d", minutes=args.minutes), WaveSet(args.folder / "vocoder", 32000))


if __name__ == "__main__":
    main()
