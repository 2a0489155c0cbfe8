"""The training data of the vocoders: speech at 24 and 32 kHz, and its pitch. kokoro_waves.py makes it."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from glm_tts_api.model.mel import log_mel

FRAMES_PER_SECOND = 50
MARGIN_FRAMES = 2  # more frames on both sides of a crop, so that its mel equals that of the whole utterance
MEL_FLOOR = -11.5129


@dataclass(frozen=True)
class Crop:
    """A batch of crops: waves [B, T * hop], mels [B, 80, T], and f0 [B, T] in Hz, 0 where unvoiced."""

    wave: Tensor
    mel: Tensor
    f0: Tensor


class WaveSet:
    """The training utterances at one sample rate and their pitch, memory mapped from files in `folder`."""

    def __init__(self, folder: Path, sample_rate: int) -> None:
        self.sample_rate = sample_rate
        self.hop = sample_rate // FRAMES_PER_SECOND
        self._wave = np.memmap(folder / f"waves{sample_rate}.i16", np.int16, "r")
        self._f0 = np.memmap(folder / "f0.f16", np.float16, "r")
        self._ends = np.cumsum(np.load(folder / "frames.npy"))

    def __len__(self) -> int:
        return len(self._ends)

    def utterance(self, index: int) -> Crop:
        """Returns a whole utterance as a batch of one crop."""
        start = int(self._ends[index - 1]) if index else 0
        return self._crop(start, int(self._ends[index]), 1.0)

    def crops(self, rng: random.Random, *, batch: int, frames: int, held_out: int) -> Crop:
        """Returns `batch` random crops of `frames` frames at random levels.

        The crops do not touch the last `held_out` utterances.
        """
        limit = int(self._ends[-1 - held_out]) - frames - MARGIN_FRAMES
        starts = [rng.randint(MARGIN_FRAMES, limit) for _ in range(batch)]
        rows = [self._crop(start, start + frames, rng.uniform(0.3, 1.2)) for start in starts]
        return Crop(*(torch.cat([getattr(row, name) for row in rows]) for name in ("wave", "mel", "f0")))

    def _crop(self, start: int, end: int, gain: float) -> Crop:
        low, high = max(0, start - MARGIN_FRAMES), end + MARGIN_FRAMES
        samples = self._wave[low * self.hop : high * self.hop].astype(np.float32) / 32768
        wave = (torch.from_numpy(samples) * gain).clamp(-1, 1)
        before, length = start - low, end - start
        mel = log_mel(wave, self.sample_rate)[:, before : before + length]
        f0 = torch.from_numpy(self._f0[start:end].astype(np.float32))
        inner = wave[before * self.hop : (before + length) * self.hop]
        return Crop(inner[None], mel[None], torch.where(f0 > 0, f0.exp(), f0)[None])


def degrade(mel: Tensor, rng: random.Random, *, share: float = 0.5) -> Tensor:
    """Makes a random `share` of the mels [B, 80, T] rough or too smooth, as a flow's mels are."""
    rows = [_degrade_row(row, rng) if rng.random() < share else row for row in mel]
    return torch.stack(rows).clamp_min(MEL_FLOOR - 0.5)


def _degrade_row(mel: Tensor, rng: random.Random) -> Tensor:
    blur_t, blur_f = rng.uniform(0, 0.3), rng.uniform(0, 0.3)
    kernel = torch.outer(_three_taps(blur_f), _three_taps(blur_t))
    padded = F.pad(mel[None, None], (1, 1, 1, 1), mode="replicate")
    smooth = F.conv2d(padded, kernel[None, None])[0, 0]
    return smooth + rng.uniform(0, 0.35) * torch.randn_like(mel)


def _three_taps(side: float) -> Tensor:
    return torch.tensor([side, 1 - 2 * side, side])


def to_int16(wave: Tensor, length: int) -> npt.NDArray[np.int16]:
    padded = F.pad(wave, (0, max(0, length - len(wave))))[:length]
    return (padded * 32767).clamp(-32767, 32767).to(torch.int16).numpy()


def write(
    folder: Path, waves: dict[int, list[npt.NDArray[np.int16]]], pitches: Sequence[npt.NDArray[np.float16]]
) -> None:
    for rate, parts in waves.items():
        np.concatenate(parts).tofile(folder / f"waves{rate}.i16")
    np.concatenate(pitches).tofile(folder / "f0.f16")
    np.save(folder / "frames.npy", np.array([len(pitch) for pitch in pitches]))
    print(f"{folder}: {len(pitches)} utterances, {sum(map(len, pitches)) / 3000:.1f} min", flush=True)
