"""Computes the features of a voice for the models, once for each recording, and keeps them (LRU).

Requests that ask for the same voice at the same time share one computation. The text pool's threads call this
module; the models that it uses hold no state between calls.
"""

from __future__ import annotations

import threading
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor

from glm_tts_api.contracts import Recording, Voice
from glm_tts_api.engine.precision import full_float32
from glm_tts_api.engine.shared_cache import SharedCache
from glm_tts_api.errors import PromptRejected
from glm_tts_api.model.checkpoint import Models
from glm_tts_api.model.mel import log_mel, resample
from glm_tts_api.model.speaker_encoder import SAMPLE_RATE

_LEAST_SAMPLES = SAMPLE_RATE // 10  # 0.1 s
_MAX_BYTES = 2**28  # 64 voices of 30 s take 62 MB


@dataclass(frozen=True, slots=True, eq=False)
class VoicePrompt:
    """A voice as the LLM and the flow take it: the `speech_tokens` of its recording (25 a second), the
    speaker `embedding` [192], and the `mel` spectrogram [T, 80] (50 frames a second)."""

    speech_tokens: list[int]
    embedding: Tensor
    mel: Tensor


class VoiceFeatures:
    """Computes and keeps the features of up to `capacity` voices. The key of a voice is the digest of its
    recording; its mel has a key for each sample rate."""

    def __init__(self, models: Models, capacity: int) -> None:
        self._models = models
        self._cache = SharedCache(  # two entries a voice
            2 * capacity, max_bytes=_MAX_BYTES, size_of=_n_bytes
        )
        self._listening = threading.Lock()  # the speaker encoder serves one thread at a time
        self._precision = full_float32 if models.llm.device.type == "cuda" else nullcontext

    def get(self, voice: Voice, sample_rate: int) -> VoicePrompt:
        """Returns the voice's features for speech at `sample_rate` Hz. Raises PromptRejected if the recording
        is shorter than 0.1 s."""
        recording = voice.recording
        tokens, embedding = self._cache.get(("voice", voice.digest), lambda: self._listen(recording))
        mel = self._cache.get(("mel", voice.digest, sample_rate), lambda: self._mel(recording, sample_rate))
        return VoicePrompt(tokens, embedding, mel)

    def clear(self) -> int:
        """Drops the features of all voices. Returns the bytes freed."""
        return self._cache.clear()

    @torch.inference_mode()
    def _listen(self, recording: Recording) -> tuple[list[int], Tensor]:
        wave = resample(torch.from_numpy(recording.samples), recording.sample_rate, SAMPLE_RATE)
        if len(wave) < _LEAST_SAMPLES:
            raise PromptRejected(
                "The prompt recording is too short to take a voice from: send 3 to 10 s of speech"
            )
        tokenizer = self._models.speech_tokenizer
        heard = tokenizer.hear(wave)
        with self._listening:
            with self._precision():
                tokens = tokenizer.tokens(heard)
            embedding = self._models.speaker_encoder.embed(wave)[0]  # while a GPU still computes the tokens
            return tokens.tolist(), embedding

    @torch.inference_mode()
    def _mel(self, recording: Recording, sample_rate: int) -> Tensor:
        wave = torch.from_numpy(recording.samples)
        mel = log_mel(resample(wave, recording.sample_rate, sample_rate), sample_rate)  # [80, T]
        return mel.T.contiguous()


def _n_bytes(value: Tensor | tuple[list[int], Tensor]) -> int:
    if isinstance(value, Tensor):
        return value.nbytes
    tokens, embedding = value
    return 8 * len(tokens) + embedding.nbytes
