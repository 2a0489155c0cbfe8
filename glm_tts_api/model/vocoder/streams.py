"""A mel spoken as it comes: pieces in, waves out, the same as of the whole mel but for rounding.

A few frames are held back until what follows them is known, and a few are kept so that the next piece
begins in their context. HiFT's pitch is read once for each frame and its phase carried on; its noise
belongs to each sample's place. Vocos2D is opaque and may carry anything along: it, like any other
vocoder, hears the mel from its beginning each time.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from glm_tts_api.model.buckets import pad_end
from glm_tts_api.model.vocoder.hift import HOP, N_MELS, HiFT
from glm_tts_api.model.vocoder.source import HARMONICS

HIFT_HELD_BACK = 12  # frames: it reaches 13 to 15, and the outermost hardly matter
HIFT_CONTEXT = 20
HELD_BACK = 18  # measured on the mini's Vocos2D, whose last frames differ more; the official one's is unknown
PITCH_REACH = 5  # five convolutions of three frames


class Vocoder(Protocol):
    """The vocoder of one sample rate. `hop`: samples a frame."""

    sample_rate: int
    hop: int

    def __call__(self, mel: Tensor, *, noise: torch.Generator | int) -> Tensor:
        """mel [1, 80, T] -> wave [T * hop], float32 in [-1, 1]."""

    def call_bytes(self, *, n_frames: int) -> int:
        """Bytes that a call holds on a GPU; 0 where that is not known."""


class VocoderStream(Protocol):
    """The vocoder's state for one utterance, whose mel comes piece by piece."""

    def push(self, mel: Tensor, *, last: bool) -> Tensor:
        """The mel's next frames [1, 80, T], which may be none -> what can be said by now, [n] float32."""


def open_stream(vocoder: Vocoder, *, noise: int) -> VocoderStream:
    """A stream that draws the noise of the seed `noise`."""
    return HiftStream(vocoder, noise) if isinstance(vocoder, HiFT) else WholeStream(vocoder)


class HiftStream:
    """HiFT over a window that moves on with the mel."""

    def __init__(self, hift: HiFT, noise: int) -> None:
        self._hift = hift
        self._noise = noise
        self._first = 0  # where the window begins
        self._spoken = 0  # frames so far
        self._mel = torch.empty(1, N_MELS, 0)
        self._pitch = torch.empty(1, 0)  # of the window's first frames: it changes no more
        self._turned = torch.zeros(1, HARMONICS, 1)  # before the window

    @torch.inference_mode()
    def push(self, mel: Tensor, *, last: bool) -> Tensor:
        self._mel = torch.cat([self._mel.to(mel), mel], -1)
        n_known = self._first + self._mel.shape[-1]
        end = n_known if last else n_known - HIFT_HELD_BACK
        if end <= self._spoken:
            return torch.empty(0, device=mel.device)
        wave = self._window(last=last)
        said = wave[(self._spoken - self._first) * HOP : (end - self._first) * HOP]
        self._spoken = end
        self._move_on()
        return said

    def _window(self, *, last: bool) -> Tensor:
        mel = self._mel
        noise = self._hift.noise(self._noise, self._first, self._first + mel.shape[-1], mel.device)
        known = pad_end(self._pitch.to(mel), mel.shape[-1], -1)
        wave, pitch = self._hift.speak(mel, noise[None].to(mel), pitch=known, turned=self._turned.to(mel))
        self._pitch = pitch if last else pitch[:, : pitch.shape[-1] - PITCH_REACH]
        return wave[0]

    def _move_on(self) -> None:
        """Drops what is no context of what comes next."""
        n_dropped = max(0, self._spoken - HIFT_CONTEXT - self._first)
        if n_dropped:
            turns = self._hift.m_source.turns(self._pitch[:, :n_dropped])
            self._turned = torch.cat([self._turned.to(turns), turns], -1).cumsum(-1)[..., -1:]
            self._mel, self._pitch = self._mel[..., n_dropped:], self._pitch[:, n_dropped:]
            self._first += n_dropped


class WholeStream:
    """A vocoder over all that has come."""

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
        said = wave[self._spoken * self._vocoder.hop : end * self._vocoder.hop]
        self._spoken = end
        return said
