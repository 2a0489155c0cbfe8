"""The render stage: who goes first, what neighbours change, and what becomes of cancelled work."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch

from glm_tts_api.contracts import Timings
from glm_tts_api.engine.request import EngineRequest, Span
from glm_tts_api.engine.spans import SpanCutter
from glm_tts_api.engine.token2wav import Token2Wav
from glm_tts_api.engine.voice_features import VoicePrompt
from glm_tts_api.model.buckets import FRAME_MULTIPLE
from glm_tts_api.model.checkpoint import Models
from tests.engine import tiny


class Listener:
    def __init__(self) -> None:
        self.timings = Timings()
        self.closed = self.full = False


def request(n_segments: int, seed: int = 0) -> tuple[EngineRequest, Listener]:
    listener = Listener()
    prompt = VoicePrompt(list(range(10)), torch.linspace(-1, 1, 192), torch.zeros(20, 80))
    return tiny.request(tiny.asked("a", seed=seed), [[97]] * n_segments, [97], prompt, listener), listener


def tasks(owner: EngineRequest, n: int, *, n_tokens: int = 12) -> list[Span]:
    return [tiny.whole_span(owner, list(range(segment, segment + n_tokens)), segment) for segment in range(n)]


def finish(batcher: Token2Wav) -> list[Span]:
    results = []
    with torch.inference_mode():
        while batcher.queue.busy:
            results += batcher.step()
    return results


def with_task(batcher: Token2Wav) -> Token2Wav:
    batcher.queue.add(tasks(request(1)[0], 1)[0])
    return batcher


@pytest.fixture(autouse=True)
def few_graphs(monkeypatch: pytest.MonkeyPatch) -> None:
    """What follows from them does not depend on their number."""
    for name in ("FLOW_GRAPHS", "HIFT_GRAPHS"):
        monkeypatch.setattr(f"glm_tts_api.engine.token2wav.{name}", range(64, 65))


@pytest.fixture(scope="module")
def models() -> Models:
    return tiny.tiny_models()


@pytest.mark.parametrize(("of_settings", "expected"), [(None, 3), (5, 5)])
def test_the_checkpoint_names_the_steps_unless_a_setting_does(of_settings: int | None, expected: int) -> None:
    models = tiny.tiny_models()
    models.flow.config = replace(models.flow.config, steps=3)
    batcher = Token2Wav(models, replace(tiny.CONFIG, flow_steps=of_settings))
    (task,) = tasks(request(1)[0], 1)
    batcher.queue.add(task)
    n_steps = 0
    with torch.inference_mode():
        while task.pcm is None:
            batcher.step()
            n_steps += 1
    assert n_steps == expected + 1, "the vocoder's call is the last step"


def test_captured_segments_that_take_turns_sound_as_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """To the bit, those of one bucket above all. On a CPU what is captured is the same code over tensors that
    it keeps, as a graph has them."""
    monkeypatch.setitem(FRAME_MULTIPLE, "cpu", FRAME_MULTIPLE["cuda"])
    models = tiny.tiny_models()
    batcher = Token2Wav(models, tiny.CONFIG)
    owners = [request(1, seed=seed)[0] for seed in range(4)]
    work = [tasks(owner, 1, n_tokens=8 + 5 * index)[0] for index, owner in enumerate(owners)]
    eager = spoken(batcher, [work])
    batcher._capture()
    alone, together = spoken(batcher, [[task] for task in work]), spoken(batcher, [work])
    for owner in owners:
        np.testing.assert_array_equal(alone[owner], eager[owner])
        np.testing.assert_array_equal(together[owner], alone[owner])


def spoken(batcher: Token2Wav, rounds: list[list[Span]]) -> dict[EngineRequest, Any]:
    """The samples of each of the spans, those of a round rendered in turns."""
    found = {}
    for spans in rounds:
        for span in spans:
            batcher.queue.add(replace(span))
        found.update({result.request: result.pcm for result in finish(batcher)})
    return found


def test_a_faked_gpu_that_cannot_capture_renders_nevertheless(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    models = tiny.tiny_models()

    def fail(*_: object) -> None:
        raise torch.AcceleratorError("operation not permitted when stream is capturing")

    monkeypatch.setattr("glm_tts_api.model.graphs.Graphs._uncaptured", fail)
    batcher = with_task(Token2Wav(models, tiny.CONFIG))
    batcher._capture()
    assert "go without CUDA graphs" in caplog.text
    assert finish(batcher)[0].pcm is not None


def test_threads_that_render_side_by_side_hear_what_one_hears(models: Models) -> None:
    owners = [request(1, seed=seed)[0] for seed in range(6)]
    work = [tasks(owner, 1, n_tokens=8 + 5 * index)[0] for index, owner in enumerate(owners)]
    waves = []
    for n_threads in (1, 3):
        batcher = Token2Wav(models, tiny.CONFIG)
        for task in work:
            batcher.queue.add(task)
        with ThreadPoolExecutor(n_threads) as pool:
            shares = list(pool.map(finish, [batcher] * n_threads))
        waves.append({result.request: result.pcm for share in shares for result in share})
    one, several = waves
    assert all(np.array_equal(cast(Any, one[owner]), cast(Any, several[owner])) for owner in owners)


def test_a_flow_in_bf16_rounds_a_little() -> None:
    full, rounded = (
        finish(with_task(Token2Wav(tiny.tiny_models(), replace(tiny.CONFIG, flow_bf16=bf16))))[0].pcm
        for bf16 in (False, True)
    )
    assert full is not None
    assert rounded is not None
    error = np.abs(full - rounded).mean() / np.abs(full).mean()
    assert 0 < error < 0.05


@pytest.mark.parametrize("bf16", [False, True])
def test_on_a_faked_gpu_the_flows_weights_are_kept_in_bf16_if_asked_for(bf16: bool) -> None:
    models = tiny.tiny_models()
    on_gpu = replace(
        models, llm=cast(Any, SimpleNamespace(device=torch.device("cuda"), dtype=torch.bfloat16))
    )
    Token2Wav(on_gpu, replace(tiny.CONFIG, flow_bf16=bf16))
    convolution = models.flow.estimator.emb_concator.conv_pos_embed.conv1d[0]
    assert convolution.weight.dtype == (torch.bfloat16 if bf16 else torch.float32)
    assert models.flow.estimator.text_emb_layer.text_embed.weight.dtype == torch.float32


def test_tokens_outside_the_table_fail_their_task_alone(models: Models) -> None:
    batcher = Token2Wav(models, tiny.CONFIG)
    good, bad = request(1)[0], request(1)[0]
    batcher.queue.add(tiny.whole_span(bad, [10**6]))
    batcher.queue.add(tasks(good, 1)[0])
    results = {result.request: result for result in finish(batcher)}
    assert results[bad].error is not None
    assert results[good].pcm is not None


def test_a_segment_in_spans_is_as_long_as_the_whole_one(models: Models) -> None:
    """With the prompt the last window has 113 tokens, of which the published arithmetic makes 225 frames."""
    tokens = [number % tiny.N_SPEECH_TOKENS for number in range(113)]
    batcher, (owner, _) = Token2Wav(models, tiny.CONFIG), request(2)
    batcher.queue.add(tiny.whole_span(owner, tokens))
    (whole,) = finish(batcher)
    assert whole.pcm is not None
    n_samples = 0
    for window in SpanCutter((60, 100)).cut(len(tokens), ended=True):
        batcher.queue.add(Span(owner, 1, tokens[window.start : window.stop], window))
        (part,) = finish(batcher)
        assert part.pcm is not None
        n_samples += len(part.pcm)
    assert n_samples == len(whole.pcm)
