"""One syllable through each vocoder before the server is ready.

The first request would otherwise wait for weights that are not in memory yet and for kernels that are not
compiled; and a stage that cannot run fails the start rather than a request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from glm_tts_api.contracts import AudioChunk, Recording, SamplingOptions, Timings, Utterance, Voice
from glm_tts_api.engine.request import EngineRequest
from glm_tts_api.engine.voice_features import VoiceFeatures
from glm_tts_api.model.checkpoint import Models

_PROMPT_RATE = 16000


class WarmUp:
    """Listens to a request for each vocoder; calls `on_done` once, with the first error or with None."""

    closed = full = False

    def __init__(
        self, models: Models, features: VoiceFeatures, *, on_done: Callable[[Exception | None], None]
    ) -> None:
        self.timings = Timings()
        self._models = models
        self._features = features
        self._on_done = on_done
        self._vocoders = (models.hift, models.vocos2d)
        self._n_open = len(self._vocoders)

    def requests(self) -> Iterator[EngineRequest]:
        """One syllable in a voice of one second of faint noise, at each sample rate."""
        noise = np.random.default_rng(0).normal(0.0, 0.01, _PROMPT_RATE).astype(np.float32)
        voice = Voice(Recording(noise, _PROMPT_RATE), transcript="a", digest="warm-up")
        ids = self._models.text_tokenizer.encode("a")
        for rate in (vocoder.sample_rate for vocoder in self._vocoders):
            utterance = Utterance("warm-up", "a", voice, SamplingOptions(), sample_rate=rate)
            yield EngineRequest(utterance, [ids], ids, self._features.get(voice, rate), self)

    def chunk_ready(self, chunk: AudioChunk) -> None:
        pass

    def request_ended(self, error: Exception | None) -> None:
        self._n_open -= 1
        if error is not None or self._n_open == 0:
            self._on_done(error)

    def request_freed(self) -> None:
        pass
