"""Trains a small HiFT, the 24 kHz vocoder.

    python -m mini.vocoder --minutes 70        (goes on where it stopped; writes .mini/hift/best.pt)

The pitch network is trained first, with the tracked pitch as target. Then the rest is trained with the
predicted pitch, by spectral losses, and in the last part of the time by a critic as well (vocoder_critic.py).
Both get clean and degraded mels.
"""

import os
import random
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils import parametrize

from glm_tts_api.model.vocoder.hift import HOP, HiFT, HiftConfig
from glm_tts_api.model.vocoder.source import HARMONICS
from glm_tts_api.model.vocoder.stft import N_BINS
from glm_tts_api.settings import BUNDLED_MODEL
from mini.program import Program
from mini.training import MuonAndAdam, Run, warm_cosine
from mini.vocoder_critic import Critic
from mini.vocoder_data import Crop, WaveSet, degrade
from mini.vocoder_training import HELD_OUT, spectral, train_vocoder

CONFIG = HiftConfig.from_json(BUNDLED_MODEL / "hift" / "config.json")
MEL_MEAN, MEL_STD = -6.0, 2.5
QUIET_LOG_MAGNITUDE = -2.0
TYPICAL_F0_HZ = 120.0
CRITIC_AFTER = 0.35  # the share of the time before the critic begins; the learning rate falls from there
RATE, RATE_WITH_CRITIC = 5e-3, 2e-3  # of the matrices; the others learn at OTHERS of it
OTHERS = 0.3
CRITIC_RATE = 5e-4
PITCH_STEPS, PITCH_BATCH, PITCH_FRAMES = 1500, 16, 100
# The critic's losses count once. When the others did too, speech sounded better but was understood worse.
WEIGHTS = {"stft": 2.0, "mel": 4.0}


def new_model() -> HiFT:
    """Makes an untrained HiFT whose first layers expect log mels, and whose output is nearly silent."""
    model = HiFT(CONFIG)
    weights = model.state_dict()  # shares memory with the parameters
    with torch.no_grad():
        for layer in ("conv_pre", "f0_predictor.condnet.0"):
            scale = weights[f"{layer}.parametrizations.weight.original0"].div_(MEL_STD)
            direction = weights[f"{layer}.parametrizations.weight.original1"]
            weight = scale * direction / direction.norm(dim=(1, 2), keepdim=True)
            weights[f"{layer}.bias"].sub_(MEL_MEAN * weight.sum((1, 2)))
        weights["conv_post.bias"][:N_BINS] = QUIET_LOG_MAGNITUDE
        weights["f0_predictor.classifier.weight"].mul_(TYPICAL_F0_HZ)
        weights["f0_predictor.classifier.bias"].fill_(TYPICAL_F0_HZ)
    return model.fold().train().requires_grad_()


def published_weights(model: HiFT) -> dict[str, Tensor]:
    """Returns a folded model's weights, split again by weight norm as the official file has them."""
    split, plain = HiFT(model.config), model.state_dict()
    for name, module in split.named_modules():
        if parametrize.is_parametrized(module, "weight"):
            module.weight = plain.pop(f"{name}.weight")
    split.load_state_dict(plain, strict=False)
    return split.state_dict()


def pitch_loss(predicted: Tensor, true: Tensor) -> Tensor:
    """Returns the mean pitch error: relative where voiced, and as a share of TYPICAL_F0_HZ where not.

    Both arguments are [B, T] in Hz, and `true` is 0 where unvoiced.
    """
    return ((predicted - true).abs() / true.clamp_min(TYPICAL_F0_HZ)).mean()


def train_pitch(model: HiFT, waves: WaveSet, run: Run, *, steps: int) -> None:
    parameters = list(model.f0_predictor.parameters())
    optimiser = torch.optim.AdamW(parameters, lr=1e-3, betas=(0.9, 0.99))
    for step in range(steps):
        rng = random.Random(-1 - step)
        torch.manual_seed(step)
        for group in optimiser.param_groups:
            group["lr"] = 1e-3 * warm_cosine(step / steps, step + 1)
        crop = waves.crops(rng, batch=PITCH_BATCH, frames=PITCH_FRAMES, held_out=HELD_OUT)
        loss = pitch_loss(model.f0_predictor(degrade(crop.mel, rng)), crop.f0)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 5.0)
        optimiser.step()
        if step % 100 == 99:
            run.log(f"pitch step {step + 1} loss {float(loss.detach()):.3f}")


def speak(model: HiFT, mel: Tensor) -> Tensor:
    """Renders a mel [B, 80, T] to a wave [B, 480 T], without gradients for the pitch network."""
    with torch.no_grad():
        noise = torch.randn(len(mel), HARMONICS, mel.shape[-1] * HOP)
        f0 = model.f0_predictor(mel)
    excitation = model.m_source(f0, noise)
    with torch.autocast("cpu", torch.bfloat16):
        wave: Tensor = model.decode(mel, excitation)
    return wave.float()


def save_half(folder: Path, model: HiFT) -> None:
    """Writes best.pt to `folder`, in half precision, as it is shipped."""
    weights = {name: value.half() for name, value in published_weights(model).items()}
    torch.save(weights, folder / "best.tmp")
    os.replace(folder / "best.tmp", folder / "best.pt")


def learning_rate(progress: float, step: int) -> float:
    """Returns the matrices' learning rate, which is lower with the critic and falls to nothing at the end.

    `progress` is the trained share of the time.
    """
    if progress < CRITIC_AFTER:
        return RATE * warm_cosine(0.0, step)
    return RATE_WITH_CRITIC * warm_cosine((progress - CRITIC_AFTER) / (1 - CRITIC_AFTER), step)


class Judged:
    """The critic, its optimiser, and one step of both in turn."""

    def __init__(self) -> None:
        self.critic = Critic()
        self.optimiser = torch.optim.AdamW(self.critic.parameters(), lr=CRITIC_RATE, betas=(0.8, 0.99))

    def step(self, wave: Tensor, target: Tensor) -> dict[str, Tensor]:
        """Trains the critic on the two waves [B, N], and returns what the vocoder of `wave` should lower."""
        with torch.autocast("cpu", torch.bfloat16):
            loss = self.critic.loss(wave, target)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.critic.parameters(), 5.0)
        self.optimiser.step()
        with torch.autocast("cpu", torch.bfloat16):
            judged, distance = self.critic.losses_of(wave, target)
        return {"judged": judged, "features": distance}

    def state(self) -> dict[str, Any]:
        return {"critic": self.critic.state_dict(), "critic_optimiser": self.optimiser.state_dict()}

    def load(self, state: dict[str, Any]) -> None:
        if "critic" in state:
            self.critic.load_state_dict(state["critic"])
            self.optimiser.load_state_dict(state["critic_optimiser"])


def train(run: Run, waves: WaveSet) -> None:
    model, judged = new_model(), Judged()
    spoken = [p for name, p in model.named_parameters() if not name.startswith("f0_predictor")]
    matrices = [p for p in spoken if p.ndim == 3]
    optimiser = MuonAndAdam(matrices, spoken, rates=(1.0, OTHERS), betas=(0.8, 0.99))
    state = run.resume()
    if state is not None:
        model.load_state_dict(state["model"])
        judged.load(state)
    if not optimiser.load(state):  # a new model, or shipped weights, which may have learned other voices
        train_pitch(model, waves, run, steps=PITCH_STEPS if state is None else PITCH_STEPS // 3)

    def losses(crop: Crop, mel: Tensor) -> dict[str, Tensor]:
        wave = speak(model, mel)
        parts = spectral(wave, crop, waves.sample_rate)
        return parts | judged.step(wave, crop.wave) if run.progress > CRITIC_AFTER else parts

    train_vocoder(
        run, waves, optimiser,
        frames=36,
        rate=learning_rate,
        speak=lambda mel: speak(model, mel),
        losses=losses,
        save=lambda: save_half(run.folder, model),
        state=lambda: {"model": model.state_dict(), **optimiser.state(), **judged.state()},
        weights=WEIGHTS,
    )  # fmt: skip


def main() -> None:
    parser = Program(__doc__)
    parser.add_argument("--minutes", type=float, default=70)
    args = parser.parse_args()
    train(Run(args.folder / "hift", minutes=args.minutes), WaveSet(args.folder / "vocoder", 24000))


if __name__ == "__main__":
    main()
