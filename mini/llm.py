"""Trains the language model on sequences like the server's, with guided attention and composed embeddings.

python -m mini.llm --minutes 75        (goes on where it stopped)
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from mini.composition import compose
from mini.data import held_out_first
from mini.espeak import Espeak
from mini.llm_model import TrainingLlama, llm_config
from mini.program import Program
from mini.sentences import SentenceMaker
from mini.training import MuonAndAdam, Run, is_due, warm_cosine
from mini.utterances import PhonemeWriter, Sequence, SequenceMaker, load_utterances
from mini.vocabulary import Vocabulary

_N_VALIDATION = 300
_GUIDE_ROWS = 160
_TOKENS = 3000  # ids a step
_TEXT_SAMPLES = 256


@dataclass(frozen=True)
class Batch:
    """A batch of sequences, padded on the right: ids [B, T], the next ids as targets, and places in the text.

    Outside of speech, `target` is -100 and `place` is -1.
    """

    ids: Tensor
    target: Tensor
    place: Tensor


def collate(sequences: list[Sequence]) -> Batch:
    longest = max(len(s.ids) for s in sequences)
    ids = np.zeros((len(sequences), longest), np.int64)
    target = np.full((len(sequences), longest), -100)
    place = np.full((len(sequences), longest), -1, np.float32)
    for row, sequence in enumerate(sequences):
        n, start = len(sequence.ids), sequence.speech_from
        ids[row, :n] = sequence.ids
        target[row, start : n - 1] = sequence.ids[start + 1 :]
        place[row, :n] = sequence.place
    return Batch(torch.from_numpy(ids), torch.from_numpy(target), torch.from_numpy(place))


def batches(maker: SequenceMaker, rng: random.Random, run: Run) -> Iterator[Batch]:
    """Yields batches of random sequences without end, with similar lengths in a batch and about _TOKENS
    ids.

    After 15 % of the training fewer sequences have no history.
    """
    while True:
        alone = 0.4 if run.progress < 0.15 else 0.12
        pool = sorted((maker.draw(rng, alone=alone) for _ in range(192)), key=lambda s: len(s.ids))
        groups: list[list[Sequence]] = [[]]
        for sequence in pool:
            if groups[-1] and len(sequence.ids) * (len(groups[-1]) + 1) > _TOKENS:
                groups.append([])
            groups[-1].append(sequence)
        rng.shuffle(groups)
        yield from (collate(group) for group in groups)


def corrupted(batch: Batch, codes: range, *, most: float = 0.16) -> Batch:
    """Replaces a random share (at most `most`) of the input codes in each row by other codes.

    The targets stay. A model that generates freely reads its own mistakes, and must still know its place in
    the text.
    """
    speech = (batch.ids >= codes.start) & (batch.ids < codes.stop)
    share = torch.rand(len(batch.ids), 1) * most
    hit = speech & (torch.rand(batch.ids.shape) < share)
    pool = batch.ids[speech]
    ids = torch.where(hit, pool[torch.randint(len(pool), batch.ids.shape)], batch.ids)
    return Batch(ids, batch.target, batch.place)


@dataclass(frozen=True)
class Losses:
    speech: Tensor
    accuracy: Tensor
    guide: Tensor
    text: Tensor


class Objective:
    """Computes the losses of a batch.

    The losses are the cross-entropy over codes and the end, a loss that keeps text ids improbable, and a loss
    that guides the attention along the text.
    """

    def __init__(self, model: TrainingLlama, vocabulary: Vocabulary) -> None:
        self._model = model
        self._first, self._n_codes = vocabulary.audio_start, len(vocabulary.codes)
        self._end = vocabulary.end

    def __call__(self, batch: Batch) -> Losses:
        table = self._model.table()
        with torch.autocast("cpu", torch.bfloat16):
            hidden, guided = self._model(batch.ids, table)
            used = batch.target >= 0
            flat, target = hidden[used], batch.target[used]
            rows = torch.cat(
                [table[self._first : self._first + self._n_codes], table[self._end : self._end + 1]]
            )
            logits = (flat @ rows.bfloat16().T).float()
        target = torch.where(target == self._end, self._n_codes, target - self._first)
        with torch.no_grad():
            accuracy = (logits.argmax(1) == target).float().mean()
        guide = torch.stack([_guide_loss(q, k, batch.place) for q, k in guided]).mean()
        return Losses(F.cross_entropy(logits, target), accuracy, guide, self._text_loss(flat, logits, table))

    def _text_loss(self, hidden: Tensor, logits: Tensor, table: Tensor) -> Tensor:
        some = torch.randint(len(hidden), (len(hidden) // 8 + 1,))
        ids = torch.randint(self._first, (_TEXT_SAMPLES,))
        ids = ids[ids != self._end]
        text = (hidden[some] @ table[ids].bfloat16().T).float()
        log_scale = float(np.log(self._first / len(ids)))
        speech = logits[some].logsumexp(1)
        return (torch.logaddexp(speech, text.logsumexp(1) + log_scale) - speech).mean()


def _guide_loss(q: Tensor, k: Tensor, place: Tensor) -> Tensor:
    """Returns the mean -log of the attention's mass in a Gaussian window around the right text id.

    `q` and `k` [B, T, head_dim] come from a guided attention head. `place` [B, T] is the index of the right
    text id at each position. Only some random positions of each sequence count.
    """
    position = torch.arange(place.shape[1])
    spoken = place >= 0
    count = min(_GUIDE_ROWS, int(spoken.sum(1).min()))
    rows = torch.rand(place.shape).masked_fill(~spoken, -1.0).topk(count, dim=1).indices
    chosen = q.gather(1, rows[..., None].expand(-1, -1, q.shape[-1]))
    scores = (chosen @ k.mT).float() / q.shape[-1] ** 0.5
    scores = scores.masked_fill(position[None, None] > rows[..., None], -torch.inf)
    right = place.gather(1, rows)
    window = -0.5 * (position[None, None] - right[..., None]).square()
    inside = torch.where(window > -8, scores + window, -torch.inf)
    mass = inside.logsumexp(2) - scores.logsumexp(2)
    loss: Tensor = -mass.clamp(min=-12.0).mean()
    return loss


def open_vocabulary(folder: Path) -> tuple[Vocabulary, Tensor]:
    """Returns the vocabulary and its factor matrix, which is kept in `folder`."""
    vocabulary, file = Vocabulary(), folder / "vocabulary" / "factors.pt"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        torch.save(compose(vocabulary, SentenceMaker(), Espeak(folder)), file)
    return vocabulary, torch.load(file, weights_only=True)


def train(folder: Path, run: Run, names: list[str]) -> None:
    torch.manual_seed(run.step)
    vocabulary, factors = open_vocabulary(folder)
    writer = PhonemeWriter(vocabulary)
    utterances = load_utterances(folder, names, vocabulary)
    known = SequenceMaker(utterances[_N_VALIDATION:], vocabulary, writer)
    held_out = SequenceMaker(utterances[:_N_VALIDATION], vocabulary, writer)
    model = TrainingLlama(llm_config(), factors)
    hours = sum(len(u.codes) for u in utterances) / 90000
    size = sum(p.numel() for p in model.parameters()) / 1e6
    run.log(f"{len(utterances)} utterances, {hours:.1f} h, {size:.1f} M")
    matrices = [p for layer in model.layers for p in layer.parameters() if p.ndim == 2]
    optimiser = MuonAndAdam(matrices, model.parameters(), rates=(0.02, 3e-3), betas=(0.9, 0.95), decay=0.0)
    state = run.resume()
    if state is not None:
        model.load_state_dict(state["model"])
        optimiser.load(state)
    objective = Objective(model, vocabulary)
    checks = {
        language: collate(
            [held_out.build([u], None) for u in held_out.utterances if u.language == language][:40]
        )
        for language in ("zh", "en")
    }
    check_rng = random.Random(0)
    checks["history"] = collate([held_out.draw(check_rng, alone=0.0) for _ in range(16)])
    smooth, seen = 0.0, 0
    stream = batches(known, random.Random(run.step), run)
    for step in run.steps(lambda: {"model": model.state_dict(), **optimiser.state()}):
        batch = corrupted(next(stream), vocabulary.codes)
        losses = objective(batch)
        total = losses.speech + 0.6 * losses.guide + losses.text
        total.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step(warm_cosine(run.progress, step, warm_steps=50))
        model.zero_grad()
        seen += batch.ids.numel()
        smooth = losses.speech.item() if smooth == 0 else 0.97 * smooth + 0.03 * losses.speech.item()
        if is_due(step):
            model.eval()
            with torch.no_grad():
                checked = {name: objective(check) for name, check in checks.items()}
            model.train()
            run.log(f"{seen / 1e6:.2f} M ids, train {smooth:.3f} text {losses.text:.3f} | " + " | ".join(
                f"{name} {c.speech:.3f}/{c.accuracy:.3f} guide {c.guide:.2f}" for name, c in checked.items()
            ))  # fmt: skip


def main() -> None:
    parser = Program(__doc__)
    parser.add_argument("--minutes", type=float, default=75)
    args = parser.parse_args()
    names = held_out_first({path.stem for path in (args.folder / "codes").glob("*.pkl")})
    train(args.folder, Run(args.folder / "llm", minutes=args.minutes), names)


if __name__ == "__main__":
    main()
