"""Reads the training data of kokoro_data.py: clips features, times of phonemes and characters."""

import pickle
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from mini.espeak import clean_phoneme
from mini.features import N_MEL, N_WHISPER


@dataclass(frozen=True)
class Clip:
    """One utterance of the training data. All times are in ms from the beginning of the trimmed audio.

    `phoneme_ms` and `phonemes` give the start and name of each phoneme. `char_ms` and `char_index` give the
    characters whose start is known. `n_tokens` is the length in speech tokens of 40 ms.
    """

    text_id: int
    text: str
    language: str
    voice: str
    n_tokens: int
    phoneme_ms: npt.NDArray[np.int32]
    phonemes: tuple[str, ...]
    char_ms: npt.NDArray[np.int32]
    char_index: npt.NDArray[np.int32]

    def frame_phonemes(self) -> list[str]:
        """Returns the phoneme at the middle of each frame of 20 ms, or "" in pauses: 2 n_tokens names."""
        middle = np.arange(2 * self.n_tokens) * 20 + 10
        index = np.searchsorted(self.phoneme_ms, middle, side="right") - 1
        return [clean_phoneme(self.phonemes[i]) if i >= 0 else "" for i in index]

    def token_chars(self) -> npt.NDArray[np.float32]:
        """Returns for each speech token the index of its character in the text, as a fraction: [n_tokens]."""
        return np.interp(np.arange(self.n_tokens) * 40 + 20, self.char_ms, self.char_index).astype(np.float32)


SPEAKER_STATISTICS = 80 + 79 + 80


def speaker_statistics(fbank: Tensor) -> Tensor:
    """Returns the statistics from which the speaker encoder works: filter banks [T, 80] -> [239].

    The statistics are the spread of each bin over time, and the mean differences of neighbouring bins and of
    neighbouring frames.
    """
    spread = (fbank.square().mean(0) + 1e-6).sqrt()
    return torch.cat([spread, fbank.diff(dim=1).abs().mean(0), fbank.diff(dim=0).abs().mean(0)])


def load_speaker_statistics(parts: list[Path]) -> tuple[Tensor, list[str]]:
    """Reads the speaker statistics [n_clips, 239] and the voice of each clip from all `parts` of the data."""
    rows = [
        np.fromfile(part.with_suffix(".speaker"), np.float32).reshape(-1, SPEAKER_STATISTICS)
        for part in parts
    ]
    voices = [clip.voice for part in parts for clip in load_clips(part)]
    return torch.from_numpy(np.concatenate(rows)), voices


def held_out_first(parts: set[str]) -> list[str]:
    """Orders the names of parts: pairs first, since the first clips are held out, and these are of pairs."""
    return sorted(parts, key=lambda name: (not name.startswith("pairs"), name))


def load_clips(part: Path) -> list[Clip]:
    """Reads the clips of a part of the data, without their features."""
    return [Clip(**fields) for fields in pickle.loads(part.with_suffix(".pkl").read_bytes())]


class ClipSet:
    """The clips of several parts of the data, with their features, which are memory mapped."""

    def __init__(self, parts: list[Path]) -> None:
        self.clips: list[Clip] = []
        self._where: list[tuple[dict[str, npt.NDArray[np.float16]], int]] = []
        for part in parts:
            features = {
                name: np.memmap(part.with_suffix(f".{name}"), np.float16, "r").reshape(-1, width)
                for name, width in (("whisper", N_WHISPER), ("mel", N_MEL + 1), ("recorded", N_MEL))
            }
            start = 0
            for clip in load_clips(part):
                self.clips.append(clip)
                self._where.append((features, start))
                start += clip.n_tokens

    def _rows(self, name: str, i: int, a_token: int) -> npt.NDArray[np.float16]:
        features, start = self._where[i]
        return features[name][a_token * start : a_token * (start + self.clips[i].n_tokens)]

    def whisper(self, i: int) -> npt.NDArray[np.float16]:
        """Returns the Whisper features of clip `i`, [4 n_tokens, 80]."""
        return self._rows("whisper", i, 4)

    def mel(self, i: int) -> npt.NDArray[np.float16]:
        """Returns the log mel and the log F0 of clip `i`, [2 n_tokens, 81]."""
        return self._rows("mel", i, 2)

    def recorded(self, i: int) -> npt.NDArray[np.float16]:
        """Returns the log mel [2 n_tokens, 80] of clip `i` as it was recorded.

        The Whisper features of the clip come from the same recording. The recording may be spoilt
        (recording.py).
        """
        return self._rows("recorded", i, 2)
