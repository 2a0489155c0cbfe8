"""The engine on a GPU: it speaks, as the CPU does, on streams of its own, and survives a full memory."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor

from glm_tts_api.contracts import Float32
from glm_tts_api.engine.device_thread import use_own_stream
from glm_tts_api.engine.request import Span
from glm_tts_api.engine.token2wav import Token2Wav
from glm_tts_api.engine.torch_flags import full_float32
from glm_tts_api.errors import Unavailable
from glm_tts_api.model.buckets import FLOW_GRAPHS, HIFT_GRAPHS
from glm_tts_api.model.checkpoint import Models
from glm_tts_api.model.cuda_decode import CudaDecodeStep
from glm_tts_api.model.flow import FlowInput
from glm_tts_api.model.flow.dit import DiT
from glm_tts_api.model.vocoder import HiFT
from tests.engine import tiny

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU"),
]


class GreedyDiT(DiT):
    """Asks the device for more memory than it has, for more than so many frames."""

    def velocity(self, x: Tensor, cond: Tensor, tokens: Tensor, **rest: Any) -> Tensor:
        if x.shape[1] > 256:
            torch.empty(2 * torch.cuda.mem_get_info()[1], dtype=torch.uint8, device=x.device)
        return super().velocity(x, cond, tokens, **rest)


def spoken(models: Models, texts: Sequence[str], **options: Any) -> list[Any]:
    """Each text's audio, all asked for at once; or the error."""

    async def run() -> list[Any]:
        async with tiny.engine_of(load=lambda: models) as engine:
            return await tiny.outcomes(engine, texts, **options)

    return asyncio.run(run())


def ended(models: Models, lengths: Sequence[int], *, sample_rate: int = 32000) -> list[Span]:
    """Segments of so many tokens through flow and vocoder, all at once; the one at 32 kHz draws nothing."""
    work = [tiny.span(length, seed=length, sample_rate=sample_rate) for length in lengths]
    with full_float32():
        tiny.rendered(Token2Wav(models, tiny.CONFIG), work)
    return work


def rendered(models: Models, lengths: Sequence[int], *, sample_rate: int = 32000) -> list[Float32]:
    """What has become of them, which is no error."""
    spans = ended(models, lengths, sample_rate=sample_rate)
    assert [span.error for span in spans] == [None] * len(spans)
    return [cast(Float32, span.pcm) for span in spans]


@pytest.mark.parametrize("sample_rate", [24000, 32000])
@pytest.mark.parametrize("method", ["ras", "topk"])
def test_many_requests_at_once_are_spoken(method: str, sample_rate: int) -> None:
    texts = ["a", "bc/def", "ghij", "k/l/m", "nop", "qrs/tuv", "wx", "yz"]
    waves = spoken(tiny.tiny_models(device="cuda"), texts, method=method, sample_rate=sample_rate)
    for text, wave in zip(texts, waves, strict=True):
        assert isinstance(wave, np.ndarray), wave
        assert len(wave) > 0.05 * sample_rate * len(text.replace("/", ""))
        assert np.isfinite(wave).all()
        assert np.abs(wave).max() <= 1


def test_segments_sound_as_on_the_cpu() -> None:
    lengths = [8, 13, 21, 34]
    expected = rendered(tiny.tiny_models(), lengths)
    for wave, wanted in zip(rendered(tiny.tiny_models(device="cuda"), lengths), expected, strict=True):
        np.testing.assert_allclose(wave, wanted, atol=1e-4)


@pytest.mark.parametrize("sample_rate", [24000, 32000])
def test_neighbours_change_no_bit_of_a_segment(sample_rate: int) -> None:
    models, lengths = tiny.tiny_models(device="cuda"), [8, 13, 21, 34, 200, 600]
    together = rendered(models, lengths, sample_rate=sample_rate)
    for length, wave in zip(lengths, together, strict=True):
        np.testing.assert_array_equal(rendered(models, [length], sample_rate=sample_rate)[0], wave)


def test_graphs_say_what_their_kernels_say_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    lengths = [8, 13, 120, 600]
    models = tiny.tiny_models(device="cuda")
    captured = rendered(models, lengths, sample_rate=24000)
    assert len(models.flow.euler_step.captured) == len(FLOW_GRAPHS)
    monkeypatch.setattr(Token2Wav, "_capture", lambda _: None)
    eager = rendered(tiny.tiny_models(device="cuda"), lengths, sample_rate=24000)
    for wave, wanted in zip(captured, eager, strict=True):
        np.testing.assert_allclose(wave, wanted, atol=1e-4)


def test_the_host_waits_for_nothing_of_a_captured_step_or_call() -> None:
    models = tiny.tiny_models(device="cuda")
    Token2Wav(models, tiny.CONFIG)
    hift = models.vocoders[24000]
    assert isinstance(hift, HiFT)
    assert len(hift.graphs.captured) == len(HIFT_GRAPHS)
    segment = FlowInput(torch.zeros(30, dtype=torch.int64), torch.ones(192), noise=0)
    with torch.inference_mode():
        torch.cuda.synchronize()
        torch.cuda.set_sync_debug_mode("error")
        try:
            mel = models.flow.sample(segment, steps=tiny.CONFIG.steps_of(models.flow.config))
            wave = hift(mel, noise=1)
        finally:
            torch.cuda.set_sync_debug_mode("default")
    assert torch.isfinite(wave).all()


def test_a_segment_that_the_device_has_no_memory_for_fails_alone_and_graphs_do_without(
    caplog: pytest.LogCaptureFixture,
) -> None:
    models = tiny.tiny_models(device="cuda")
    estimator = GreedyDiT(models.flow.config).to("cuda")
    estimator.load_state_dict(models.flow.estimator.state_dict())
    models.flow.estimator = estimator
    small, large = ended(models, [20, 200])
    assert small.pcm is not None
    assert isinstance(large.error, torch.OutOfMemoryError)
    assert "goes without CUDA graphs" in caplog.text


def test_a_request_that_the_device_has_no_memory_for_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than there is, to read "~"."""
    read = CudaDecodeStep.prefill

    def prefill(step: CudaDecodeStep, ids: Sequence[int], **place: int) -> None:
        if ord("~") in ids:
            torch.empty(2 * torch.cuda.mem_get_info()[1], dtype=torch.uint8, device="cuda")
        read(step, ids, **place)

    monkeypatch.setattr(CudaDecodeStep, "prefill", prefill)
    results = spoken(tiny.tiny_models(device="cuda"), ["ab", "c~d", "ef"])
    assert [isinstance(result, Unavailable) for result in results] == [False, True, False]


def test_a_thread_gets_a_stream_of_its_own() -> None:
    device = torch.device("cuda")
    streams = [torch.cuda.default_stream(device)]

    def look(urgent: bool) -> None:
        use_own_stream(device, urgent=urgent)
        streams.append(torch.cuda.current_stream(device))

    for urgent in (True, False):
        thread = threading.Thread(target=look, args=(urgent,))
        thread.start()
        thread.join()
    assert len({stream.cuda_stream for stream in streams}) == 3
    assert streams[1].priority < streams[2].priority
