"""Trains the flow (the server's own DiT) on log mels of a prompt and a rest, half of them block-causal.

python -m scripts.mini.flow --minutes 75        (goes on where it stopped)
"""

import argparse
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from glm_tts_api.model.flow.config import FlowConfig
from glm_tts_api.model.flow.dit import DiT
from scripts.checks.parity.block_causal import DEFAULT_BLOCK_PATTERN, block_causal_mask
from scripts.mini.codes import load_codes
from scripts.mini.data import ClipSet, load_speaker_statistics
from scripts.mini.speech_encoder import EncoderConfig
from scripts.mini.training import MuonAndAdam, Run, plain_attention, warm_cosine

_LENGTHS = (75, 125, 200, 325)  # tokens in a row: 3 to 13 s
_LENGTH_WEIGHTS = (2, 3, 3, 2)
_DROP_CONDITIONS = 0.2
CODE_TABLE = "text_emb_layer.text_embed.weight"
_MEL_FLOOR = float(np.log(1e-5))


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
    return FlowConfig(
        trans_dim=256, depth=4, heads=4, dim_head=64, text_emb_dim=192, conv_layers=3,
        text_vocab_size=EncoderConfig().n_codes + 1, cfg_rate=0.2,  # the official 0.7 is heard worse (README)
    )  # fmt: skip


@dataclass(frozen=True)
class Batch:
    mel: Tensor  # [B, T, 80]
    recorded: Tensor  # [B, T, 80], the mel as a phone or laptop would record it
    frames: Tensor  # [B, T], the speech code of each mel frame
    prompt: Tensor  # [B], the number of frames of the prompt
    speaker: Tensor  # [B, 192]
    mask: Tensor | None  # [B, 1, T, T]


class VoiceData:
    """Training rows that join utterances of one voice.

    The first utterance is the prompt and gives the speaker.
    """

    def __init__(self, folder: Path, names: list[str], *, n_validation: int = 300) -> None:
        parts = [folder / "data" / name for name in names]
        self._clips = ClipSet(parts, mel=True)
        self._codes = [codes for name in names for codes in load_codes(folder / "codes", name)]
        statistics, _ = load_speaker_statistics(parts)
        projection = torch.load(folder / "speaker" / "projection.pt", weights_only=True)
        self._speaker = F.normalize((statistics - projection["mean"]) @ projection["matrix"], dim=1)
        n = len(self._clips.clips)
        held_out = min(n_validation, n // 8)
        self.training = self._by_voice(range(held_out, n))
        self.validation = self._by_voice(range(held_out))

    def _by_voice(self, indices: range) -> list[list[int]]:
        voices: dict[str, list[int]] = {}
        for i in indices:
            voices.setdefault(self._clips.clips[i].voice, []).append(i)
        return list(voices.values())

    def mean_mel(self) -> Tensor:
        rng = random.Random(0)
        some = [
            np.asarray(self._clips.mel(i)[:, :80], np.float32)
            for i in rng.sample(range(len(self._codes)), min(200, len(self._codes)))
        ]
        return torch.from_numpy(np.concatenate(some).mean(0))

    def _row(self, rng: random.Random, voice: list[int], n: int) -> tuple[list[int], int]:
        """Draws clips of a voice that fill `n` tokens, and the prompt's length in tokens (0: no prompt)."""
        first = rng.choice(voice)
        for _ in range(20):
            if 12 <= len(self._codes[first]) <= 0.75 * n:
                break
            first = rng.choice(voice)
        chosen, total = [first], len(self._codes[first])
        while total < n:
            chosen.append(rng.choice(voice))
            total += len(self._codes[chosen[-1]])
        length = len(self._codes[first])
        if length > 0.8 * n or rng.random() < 0.3:
            length = rng.randint(10, round(0.75 * n))
        return chosen, 0 if rng.random() < 0.08 else length

    def batch(self, rng: random.Random, voices: list[list[int]], *, frames: int, augment: bool) -> Batch:
        n = rng.choices(_LENGTHS, _LENGTH_WEIGHTS)[0]
        mels: list[npt.NDArray[np.float32]] = []
        recordings: list[npt.NDArray[np.float32]] = []
        codes, prompts, speakers, masks = [], [], [], []
        block_causal = rng.random() < 0.5
        for _ in range(max(2, frames // (2 * n))):
            chosen, prompt = self._row(rng, rng.choice(voices), n)
            mel = np.concatenate([self._clips.mel(i)[:, :80] for i in chosen])[: 2 * n]
            recorded = np.concatenate([self._clips.recorded(i) for i in chosen])[: 2 * n]
            louder = rng.uniform(-0.5, 0.5) if augment else 0.0
            mels.append(np.maximum(mel.astype(np.float32) + louder, _MEL_FLOOR))
            recordings.append(np.maximum(recorded.astype(np.float32) + louder, _MEL_FLOOR))
            codes.append(np.concatenate([self._codes[i] for i in chosen])[:n].astype(np.int64))
            prompts.append(2 * prompt)
            speakers.append(self._speaker[chosen[0]])
            if block_causal:
                pattern = ((prompt,) if prompt else ()) + DEFAULT_BLOCK_PATTERN
                masks.append(block_causal_mask(pattern, 2 * n))
        return Batch(
            torch.from_numpy(np.stack(mels)), torch.from_numpy(np.stack(recordings)),
            torch.from_numpy(np.stack(codes)).repeat_interleave(2, 1),
            torch.tensor(prompts), torch.stack(speakers), torch.stack(masks)[:, None] if masks else None,
        )  # fmt: skip


def flow_loss(model: DiT, batch: Batch, *, t: Tensor, noise: Tensor, drop: Tensor) -> Tensor:
    """Returns the mean squared error of the velocity outside the prompt, divided by the mel's variance.

    `t` and `noise` give each row's time and noise. `drop` says for which rows prompt and speaker are left
    out.
    """
    length = batch.mel.shape[1]
    in_prompt = (torch.arange(length)[None] < batch.prompt[:, None])[..., None]
    keep = (~drop)[:, None]
    cond = batch.recorded * in_prompt * keep[..., None]
    speaker = batch.speaker * keep
    x = (1 - t[:, None, None]) * noise + t[:, None, None] * batch.mel
    with torch.autocast("cpu", torch.bfloat16):
        velocity = model(x, cond, batch.frames, t=t, speaker=speaker, mask=batch.mask)
    error = (velocity.float() - (batch.mel - noise)).square().mean(-1, keepdim=True)
    wanted = ~in_prompt
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


def batches(data: VoiceData, rng: random.Random, frames: int) -> Iterator[Batch]:
    while True:
        yield data.batch(rng, data.training, frames=frames, augment=True)


@plain_attention()
def train(data: VoiceData, run: Run, *, book: Tensor, frames: int) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(run.step)
    model = DiT(flow_config())
    start(model, data.mean_mel())
    inner = (".attn.", ".ff.")
    matrices = [
        p for name, p in model.named_parameters() if p.ndim == 2 and any(part in name for part in inner)
    ]
    optimiser = MuonAndAdam(matrices, model.parameters(), rates=(0.01, 1.5e-3), betas=(0.9, 0.98))
    averages = Averages(model)
    state = run.resume()
    if state is not None:
        model.load_state_dict(state["model"])
        averages.weights = state["average"]
    if not optimiser.load(state):  # a new flow, or one made from shipped weights
        codes = code_vectors(book, flow_config().text_emb_dim)
        for table in (model.text_emb_layer.text_embed.weight, averages.weights[CODE_TABLE]):
            table.data[1 : len(codes)] = codes[1:]

    def snapshot() -> dict[str, object]:
        return {"model": model.state_dict(), "average": averages.weights, **optimiser.state()}

    check_rng = random.Random(5)
    checks = [data.batch(check_rng, data.validation, frames=4000, augment=False) for _ in range(4)]
    generator = torch.Generator().manual_seed(1)
    noises = [torch.randn(b.mel.shape, generator=generator) for b in checks]
    smooth = 0.0
    run.log(f"{sum(p.numel() for p in model.parameters()) / 1e6:.2f} M parameters")
    stream = batches(data, random.Random(run.step), frames)
    while run.progress < 1:
        scale = warm_cosine(run.progress, run.step)
        batch = next(stream)
        rows = len(batch.mel)
        loss = flow_loss(
            model,
            batch,
            t=1 - torch.cos(torch.rand(rows) * torch.pi / 2),  # the distribution of the sampler's steps
            noise=torch.randn_like(batch.mel),
            drop=torch.rand(rows) < _DROP_CONDITIONS,
        )
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step(scale)
        model.zero_grad()
        run.step += 1
        averages.update(model, min(0.998, (run.step + 1) / (run.step + 10)))
        smooth = loss.item() if smooth == 0 else 0.98 * smooth + 0.02 * loss.item()
        if run.step % 100 == 0 or run.step in (10, 30):
            with torch.no_grad():
                model_now = {k: v.clone() for k, v in model.state_dict().items()}
                model.load_state_dict(averages.weights)
                values = [
                    float(flow_loss(model, b, t=torch.linspace(0.02, 0.98, len(b.mel)), noise=n,
                                    drop=torch.zeros(len(b.mel), dtype=torch.bool)))
                    for b, n in zip(checks, noises, strict=True)
                ]  # fmt: skip
                model.load_state_dict(model_now)
            run.log(f"train {smooth:.4f} | held out {np.mean(values):.4f}")
        run.save(snapshot())
    run.save(snapshot(), force=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=75)
    parser.add_argument("--frames", type=int, default=2800, help="mel frames a step")
    parser.add_argument("--folder", type=Path, default=Path(".mini"))
    parser.add_argument("--out", type=Path, default=Path(".mini/flow"))
    args = parser.parse_args()
    names = [
        path.stem
        for path in sorted((args.folder / "data").glob("*.speaker"))
        if (args.folder / "codes" / f"{path.stem}.pkl").exists()
    ]
    book = torch.load(args.folder / "tokenizer" / "state.pt", weights_only=True)["encoder"]["codebook"]
    run = Run(args.out, minutes=args.minutes)
    train(VoiceData(args.folder, names), run, book=book, frames=args.frames)


if __name__ == "__main__":
    main()
