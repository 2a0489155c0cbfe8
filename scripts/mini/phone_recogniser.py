"""A small CTC recogniser of Chinese phones. It labels a recording's sounds with espeak-ng's phone names.

It knows no words and little context, so that its errors show errors of the recording. The phones are those of
espeak-ng's Mandarin without stress, length or tone, so a wrong tone does not count.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from glm_tts_api.model.mel import slaney_filterbank
from scripts.mini.espeak import Speech, clean_phoneme
from scripts.mini.features import FMAX_HZ

SAMPLE_RATE = 16000
N_BINS = 80
BLANK = 0
_HOP, _WINDOW, _N_FFT = 160, 400, 512


@dataclass(frozen=True)
class RecogniserConfig:
    phones: tuple[str, ...]
    width: int = 224
    dilations: tuple[int, ...] = (1, 2, 4, 1, 2, 4, 1, 1)
    kernel: int = 5


class LogMel:
    """Computes the log10 mel power of a 16 kHz wave [N] in steps of 10 ms, [T, 80].

    Values more than 60 dB below the loudest point are raised to that level.
    """

    def __init__(self) -> None:
        self._filters = slaney_filterbank(N_BINS, _N_FFT, SAMPLE_RATE, FMAX_HZ)
        self._window = torch.hann_window(_WINDOW)

    def __call__(self, wave: Tensor) -> Tensor:
        spectrum = torch.stft(wave, _N_FFT, _HOP, _WINDOW, self._window, center=True, return_complex=True)
        power = spectrum.real.square() + spectrum.imag.square()
        log_mel = (self._filters @ power).clamp(min=1e-10).log10()
        return torch.maximum(log_mel, log_mel.max() - 6).T


class _Block(nn.Module):
    """A residual dilated convolution, computed as one matrix product, which is faster on a CPU."""

    def __init__(self, width: int, kernel: int, dilation: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.inner = nn.Linear(kernel * width, width)
        self.outer = nn.Linear(width, width)
        self._kernel, self._dilation = kernel, dilation

    def forward(self, x: Tensor, valid: Tensor) -> Tensor:
        """Applies the block to `x` [B, T, width]. Frames that are not `valid` [B, T, 1] count as zero."""
        side = self._dilation * (self._kernel // 2)
        padded = F.pad(self.norm(x) * valid, (0, 0, side, side))
        shifts = [padded[:, i * self._dilation :][:, : x.shape[1]] for i in range(self._kernel)]
        out: Tensor = x + self.outer(F.gelu(self.inner(torch.cat(shifts, -1))))
        return out


class PhoneRecogniser(nn.Module):
    """Maps log mels in steps of 10 ms to phone scores in steps of 20 ms. Class 0 is the blank of CTC."""

    def __init__(self, config: RecogniserConfig) -> None:
        super().__init__()
        self.config = config
        self.stem = nn.Conv1d(N_BINS, config.width, 5, stride=2, padding=2)
        self.blocks = nn.ModuleList(_Block(config.width, config.kernel, d) for d in config.dilations)
        self.norm = nn.LayerNorm(config.width)
        self.head = nn.Linear(config.width, len(config.phones) + 1)
        self.frame_head = nn.Linear(config.width, len(config.phones) + 1)  # helps training only

    def hidden(self, log_mel: Tensor, frames: Tensor) -> Tensor:
        """Maps log mels [B, T, 80] to hidden states [B, ceil(T / 2), width].

        `frames` [B] is the number of valid frames in each row. The mean of each bin is subtracted first.
        """
        valid = (torch.arange(log_mel.shape[1])[None] < frames[:, None])[..., None]
        mean = (log_mel * valid).sum(1, keepdim=True) / frames[:, None, None]
        x = self.stem(((log_mel - mean) * valid).mT).mT
        valid = valid[:, ::2]
        for block in self.blocks:
            x = block(x, valid)
        out: Tensor = self.norm(x)
        return out

    def forward(self, log_mel: Tensor, frames: Tensor) -> Tensor:
        scores: Tensor = self.head(self.hidden(log_mel, frames))
        return scores

    def decode(self, log_mel: Tensor) -> list[str]:
        """Returns the phones of one log mel [T, 80], from the best class of each frame."""
        scores = self(log_mel[None], torch.tensor([len(log_mel)]))[0]
        classes = torch.unique_consecutive(scores.argmax(-1)).tolist()
        return [self.config.phones[c - 1] for c in classes if c != BLANK]


class Listener:
    """A trained recogniser together with its feature extraction: takes waves and returns phones."""

    def __init__(self, model: PhoneRecogniser) -> None:
        self.model = model
        self._log_mel = LogMel()

    @classmethod
    def from_dir(cls, folder: Path) -> "Listener":
        """Loads the recogniser that `python -m scripts.mini.recogniser` has written to `folder`.

        Raises FileNotFoundError if there is none.
        """
        path = folder / "state.pt"
        if not path.exists():
            raise FileNotFoundError(f"{path} is missing; train it with: python -m scripts.mini.recogniser")
        state = torch.load(path, weights_only=True)
        model = PhoneRecogniser(RecogniserConfig(**state["config"]))
        model.load_state_dict(state["model"])
        return cls(model.eval())

    @torch.inference_mode()
    def phones(self, wave: npt.NDArray[np.float32]) -> list[str]:
        """Returns the phones of a 16 kHz wave [N] in -1 to 1, of any length."""
        with torch.autocast("cpu", torch.bfloat16):
            return self.model.decode(self._log_mel(torch.from_numpy(wave)))


def config_state(config: RecogniserConfig) -> dict[str, object]:
    return asdict(config)


def spoken_phones(speech: Speech) -> list[tuple[int, str]]:
    """Returns (start in ms, phone) for each phone of espeak-ng's speech, without pauses."""
    named = ((start, clean_phoneme(name)) for start, name in speech.phonemes)
    return [(start, name) for start, name in named if name]


def edit_distance(reference: Sequence[str], heard: Sequence[str]) -> int:
    """Returns the least number of insertions, deletions and substitutions between two sequences."""
    row = list(range(len(heard) + 1))
    for i, expected in enumerate(reference, 1):
        diagonal, row[0] = row[0], i
        for j, actual in enumerate(heard, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (expected != actual))
    return row[-1]
