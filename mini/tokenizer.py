"""Trains the speech tokenizer on pairs of voices that say the same text at the same time.

The encoder starts as the first layers of Whisper base. A decoder, which only the training needs, turns the
codes of one voice and the average spectrum of the other voice into the mel of the other voice. From the codes
alone it also predicts the phoneme, the Mandarin tone and the relative pitch of every 20 ms. So the codes keep
words and intonation, and lose the speaker.

    python -m mini.tokenizer --minutes 35        (goes on where it stopped)
"""

import random
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mini.pair_data import Batch, PairData
from mini.program import Program
from mini.speech_encoder import SpeechEncoder, encoder_config
from mini.training import Run, is_due, plain_attention, warm_cosine
from mini.whisper_layers import start_from_whisper

_TOKENS = 1600  # speech tokens a step
_CODEBOOK_STARTS_AT = 250
_ENCODER_SHARE = 0.15  # of the learning rate, since the encoder does not start from nothing
_N_TONES = 6  # Mandarin's 1 to 5, and 0 in pauses


class _ConvBlock(nn.Module):
    def __init__(self, dim: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(dim, dim, 7, padding=3, groups=dim)
        self.norm = nn.LayerNorm(dim)
        self.up = nn.Linear(dim, 3 * dim)
        self.down = nn.Linear(3 * dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x.transpose(1, 2)).transpose(1, 2)
        out: Tensor = x + self.down(F.gelu(self.up(self.norm(y))))
        return out


class Decoder(nn.Module):
    """The training decoder: code vectors [B, n, d] and voice statistics [B, 160] to a mel [B, 2n, 80].

    The decoder also predicts phonemes, pitch and tones from the codes alone.
    """

    def __init__(self, dim: int, n_phonemes: int, *, width: int = 256, blocks: int = 5) -> None:
        super().__init__()
        self.n_phonemes = n_phonemes
        self.style = nn.Linear(160, width)
        self.up = nn.Linear(dim, 2 * width)
        self.content = nn.Conv1d(dim, 2 * (n_phonemes + 2 + _N_TONES), 5, padding=2)
        self.blocks = nn.ModuleList(_ConvBlock(width) for _ in range(blocks))
        self.out = nn.Linear(width, 80)

    def forward(self, codes: Tensor, style: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        phonemes, pitch, tones = self.labels(codes).split((self.n_phonemes, 2, _N_TONES), -1)
        batch, n, _ = codes.shape
        x = self.up(codes).reshape(batch, 2 * n, -1) + self.style(style)[:, None]
        for block in self.blocks:
            x = block(x)
        return self.out(x), phonemes, pitch, tones

    def labels(self, codes: Tensor) -> Tensor:
        """Returns [B, 2n, n_phonemes + 8]: phoneme logits, log pitch, a voicing logit, tone logits."""
        batch, n, _ = codes.shape
        out: Tensor = self.content(codes.transpose(1, 2)).transpose(1, 2).reshape(batch, 2 * n, -1)
        return out


@dataclass(frozen=True)
class Losses:
    total: Tensor
    mel: Tensor
    phoneme: Tensor
    accuracy: Tensor
    pitch: Tensor
    tone: Tensor
    codes: Tensor | None
    hidden: Tensor


def compute_losses(encoder: SpeechEncoder, decoder: Decoder, batch: Batch, *, quantise: bool) -> Losses:
    with torch.autocast("cpu", torch.bfloat16):
        hidden = encoder(batch.features, offset=batch.offset)
    half = len(hidden) // 2
    if quantise:
        codes = encoder.codes(hidden.detach())
        chosen = encoder.codebook(codes)
        of_other = torch.cat([chosen[half:], chosen[:half]])
        commit = 0.25 * F.mse_loss(hidden, chosen) + 0.5 * F.mse_loss(hidden, of_other)
        vectors = hidden + (chosen - hidden).detach()
    else:
        codes = None
        commit = 0.5 * F.mse_loss(hidden[:half], hidden[half:])
        vectors = hidden
    with torch.autocast("cpu", torch.bfloat16):
        mel, phonemes, pitch, tones = decoder(vectors, batch.style)
    weight = torch.ones(80)
    weight[:25] = 2
    mel_loss = ((mel.float() - batch.mel).abs() * (weight / weight.mean())).mean()
    flat, labels = phonemes.float().reshape(-1, decoder.n_phonemes), batch.phonemes.reshape(-1)
    phoneme_loss = F.cross_entropy(flat, labels)
    tone_loss = F.cross_entropy(tones.float().reshape(-1, _N_TONES), batch.tones.reshape(-1))
    voiced = ~batch.pitch.isnan()
    pitch = pitch.float()
    pitch_loss = (5 * pitch[..., 0][voiced] - 5 * batch.pitch[voiced]).abs().clamp(max=3).mean()
    voicing_loss = F.binary_cross_entropy_with_logits(pitch[..., 1], voiced.float())
    total = mel_loss + phoneme_loss + 0.5 * tone_loss + 0.2 * pitch_loss + 0.1 * voicing_loss + commit
    accuracy = (flat.argmax(1) == labels).float().mean()
    return Losses(total, mel_loss, phoneme_loss, accuracy, pitch_loss, tone_loss, codes, hidden)


def described(losses: Losses) -> str:
    text = (f"mel {losses.mel:.3f} phoneme {losses.phoneme:.3f} accuracy {losses.accuracy:.3f} "
            f"pitch {losses.pitch:.3f} tone {losses.tone:.3f}")  # fmt: skip
    if losses.codes is None:
        return text
    half = len(losses.codes) // 2
    agreement = (losses.codes[:half] == losses.codes[half:]).float().mean()
    share = torch.bincount(losses.codes.reshape(-1)) / losses.codes.numel()
    perplexity = torch.exp(-(share * (share + 1e-9).log()).sum())
    repeats = (losses.codes[:, 1:] == losses.codes[:, :-1]).float().mean()
    return f"{text} agreement {agreement:.3f} perplexity {perplexity:.0f} repeats {repeats:.3f}"


@plain_attention()
def train(data: PairData, run: Run, *, whisper: Path) -> None:
    torch.manual_seed(0)
    config = encoder_config()
    encoder, decoder = SpeechEncoder(config), Decoder(config.d_model, len(data.phonemes))
    start_from_whisper(encoder, whisper)
    of_encoder = [p for p in encoder.parameters() if p.requires_grad]
    parameters = [*of_encoder, *decoder.parameters()]
    optimiser = torch.optim.AdamW(
        [
            {"params": of_encoder, "share": _ENCODER_SHARE},
            {"params": list(decoder.parameters()), "share": 1.0},
        ],
        lr=1e-3,
        betas=(0.9, 0.98),
        weight_decay=0.01,
        fused=True,
    )
    state = run.resume()
    if state is not None:
        encoder.load_state_dict(state["encoder"])
        decoder.load_state_dict(state["decoder"])
        optimiser.load_state_dict(state["optimiser"])
    rng = random.Random(run.step)
    check = data.batch(random.Random(0), tokens=3000, source=data.validation, augment=False)
    for step in run.steps(
        lambda: {"encoder": encoder.state_dict(), "decoder": decoder.state_dict(),
                 "optimiser": optimiser.state_dict(), "phonemes": data.phonemes}
    ):  # fmt: skip
        for group in optimiser.param_groups:
            group["lr"] = group["share"] * 1.2e-3 * warm_cosine(run.progress, step)
        if step == _CODEBOOK_STARTS_AT:
            with torch.no_grad():
                crops = [
                    data.batch(rng, tokens=_TOKENS, source=data.training, augment=False) for _ in range(4)
                ]
                encoder.start_codebook(
                    torch.cat([encoder(c.features).reshape(-1, config.d_model) for c in crops])
                )
        quantise = step >= _CODEBOOK_STARTS_AT
        losses = compute_losses(
            encoder,
            decoder,
            data.batch(rng, tokens=_TOKENS, source=data.training, augment=True),
            quantise=quantise,
        )
        optimiser.zero_grad()
        losses.total.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        if losses.codes is not None:
            encoder.update_codebook(losses.hidden.detach(), losses.codes)
        if is_due(step):
            with torch.no_grad():
                checked = compute_losses(encoder, decoder, check, quantise=quantise)
            run.log(f"| {described(losses)} | {described(checked)}")


def main() -> None:
    parser = Program(__doc__)
    parser.add_argument("--minutes", type=float, default=35)
    args = parser.parse_args()
    parts = [path.with_suffix("") for path in sorted((args.folder / "data").glob("*.speaker"))]
    run = Run(args.folder / "tokenizer", minutes=args.minutes)
    known = (run.resume() or {}).get("phonemes")  # the trained state's phonemes; newer data may have others
    train(PairData(parts, phonemes=known), run, whisper=args.folder / "whisper-base" / "model.bin")


if __name__ == "__main__":
    main()
