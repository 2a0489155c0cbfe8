"""Turns a mel that comes in pieces into a wave in pieces. Together the pieces are the wave of the whole mel,
except for rounding.

The last frames are held back until the frames after them are known. Some earlier frames are kept as context
for the next piece. HiFT's pitch is computed once for each frame, its phase is carried on, and its noise
depends on each sample's place. The inside of Vocos2D is not known, so Vocos2D (and any other vocoder) gets
the mel from its beginning each time.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from glm_tts_api.model.buckets import HIFT_GRAPHS, is_padded, pad_end
from glm_tts_api.model.vocoder.hift import HOP, N_MELS, HiFT
from glm_tts_api.model.vocoder.source import HARMONICS, source_noise

HIFT_HELD_BACK = 12  # frames; HiFT reads 13 to 15 frames ahead, but the last of these hardly matter
HIFT_CONTEXT = 20  # frames
HELD_BACK = 18  # frames; measured with the bundled model's Vocos2D, not with the official one
_LONGEST_PIECE = HIFT_GRAPHS[-1] - HIFT_CONTEXT - HIFT_HELD_BACK  # frames, on a GPU
PITCH_REACH = 5  # a frame's pitch depends on the five frames after it: five convolutions of three frames


class Vocoder(Protocol):
    """The interface of a vocoder. `sample_rate` is in Hz, and `hop` is the number of samples a mel frame."""

    sample_rate: int
    hop: int

    def __call__(self, mel: Tensor, *, noise: torch.Generator | int) -> Tensor:
        """Turns the mel [1, 80, T] into a wave [T * hop], float32 in [-1, 1]. `noise` is a seed or a
        generator."""

    def call_bytes(self, *, n_frames: int) -> int:
        """Returns the bytes that a call for `n_frames` frames needs on a GPU; 0 if that is not known."""


class VocoderStream(Protocol):
    """The state of a vocoder for one utterance, whose mel comes in pieces."""

    def push(self, mel: Tensor, *, last: bool) -> Tensor:
        """Takes the next frames of the mel, [1, 80, T]; T may be 0. Returns the next samples that can be
        computed now, [n] float32; n may be 0. `last` says that no frames follow."""


def open_stream(vocoder: Vocoder, *, noise: int) -> VocoderStream:
    """Returns a new stream of `vocoder` for one utterance. `noise` is the seed of its noise."""
    return HiftStream(vocoder, noise) if isinstance(vocoder, HiFT) else WholeStream(vocoder)


class HiftStream:
    """A stream of HiFT, which keeps a window of the mel. The window moves on with each piece. On a GPU a long
    piece is cut into shorter ones."""

    def __init__(self, hift: HiFT, noise: int) -> None:
        self._hift = hift
        self._noise = noise
        self._first = 0  # the utterance's frame at which the window begins
        self._spoken = 0  # frames whose samples were returned
        device = hift.window.device
        self._mel = torch.empty(1, N_MELS, 0, device=device)
        self._pitch = torch.empty(1, 0, device=device)  # of the window's first frames, where it is final
        self._turned = torch.zeros(1, HARMONICS, 1, device=device)  # the sum of turns before the window

    @torch.inference_mode()
    def push(self, mel: Tensor, *, last: bool) -> Tensor:
        if not is_padded(mel.device) or mel.shape[-1] <= _LONGEST_PIECE:
            return self._push(mel, last=last)
        *before, end = mel.split(_LONGEST_PIECE, -1)
        return torch.cat([*(self._push(piece, last=False) for piece in before), self._push(end, last=last)])

    def _push(self, mel: Tensor, *, last: bool) -> Tensor:
        self._mel = torch.cat([self._mel.to(mel), mel], -1)
        n_known = self._first + self._mel.shape[-1]
        end = n_known if last else n_known - HIFT_HELD_BACK
        if end <= self._spoken:
            return torch.empty(0, device=mel.device)
        wave = self._window(last=last)
        samples = wave[(self._spoken - self._first) * HOP : (end - self._first) * HOP]
        self._spoken = end
        if not last:
            self._move_on()
        return samples

    def _window(self, *, last: bool) -> Tensor:
        mel = self._mel
        end = self._first + mel.shape[-1]
        noise = source_noise(self._noise, self._first, end, hop=HOP, device=mel.device)
        known = pad_end(self._pitch.to(mel), mel.shape[-1], -1)
        wave, pitch = self._hift.speak(mel, noise[None].to(mel), pitch=known, turned=self._turned.to(mel))
        self._pitch = pitch if last else pitch[:, : pitch.shape[-1] - PITCH_REACH]
        return wave[0]

    def _move_on(self) -> None:
        """Drops those frames from the window that the next piece does not need as context. Keeps the sum of
        the turns of the dropped frames, with which the next piece begins its phase."""
        n_dropped = max(0, self._spoken - HIFT_CONTEXT - self._first)
        if n_dropped:
            turns = self._hift.m_source.turns(self._pitch[:, :n_dropped])
            self._turned = torch.cat([self._turned.to(turns), turns], -1).cumsum(-1)[..., -1:]
            self._mel, self._pitch = self._mel[..., n_dropped:], self._pitch[:, n_dropped:]
            self._first += n_dropped


class WholeStream:
    """A stream of any vocoder, which runs the vocoder over all frames so far for each piece."""

    def __init__(self, vocoder: Vocoder) -> None:
        self._vocoder = vocoder
        self._mel = torch.empty(1, N_MELS, 0)
        self._spoken = 0

    @torch.inference_mode()
    def push(self, mel: Tensor, *, last: bool) -> Tensor:
        self._mel = torch.cat([self._mel.to(mel), mel], -1)
        end = self._mel.shape[-1] - (0 if last else HELD_BACK)
        if end <= self._spoken:
            return torch.empty(0, device=mel.device)
        wave = self._vocoder(self._mel, noise=0)
        samples = wave[self._spoken * self._vocoder.hop : end * self._vocoder.hop]
        self._spoken = end
        return samples
