"""A new voice takes the turn of the TF32 switches for as long as it launches kernels. No GPU is used: a
device is named, and the models are on the CPU."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import torch
from torch import Tensor

from glm_tts_api.engine.torch_flags import tf32
from glm_tts_api.engine.voice_features import VoiceFeatures
from glm_tts_api.model.speech_tokenizer import PromptFeatures
from tests.engine import tiny

FAKED_GPU = torch.device("cuda", 0)


def a_flow_may_begin() -> bool:
    """Whether another thread is given the turn."""

    def take() -> None:
        with tf32():
            pass

    flow = threading.Thread(target=take, daemon=True)
    flow.start()
    flow.join(0.2)
    return not flow.is_alive()


class Watched:
    """The models of a voice, which call `look` with the name of each part before it works."""

    def __init__(self, look: Callable[[str], None]) -> None:
        self._models, self._look = tiny.tiny_models(), look

    def prompt_features(self, wave: Tensor) -> PromptFeatures:
        self._look("features")
        return self._models.speech_tokenizer.prompt_features(wave)

    def tokens(self, found: PromptFeatures) -> Tensor:
        self._look("tokens")
        return self._models.speech_tokenizer.tokens(found)

    def embed(self, wave: Tensor) -> Tensor:
        self._look("speaker")
        return self._models.speaker_encoder.embed(wave)

    def features(self, **others: Any) -> VoiceFeatures:
        both = cast(Any, self)
        models = replace(self._models, speech_tokenizer=both, speaker_encoder=both, **others)
        return VoiceFeatures(models, 1)


def test_on_a_faked_gpu_a_flow_waits_for_a_new_voices_kernels_and_for_nothing_else_of_it() -> None:
    free: dict[str, bool] = {}
    watched = Watched(lambda part: free.update({part: a_flow_may_begin()}))
    tokens, speaker = watched.features(llm=SimpleNamespace(device=FAKED_GPU)).voice(tiny.voice(1))
    assert free == {"features": True, "tokens": False, "speaker": True}
    plain_tokens, plain_speaker = watched.features().voice(tiny.voice(1))
    assert tokens == plain_tokens
    assert torch.equal(speaker, plain_speaker)


def test_a_voice_that_several_ask_for_at_once_is_heard_once_and_kept_until_the_cache_is_cleared() -> None:
    begun: list[str] = []
    asked = threading.Barrier(3)

    def look(part: str) -> None:
        begun.append(part)
        if part == "features":
            asked.wait(60)

    features = Watched(look).features()

    def ask(number: int) -> list[int]:
        if number:
            asked.wait(60)
        return features.voice(tiny.voice(1))[0]

    with ThreadPoolExecutor(3) as pool:
        assert len({*map(tuple, pool.map(ask, range(3)))}) == 1
    assert begun == ["features", "tokens", "speaker"]
    assert features.clear() > 0
    assert features.clear() == 0
