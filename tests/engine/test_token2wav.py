"""The render stage: what neighbours change, and what becomes of work that cannot be done."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, cast
from unittest.mock import MagicMock

import numpy as np
import pytest
import torch

from glm_tts_api.engine.request import Span
from glm_tts_api.engine.spans import cut_windows
from glm_tts_api.engine.token2wav import Token2Wav
from glm_tts_api.model.buckets import FRAME_MULTIPLE
from glm_tts_api.model.checkpoint import Models
from glm_tts_api.model.vocoder import HiFT
from tests.engine import tiny


@pytest.fixture(autouse=True)
def few_graphs(monkeypatch: pytest.MonkeyPatch) -> None:
    """What follows from them does not depend on their number."""
    monkeypatch.setattr("glm_tts_api.engine.token2wav.FLOW_GRAPHS", range(64, 65))


@pytest.fixture
def models() -> Models:
    return tiny.tiny_models()


@pytest.mark.parametrize(("of_settings", "expected"), [(None, 3), (5, 5)])
def test_the_checkpoint_names_the_steps_unless_a_setting_does(
    models: Models, of_settings: int | None, expected: int
) -> None:
    models.flow.config = replace(models.flow.config, steps=3)
    batcher, span, n_steps = Token2Wav(models, replace(tiny.CONFIG, flow_steps=of_settings)), tiny.span(), 0
    batcher.queue.add(span)
    with torch.inference_mode():
        while span.pcm is None:
            batcher.step()
            n_steps += 1
    assert n_steps == expected + 1, "the vocoder's call is the last step"


def test_captured_segments_that_take_turns_sound_as_alone(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the bit, those of one bucket above all. On a CPU what is captured is the same code over tensors that
    it keeps, as a graph has them."""
    monkeypatch.setitem(FRAME_MULTIPLE, "cpu", FRAME_MULTIPLE["cuda"])
    batcher = Token2Wav(models, tiny.CONFIG)
    work = [tiny.span(8 + 5 * number, seed=number) for number in range(4)]

    def spoken(*rounds: list[Span]) -> list[Any]:
        """The samples of each of the spans, those of a round rendered in turns."""
        ended = [span for spans in rounds for span in tiny.rendered(batcher, [*map(replace, spans)])]
        return [next(one.pcm for one in ended if one.request is span.request) for span in work]

    eager = spoken(work)
    batcher._capture()
    for captured in (spoken(*([span] for span in work)), spoken(work)):
        for wave, wanted in zip(captured, eager, strict=True):
            np.testing.assert_array_equal(wave, wanted)


def test_threads_that_render_side_by_side_hear_what_one_hears(models: Models) -> None:
    work = [tiny.span(8 + 5 * number, seed=number) for number in range(6)]
    batcher = Token2Wav(models, tiny.CONFIG)
    wanted = {span.request: span.pcm for span in tiny.rendered(batcher, [*map(replace, work)])}
    for span in work:
        batcher.queue.add(span)
    with ThreadPoolExecutor(3) as pool:
        ended = [span for each in pool.map(tiny.rendered, [batcher] * 3, [[]] * 3) for span in each]
    assert len(ended) == len(work)
    assert all(np.array_equal(cast(Any, span.pcm), cast(Any, wanted[span.request])) for span in ended)


def test_tokens_outside_the_table_fail_their_span_alone(models: Models) -> None:
    good, bad = tiny.span(), replace(tiny.span(), tokens=[10**6])
    tiny.rendered(Token2Wav(models, tiny.CONFIG), [bad, good])
    assert bad.error is not None
    assert good.pcm is not None


def test_a_segment_in_spans_is_as_long_as_the_whole_one(models: Models) -> None:
    """With the prompt the last window has 113 tokens, of which the published arithmetic makes 225 frames."""
    batcher, span, n_samples = Token2Wav(models, tiny.CONFIG), tiny.span(113), 0
    (whole,) = tiny.rendered(batcher, [replace(span)])
    for window in cut_windows((60, 100), 113, ended=True):
        part = replace(span, tokens=span.tokens[window.start : window.stop], window=window)
        tiny.rendered(batcher, [part])
        n_samples += len(cast(Any, part.pcm))
    assert n_samples == len(cast(Any, whole.pcm))


def test_a_stage_that_cannot_be_captured_keeps_the_other_one_from_nothing(models: Models) -> None:
    models.flow.capture = MagicMock(side_effect=RuntimeError("out of memory"))  # type: ignore[method-assign]
    Token2Wav(models, tiny.CONFIG)._capture()
    assert cast(HiFT, models.vocoders[24000]).graphs.captured
