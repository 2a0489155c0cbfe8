"""A fault ends the request it happened to; the others sound as if nothing had been.

A CPU has no CUDA allocator, so networks of this file's own raise torch.OutOfMemoryError where a GPU's memory
would be full. The handling of the error is real.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from glm_tts_api.errors import InternalFault, OutOfMemory
from glm_tts_api.model.checkpoint import Models
from glm_tts_api.model.flow import FlowConfig, FlowMatching
from glm_tts_api.model.flow.dit import DiT
from glm_tts_api.model.kv_cache import KVCache
from glm_tts_api.model.llm_runner import LlmRunner
from speech_text import Reading
from tests.engine import tiny


class BrittleRunner(LlmRunner):
    """Cannot read "~"."""

    def prefill(self, ids: Sequence[int] | Tensor, *, cache: KVCache, slot: int, start: int = 0) -> Tensor:
        if ord("~") in list(ids):
            raise RuntimeError("unreadable")
        return super().prefill(ids, cache=cache, slot=slot, start=start)


async def scene(models: Models, texts: Sequence[str], **options: Any) -> tuple[list[Any], Any]:
    """What becomes of `texts`, and of the first of them when it is asked for again, alone."""
    async with tiny.engine_of(load=lambda: models) as engine:
        results = await tiny.outcomes(engine, texts, **options)
        (again,) = await tiny.outcomes(engine, texts[:1])
        return results, again


async def test_a_prompt_that_cannot_be_read_fails_alone_and_is_logged_with_its_request_id(
    caplog: pytest.LogCaptureFixture,
) -> None:
    results, again = await scene(tiny.tiny_models(BrittleRunner), ["ab", "a~b", "cd"])
    assert [isinstance(result, InternalFault) for result in results] == [False, True, False]
    assert np.array_equal(results[0], again)
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert getattr(record, "request_id", None) == "test"
    assert record.exc_info is not None


async def test_a_fault_that_comes_back_does_not_end_an_engine_that_speaks_in_between() -> None:
    async with tiny.engine_of(load=lambda: tiny.tiny_models(BrittleRunner)) as engine:
        for text in ["a~", "b"] * 4:
            (result,) = await tiny.outcomes(engine, [text])
            assert isinstance(result, InternalFault) == (text == "a~")
        assert engine.state.status == "ready"


async def test_what_a_fault_of_the_text_front_end_quotes_is_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Confused(tiny.SentenceFrontend):
        def read(self, text: str, *_: Any) -> Reading:
            raise ValueError(f"what is {text}?")

    async with tiny.engine_of(frontend=Confused) as engine:
        (result,) = await tiny.outcomes(engine, ["ab rhinoceros"])
    assert isinstance(result, InternalFault)
    assert "in read" in caplog.text
    assert "ValueError; LOG_TEXT=1" in caplog.text
    assert "rhinoceros" not in caplog.text


class CrampedDiT(DiT):
    """Has memory for segments of 150 frames."""

    def __init__(self, config: FlowConfig) -> None:
        super().__init__(config)
        self.left_over: weakref.ref[Tensor] | None = None

    def velocity(self, x: Tensor, cond: Tensor, tokens: Tensor, **rest: Any) -> Tensor:
        if x.shape[1] > 150:
            activations = x.clone()
            self.left_over = weakref.ref(activations)
            raise torch.OutOfMemoryError("CUDA out of memory")
        return super().velocity(x, cond, tokens, **rest)


async def test_the_client_hears_that_memory_ran_out_and_the_next_one_is_served() -> None:
    """20 draws for each letter at most: a short text has room, a long one has none."""
    models = tiny.tiny_models()
    flow, cramped = FlowMatching(models.flow.config), CrampedDiT(models.flow.config)
    cramped.load_state_dict(models.flow.estimator.state_dict())
    flow.estimator = cramped
    models = replace(models, flow=flow.eval())
    async with tiny.engine_of(load=lambda: models) as engine:
        outcomes = [(await tiny.outcomes(engine, [text]))[0] for text in ("a", "abcdefghij", "a")]
    before, refused, after = outcomes
    assert isinstance(refused, OutOfMemory)
    assert "no memory left" in refused.message
    assert cramped.left_over is not None
    assert cramped.left_over() is None, "what the failed call had made is let go"
    assert np.array_equal(before, after)
