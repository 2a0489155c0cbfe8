"""Computes the features of a voice for the models, once for each recording, and keeps them (LRU).

Requests that ask for the same voice at the same time share one computation. The text pool's threads call this
module; the models that it uses hold no state between calls.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from cachetools import LRUCache, cached
from torch import Tensor

from glm_tts_api.contracts import Voice
from glm_tts_api.engine.torch_flags import full_float32
from glm_tts_api.errors import PromptRejected
from glm_tts_api.model.checkpoint import Models
from glm_tts_api.model.mel import log_mel, resample
from glm_tts_api.model.speaker_encoder import SAMPLE_RATE

_LEAST_SAMPLES = SAMPLE_RATE // 10  # 0.1 s


@dataclass(frozen=True, slots=True, eq=False)
class VoicePrompt:
    """A voice as the prompt of segments: the `text_ids` of its transcript, and the features of its recording,
    which are the `speech_tokens` (25 a second), the speaker `embedding` [192] and the `mel` spectrogram
    [T, 80] (50 frames a second). `pace` is the length of the recording divided by the usual length of such a
    transcript: above 1 means slow speech."""

    text_ids: Sequence[int]
    speech_tokens: Sequence[int]
    embedding: Tensor
    mel: Tensor
    pace: float = 1.0


class VoiceFeatures:
    """Computes and keeps the features of up to `capacity` voices. The key of a voice is the digest of its
    recording; its mel has a key for each sample rate.

    `voice` takes a Voice, and returns the speech tokens and the speaker embedding of a VoicePrompt. It raises
    PromptRejected if the recording is shorter than 0.1 s. `mel` takes a Voice and a sample rate in Hz, and
    returns the mel for speech at that rate."""

    def __init__(self, models: Models, capacity: int) -> None:
        self._models = models
        self._cache = LRUCache[Any, Any](2 * capacity)  # two entries a voice, 1 MB for 30 s
        self._changing = threading.Condition()
        kept = partial(cached, self._cache, condition=self._changing)
        self.voice = kept(lambda voice: voice.digest)(self._encode)
        self.mel = kept(lambda voice, rate: (voice.digest, rate))(self._mel)
        self._encoding = threading.Lock()  # the speaker encoder serves one thread at a time
        self._precision = full_float32 if models.llm.device.type == "cuda" else nullcontext

    def clear(self) -> int:
        """Drops the features of all voices. Returns the bytes freed."""
        with self._changing:
            freed = sum(map(_n_bytes, self._cache.values()))
            self._cache.clear()
        return freed

    @torch.inference_mode()
    def _encode(self, voice: Voice) -> tuple[list[int], Tensor]:
        recording = voice.recording
        wave = resample(torch.from_numpy(recording.samples), recording.sample_rate, SAMPLE_RATE)
        if len(wave) < _LEAST_SAMPLES:
            raise PromptRejected(
                "The prompt recording is too short to take a voice from: send 3 to 10 s of speech"
            )
        tokenizer = self._models.speech_tokenizer
        prompt = tokenizer.prompt_features(wave)
        with self._encoding:
            with self._precision():
                tokens = tokenizer.tokens(prompt)
            embedding = self._models.speaker_encoder.embed(wave)[0]  # while a GPU still computes the tokens
            return tokens.tolist(), embedding

    @torch.inference_mode()
    def _mel(self, voice: Voice, sample_rate: int) -> Tensor:
        wave = torch.from_numpy(voice.recording.samples)
        mel = log_mel(resample(wave, voice.recording.sample_rate, sample_rate), sample_rate)  # [80, T]
        return mel.T.contiguous()


def _n_bytes(value: Tensor | tuple[list[int], Tensor]) -> int:
    if isinstance(value, Tensor):
        return value.nbytes
    tokens, embedding = value
    return 8 * len(tokens) + embedding.nbytes
