"""A new voice takes the turn of the TF32 switches for as long as it launches kernels. No GPU is used: a
device is named, and the models are on the CPU."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import torch
from torch import Tensor

from glm_tts_api.engine.torch_flags import tf32
from glm_tts_api.engine.voice_features import VoiceFeatures
from glm_tts_api.model.speech_tokenizer import Heard
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
    """The models of a voice, which note whether a flow step may begin while they are at work."""

    def __init__(self) -> None:
        self.models = tiny.tiny_models()
        self.free: dict[str, bool] = {}

    def hear(self, wave: Tensor) -> Heard:
        self.free["features"] = a_flow_may_begin()
        return self.models.speech_tokenizer.hear(wave)

    def tokens(self, heard: Heard) -> Tensor:
        self.free["tokens"] = a_flow_may_begin()
        return self.models.speech_tokenizer.tokens(heard)

    def embed(self, wave: Tensor) -> Tensor:
        self.free["speaker"] = a_flow_may_begin()
        return self.models.speaker_encoder.embed(wave)


def test_on_a_faked_gpu_a_flow_waits_for_a_new_voices_kernels_and_for_nothing_else_of_it() -> None:
    watched = Watched()
    both = cast(Any, watched)
    llm = cast(Any, SimpleNamespace(device=FAKED_GPU))
    models = replace(watched.models, llm=llm, speech_tokenizer=both, speaker_encoder=both)
    heard = VoiceFeatures(models, 1).get(tiny.voice(1), 24000)
    assert watched.free == {"features": True, "tokens": False, "speaker": True}
    plain = VoiceFeatures(watched.models, 1).get(tiny.voice(1), 24000)
    assert heard.speech_tokens == plain.speech_tokens
    assert torch.equal(heard.embedding, plain.embedding)


def test_a_voice_that_several_ask_for_at_once_is_heard_once_and_kept_until_the_cache_is_cleared() -> None:
    watched, n_heard, asked = Watched(), 0, threading.Barrier(3)

    class Counting:
        def hear(self, wave: Tensor) -> Heard:
            nonlocal n_heard
            n_heard += 1
            asked.wait(60)
            return watched.models.speech_tokenizer.hear(wave)

        def tokens(self, heard: Heard) -> Tensor:
            return watched.models.speech_tokenizer.tokens(heard)

    features = VoiceFeatures(replace(watched.models, speech_tokenizer=cast(Any, Counting())), 1)

    def ask(number: int) -> list[int]:
        if number:
            asked.wait(60)
        return features.get(tiny.voice(1), 24000).speech_tokens

    with ThreadPoolExecutor(3) as pool:
        assert len({*map(tuple, pool.map(ask, range(3)))}) == 1
    assert n_heard == 1
    assert features.clear() > 0
    assert features.clear() == 0
