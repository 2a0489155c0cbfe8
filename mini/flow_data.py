"""Makes batches to train the flow: rows join utterances of one voice, and the first one is the prompt."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from mini.codes import load_codes
from mini.data import ClipSet, load_speaker_statistics
from scripts.checks.parity.block_causal import DEFAULT_BLOCK_PATTERN, block_causal_mask

_LENGTHS = (75, 125, 200, 325)  # tokens in a row: 3 to 13 s
_LENGTH_WEIGHTS = (2, 3, 3, 2)
_MEL_FLOOR = float(np.log(1e-5))


@dataclass(frozen=True)
class Batch:
    mel: Tensor  # [B, T, 80]
    recorded: Tensor  # [B, T, 80], the mel as a phone or laptop would record it
    frames: Tensor  # [B, T], the speech code of each mel frame
    prompt: Tensor  # [B], the number of frames of the prompt
    speaker: Tensor  # [B, 192]
    mask: Tensor | None  # [B, 1, T, T]

    @property
    def in_prompt(self) -> Tensor:
        """Whether a frame is one of the prompt, [B, T, 1]."""
        return (torch.arange(self.mel.shape[1])[None] < self.prompt[:, None])[..., None]


class VoiceData:
    """Training rows that join utterances of one voice.

    The first utterance is the prompt and gives the speaker.
    """

    def __init__(self, folder: Path, names: list[str], *, n_validation: int = 300) -> None:
        parts = [folder / "data" / name for name in names]
        self._clips = ClipSet(parts)
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


def batches(data: VoiceData, rng: random.Random, frames: int) -> Iterator[Batch]:
    while True:
        yield data.batch(rng, data.training, frames=frames, augment=True)
