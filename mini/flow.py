"""Trains the flow (the server's own DiT) on log mels of a prompt and a rest, half of them block-causal.

python -m mini.flow --minutes 75        (goes on where it stopped)
python -m mini.flow --minutes 26 --calm

With --calm, the trained flow is the teacher: the flow begins as the teacher and learns mels that are drawn
towards the mean that the codes decide (SPREAD). A code leaves some phonemes open. A draw from all mels that
it may stand for is often one of another phoneme; the mean is understood.
"""

import random
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from glm_tts_api.model.flow.config import FlowConfig
from glm_tts_api.model.flow.dit import DiT
from glm_tts_api.settings import BUNDLED_MODEL
from mini.data import held_out_first
from mini.flow_data import Batch, VoiceData, batches
from mini.program import Program
from mini.training import MuonAndAdam, Run, is_due, plain_attention, warm_cosine

_FRAMES = 2800  # mel frames a step
_DROP_CONDITIONS = 0.2
SPREAD = 0.3  # how much of a mel's distance from its mean is left, with a teacher
_CALM_RATE = 0.5  # of the learning rates, with a teacher
CODE_TABLE = "text_emb_layer.text_embed.weight"


def code_vectors(book: Tensor, dim: int) -> Tensor:
    """Returns `dim` principal components of a codebook [n_codes, D], whose row 0 is the filler.

    Codes that are near each other have similar rows. The variances are brought nearer to each other, so that
    no component rules the others, and their mean is 1.
    """
    centred = book - book[1:].mean(0)
    vectors: Tensor = centred @ torch.linalg.svd(centred[1:], full_matrices=False).Vh[:dim].T
    vectors = vectors / vectors[1:].std(0).sqrt()
    return vectors / vectors[1:].var(0).mean().sqrt()


def flow_config() -> FlowConfig:
    """Returns the sizes of the bundled model's flow."""
    return FlowConfig.from_yaml(BUNDLED_MODEL / "flow" / "config.yaml")


def _velocity(model: DiT, batch: Batch, *, t: Tensor, noise: Tensor, drop: Tensor) -> Tensor:
    """Returns the velocity [B, T, 80] at the times `t` [B] of the paths from `noise` to the mels.

    `drop` [B] says for which rows prompt and speaker are left out.
    """
    keep = (~drop)[:, None]
    cond = batch.recorded * batch.in_prompt * keep[..., None]
    x = (1 - t[:, None, None]) * noise + t[:, None, None] * batch.mel
    with torch.autocast("cpu", torch.bfloat16):
        velocity: Tensor = model(x, cond, batch.frames, t=t, speaker=batch.speaker * keep, mask=batch.mask)
    return velocity.float()


@torch.no_grad()
def calmed(teacher: DiT, batch: Batch, *, noise: Tensor, drop: Tensor) -> Batch:
    """Draws the mels behind the prompts towards their mean: where the teacher's path begins to go."""
    mean = noise + _velocity(teacher, batch, t=torch.zeros(len(noise)), noise=noise, drop=drop)
    return replace(batch, mel=torch.where(batch.in_prompt, batch.mel, mean.lerp(batch.mel, SPREAD)))


def flow_loss(model: DiT, batch: Batch, *, t: Tensor, noise: Tensor, drop: Tensor) -> Tensor:
    """Returns the mean squared error of the velocity outside the prompt, divided by the mel's variance."""
    velocity = _velocity(model, batch, t=t, noise=noise, drop=drop)
    error = (velocity - (batch.mel - noise)).square().mean(-1, keepdim=True)
    wanted = ~batch.in_prompt
    loss: Tensor = (error * wanted).sum() / wanted.sum() / 6.25
    return loss


def start(model: DiT, mean_mel: Tensor) -> None:
    """Initialises the flow: zero AdaLN layers, and `mean_mel` as the bias of the output."""
    for name, parameter in model.named_parameters():
        if ("attn_norm.linear" in name) or ("norm_out.linear" in name) or name == "proj_out.weight":
            torch.nn.init.zeros_(parameter)
        elif name == CODE_TABLE:
            torch.nn.init.normal_(parameter, std=1.0)
    model.proj_out.bias.data.copy_(mean_mel)


class Averages:
    """Keeps a moving average of the model's weights. The average is what is validated and exported."""

    def __init__(self, model: DiT) -> None:
        self.weights = {name: value.detach().clone() for name, value in model.state_dict().items()}

    @torch.no_grad()
    def update(self, model: DiT, decay: float) -> None:
        current = model.state_dict()
        names = [name for name, value in self.weights.items() if value.is_floating_point()]
        torch._foreach_lerp_([self.weights[n] for n in names], [current[n] for n in names], 1 - decay)


@plain_attention()
def train(data: VoiceData, run: Run, *, book: Tensor, taught: dict[str, Tensor] | None) -> None:
    torch.manual_seed(run.step)
    model, teacher, share = DiT(flow_config()), None, 1.0
    if taught is None:
        start(model, data.mean_mel())
    else:
        teacher, share = DiT(flow_config()), _CALM_RATE
        for network in (model, teacher):
            network.load_state_dict(taught)
    rates = (0.01 * share, 1.5e-3 * share)
    inner = (".attn.", ".ff.")
    matrices = [
        p for name, p in model.named_parameters() if p.ndim == 2 and any(part in name for part in inner)
    ]
    optimiser = MuonAndAdam(matrices, model.parameters(), rates=rates, betas=(0.9, 0.98))
    averages = Averages(model)
    state = run.resume()
    if state is not None:
        model.load_state_dict(state["model"])
        averages.weights = state["average"]
    if not optimiser.load(state) and teacher is None:  # a new flow, or one made from shipped weights
        codes = code_vectors(book, flow_config().text_emb_dim)
        for table in (model.text_emb_layer.text_embed.weight, averages.weights[CODE_TABLE]):
            table.data[1 : len(codes)] = codes[1:]
    check_rng = random.Random(5)
    checks = [data.batch(check_rng, data.validation, frames=4000, augment=False) for _ in range(4)]
    generator = torch.Generator().manual_seed(1)
    noises = [torch.randn(b.mel.shape, generator=generator) for b in checks]
    undropped = [torch.zeros(len(b.mel), dtype=torch.bool) for b in checks]
    if teacher is not None:
        checks = [
            calmed(teacher, b, noise=n, drop=none)
            for b, n, none in zip(checks, noises, undropped, strict=True)
        ]
    smooth = 0.0
    run.log(f"{sum(p.numel() for p in model.parameters()) / 1e6:.2f} M parameters")
    stream = batches(data, random.Random(run.step), _FRAMES)
    for step in run.steps(
        lambda: {"model": model.state_dict(), "average": averages.weights, **optimiser.state()}
    ):
        batch = next(stream)
        rows = len(batch.mel)
        noise, drop = torch.randn_like(batch.mel), torch.rand(rows) < _DROP_CONDITIONS
        if teacher is not None:
            batch = calmed(teacher, batch, noise=noise, drop=drop)
        loss = flow_loss(
            model,
            batch,
            t=1 - torch.cos(torch.rand(rows) * torch.pi / 2),  # the distribution of the sampler's steps
            noise=noise,
            drop=drop,
        )
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step(warm_cosine(run.progress, step))
        model.zero_grad()
        averages.update(model, min(0.998, (step + 1) / (step + 10)))
        smooth = loss.item() if smooth == 0 else 0.98 * smooth + 0.02 * loss.item()
        if is_due(step):
            with torch.no_grad():
                model_now = {k: v.clone() for k, v in model.state_dict().items()}
                model.load_state_dict(averages.weights)
                values = [
                    float(flow_loss(model, b, t=torch.linspace(0.02, 0.98, len(n)), noise=n, drop=none))
                    for b, n, none in zip(checks, noises, undropped, strict=True)
                ]
                model.load_state_dict(model_now)
            run.log(f"train {smooth:.4f} | held out {np.mean(values):.4f}")


def main() -> None:
    parser = Program(__doc__)
    parser.add_argument("--minutes", type=float, default=75)
    parser.add_argument("--calm", action="store_true", help="with the trained flow as teacher")
    args = parser.parse_args()
    spoken = {path.stem for path in (args.folder / "data").glob("*.speaker")}
    with_codes = spoken & {path.stem for path in (args.folder / "codes").glob("*.pkl")}
    names = held_out_first(with_codes)
    book = torch.load(args.folder / "tokenizer" / "state.pt", weights_only=True)["encoder"]["codebook.weight"]
    run = Run(args.folder / ("calm_flow" if args.calm else "flow"), minutes=args.minutes)
    teacher = args.folder / "flow" / "state.pt"
    taught = torch.load(teacher, weights_only=True)["average"] if args.calm else None
    train(VoiceData(args.folder, names), run, book=book, taught=taught)


if __name__ == "__main__":
    main()
