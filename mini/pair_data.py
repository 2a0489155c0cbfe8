"""Makes batches to train the speech tokenizer: crops of two clips with the same words and timing."""

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from mini.data import Clip, ClipSet
from mini.kokoro_reading import character_tones

MEL_MEAN, MEL_STD = -5.0, 2.5
NO_TONE = -100  # a label that cross-entropy ignores
_CROP_TOKENS = (24, 50, 100, 160)
_MANDARIN_SHARE = 0.65  # share of the crops; Mandarin syllables are harder to tell apart
_PACES = (0.87, 1.15)  # half of the crops are made slower or faster


@dataclass(frozen=True)
class Batch:
    """A batch of crops. Rows i and i + B/2 are the same words, in two voices or (for a clip alone) in one."""

    features: Tensor  # [B, 4n, 80]
    mel: Tensor  # [B, 2n, 80], normalised, of the other voice
    style: Tensor  # [B, 160], of the other voice
    phonemes: Tensor  # [B, 2n]
    tones: Tensor  # [B, 2n], Mandarin's 1 to 5, 0 in pauses, NO_TONE in English
    pitch: Tensor  # [B, 2n], relative log F0, and nan where unvoiced
    offset: int


Pair = tuple[int, int]  # clips with the same words at the same time


class PairData:
    """Pairs of clips with the same words and timing, and their frame labels. Draws random crops as batches.

    A clip without a partner is paired with itself. `phonemes` lists the phonemes that a trained decoder
    knows; any other phoneme then counts as a pause.
    """

    def __init__(
        self, parts: list[Path], *, phonemes: list[str] | None = None, n_validation: int = 120
    ) -> None:
        self.clips = ClipSet(parts)
        clips = self.clips.clips
        pairs = [
            (i, i + 1) for i in range(len(clips) - 1)
            if clips[i].text == clips[i + 1].text and clips[i].n_tokens == clips[i + 1].n_tokens
        ]  # fmt: skip
        paired = {i for pair in pairs for i in pair}
        alone = [(i, i) for i in range(len(clips)) if i not in paired]
        labels = [clip.frame_phonemes() for clip in clips]
        self.phonemes = phonemes or sorted({name for row in labels for name in row})
        index = {name: i for i, name in enumerate(self.phonemes)}
        self.labels = [np.array([index.get(name, index[""]) for name in row], np.int16) for row in labels]
        self.tones = [_frame_tones(clip, row) for clip, row in zip(clips, labels, strict=True)]
        held_out = min(n_validation, len(pairs) // 8)
        self.training, self.validation = pairs[:-held_out] + alone, pairs[-held_out:]

    def _statistics(
        self, i: int
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        mel = self.clips.mel(i).astype(np.float32)
        normal, log_f0 = (mel[:, :80] - MEL_MEAN) / MEL_STD, mel[:, 80]
        voiced = log_f0 > 0
        centre = float(np.median(log_f0[voiced])) if voiced.any() else 0.0
        pitch = np.where(voiced, log_f0 - centre, np.nan).astype(np.float32)
        return normal, np.concatenate([normal.mean(0), normal.std(0)]), pitch

    def batch(self, rng: random.Random, *, tokens: int, source: list[Pair], augment: bool) -> Batch:
        """Returns a batch of random crops of equal length from `source`, with about `tokens` tokens."""
        n = rng.choices(_CROP_TOKENS, (1, 3, 3, 2))[0]
        rows = max(2, tokens // (2 * n))
        features: tuple[list[npt.NDArray[np.float32]], ...] = ([], [])
        mels: tuple[list[npt.NDArray[np.float32]], ...] = ([], [])
        styles: tuple[list[npt.NDArray[np.float32]], ...] = ([], [])
        pitches: tuple[list[npt.NDArray[np.float32]], ...] = ([], [])
        phonemes: list[npt.NDArray[np.int16]] = []
        tones: list[npt.NDArray[np.int16]] = []
        mandarin = [pair for pair in source if self.clips.clips[pair[0]].language == "zh"]
        other = [pair for pair in source if self.clips.clips[pair[0]].language != "zh"]
        while len(phonemes) < rows:
            pair = rng.choice(
                mandarin if not other or (mandarin and rng.random() < _MANDARIN_SHARE) else other
            )
            length = self.clips.clips[pair[0]].n_tokens
            m = round(n * rng.uniform(*_PACES)) if augment and rng.random() < 0.5 else n  # tokens in the clip
            if length < m:
                continue
            a = 0 if rng.random() < 0.25 else rng.randint(0, length - m)
            a = length - m if rng.random() < 0.15 else a
            frames = slice(2 * a, 2 * (a + m))
            for side, i in enumerate(pair):
                crop = paced(self.clips.whisper(i)[4 * a : 4 * (a + m)].astype(np.float32), 4 * n)
                features[side].append(_augmented(crop, rng) if augment else crop)
                mel, style, pitch = self._statistics(i)
                mels[1 - side].append(paced(mel[frames], 2 * n))
                styles[1 - side].append(style)
                pitches[side].append(_picked(pitch[frames], 2 * n))
            phonemes.append(_picked(self.labels[pair[0]][frames], 2 * n))
            tones.append(_picked(self.tones[pair[0]][frames], 2 * n))

        def both(sides: tuple[list[npt.NDArray[np.float32]], ...]) -> Tensor:
            return torch.from_numpy(np.stack(sides[0] + sides[1]))

        labels, toned = (torch.from_numpy(np.stack(rows + rows)).long() for rows in (phonemes, tones))
        offset = 0 if rng.random() < 0.4 else rng.randint(0, 1500 - 2 * n)
        return Batch(both(features), both(mels), both(styles), labels, toned, both(pitches), offset)


def _frame_tones(clip: Clip, phonemes: list[str]) -> npt.NDArray[np.int16]:
    """Returns the tone of each frame of 20 ms by Kokoro's reading of the text, [2 n_tokens]; 0 in pauses.

    For English each tone is NO_TONE.
    """
    if clip.language != "zh":
        return np.full(len(phonemes), NO_TONE, np.int16)
    tone_at = character_tones(clip.text)
    middle = np.arange(len(phonemes)) * 20 + 10
    known = np.searchsorted(clip.char_ms, middle, side="right") - 1
    characters = clip.char_index[known.clip(0)]
    return np.array(
        [tone_at.get(int(c), 0) if name else 0 for c, name in zip(characters, phonemes, strict=True)],
        np.int16,
    )


def paced(frames: npt.NDArray[np.float32], length: int) -> npt.NDArray[np.float32]:
    """Stretches frames [T, bins] along time to `length` frames."""
    if len(frames) == length:
        return frames
    return _between(frames, (np.arange(length) + 0.5) * len(frames) / length - 0.5)


def _between(rows: npt.NDArray[np.float32], places: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Returns the rows at fractional `places`, each interpolated between its two neighbours."""
    places = places.clip(0, len(rows) - 1.001)
    low = places.astype(np.int64)
    part = (places - low).astype(np.float32)[:, None]
    result: npt.NDArray[np.float32] = rows[low] * (1 - part) + rows[low + 1] * part
    return result


def _picked(values: npt.NDArray[Any], length: int) -> npt.NDArray[Any]:
    """Stretches labels [T] along time to `length` frames: each takes the nearest one."""
    return values[(np.arange(length) * 2 + 1) * len(values) // (2 * length)]


def warped(crop: npt.NDArray[np.float32], factor: float) -> npt.NDArray[np.float32]:
    """Stretches the frequency axis of features [T, bins]: everything moves to `factor` times its bin."""
    return _between(crop.T, np.arange(crop.shape[1]) / factor).T


def _augmented(crop: npt.NDArray[np.float32], rng: random.Random) -> npt.NDArray[np.float32]:
    """Changes features at random, as other speakers and recordings would.

    Changes the vocal tract length, level, tilt and noise floor. Features are log10 power / 4 + 1.
    """
    if rng.random() < 0.5:
        crop = warped(crop, rng.uniform(0.9, 1.1))
    crop = crop + rng.uniform(-0.2, 0.2)
    if rng.random() < 0.4:
        crop = crop + np.linspace(-1, 1, crop.shape[1], dtype=np.float32) * rng.uniform(-0.12, 0.12)
    if rng.random() < 0.3:
        floor = crop.max() - rng.uniform(0.9, 1.8)
        noise = np.random.default_rng(rng.getrandbits(32)).standard_normal(crop.shape, np.float32)
        crop = np.maximum(crop, floor + 0.1 * noise)
    return _with_silent_bands(crop.astype(np.float32), rng)


def _with_silent_bands(crop: npt.NDArray[np.float32], rng: random.Random) -> npt.NDArray[np.float32]:
    """Replaces up to two random frequency bands by the mean (SpecAugment, Park et al., 2019).

    Changes `crop`.
    """
    bins, mean = crop.shape[1], crop.mean()
    for _ in range(rng.choice((0, 1, 2))):
        width = rng.randint(2, bins // 8)
        start = rng.randint(0, bins - width)
        crop[:, start : start + width] = mean
    return crop
