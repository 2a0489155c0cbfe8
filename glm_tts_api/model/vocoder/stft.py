"""HiFT's short-time Fourier transform and its inverse, for signals that are padded after their end.

A frame has only 16 samples, so each transform is one matrix product. No library makes a plan for a length,
and the CPU need not read a value back from the GPU, as torch.istft does. A CUDA graph needs both.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glm_tts_api.model.buckets import behind, silence

N_FFT, STFT_HOP = 16, 4
N_BINS = N_FFT // 2 + 1
_OVERLAP = N_FFT // STFT_HOP
_LEAST = 1e-11  # least sum of the windows; the same as in torch.istft


class PaddedSTFT(nn.Module):
    """Computes the STFT and its inverse with a Hann window, for signals with padding. Up to the end of a
    signal the results are those of torch.stft and torch.istft except for rounding."""

    window: Tensor
    forwards: Tensor
    backwards: Tensor

    def __init__(self) -> None:
        super().__init__()
        places, bins = torch.arange(N_FFT).double(), torch.arange(N_BINS).double()
        angles = 2 * math.pi / N_FFT * places[:, None] * bins  # [16, 9]
        window = torch.hann_window(N_FFT, dtype=torch.float64)
        waves = torch.cat([angles.cos(), -angles.sin()], 1)  # [16, 18]
        counted = torch.full((N_BINS,), 2.0).double()  # a bin also counts for its mirror image
        counted[0] = counted[-1] = 1
        backwards = (waves * counted.repeat(2) / N_FFT).T * window
        self.register_buffer("window", window.float(), persistent=False)
        self.register_buffer("forwards", (waves * window[:, None]).float(), persistent=False)
        self.register_buffer("backwards", backwards.float(), persistent=False)

    def spectrum(self, wave: Tensor, end: Tensor) -> Tensor:
        """Computes the STFT of wave [B, N], which is valid up to the sample `end` (a scalar tensor). Returns
        the real parts, then the imaginary parts, as [B, 18, N / 4 + 1], with zeros after the end."""
        n_samples, edge = wave.shape[-1], N_FFT // 2
        places = torch.arange(-edge, n_samples + edge, device=wave.device).abs()
        places = torch.where(places < end, places, 2 * end - 2 - places)  # both edges are mirrored
        frames = wave[:, places.clamp(0, n_samples - 1)].unfold(-1, N_FFT, STFT_HOP).contiguous()
        spectrum = (frames @ self.forwards).transpose(1, 2)
        return silence(spectrum, behind(end // STFT_HOP + 1, spectrum.shape[-1]))

    def wave(self, spectrum: Tensor, end: Tensor) -> Tensor:
        """Computes the inverse STFT, [B, 18, T] -> [B, 4 (T - 1)]. The result is valid up to the sample `end`
        (a scalar tensor)."""
        hidden = behind(end // STFT_HOP + 1, spectrum.shape[-1])
        frames = silence(spectrum, hidden).transpose(1, 2) @ self.backwards  # [B, T, 16]
        windows = silence((self.window**2)[:, None].repeat(1, frames.shape[1]), hidden)
        return _overlap_add(frames) / _overlap_add(windows.T[None]).clamp_min(_LEAST)


def _overlap_add(frames: Tensor) -> Tensor:
    """Adds the overlapping frames [B, T, 16], which are 4 samples apart. Returns the sum from the middle of
    the first frame to the middle of the last one, [B, 4 (T - 1)]."""
    pieces = frames.unflatten(-1, (_OVERLAP, STFT_HOP)).unbind(-2)  # [B, T, 4] each
    last = _OVERLAP - 1
    moved = [F.pad(piece, (0, 0, place, last - place)) for place, piece in enumerate(pieces)]
    edge = _OVERLAP // 2
    return torch.stack(moved).sum(0)[:, edge:-edge].flatten(1)
