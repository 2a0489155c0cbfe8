"""When a fault is the engine's and not a request's. No GPU is used: networks of this file's own raise the
errors of a lost device."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import Future
from contextlib import asynccontextmanager
from typing import Any
from unittest.mock import MagicMock

import pytest
import torch
from torch import Tensor

from glm_tts_api.engine.engine import Engine
from glm_tts_api.engine.faults import FaultWatch, as_service_error, device_lost, ran_out_of_memory
from glm_tts_api.errors import InternalFault, OutOfMemory, Unavailable, Unhealthy
from glm_tts_api.model.checkpoint import Models
from tests.engine import tiny

ILLEGAL = torch.AcceleratorError("CUDA error: an illegal memory access was encountered\nCompile with ...")
CUDNN = "cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"
CAUSE = "the device failed: AcceleratorError: CUDA error: an illegal memory access was encountered"


def test_an_error_of_the_device_loses_it_and_memory_that_runs_out_does_not() -> None:
    assert str(device_lost(ILLEGAL)) == CAUSE
    assert device_lost(torch.OutOfMemoryError("CUDA out of memory")) is None
    assert device_lost(torch.AcceleratorError("CUDA error: out of memory")) is None
    assert device_lost(RuntimeError("CUDA error: of another kind")) is None
    assert device_lost(ValueError("CUDNN_STATUS_EXECUTION_FAILED")) is None, "somebody's text"


@pytest.mark.parametrize(
    ("said", "lost", "no_memory"),
    [
        ("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasGemmEx(...)`", True, False),
        ("CUDA error: CUBLAS_STATUS_INTERNAL_ERROR when calling `cublasLtMatmul(...)`", True, False),
        ("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED", True, False),
        ("cuDNN error: CUDNN_STATUS_MAPPING_ERROR", True, False),
        ("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`", False, True),
        ("CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasLtCreate(&handle)`", False, True),
        ("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED", False, True),
        ("CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasSgemm(...)`", False, False),
        ("cuDNN error: CUDNN_STATUS_NOT_SUPPORTED", False, False),
        ("CUDA error: CUBLAS_STATUS_INVALID_VALUE when calling `cublasGemmEx(...)`", False, False),
    ],
)
def test_what_cublas_and_cudnn_say_of_the_device_and_of_its_memory_is_understood(
    said: str, lost: bool, no_memory: bool
) -> None:
    error = RuntimeError(said)
    assert (device_lost(error) is not None, ran_out_of_memory(error)) == (lost, no_memory)
    again = [FaultWatch().failed(error) is not None for _ in range(2)]
    assert again == [lost] * 2
    told = as_service_error(error, "id", done="spoken")
    assert isinstance(told, OutOfMemory if no_memory else InternalFault)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.\nmore"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        torch.AcceleratorError("CUDA error: operation failed due to a previous error during capture"),
    ],
)
async def test_memory_that_runs_out_while_the_model_loads_is_told_with_what_to_set(error: Exception) -> None:
    """While a graph is captured PyTorch may say that something else went wrong."""

    def load() -> Models:
        raise error

    engine = await tiny.ready(tiny.tiny_engine(load=load))
    told = str(engine.state.cause)
    assert engine.state.status == "failed"
    assert told.startswith("The memory ran out while the model was loaded (CUDA ")
    assert told.endswith("set SHORT_TEXT_CONCURRENCY and LONG_TEXT_CONCURRENCY to fewer requests")
    assert "\n" not in told
    engine.close()


def test_the_third_of_the_same_faults_in_a_row_is_one_too_many() -> None:
    watch, fault, other = FaultWatch(), RuntimeError("worn out"), RuntimeError("torn")
    assert [watch.failed(error) for error in (fault, fault, other, other, fault)] == [None] * 5
    watch.succeeded()
    assert [watch.failed(RuntimeError("worn out")) for _ in range(2)] == [None] * 2
    assert str(watch.failed(fault)) == "the same fault 3 times: RuntimeError: worn out"


def test_neither_load_nor_a_clients_mistake_counts() -> None:
    watch = FaultWatch()
    for error in (torch.OutOfMemoryError("CUDA out of memory"), Unavailable("later")):
        assert [watch.failed(error) for _ in range(9)] == [None] * 9


class FailingVocoder:
    """Speaks the warm-up, then raises what it is given."""

    sample_rate, hop = 32000, 640

    def __init__(self, error: Exception) -> None:
        self.error, self.n_calls = error, 0

    def __call__(self, mel: Tensor, *, noise: int) -> Tensor:
        self.n_calls += 1
        if self.n_calls > 1:
            raise self.error
        return torch.zeros(mel.shape[-1] * self.hop)


@asynccontextmanager
async def watched(models: Models) -> AsyncIterator[tuple[Engine, Future[str]]]:
    """An engine, and the cause once the engine tells that it is lost."""
    lost: Future[str] = Future()
    tell = lambda error: lost.set_result(str(error))  # noqa: E731
    async with tiny.engine_of(load=lambda: models, on_lost=tell) as engine, asyncio.timeout(60):
        yield engine, lost


async def outcome(engine: Engine, text: str, **options: Any) -> Any:
    """Its audio or the error, once an engine that is not lost holds nothing of it any more."""
    freed = asyncio.Event()
    stream = tiny.speak(engine, tiny.asked(text, **options))
    stream.on_freed(freed.set)
    (result,) = await asyncio.gather(tiny.pcm(stream), return_exceptions=True)
    if engine.state.status == "ready":
        await freed.wait()
    return result


@pytest.mark.parametrize(
    ("error", "cause"), [(ILLEGAL, CAUSE), (RuntimeError(CUDNN), f"the device failed: RuntimeError: {CUDNN}")]
)
async def test_a_faked_device_error_of_a_render_ends_the_engine_at_once(error: Exception, cause: str) -> None:
    async with watched(tiny.with_vocoder(tiny.tiny_models(), FailingVocoder(error))) as (engine, lost):
        assert isinstance(await outcome(engine, "ab", sample_rate=32000), InternalFault)
        assert await asyncio.wrap_future(lost) == cause
        assert (engine.state.status, engine.state.cause) == ("lost", cause)
        assert engine.usage() is None
        with pytest.raises(Unhealthy, match="has failed"):
            engine.state.require_ready()


async def test_a_faked_device_error_while_a_voice_is_heard_ends_it_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    models = tiny.tiny_models()
    async with watched(models) as (engine, lost):
        monkeypatch.setattr(models.speech_tokenizer, "tokens", MagicMock(side_effect=ILLEGAL))
        assert isinstance(await outcome(engine, "ab", voice=tiny.voice(7)), InternalFault)
        assert await asyncio.wrap_future(lost) == CAUSE
        assert (engine.state.status, engine.state.cause) == ("lost", CAUSE)


async def test_a_request_that_fails_in_every_segment_is_one_fault_and_the_third_ends_the_engine() -> None:
    vocoder = FailingVocoder(RuntimeError("worn out"))
    async with watched(tiny.with_vocoder(tiny.tiny_models(), vocoder)) as (engine, lost):
        for status in ("ready", "ready", "lost"):
            await outcome(engine, "ab/cd/ef/gh", sample_rate=32000, use_cache=False)
            assert engine.state.status == status
        assert await asyncio.wrap_future(lost) == "the same fault 3 times: RuntimeError: worn out"


async def test_the_third_request_whose_words_fail_alike_ends_the_engine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    models = tiny.tiny_models()
    async with watched(models) as (engine, _):
        monkeypatch.setattr(models.llm, "prefill", MagicMock(side_effect=RuntimeError("worn out")))
        for status in ("ready", "ready", "lost"):
            await outcome(engine, "ab")
            assert engine.state.status == status


async def test_a_faked_device_error_while_memory_is_released_is_an_answer_and_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with watched(tiny.tiny_models()) as (engine, lost):
        release = "glm_tts_api.engine.core.release_cached_memory"
        monkeypatch.setattr(release, MagicMock(side_effect=ILLEGAL))
        with pytest.raises(torch.AcceleratorError):
            await asyncio.to_thread(engine.clear_cache)
        assert await asyncio.wrap_future(lost) == CAUSE
        assert (engine.state.status, engine.state.cause) == ("lost", CAUSE)


async def test_a_faked_device_error_in_the_first_words_is_a_failed_load_with_that_cause() -> None:
    vocoder = FailingVocoder(ILLEGAL)
    vocoder.n_calls = 1
    models = tiny.with_vocoder(tiny.tiny_models(), vocoder)
    engine = await tiny.ready(tiny.tiny_engine(load=lambda: models))
    assert (engine.state.status, engine.state.cause) == ("failed", CAUSE)
    engine.close()
